/*
 * executions and execution_events. Every write of a live execution is guarded by owner and fence;
 * every transition also by the version it starts from. Callbacks are never called before the
 * function returns; an error return means the callback will not be called. Rows are valid during
 * the callback.
 */
#ifndef TAILGATE_DB_STORE_EXECUTIONS_H
#define TAILGATE_DB_STORE_EXECUTIONS_H

#include "base/model.h"
#include "db/pool.h"

/* err as db_batch_fn, or ERR_NOT_FOUND, ERR_STALE. e is NULL unless err is 0. */
typedef void (*store_execution_fn)(void *user, int err, const struct execution *e);
/* rows[0..n). */
typedef void (*store_executions_fn)(void *user, int err, const struct execution *rows, size_t n);

MUST_CHECK int store_execution_get(struct db_pool *p, const struct execution_id *id,
                                   store_execution_fn fn, void *user);

struct store_execution_filter {
    unsigned status_mask;       /* bit per enum exec_status; 0 = all */
    const char *created_by;     /* NULL = all */
    int64_t since_us, until_us; /* created_at >= / <; 0 = open */
    int64_t before_key;         /* cursor: keys below; 0 = from the newest */
    size_t limit;               /* rows, >= 1 */
};
/* Newest first. */
MUST_CHECK int store_execution_list(struct db_pool *p, const struct store_execution_filter *f,
                                    store_executions_fn fn, void *user);

/*
 * Adds the statement(s) of one transition to a batch (with its event). from: the state before; to:
 * version must be from + 1; exit_code, signal, reason, completed_at_us are stored. Affects one row,
 * or none when owner, fence, version or status do not match: then nothing of it is done. Adds
 * exactly one statement. The end takes what was sealed for the execution with it.
 */
MUST_CHECK int store_transition_add(struct db_batch *b, int64_t key, const char *owner,
                                    int64_t fence, const struct exec_state *from,
                                    const struct exec_state *to, const char *cause,
                                    const char *request_id);

#endif
