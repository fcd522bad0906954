/*
 * The server: one libwebsockets context as a guest on the loop, its listener, and what handlers
 * need.
 *
 *   new ─▶ listening ─(SIGTERM)▶ leaving: readyz 503, no new work, streams closed with 1001 ─▶
 * drained ─▶ free
 */
#ifndef TAILGATE_GATEWAY_SERVER_H
#define TAILGATE_GATEWAY_SERVER_H

#include "base/loop.h"
#include "gateway/options.h"
#include "logs/hub.h"
#include "orchestrator/orchestrator.h"

struct lws;
struct searcher;
struct watch;
struct server;

MUST_CHECK int server_new(struct loop *l, const struct options *o, struct hub *hub,
                          struct orchestrator *orch, struct server **ret);
/* Before server_listen; it must outlive the server. */
void server_set_searcher(struct server *s, struct searcher *searcher);
/* The same; its readers are closed with the server. */
void server_set_watch(struct server *s, struct watch *watch);
/* Binds and listens; *ret_url "http://127.0.0.1:8080" as it was bound. ERR_INVALID with one line in
 * error. */
MUST_CHECK int server_listen(struct server *s, struct buf *error, const char **ret_url);
/* Graceful leave; fn when the last connection is gone or the leave timeout passed. */
void server_leave(struct server *s, loop_fn fn, void *user);
void server_free(struct server *s);

/* For handlers and sessions. */
struct loop *server_loop(const struct server *s);
const struct options *server_options(const struct server *s);
struct hub *server_hub(const struct server *s);
struct orchestrator *server_orchestrator(const struct server *s);
struct watch *server_watch(const struct server *s);       /* NULL: there is none */
struct searcher *server_searcher(const struct server *s); /* NULL: there is none */
bool server_is_leaving(const struct server *s);
bool server_is_ready(const struct server *s);
/* Whether a WebSocket upgrade with this Origin (NULL = none) and Host passes the allow-list. */
bool server_origin_allowed(const struct server *s, const char *origin, const char *host);
#define SERVER_VERSION TAILGATE_VERSION

#endif
