/*
 * Rows in STARTING that nobody starts. An INSERT that was under way when tailgated was killed, or
 * when PostgreSQL stood still, may be committed after the row was looked for. Such a row is this
 * gateway's, but there is no execution here for it, nor a run directory. It is looked for now and
 * then, and ended (start_failed) once it has been seen so for a while; two looks by our own clock,
 * since the row's time is PostgreSQL's.
 */
#ifndef TAILGATE_ORCHESTRATOR_ORPHANS_H
#define TAILGATE_ORCHESTRATOR_ORPHANS_H

#include "orchestrator/internal.h"

/* Looks LOOKS times in opts.settle_ms, which is longer than any answer of PostgreSQL takes and how
 * long a row is watched. ERR_NOMEM. */
MUST_CHECK int orphans_begin(struct orchestrator *o);
void orphans_end(struct orchestrator *o); /* fine when it never began */

#endif
