/*
 * This gateway's lease, and the executions of gateways whose lease ran out (store_gateways.h).
 *
 *   renewed (each third of the lease) ─▶ strays of each owner and home ─▶ is the home ours to
 * reach? yes ─▶ taken, gone on with where they are (recover.h) no ─▶ shown as unreachable; after
 * gateway_lost_ms taken and ended (gateway_lost)
 */
#ifndef TAILGATE_ORCHESTRATOR_LEASES_H
#define TAILGATE_ORCHESTRATOR_LEASES_H

#include "orchestrator/internal.h"

MUST_CHECK int leases_new(struct orchestrator *o, struct leases **ret);
void leases_free(struct leases *s);
/* Renews from now on. What was taken over before the restart is looked for too. */
void leases_start(struct leases *s);
MUST_CHECK int leases_renew(struct orchestrator *o, bool begins, db_batch_fn fn, void *user);

#endif
