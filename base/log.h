/*
 * The server's structured log: one record a line, logfmt or JSON, to standard error and to sinks.
 * Values are escaped; fields whose name is token, key, api_key, secret, password or authorization
 * are written as "***" whoever passes them. Not thread-safe: the loop's thread only.
 */
#ifndef TAILGATE_BASE_LOG_H
#define TAILGATE_BASE_LOG_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

void log_setup(enum log_level level, enum log_format format);
MUST_CHECK int log_level_parse(const char *s, enum log_level *ret); /* "debug" … "error" */
/* What --log-format takes by default: logfmt when standard error is a terminal, else JSON. */
enum log_format log_format_default(void);

/*
 * Writes one record. After msg: pairs of const char * (name, value), ended by NULL. A NULL value
 * skips its pair. Numbers go through LOG_NUM.
 */
void log_write(enum log_level level, const char *msg, ...) __attribute__((sentinel));

struct log_num {
    char text[24];
};
struct log_num log_num(int64_t n);
#define LOG_NUM(n) (log_num((int64_t)(n)).text)

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__, NULL)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__, NULL)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__, NULL)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__, NULL)

/*
 * The request that the code now running serves: written as request_id in each record until it is
 * set to NULL. id is copied (at most 64 bytes).
 */
void log_set_request_id(const char *id);
const char *log_request_id(void); /* "" when none */

/* A sink gets each finished record as JSON. At most LOG_SINKS_MAX; ERR_LIMIT. */
#define LOG_SINKS_MAX 4
typedef void (*log_sink_fn)(void *user, enum log_level level, const char *request_id,
                            const char *json);
MUST_CHECK int log_add_sink(log_sink_fn fn, void *user);
void log_remove_sink(log_sink_fn fn, void *user);

#endif
