/*
 * What the files of the server itself share (server.c, protocol.c, connection.c, listen.c,
 * http_*.c). Handlers and streams see server.h and http.h only.
 */
#ifndef TAILGATE_GATEWAY_SERVER_INTERNAL_H
#define TAILGATE_GATEWAY_SERVER_INTERNAL_H

#include "base/list.h"
#include "gateway/client_address.h"
#include "gateway/cors.h"
#include "gateway/server.h"

struct http_metrics;
struct lws_context;
struct lws_vhost;
struct listener;
struct streams;

struct server {
    struct loop *loop;
    const struct options *options;
    struct hub *hub;
    struct orchestrator *orch;
    struct searcher *searcher;
    struct watch *watch;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct listener *listener;
    struct streams *streams;
    struct http_metrics *http_metrics;
    struct cors cors;
    struct address_list trusted_proxies;
    struct list connections;     /* struct connection */
    struct connection *adopting; /* while libwebsockets makes its wsi */
    size_t connections_count;
    size_t connections_max; /* --max-connections, or what the descriptor limit leaves */
    struct loop_timer *sweep;
    bool is_tls, is_listening, is_leaving;
    char url[300]; /* as bound: "http://127.0.0.1:8080" */
    struct loop_timer *leave_timer;
    struct loop_defer *leave_done;
    loop_fn on_left;
    void *on_left_user;
};

/* Looked at by connection.c when a connection has gone. */
void server_connection_gone(struct server *s);

#endif
