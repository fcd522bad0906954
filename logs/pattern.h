/*
 * What is searched for: plain text or an expression (PCRE2's syntax), compiled once, matched
 * against many lines. Used by one thread at a time.
 *
 * No match may take long, whatever the expression and the line. A line of up to
 * PATTERN_SHORT_BYTES is matched by the bare machine code, where the match limit counts most of
 * what can go wrong and the rest is small. But not everything: scans of one item and back
 * references are not counted, which on long lines are seconds and more. So longer lines are matched
 * by a second code that calls back between all items of the expression, and the call looks at the
 * clock.
 */
#ifndef TAILGATE_LOGS_PATTERN_H
#define TAILGATE_LOGS_PATTERN_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_BYTES_MAX 1024u
/* Measured: (?i)(.+)\1[0-9] takes 18 ms on 512 bytes, 147 ms on 1024. */
#define PATTERN_SHORT_BYTES 512u
/* PCRE2's match limit: 200,000 are reached in 0.3 to 11 ms. */
#define PATTERN_MATCH_LIMIT 1000000u
/* How long one match in a longer line may take. */
#define PATTERN_MATCH_MS 100

struct pattern;

/* ERR_INVALID: *p says what is wrong and where. ERR_NOMEM. */
MUST_CHECK int pattern_new(const char *text, bool is_regex, bool ignore_case, struct pattern **ret,
                           struct problem *p);
void pattern_free(struct pattern *p); /* NULL is fine */

/*
 * The first match in text that begins at `from` or behind, and is not empty: [*ret_start,
 * *ret_end). ERR_END: none. ERR_LIMIT: the match was given up. Bytes that are not UTF-8 never
 * match.
 */
MUST_CHECK int pattern_next(struct pattern *p, const char *text, size_t len, size_t from,
                            size_t *ret_start, size_t *ret_end);
/* Whether an expression that can match nothing at all does so in text: 0, ERR_END, ERR_LIMIT. */
MUST_CHECK int pattern_matches_empty(struct pattern *p, const char *text, size_t len);
/* False: no line in these bytes, lines without anything between them, can match. */
bool pattern_may_occur(const struct pattern *p, const char *bytes, size_t len);

#endif
