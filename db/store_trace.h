/* trace_records: the servers' own log records that carry a request's id; and all that a request
 * touched. */
#ifndef TAILGATE_DB_STORE_TRACE_H
#define TAILGATE_DB_STORE_TRACE_H

#include "base/trace.h"
#include "db/pool.h"

#define STORE_TRACE_SWEPT 5000       /* rows that one write removes at most */
#define STORE_TRACE_RECORDS_MAX 2000 /* that one trace shows */

/* records: a JSON array of the log's records. Also removes what is older than retention_ms (0 = for
 * ever); affected rows of statement 1 tell how much. err as db_batch_fn's. */
MUST_CHECK int store_trace_write(struct db_pool *p, const char *records, size_t len,
                                 int64_t retention_ms, db_batch_fn fn, void *user);

/* By our request id, or by the one that the client sent; t is valid during the call. */
typedef void (*store_trace_fn)(void *user, int err, const struct trace *t);
MUST_CHECK int store_trace_get(struct db_pool *p, const char *request_id, store_trace_fn fn,
                               void *user);

#endif
