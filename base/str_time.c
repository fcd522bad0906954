/* Times as text: RFC 3339 in both directions, proleptic Gregorian, no locale, no time zone files.
 */
#include "base/str.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_S 1000000

void str_time(int64_t us, char ret[STR_TIME_SIZE])
{
    int64_t rest = us % US_PER_S;
    time_t seconds = (time_t)(us / US_PER_S);
    struct tm tm;

    if (rest < 0) { /* floor, so that times before the epoch do not jump */
        rest += US_PER_S;
        seconds--;
    }
    (void)gmtime_r(&seconds, &tm); /* fails only beyond 32-bit years, which 64-bit µs never reach */
    (void)snprintf(ret, STR_TIME_SIZE, "%04lld-%02u-%02uT%02u:%02u:%02u.%03uZ",
                   (long long)tm.tm_year + 1900, (unsigned)tm.tm_mon % 12 + 1,
                   (unsigned)tm.tm_mday % 32, (unsigned)tm.tm_hour % 24, (unsigned)tm.tm_min % 60,
                   (unsigned)tm.tm_sec % 61, (unsigned)(rest / 1000));
}

/* Exactly `digits` digits at *p within [min, max]; moves *p behind them. */
static bool take_number(const char **p, int digits, int min, int max, int *ret)
{
    int value = 0;

    for (int i = 0; i < digits; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        value = value * 10 + (**p - '0');
    }
    *ret = value;
    return value >= min && value <= max;
}

static bool take_char(const char **p, const char *allowed)
{
    if (**p == '\0' || !strchr(allowed, **p))
        return false;
    (*p)++;
    return true;
}

/* ".5", ".678901234": cut at microseconds. Absent is 0. */
static bool take_fraction(const char **p, int *ret_us)
{
    int scale = US_PER_S / 10;

    *ret_us = 0;
    if (**p != '.')
        return true;
    (*p)++;
    if (**p < '0' || **p > '9')
        return false;
    for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
        *ret_us += (**p - '0') * scale;
    return true;
}

/* "Z" or "+02:00". */
static bool take_offset(const char **p, int *ret_seconds)
{
    int hours, minutes;
    bool west = **p == '-';

    *ret_seconds = 0;
    if (take_char(p, "Zz"))
        return true;
    if (!take_char(p, "+-") || !take_number(p, 2, 0, 23, &hours) || !take_char(p, ":") ||
        !take_number(p, 2, 0, 59, &minutes))
        return false;
    *ret_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

int str_parse_time(const char *s, int64_t *ret_us)
{
    struct tm tm = {0};
    int year, month, us, offset;

    if (!take_number(&s, 4, 0, 9999, &year) || !take_char(&s, "-") ||
        !take_number(&s, 2, 1, 12, &month) || !take_char(&s, "-") ||
        !take_number(&s, 2, 1, days_in_month(year, month), &tm.tm_mday) || !take_char(&s, "Tt"))
        return ERR_INVALID;
    /* Second 60 is a leap second (RFC 3339 section 5.6); it becomes the next minute's first. */
    if (!take_number(&s, 2, 0, 23, &tm.tm_hour) || !take_char(&s, ":") ||
        !take_number(&s, 2, 0, 59, &tm.tm_min) || !take_char(&s, ":") ||
        !take_number(&s, 2, 0, 60, &tm.tm_sec) || !take_fraction(&s, &us) ||
        !take_offset(&s, &offset) || *s != '\0')
        return ERR_INVALID;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    *ret_us = ((int64_t)timegm(&tm) - offset) * US_PER_S + us;
    return 0;
}
