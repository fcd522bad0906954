/*
 * The lines of one execution for an HTTP answer: a cursor, and the chunk it is in.
 *
 *   open ─▶ next … (ERR_AGAIN: wake will be called) ─▶ ERR_END ─▶ free
 */
#ifndef TAILGATE_GATEWAY_LOG_READER_H
#define TAILGATE_GATEWAY_LOG_READER_H

#include "base/compiler.h"
#include "base/loop.h"
#include "logs/hub.h"

struct log_reader;

struct log_line {
    uint64_t seq;
    int64_t time_us;
    const char *text; /* valid until the next call */
    size_t len;
    uint8_t stream, flags;
};

/* Lines after `after` up to and with `until`; follow: until the execution ends, whatever `until`.
 */
MUST_CHECK int log_reader_open(struct hub *h, const struct execution *row, uint64_t after,
                               uint64_t until, bool follow, loop_fn wake, void *user,
                               struct log_reader **ret);
void log_reader_free(struct log_reader *r); /* NULL is fine */
/* 0, ERR_AGAIN, ERR_END. Lines that retention removed are passed over. ERR_DB_AWAY: the database
 * was away for too long. */
MUST_CHECK int log_reader_next(struct log_reader *r, struct log_line *ret);

#endif
