/* Ends what revoked users and keys have open here: WebSockets, event streams, downloads that go on.
 */
#ifndef TAILGATE_GATEWAY_REVOKE_H
#define TAILGATE_GATEWAY_REVOKE_H

#include "orchestrator/revocations.h"

struct server;

/* A revocations_fn; user is the struct server. */
void server_revoke(void *server, const struct revoked *list);

#endif
