/* Helpers on jansson: typed, checked access with errors that name the field and the rule. */
#ifndef TAILGATE_BASE_JSON_H
#define TAILGATE_BASE_JSON_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

static inline void cleanup_json(json_t **j)
{
    json_decref(*j);
}
#define CLEANUP_JSON CLEANUP(cleanup_json)

/*
 * Parses one whole value (text may be NULL when len is 0); duplicate keys and NUL in strings are
 * refused. ERR_INVALID (error "invalid JSON", details with line and column, nothing of the text),
 * ERR_NOMEM; both fill *p. *ret is the caller's.
 */
MUST_CHECK int json_parse(const char *text, size_t len, json_t **ret, struct problem *p);

/* The same for text that may hold the escape \u0000 in strings (log lines). */
MUST_CHECK int json_parse_nul(const char *text, size_t len, json_t **ret, struct problem *p);

/*
 * obj[name] with its type checked. An absent or null field leaves *ret as it was (callers preset
 * the default) unless `required`; ERR_INVALID fills p->details with "NAME must be …".
 * Strings are at most max_len bytes and hold no NUL.
 */
MUST_CHECK int json_get_str(const json_t *obj, const char *name, bool required, size_t max_len,
                            const char **ret, struct problem *p);
MUST_CHECK int json_get_i64(const json_t *obj, const char *name, bool required, int64_t min,
                            int64_t max, int64_t *ret, struct problem *p);
MUST_CHECK int json_get_bool(const json_t *obj, const char *name, bool required, bool *ret,
                             struct problem *p);

/* Compact text of j appended to out. ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int json_append(struct buf *out, const json_t *j);
/*
 * Appends the JSON string literal for n raw bytes, quotes included: control characters escaped,
 * invalid UTF-8 as U+FFFD (one for each maximal invalid part, Unicode 3.9 best practice).
 */
MUST_CHECK int json_append_string(struct buf *out, const char *s, size_t n);

#endif
