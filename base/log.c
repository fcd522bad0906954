/*
 * The log: level, format, current request and sinks live here for the process's life (style 6's one
 * exception). A record is built whole and written with one system call, so that records of several
 * processes on one terminal or pipe do not mix.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A record is for people: a command line or a query's text is cut, never the record's other fields.
 */
#define VALUE_MAX 2048
#define RECORD_MAX (64 * 1024)
#define REQUEST_ID_SIZE 65

struct log_sink {
    log_sink_fn fn;
    void *user;
};

static struct {
    enum log_level level;
    enum log_format format;
    char request_id[REQUEST_ID_SIZE];
    struct log_sink sinks[LOG_SINKS_MAX];
    bool in_sink; /* what a sink logs is not given to sinks again */
} settings = {.level = LOG_INFO};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

void log_setup(enum log_level level, enum log_format format)
{
    settings.level = level;
    settings.format = format;
}

int log_level_parse(const char *s, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (strcmp(s, level_names[i]) == 0) {
            *ret = (enum log_level)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

enum log_format log_format_default(void)
{
    return isatty(STDERR_FILENO) ? LOG_LOGFMT : LOG_JSON;
}

struct log_num log_num(int64_t n)
{
    struct log_num num;

    (void)snprintf(num.text, sizeof(num.text), "%" PRId64, n);
    return num;
}

void log_set_request_id(const char *id)
{
    size_t n = id ? strnlen(id, REQUEST_ID_SIZE - 1) : 0;

    memmove(settings.request_id, id ? id : "", n);
    settings.request_id[n] = '\0';
}

const char *log_request_id(void)
{
    return settings.request_id;
}

int log_add_sink(log_sink_fn fn, void *user)
{
    for (size_t i = 0; i < LOG_SINKS_MAX; i++) {
        if (settings.sinks[i].fn)
            continue;
        settings.sinks[i] = (struct log_sink){.fn = fn, .user = user};
        return 0;
    }
    return ERR_LIMIT;
}

void log_remove_sink(log_sink_fn fn, void *user)
{
    for (size_t i = 0; i < LOG_SINKS_MAX; i++) {
        if (settings.sinks[i].fn == fn && settings.sinks[i].user == user)
            settings.sinks[i] = (struct log_sink){0};
    }
}

static bool has_sinks(void)
{
    for (size_t i = 0; i < LOG_SINKS_MAX; i++) {
        if (settings.sinks[i].fn)
            return true;
    }
    return false;
}

static bool name_is_secret(const char *name)
{
    static const char *const secrets[] = {"token",  "key",      "api_key",
                                          "secret", "password", "authorization"};

    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
        if (strcasecmp(name, secrets[i]) == 0)
            return true;
    }
    return false;
}

/* Printable ASCII without what logfmt gives a meaning; anything else is quoted. */
static bool value_is_bare(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '=' || s[i] == '\\')
            return false;
    }
    return n > 0;
}

static int append_field(struct buf *out, enum log_format format, const char *name,
                        const char *value)
{
    if (name_is_secret(name))
        value = "***";
    size_t n = strnlen(value, VALUE_MAX);
    bool json = format == LOG_JSON;
    int r = buf_printf(out, json ? "%s\"%s\":" : "%s%s=",
                       out->len == 0 ? (json ? "{" : "") : (json ? "," : " "), name);

    if (r < 0)
        return r;
    if (!json && value_is_bare(value, n))
        return buf_append(out, value, n);
    return json_append_string(out, value, n);
}

/* Fields past RECORD_MAX are left out, so that a record is always well-formed. */
static int build_record(struct buf *out, enum log_format format, enum log_level level,
                        const char *time, const char *msg, va_list ap)
{
    const char *name;
    int r = append_field(out, format, "time", time);

    if (r == 0)
        r = append_field(out, format, "level", level_names[level]);
    if (r == 0)
        r = append_field(out, format, "msg", msg);
    if (r == 0 && settings.request_id[0])
        r = append_field(out, format, "request_id", settings.request_id);
    while (r == 0 && (name = va_arg(ap, const char *)) != NULL) {
        const char *value = va_arg(ap, const char *);
        size_t before = out->len;

        if (!value)
            continue;
        r = append_field(out, format, name, value);
        if (r == ERR_TOO_LARGE) {
            out->len = before;
            out->data[before] = '\0';
            r = 0;
        }
    }
    if (r == 0 && format == LOG_JSON) {
        out->max += 1; /* the brace always fits */
        r = buf_append_char(out, '}');
    }
    return r;
}

/* A log that cannot be written has nowhere to complain. */
static void write_line(struct buf *out)
{
    out->max += 1;
    if (buf_append_char(out, '\n') < 0)
        return;
    for (size_t done = 0; done < out->len;) {
        ssize_t n = write(STDERR_FILENO, out->data + done, out->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

static void feed_sinks(enum log_level level, const char *json)
{
    settings.in_sink = true;
    for (size_t i = 0; i < LOG_SINKS_MAX; i++) {
        struct log_sink sink = settings.sinks[i];

        if (sink.fn)
            sink.fn(sink.user, level, settings.request_id, json);
    }
    settings.in_sink = false;
}

void log_write(enum log_level level, const char *msg, ...)
{
    static const char lost[] = "level=error msg=\"a log record was lost: out of memory\"\n";
    struct buf out CLEANUP_BUF = {.max = RECORD_MAX};
    char time[STR_TIME_SIZE];
    va_list ap;

    if (level < settings.level)
        return;
    str_time(clock_wall_us(), time);
    if (has_sinks() && !settings.in_sink) {
        va_start(ap, msg);
        int r = build_record(&out, LOG_JSON, level, time, msg, ap);
        va_end(ap);
        if (r == 0)
            feed_sinks(level, out.data);
        buf_clear(&out);
        out.max = RECORD_MAX;
    }
    va_start(ap, msg);
    int r = build_record(&out, settings.format, level, time, msg, ap);
    va_end(ap);
    if (r == 0) {
        write_line(&out);
    } else {
        ssize_t ignored = write(STDERR_FILENO, lost, sizeof(lost) - 1);
        (void)ignored;
    }
}
