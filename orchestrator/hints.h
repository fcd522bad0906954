/*
 * Hints between the gateways of one database, by NOTIFY. Each may be lost.
 *
 * tailgate_log KEY: lines or a state of it were published; the hub looks at its row, its own poll
 * being the net (logs/hub.h).
 *
 * tailgate_list: an execution has a new state; the watch looks, its own poll being the net
 * (watch.h).
 *
 * tailgate_stop KEY REQUEST_ID EMAIL: who runs it is to stop it; told again by the one who asks
 * until the row shows it (kill.c).
 */
#ifndef TAILGATE_ORCHESTRATOR_HINTS_H
#define TAILGATE_ORCHESTRATOR_HINTS_H

#include "base/compiler.h"
#include "base/loop.h"
#include "orchestrator/orchestrator.h"

struct hub;
struct hints;

/* conninfo: as for db_pool_new. The hub must outlive it. ERR_NOMEM and what db_listener_new says.
 */
MUST_CHECK int hints_new(struct loop *l, const char *conninfo, struct hub *hub, struct hints **ret);
void hints_free(struct hints *h); /* NULL is fine */

/* fn hears that some execution, of any gateway, may have a new state. NULL = nobody. */
void hints_on_change(struct hints *h, loop_fn fn, void *user);

/* user is a struct hints: tells the gateway that runs it. */
void hints_tell_stop(void *user, int64_t execution_key, const char *email, const char *request_id);
/* fn hears of what others were asked to stop, our own words included. NULL = nobody. */
void hints_on_stop(struct hints *h, orchestrator_stop_fn fn, void *user);

#endif
