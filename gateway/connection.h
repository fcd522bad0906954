/*
 * One accepted socket, from accept until libwebsockets destroys its wsi. It carries one HTTP
 * request at a time, or becomes a WebSocket (then only the stream code speaks on it).
 *
 *   adopted ─▶ waiting for a request ─▶ request under way ─▶ waiting … ─▶ gone
 *                    └──────────────▶ WebSocket ─────────────────────────▶ gone
 *
 * The sweep ends connections that wait too long for the rest of a request (408), or whose peer does
 * not read its answer.
 */
#ifndef TAILGATE_GATEWAY_CONNECTION_H
#define TAILGATE_GATEWAY_CONNECTION_H

#include "base/list.h"
#include "gateway/client_address.h"
#include "gateway/server.h"

struct http_request;
struct lws;

struct connection {
    struct list link; /* in the server's list */
    struct server *server;
    struct lws *wsi; /* NULL before adoption and once it is destroyed */
    struct http_request *request;
    char peer[ADDRESS_TEXT_SIZE];
    int64_t waiting_since_ms; /* for a request's head; of the accept or the last answer */
    uint64_t bytes_at_wait;   /* received by then (TCP_INFO): tells idle from half a request */
    int64_t
        drain_until_ms;   /* answered early: the rest of the body is read and dropped until then */
    uint64_t taken_bytes; /* of the answers, by the peer's kernel … */
    int64_t taken_ms;     /* … when that was last seen to change, or nothing to be unsent */
    bool upgraded, in_adoption;
    bool has_wsi;         /* WSI_DESTROY will come, perhaps after a failed adoption */
    bool maybe_pipelined; /* input was buffered when the last answer was out */
    bool reading_paused;  /* libwebsockets reads and writes nothing on it */
    bool wants_write;     /* a WRITEABLE was asked for */
    bool dying;           /* the next event closes it */
};

/* Hands fd to libwebsockets; fd is taken over (closed on failure). ERR_NOMEM, ERR_SYS. */
MUST_CHECK int connection_adopt(struct server *s, int fd, const char *peer);
/* The connection of a wsi; NULL for libwebsockets' own. */
struct connection *connection_of(struct lws *wsi);
/* LWS_CALLBACK_WSI_CREATE: the wsi belongs to the connection that s adopts. */
void connection_on_create(struct server *s, struct lws *wsi);
/* LWS_CALLBACK_WSI_DESTROY. */
void connection_on_destroy(struct connection *c);
/* The answer was sent; the next request may come. */
void connection_wait_for_request(struct connection *c);
/*
 * While a request is handled libwebsockets 4.1 neither reads what the client sends meanwhile (a
 * pipelined request, the end of the stream) nor stops polling for it, and the loop would spin. So
 * reading is paused from the complete request until there is something to write.
 */
void connection_pause_reading(struct connection *c);
/* Asks for LWS_CALLBACK_HTTP_WRITEABLE. */
void connection_want_write(struct connection *c);
/* Ends it on a later turn of the loop. */
void connection_kill(struct connection *c);
/* All deadlines; called by the server's timer. */
void connections_sweep(struct server *s);
/* How often to sweep for a given request timeout. */
int64_t connections_sweep_interval_ms(int64_t request_timeout_ms);

#endif
