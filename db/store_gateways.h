/*
 * gateways: each holds a lease that it renews by the database's clock. One whose lease ran out is
 * presumed gone, but only by a gateway that has held its own for a whole lease, and only when
 * PostgreSQL has been up that long: so an outage of PostgreSQL, or of the way to it, ends nobody.
 *
 * A run stays in the state directory that it began in, its home, whoever goes on with it.
 */
#ifndef TAILGATE_DB_STORE_GATEWAYS_H
#define TAILGATE_DB_STORE_GATEWAYS_H

#include "db/store_runs.h"

struct store_gateway {
    const char *gateway_id, *host;
    const char *state_dir; /* where its runs are */
    const char *engine;    /* "process" */
    int64_t lease_ms;
};
/* Registers the gateway, or renews its lease. begins: it has just started. */
MUST_CHECK int store_gateway_renew(struct db_pool *p, const struct store_gateway *g, bool begins,
                                   db_batch_fn fn, void *user);

/* Live executions of one owner in one home. */
struct store_stray {
    const char *owner;         /* presumed gone, or the one that asks */
    struct store_gateway home; /* .gateway_id: the owner's own or another's */
    int64_t lapsed_ms;         /* since the owner's lease ran out */
};
/* rows[0..n) are valid during the call. err as db_batch_fn's, or ERR_NOMEM. */
typedef void (*store_strays_fn)(void *user, int err, const struct store_stray *rows, size_t n);
/* What `self` may take over, of the owner that is gone longest first. with_own: also what it took
 * over already (lapsed_ms is 0 or less then). At most STORE_STRAYS_MAX. */
#define STORE_STRAYS_MAX 256
MUST_CHECK int store_strays(struct db_pool *p, const char *self, bool with_own, store_strays_fn fn,
                            void *user);
/* Live executions of `owner` in `home` become `self`'s under their next fence, unless the owner has
 * renewed its lease in between: then there are no rows. */
MUST_CHECK int store_strays_take(struct db_pool *p, const char *self, const char *owner,
                                 const char *home, store_launches_fn fn, void *user);
/* What `self` has of that home. */
MUST_CHECK int store_strays_own(struct db_pool *p, const char *self, const char *home,
                                store_launches_fn fn, void *user);

#endif
