/* String helpers: copies, comparisons, numbers with units, hexadecimal. */
#include "base/str.h"

#include "base/err.h"

#include <string.h>

int str_copy(char *dst, size_t dst_size, const char *src)
{
    size_t n = strlen(src);

    if (n >= dst_size)
        return ERR_TOO_LARGE;
    memcpy(dst, src, n + 1);
    return 0;
}

int str_set(char **dst, const char *src)
{
    char *copy = NULL;

    if (src) {
        copy = strdup(src);
        if (!copy)
            return ERR_NOMEM;
    }
    free(*dst);
    *dst = copy;
    return 0;
}

bool str_eq(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

bool str_is_empty(const char *s)
{
    return !s || *s == '\0';
}

bool str_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t m = strlen(suffix);

    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

/* Decimal digits at the front of s; at least one. *ret_rest is what follows them. */
static int take_digits(const char *s, uint64_t max, uint64_t *ret, const char **ret_rest)
{
    uint64_t value = 0;
    const char *p = s;

    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        if (value > (max - digit) / 10)
            return ERR_INVALID;
        value = value * 10 + digit;
    }
    if (p == s)
        return ERR_INVALID;
    *ret = value;
    *ret_rest = p;
    return 0;
}

int str_to_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = *s == '-';
    uint64_t magnitude;
    const char *rest;

    int r = take_digits(s + negative, (uint64_t)INT64_MAX + negative, &magnitude, &rest);
    if (r < 0 || *rest != '\0')
        return ERR_INVALID;
    /* -magnitude without the overflow of negating INT64_MIN. */
    int64_t value = negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
    if (value < min || value > max)
        return ERR_INVALID;
    *ret = value;
    return 0;
}

struct unit {
    const char *suffix;
    uint64_t factor;
};

/* Whole string: digits and one of the units; the result is at most max. */
static int parse_with_unit(const char *s, const struct unit *units, size_t count, uint64_t max,
                           uint64_t *ret)
{
    uint64_t value;
    const char *rest;

    int r = take_digits(s, max, &value, &rest);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rest, units[i].suffix) != 0)
            continue;
        if (value > max / units[i].factor)
            return ERR_INVALID;
        *ret = value * units[i].factor;
        return 0;
    }
    return ERR_INVALID;
}

int str_to_bytes(const char *s, uint64_t *ret)
{
    static const struct unit units[] = {
        {"", 1},           {"B", 1},
        {"K", 1ull << 10}, {"KiB", 1ull << 10},
        {"M", 1ull << 20}, {"MiB", 1ull << 20},
        {"G", 1ull << 30}, {"GiB", 1ull << 30},
        {"T", 1ull << 40}, {"TiB", 1ull << 40},
    };

    return parse_with_unit(s, units, ARRAY_SIZE(units), UINT64_MAX, ret);
}

int str_to_duration_ms(const char *s, int64_t *ret)
{
    static const struct unit units[] = {
        {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
    };
    uint64_t ms;

    int r = parse_with_unit(s, units, ARRAY_SIZE(units), INT64_MAX, &ms);
    if (r < 0)
        return r;
    *ret = (int64_t)ms;
    return 0;
}

void str_hex(const void *bytes, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n; i++) {
        *ret++ = digits[p[i] >> 4];
        *ret++ = digits[p[i] & 15];
    }
    *ret = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int str_unhex(const char *hex, size_t n, void *ret)
{
    unsigned char *out = ret;

    if (n > SIZE_MAX / 2 || strnlen(hex, n * 2) != n * 2 || hex[n * 2] != '\0')
        return ERR_INVALID;
    for (size_t i = 0; i < n * 2; i++) {
        if (hex_value(hex[i]) < 0)
            return ERR_INVALID;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned high = (unsigned)hex_value(hex[2 * i]);
        unsigned low = (unsigned)hex_value(hex[2 * i + 1]);

        out[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}
