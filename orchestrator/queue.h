/*
 * The queue: executions that wait as PENDING rows, owned by nobody, until the limits let one start.
 * Then the gateway that asks first takes the one that has waited longest among those whose user may
 * have one more; so it goes on over all gateways and through restarts.
 *
 *   something ended here, something was queued, a timer ─▶ take one ─▶ launched ─▶ take one … none
 */
#ifndef TAILGATE_ORCHESTRATOR_QUEUE_H
#define TAILGATE_ORCHESTRATOR_QUEUE_H

#include "orchestrator/internal.h"

struct queue;

MUST_CHECK int queue_new(struct orchestrator *o, struct queue **ret);
void queue_free(struct queue *q); /* NULL is fine */
/* Looks from now on. */
void queue_start(struct queue *q);
/* A place may be free. */
void queue_look(struct orchestrator *o);

#endif
