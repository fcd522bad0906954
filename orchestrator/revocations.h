/*
 * Revocations as they become known here: at once by NOTIFY (channel tailgate_revoked, sent in the
 * transaction that revokes), and within REVOCATIONS_POLL_MS by a look at the two tables. What was
 * revoked is reported again for a while, so that a session which was being opened at that moment is
 * found by a later report.
 */
#ifndef TAILGATE_ORCHESTRATOR_REVOCATIONS_H
#define TAILGATE_ORCHESTRATOR_REVOCATIONS_H

#include "base/compiler.h"
#include "base/loop.h"
#include "base/model.h"

#define REVOCATIONS_POLL_MS 500

struct db_pool;
struct revocations;
/* Users and keys, valid during the call. */
struct revoked;
typedef void (*revocations_fn)(void *user, const struct revoked *list);
/* Whether the session of this principal must end. */
bool revoked_has(const struct revoked *list, const struct principal *who);

/* conninfo: as for db_pool_new. ERR_NOMEM and what db_listener_new says. */
MUST_CHECK int revocations_new(struct loop *l, const char *conninfo, struct db_pool *pool,
                               revocations_fn fn, void *user, struct revocations **ret);
void revocations_free(struct revocations *r); /* NULL is fine; before the pool */

#endif
