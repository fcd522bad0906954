/*
 * Rotation of the secrets' key, also while gateways run:
 *
 *   a new key in the file ─▶ for each older one: retired in PostgreSQL (no row is sealed with it
 * from then on) ─▶ what it sealed is opened and sealed anew, some rows a transaction ─▶ nothing
 * left: taken out of the file
 *
 * Interrupted anywhere it leaves everything readable; the next rotation goes on with what is left.
 */
#ifndef TAILGATE_ORCHESTRATOR_ROTATE_H
#define TAILGATE_ORCHESTRATOR_ROTATE_H

#include "base/compiler.h"

#include <stddef.h>

struct db_pool;
struct rotation;
struct sealer;

struct rotation_result {
    size_t resealed; /* rows */
    size_t failed;   /* rows that no key opens; their keys stay in the file */
    size_t dropped;  /* keys */
};
/* err: 0, ERR_DB…, ERR_SYS (the file), ERR_NOMEM; r tells what was done until then. */
typedef void (*rotation_fn)(void *user, int err, const struct rotation_result *r);
/* p and s are borrowed until fn. Errors as fn's. */
MUST_CHECK int rotation_start(struct db_pool *p, struct sealer *s, rotation_fn fn, void *user,
                              struct rotation **ret);
void rotation_free(struct rotation *r); /* behind fn, or when the pool is gone */

#endif
