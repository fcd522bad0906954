/*
 * Hints between the gateways of one database: what is published here is told to the others by
 * NOTIFY (channel tailgate_log, payload: the execution key), and what they tell makes the hub look
 * at that row. A hint may be lost: the hub's own poll is the net (logs/hub.h).
 */
#ifndef TAILGATE_ORCHESTRATOR_HINTS_H
#define TAILGATE_ORCHESTRATOR_HINTS_H

#include "base/compiler.h"
#include "base/loop.h"

struct hub;
struct hints;

/* conninfo: as for db_pool_new. The hub must outlive it. ERR_NOMEM and what db_listener_new says.
 */
MUST_CHECK int hints_new(struct loop *l, const char *conninfo, struct hub *hub, struct hints **ret);
void hints_free(struct hints *h); /* NULL is fine */

#endif
