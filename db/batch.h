/*
 * What a batch is made of, for the files that send and answer it. Internal to db/.
 *
 *   new ─ add … ─▶ waiting (pool) ─▶ in flight (pipe) ─▶ done (pool calls fn) ─▶ freed
 */
#ifndef TAILGATE_DB_BATCH_H
#define TAILGATE_DB_BATCH_H

#include "base/buf.h"
#include "base/list.h"
#include "db/pool.h"

#include <libpq-fe.h>

#define BATCH_STATEMENTS_MAX 4096
#define BATCH_PARAMS_MAX 32         /* of one statement */
#define BATCH_BYTES_MAX (64u << 20) /* of parameters: far above any group of chunks */
#define SQLSTATE_SIZE 6

struct db_result {
    size_t count;     /* statements */
    PGresult **items; /* NULL where there is no answer */
    char sqlstate[SQLSTATE_SIZE];
};

struct batch_param {
    size_t offset; /* into values */
    int len;
    bool null;
};

struct batch_call {
    const struct db_stmt *stmt;
    size_t first, count; /* of params */
    size_t slot;         /* the connection's number for stmt */
    bool prepares;       /* its Parse was sent just before this batch */
};

struct db_batch {
    struct list node;
    struct batch_call *calls;
    size_t count, cap;
    struct batch_param *params;
    size_t param_count, param_cap;
    struct buf values;
    size_t bytes;
    db_batch_fn fn;
    void *user;
    int64_t submitted_ms, deadline_ms;
    int err;
    struct db_result result;
    /* Where its answers stand (pipe.c). */
    size_t preparing; /* calls before this index have their Parse answered */
    size_t current;   /* the statement that answers next */
    bool answered;    /* … and has: what follows is the NULL behind it */
};

/* Makes room for the answers. ERR_NOMEM. */
MUST_CHECK int db_batch_ready(struct db_batch *b);
/* libpq's arrays for one call; they point into the batch. */
struct db_batch_args {
    const char *values[BATCH_PARAMS_MAX];
    int lengths[BATCH_PARAMS_MAX];
    int formats[BATCH_PARAMS_MAX];
};
void db_batch_args(const struct db_batch *b, const struct batch_call *c, struct db_batch_args *ret);

#endif
