/*
 * Tickets: a browser cannot send headers with a WebSocket's upgrade, so it asks for a ticket with
 * its key and connects with that. Random text whose hash is in PostgreSQL, so that any gateway
 * takes it, once, within TICKET_TTL_MS. The text itself is in no log and no table.
 */
#ifndef TAILGATE_ORCHESTRATOR_TICKETS_H
#define TAILGATE_ORCHESTRATOR_TICKETS_H

#include "orchestrator/orchestrator.h"

#define TICKET_LEN 43 /* 32 bytes as base64url without padding */
#define TICKET_TTL_MS 30000

/* ticket is NULL when p is set; both are valid during the call. */
typedef void (*orchestrator_ticket_fn)(void *user, const struct problem *p, const char *ticket,
                                       int64_t expires_us);
/* For the key that `who` came with. ERR_DB*, ERR_NOMEM … in p->err. */
MUST_CHECK int orchestrator_ticket_make(struct orchestrator *o, const struct principal *who,
                                        orchestrator_ticket_fn fn, void *user, struct problem *p);
/* Whose it is; it is used then. ERR_BAD_KEY (unknown, used or expired; ill-formed: without a
 * database call), ERR_DB* … in p->err. */
MUST_CHECK int orchestrator_ticket_redeem(struct orchestrator *o, const char *ticket,
                                          orchestrator_principal_fn fn, void *user,
                                          struct problem *p);

#endif
