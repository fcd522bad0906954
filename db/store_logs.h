/* log_chunks and log_tail: the stored lines. Sequence numbers are dense per execution. */
#ifndef TAILGATE_DB_STORE_LOGS_H
#define TAILGATE_DB_STORE_LOGS_H

#include "base/model.h"
#include "db/pool.h"

struct store_chunk {
    int64_t execution_key;
    uint64_t first_seq, last_seq;
    uint32_t raw_bytes;
    const void *data; /* chunk codec's bytes */
    size_t data_len;
};

/*
 * Adds exactly one statement: advances the execution's last_seq, spool_offset and log_bytes,
 * guarded by owner, fence and last_seq = c->first_seq - 1, and inserts the chunk (into log_tail
 * when `small`). Affects one row, or none when the guard fails: nothing is done then.
 */
MUST_CHECK int store_chunk_add(struct db_batch *b, const struct store_chunk *c, const char *owner,
                               int64_t fence, uint64_t spool_offset, bool small);
/* Advances spool_offset alone (control records), guarded by owner, fence and last_seq. One
 * statement. */
MUST_CHECK int store_offset_add(struct db_batch *b, int64_t key, const char *owner, int64_t fence,
                                uint64_t last_seq, uint64_t spool_offset);

/* chunks[0..n) in order, from both tables in one snapshot; valid during the callback. */
typedef void (*store_chunks_fn)(void *user, int err, const struct store_chunk *chunks, size_t n);
/* Chunks that hold lines after `after`, at most max. Empty: none stored (yet, or any more). */
MUST_CHECK int store_chunks_fetch(struct db_pool *p, int64_t key, uint64_t after, size_t max,
                                  store_chunks_fn fn, void *user);
/* Chunks that begin before `before`, the last one first, at most max. */
MUST_CHECK int store_chunks_fetch_before(struct db_pool *p, int64_t key, uint64_t before,
                                         size_t max, store_chunks_fn fn, void *user);
/* The small chunks of one execution, in order, at most max. */
MUST_CHECK int store_tail_fetch(struct db_pool *p, int64_t key, size_t max, store_chunks_fn fn,
                                void *user);
/*
 * One transaction: removes the `removed` small chunks that cover [merged->first_seq,
 * merged->last_seq] and inserts merged into log_chunks. ERR_STALE (nothing done) when exactly those
 * are not there.
 */
MUST_CHECK int store_tail_merge(struct db_pool *p, const struct store_chunk *merged, size_t removed,
                                db_batch_fn fn, void *user);
/* Executions in log_tail that have ended, at most max: what a crash left to be merged. Result rows:
 * key (int8). */
MUST_CHECK int store_tail_leftovers(struct db_pool *p, size_t max, db_batch_fn fn, void *user);
MUST_CHECK int store_tail_vacuum(struct db_pool *p, db_batch_fn fn, void *user);
/* One row: bytes of log_tail's rows and of its indexes on disk, what is free in them included. */
MUST_CHECK int store_tail_size(struct db_pool *p, db_batch_fn fn, void *user);
/* Builds the indexes anew: VACUUM never shortens one. Writers wait while it runs, so it is for a
 * table that holds little; ERR_DB when others hold it for long. */
MUST_CHECK int store_tail_reindex(struct db_pool *p, db_batch_fn fn, void *user);

/* Partitions of the days [day, day + days). */
MUST_CHECK int store_partitions_ensure(struct db_pool *p, int64_t day, int days, db_batch_fn fn,
                                       void *user);
/* Drops the partitions (and tail rows) of days before `day`, except those of executions that are
 * live. Result: one row, column 0 = number dropped. */
MUST_CHECK int store_partitions_drop(struct db_pool *p, int64_t before_day, db_batch_fn fn,
                                     void *user);

#endif
