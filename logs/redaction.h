/*
 * Redaction of one run's lines, one after the other: every occurrence of a secret becomes `***`,
 * also when it is spread over the parts of an unfinished line. Each stream is looked through by
 * itself; as many lines come out as went in, in the same order, so the nth record stays seq n.
 *
 *   line ─▶ redaction_is_clean? ─yes─▶ given out as it is, redaction_passed
 *                 │ no
 *                 ▼
 *           redaction_put ─▶ queue ─▶ redaction_peek, redaction_pop: up to the last line behind
 * which nothing is open: no secret goes on there, and none may
 *
 * So what waits is a part whose end may begin a secret, and what came behind it. `***` stands in
 * the part in which the secret begins; the parts that it goes on in lose their bytes of it. When
 * too much waits, redaction_force masks the open ends and gives everything out; then the places
 * where a log is cut (a chunk, a commit) may lie inside a secret. The marks say what is open there:
 * who goes on from there in another process restores them.
 *
 * A line ends every search but one: in text that is wrapped as base64 tools wrap it (whole lines of
 * 64 or 76 base64 characters) a base64 form goes on in the next line.
 */
#ifndef TAILGATE_LOGS_REDACTION_H
#define TAILGATE_LOGS_REDACTION_H

#include "base/model.h"
#include "logs/redact.h"

#include <stddef.h>
#include <stdint.h>

#define REDACTION_STREAMS 3

struct redaction;
struct redaction_line {
    int64_t time_us;
    uint64_t end; /* the caller's: where its record ends in the spool */
    uint8_t stream, flags;
    const uint8_t *p;
    size_t len;
};
/* What is open of each stream at a place between two lines; all 0: nothing. */
struct redaction_marks {
    uint32_t state[REDACTION_STREAMS];
};

/* r: taken over, also when it fails. line_max: of what comes out. is_begun: lines came before. */
MUST_CHECK int redaction_new(struct redactor *r, size_t line_max, bool is_begun,
                             struct redaction **ret);
void redaction_free(struct redaction *x); /* wipes; NULL is fine */

/* Whether the line can be given out as it is, at once. */
bool redaction_is_clean(const struct redaction *x, const struct redaction_line *l);
/* It was. */
void redaction_passed(struct redaction *x, const struct redaction_line *l);
/* Copies the line into the queue. ERR_NOMEM: as if it had not been called. */
MUST_CHECK int redaction_put(struct redaction *x, const struct redaction_line *l);
/* The next line that can be given out; valid until the next call. ERR_AGAIN: none. ERR_NOMEM. */
MUST_CHECK int redaction_peek(struct redaction *x, struct redaction_line *ret);
void redaction_pop(struct redaction *x); /* it was */
/* No part follows: nothing waits any more. */
void redaction_finish(struct redaction *x);
/* The same while parts may follow: what may be the beginning of a secret is masked. ERR_NOMEM. */
MUST_CHECK int redaction_force(struct redaction *x);
void redaction_clear(struct redaction *x); /* forgets what waits */
/* Memory of what waits. */
size_t redaction_bytes(const struct redaction *x);

/* Behind the last line that was given out. */
void redaction_marks(const struct redaction *x, struct redaction_marks *ret);
/* The bytes that a mark stands for (ret: REDACT_PIECE), their number. */
size_t redaction_mark_text(const struct redaction *x, uint32_t state, uint8_t *ret);
/* Goes on behind them: the first thing done with x. stream: 0 … REDACTION_STREAMS - 1. */
void redaction_restore(struct redaction *x, unsigned stream, const uint8_t *text, size_t len);

#endif
