/*
 * Which bytes of a log are secret. A redactor is an Aho-Corasick automaton, immutable once built,
 * over every form in which the values may be printed:
 *
 *   as they are, and each line of those with several (outer blanks apart)
 *   base64, at each of the three alignments in longer base64 text; standard and URL-safe alphabet
 *   URL-encoded: what Python, JavaScript, Go and forms escape; upper- and lower-case hex, + for
 * space JSON-escaped: minimal, with \/, with \u for what is not ASCII, with Go's \u003c
 *
 * Forms longer than REDACT_PIECE are cut into pieces that overlap by one byte, so that what waits
 * for its continuation is bounded. redaction.h applies it to the lines of a run.
 */
#ifndef TAILGATE_LOGS_REDACT_H
#define TAILGATE_LOGS_REDACT_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shorter values are not redacted: they would make a log unreadable and protect nothing. */
#define REDACT_VALUE_MIN 6u
#define REDACT_PIECE 1024u
/* Bytes of all forms of a run's values, shared beginnings counted once; 24 bytes of memory each. */
#define REDACT_FORMS_MAX (2u << 20)

struct redact_value {
    const void *p;
    size_t len;
};

struct redactor;
/*
 * Values shorter than REDACT_VALUE_MIN are passed over (redact_covers tells which). *ret is NULL
 * when nothing is left. ERR_LIMIT: more than forms_max bytes of forms. ERR_NOMEM.
 */
MUST_CHECK int redactor_new(const struct redact_value *values, size_t n, size_t forms_max,
                            struct redactor **ret);
void redactor_free(struct redactor *r); /* wipes; NULL is fine */
/* Whether a value is long enough to be redacted. */
bool redact_covers(size_t value_len);
/* Whether an environment variable of that name holds a secret, by Runvoy's patterns (substrings of
 * the name in upper case). */
bool redact_name_is_secret(const char *name);

#endif
