/*
 * Looks after what is stored: merges small chunks (once an execution's tail reaches CHUNK_BYTES_MAX
 * and at its end), gives log_tail's space back, makes partitions ahead, drops those older than the
 * retention.
 */
#ifndef TAILGATE_LOGS_KEEPER_H
#define TAILGATE_LOGS_KEEPER_H

#include "base/compiler.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_pool;
struct keeper;

/* A busy log_tail is not vacuumed all the time. */
#define KEEPER_VACUUM_EVERY_MS 5000
struct keeper_opts {
    int64_t retention_ms;    /* 0 = for ever */
    int64_t interval_ms;     /* partitions and retention are looked at this often */
    int64_t vacuum_every_ms; /* log_tail at most this often; 0 = KEEPER_VACUUM_EVERY_MS */
};
MUST_CHECK int keeper_new(struct loop *l, struct db_pool *pool, const struct keeper_opts *opts,
                          struct keeper **ret);
void keeper_free(struct keeper *k);
/* Told by the writer: `bytes` of small chunks were added; ended: the execution is over. */
void keeper_note(struct keeper *k, int64_t execution_key, size_t bytes, bool ended);
/* Nothing is being merged or waits to be (tests, shutdown). */
bool keeper_is_idle(const struct keeper *k);

#endif
