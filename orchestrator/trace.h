/*
 * Traces: the server's own log records that carry a request's id are kept in PostgreSQL for a time.
 * The log's sink puts them into a bounded buffer; a timer writes that in batches, so that no
 * request waits for it:
 *
 *   sink ─▶ waiting (bounded; more are counted and dropped) ─200 ms▶ one transaction ─▶ gone
 *
 * Each write also removes a bounded number of what is too old.
 */
#ifndef TAILGATE_ORCHESTRATOR_TRACE_H
#define TAILGATE_ORCHESTRATOR_TRACE_H

#include "base/trace.h"
#include "orchestrator/orchestrator.h"

#define TRACE_FLUSH_MS 200

/* Begins to keep records; before it there are none. ERR_NOMEM, ERR_LIMIT (no sink is free). */
MUST_CHECK int trace_begin(struct orchestrator *o);

/* t is valid during the call; NULL when p is set. For POLICY_TRACE; also finds nothing. */
typedef void (*trace_fn)(void *user, const struct problem *p, const struct trace *t);
MUST_CHECK int trace_get(struct orchestrator *o, const struct principal *who,
                         const char *request_id, trace_fn fn, void *user, struct problem *p);

/* ---- the orchestrator's ---- */
struct tracer;
void tracer_free(struct tracer *t); /* NULL is fine */

#endif
