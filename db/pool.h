/*
 * Asynchronous PostgreSQL: a bounded pool of libpq connections in pipeline mode on the loop.
 *
 * A batch is a list of prepared statements that run as one transaction: they are sent together and
 * followed by one Sync, which commits them (PostgreSQL documentation 34.5, "Pipeline Mode":
 * statements up to a Sync are one implicit transaction). A connection has many batches in flight
 * and answers in order. Statements are prepared on each connection when first used there.
 *
 *   connection: IDLE ─connect▶ CONNECTING ─▶ READY ─error▶ BACKOFF (0.1 s … 5 s, jittered) ─▶
 * CONNECTING
 *
 * While no connection is READY, batches wait (bounded in number and by their deadline), then fail
 * with ERR_DB_AWAY; after away_ms already when attempts to connect fail.
 */
#ifndef TAILGATE_DB_POOL_H
#define TAILGATE_DB_POOL_H

#include "base/compiler.h"
#include "base/loop.h"
#include "base/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum db_type { DB_NULL, DB_INT8, DB_BOOL, DB_TEXT, DB_BYTEA };
struct db_value {
    enum db_type type;
    int64_t i;     /* INT8, BOOL */
    const void *p; /* TEXT, BYTEA */
    size_t len;
};
struct db_value db_null(void);
struct db_value db_i64(int64_t v);
struct db_value db_bool(bool v);
struct db_value db_text(const char *s); /* NULL becomes DB_NULL */
struct db_value db_bytes(const void *p, size_t n);

/* Static storage; identified by its address. All parameters carry explicit casts ($1::bigint) in
 * sql. */
struct db_stmt {
    const char *name;
    const char *sql;
};

struct db_batch;
MUST_CHECK int db_batch_new(struct db_batch **ret);
void db_batch_free(struct db_batch *b);
/* Copies the parameters. Statements answer under their index: 0, 1, 2 … */
MUST_CHECK int db_batch_add(struct db_batch *b, const struct db_stmt *s,
                            const struct db_value *params, size_t n);
/* A new batch of one statement. */
MUST_CHECK int db_batch_of(const struct db_stmt *s, const struct db_value *params, size_t n,
                           struct db_batch **ret);
size_t db_batch_count(const struct db_batch *b);
size_t db_batch_bytes(const struct db_batch *b); /* of parameters */

/* Answers of one batch; valid during the callback. Values arrive in binary format. */
struct db_result;
size_t db_rows(const struct db_result *r, size_t stmt);
int64_t db_affected(const struct db_result *r, size_t stmt);
bool db_is_null(const struct db_result *r, size_t stmt, size_t row, size_t col);
int64_t db_get_i64(const struct db_result *r, size_t stmt, size_t row,
                   size_t col); /* int2/4/8, bool; 0 when NULL */
const char *db_get_text(const struct db_result *r, size_t stmt, size_t row,
                        size_t col); /* NULL when NULL */
const void *db_get_bytes(const struct db_result *r, size_t stmt, size_t row, size_t col,
                         size_t *ret_len);
const char *db_sqlstate(const struct db_result *r); /* of the statement that failed; "" otherwise */

/*
 * err: 0 = committed. ERR_DB = refused and rolled back (sqlstate tells; ERR_CONFLICT instead when
 * it is 23505 unique_violation). ERR_DB_AWAY, ERR_TIMEOUT = not known whether it was committed.
 * ERR_CLOSED = the pool is shutting down.
 */
typedef void (*db_batch_fn)(void *user, int err, const struct db_result *r);

struct db_pool;
struct db_pool_opts {
    const char *conninfo;  /* libpq connection string or URI; copied */
    size_t size;           /* connections */
    size_t waiting_max;    /* batches waiting for a connection: more fail with ERR_LIMIT */
    size_t pipeline_depth; /* batches in flight on one connection */
    int64_t deadline_ms;   /* for one batch, waiting included */
    int64_t away_ms;       /* how long one waits while the server is found to be away */
    const char *application_name;
};
#define DB_POOL_DEFAULTS                                                            \
    {                                                                               \
        .size = 4, .waiting_max = 1024, .pipeline_depth = 32, .deadline_ms = 10000, \
        .away_ms = 2000                                                             \
    }
MUST_CHECK int db_pool_new(struct loop *l, const struct db_pool_opts *opts, struct db_pool **ret);
/* Pending batches end with ERR_CLOSED before it returns. */
void db_pool_free(struct db_pool *p);
bool db_pool_is_ready(const struct db_pool *p); /* at least one connection is READY */
struct db_pool_stats {
    size_t connections, ready;             /* how many it keeps; of them READY */
    size_t waiting;                        /* batches that no connection has taken yet */
    struct metrics_histogram wait_seconds; /* until one took them */
};
void db_pool_stats(const struct db_pool *p, struct db_pool_stats *ret);
/* fn runs once when the first connection is READY (also when it already is: next turn). One at a
 * time. */
void db_pool_on_ready(struct db_pool *p, loop_fn fn, void *user);

/* Takes b over in every case. An error return means fn will not be called. fn is never called
 * before db_submit returns. */
MUST_CHECK int db_submit(struct db_pool *p, struct db_batch *b, db_batch_fn fn, void *user);
/* A batch of one statement. */
MUST_CHECK int db_query(struct db_pool *p, const struct db_stmt *s, const struct db_value *params,
                        size_t n, db_batch_fn fn, void *user);

#endif
