/* One walk over the sessions for each report; there is a report only while somebody was revoked. */
#include "gateway/revoke.h"

#include "base/log.h"
#include "gateway/http_internal.h"
#include "gateway/stream.h"

/* What has begun to stream is cut, so that its reader sees it is incomplete; an answer that is
 * whole already goes out. */
static void end_downloads(struct server *s, const struct revoked *list)
{
    LIST_FOREACH_SAFE (it, &s->connections) {
        struct connection *c = LIST_ENTRY(it, struct connection, link);
        const struct http_request *r = c->request;
        if (!r || r->phase != HTTP_STREAMING || !r->has_principal || c->dying ||
            !revoked_has(list, &r->principal))
            continue;
        bool entered = http_log_enter(r);
        log_info("download ended", "reason", "revoked", "user", r->principal.email);
        http_log_leave(entered);
        connection_kill(c);
    }
}

void server_revoke(void *server, const struct revoked *list)
{
    struct server *s = server;
    streams_revoke(s->streams, list);
    end_downloads(s, list);
}
