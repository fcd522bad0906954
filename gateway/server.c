/*
 * The server object: libwebsockets' context on our loop, the listener, the connections, and the
 * graceful leave.
 */
#include "gateway/server.h"

#include "base/log.h"
#include "base/str.h"
#include "gateway/connection.h"
#include "gateway/http_internal.h"
#include "gateway/http_metrics.h"
#include "gateway/listen.h"
#include "gateway/protocol.h"
#include "gateway/server_internal.h"
#include "gateway/stream.h"
#include "gateway/stream_deflate.h"

#include <libwebsockets.h>
#include <string.h>

/* A keep-alive connection without requests. */
#define KEEPALIVE_S 75
/* Room for a request's head: what common servers take. */
#define HEAD_BYTES_MAX 16384
/* Turns of the loop that libwebsockets' handles need to close. */
#define CLOSE_TURNS 16

static void on_sweep(void *user)
{
    connections_sweep(user);
}

static void leave_complete(struct server *s)
{
    loop_fn fn = s->on_left;
    loop_timer_stop(s->leave_timer);
    s->on_left = NULL;
    if (fn)
        fn(s->on_left_user);
}

static void on_leave_timeout(void *user)
{
    struct server *s = user;
    log_warn("connections are still open", "count", LOG_NUM(s->connections_count));
    leave_complete(s);
}

static void on_leave_done(void *user)
{
    leave_complete(user);
}

static int make_context(struct server *s)
{
    const struct options *o = s->options;
    void *loops[1] = {loop_uv(s->loop)};
    struct lws_context_creation_info info = {0};
    lws_set_log_level(LLL_ERR | LLL_WARN, protocol_log);
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    if (s->is_tls)
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.foreign_loops = loops;
    info.user = s;
    info.max_http_header_data = HEAD_BYTES_MAX;
    info.pt_serv_buf_size = 64u << 10;
    s->context = lws_create_context(&info);
    if (!s->context)
        return ERR_SYS;
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.vhost_name = "tailgate";
    info.protocols = protocol_table;
    info.extensions = o->stream_deflate ? stream_extensions : NULL;
    info.keepalive_timeout = KEEPALIVE_S;
    /* The net below our own deadlines. */
    info.timeout_secs = (unsigned)(o->request_timeout_ms / 1000 + 10);
    if (s->is_tls) {
        info.ssl_cert_filepath = o->tls_cert;
        info.ssl_private_key_filepath = o->tls_key;
        info.alpn = "http/1.1";
    }
    s->vhost = lws_create_vhost(s->context, &info);
    return s->vhost ? 0 : ERR_SYS;
}

static int make_parts(struct server *s)
{
    const struct options *o = s->options;
    int err = address_list_parse(o->trusted_proxies, &s->trusted_proxies, NULL);
    if (!err)
        err = cors_parse(o->cors_origins, o->public_url, &s->cors);
    if (!err)
        err = loop_timer_new(s->loop, on_sweep, s, &s->sweep);
    if (!err)
        err = loop_timer_new(s->loop, on_leave_timeout, s, &s->leave_timer);
    if (!err)
        err = loop_defer_new(s->loop, on_leave_done, s, &s->leave_done);
    if (!err)
        err = http_metrics_new(&s->http_metrics);
    if (!err)
        err = make_context(s);
    if (!err)
        err = streams_new(s, &s->streams);
    return err;
}

int server_new(struct loop *l, const struct options *o, struct hub *hub, struct orchestrator *orch,
               struct server **ret)
{
    struct server *s = calloc(1, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->loop = l;
    s->options = o;
    s->hub = hub;
    s->orch = orch;
    s->is_tls = !str_is_empty(o->tls_cert);
    list_init(&s->connections);
    s->connections_max = listen_connections_max((size_t)o->max_connections);
    int err = make_parts(s);
    if (err) {
        server_free(s);
        return err;
    }
    int64_t interval_ms = connections_sweep_interval_ms(o->request_timeout_ms);
    loop_timer_start(s->sweep, interval_ms, interval_ms);
    *ret = s;
    return 0;
}

int server_listen(struct server *s, struct buf *error, const char **ret_url)
{
    int err = listener_open(s, s->options->listen, error, s->url, sizeof(s->url), &s->listener);
    if (err)
        return err;
    s->is_listening = true;
    *ret_url = s->url;
    return 0;
}

void server_connection_gone(struct server *s)
{
    if (s->is_leaving && s->on_left && s->connections_count == 0)
        loop_defer_schedule(s->leave_done);
}

void server_leave(struct server *s, loop_fn fn, void *user)
{
    s->is_leaving = true;
    s->on_left = fn;
    s->on_left_user = user;
    listener_free(s->listener);
    s->listener = NULL;
    streams_leave(s->streams);
    LIST_FOREACH_SAFE (it, &s->connections) {
        struct connection *c = LIST_ENTRY(it, struct connection, link);
        if (c->upgraded)
            continue;
        if (c->request)
            http_stream_wake(c->request); /* those that follow end now */
        else
            connection_kill(c);
    }
    loop_timer_start(s->leave_timer, s->options->leave_timeout_ms, 0);
    server_connection_gone(s);
}

void server_free(struct server *s)
{
    if (!s)
        return;
    s->on_left = NULL;
    s->is_leaving = true;
    listener_free(s->listener);
    if (s->context) {
        /* With a foreign loop the first call begins to close, the loop's turns finish that, and the
         * second call frees (libwebsockets, lws_context_destroy). */
        lws_context_destroy(s->context);
        for (int i = 0; i < CLOSE_TURNS; i++)
            (void)!loop_turn(s->loop, 0);
        lws_context_destroy(s->context);
    }
    streams_free(s->streams);
    http_metrics_free(s->http_metrics);
    loop_timer_free(s->sweep);
    loop_timer_free(s->leave_timer);
    loop_defer_free(s->leave_done);
    free(s);
}

/* ---- for handlers and sessions ---- */

struct loop *server_loop(const struct server *s)
{
    return s->loop;
}

const struct options *server_options(const struct server *s)
{
    return s->options;
}

struct hub *server_hub(const struct server *s)
{
    return s->hub;
}

struct watch *server_watch(const struct server *s)
{
    return s->watch;
}

void server_set_watch(struct server *s, struct watch *watch)
{
    s->watch = watch;
}

struct searcher *server_searcher(const struct server *s)
{
    return s->searcher;
}

void server_set_searcher(struct server *s, struct searcher *searcher)
{
    s->searcher = searcher;
}

struct orchestrator *server_orchestrator(const struct server *s)
{
    return s->orch;
}

bool server_is_leaving(const struct server *s)
{
    return s->is_leaving;
}

bool server_is_ready(const struct server *s)
{
    return s->is_listening && !s->is_leaving && orchestrator_is_ready(s->orch);
}

bool server_origin_allowed(const struct server *s, const char *origin, const char *host)
{
    return cors_allows(&s->cors, origin, host);
}
