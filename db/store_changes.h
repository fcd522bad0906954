/*
 * What changed in executions since a place in time. A place is a snapshot of PostgreSQL, as text
 * with the cluster's identifier before it: SYSTEM/XMIN:XMAX:XIDS. Unlike a time or a sequence
 * number it misses no transaction that began early and committed late, and names none twice.
 */
#ifndef TAILGATE_DB_STORE_CHANGES_H
#define TAILGATE_DB_STORE_CHANGES_H

#include "base/model.h"
#include "db/pool.h"

#define STORE_PLACE_MAX 4096 /* characters: a number for each transaction under way */

/*
 * place: where these rows lead to; rows[0..n): the executions that changed, as they are there.
 * is_known false: `since` is no place of this database, or of its future; there are no rows then.
 * Valid during the call; err as db_batch_fn.
 */
typedef void (*store_changes_fn)(void *user, int err, const char *place, bool is_known,
                                 const struct execution *rows, size_t n);

/* Whether text has a place's form, so that PostgreSQL takes it. */
bool store_place_is_valid(const char *text);
/* since: a place that is valid, or NULL: only where we are now. created_by NULL = everybody's. At
 * most max rows: with as many there may be more. */
MUST_CHECK int store_changes_fetch(struct db_pool *p, const char *since, const char *created_by,
                                   size_t max, store_changes_fn fn, void *user);

#endif
