/* Accepted sockets: adoption by libwebsockets, deadlines, the end. */
#include "gateway/connection.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/http_internal.h"

#include <libwebsockets.h>
#include <linux/tcp.h>
#include <string.h>
#include <unistd.h>

struct connection *connection_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

/* Bytes the peer sent that our kernel acknowledged: the only sign of half a head, which
 * libwebsockets keeps to itself. */
static uint64_t bytes_received(struct lws *wsi)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    if (getsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_received;
}

static void connection_free(struct connection *c)
{
    struct server *s = c->server;
    list_remove(&c->link);
    s->connections_count--;
    free(c);
    server_connection_gone(s);
}

int connection_adopt(struct server *s, int fd, const char *peer)
{
    struct connection *c = calloc(1, sizeof(*c));
    if (!c) {
        (void)close(fd);
        return ERR_NOMEM;
    }
    c->server = s;
    c->waiting_since_ms = clock_mono_ms();
    (void)!str_copy(c->peer, sizeof(c->peer), peer);
    list_append(&s->connections, &c->link);
    s->connections_count++;
    const lws_adopt_desc_t how = {
        .vh = s->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
        .fd = {.sockfd = fd},
        .opaque = c,
    };
    c->in_adoption = true;
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&how); /* closes fd when it fails */
    c->in_adoption = false;
    if (!wsi) {
        connection_free(c);
        return ERR_SYS;
    }
    c->wsi = wsi;
    return 0;
}

void connection_on_destroy(struct connection *c)
{
    http_on_gone(c);
    c->wsi = NULL;
    if (!c->in_adoption)
        connection_free(c);
}

void connection_wait_for_request(struct connection *c)
{
    c->waiting_since_ms = clock_mono_ms();
    c->bytes_at_wait = bytes_received(c->wsi);
}

void connection_kill(struct connection *c)
{
    if (!c || !c->wsi)
        return;
    /* libwebsockets sees the end of the stream on the next turn and closes; its own timer is the
     * net below, since timers set from outside its callbacks may wait for its next event. */
    (void)shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, 1);
}

static void sweep_one(struct connection *c, int64_t now_ms)
{
    int64_t timeout_ms = server_options(c->server)->request_timeout_ms;
    struct http_request *r = c->request;
    if (!c->wsi || c->upgraded)
        return;
    if (c->drain_until_ms > 0) {
        if (now_ms >= c->drain_until_ms)
            connection_kill(c);
    } else if (r) {
        if (r->phase == HTTP_READING && now_ms - c->waiting_since_ms >= timeout_ms)
            http_on_timeout(c);
        else if (r->phase == HTTP_SENDING && now_ms - r->progress_ms >= HTTP_WRITE_STALL_MS)
            connection_kill(c);
    } else if (now_ms - c->waiting_since_ms >= timeout_ms) {
        /* An idle connection is libwebsockets' to end, after its keep-alive timeout. */
        if (bytes_received(c->wsi) > c->bytes_at_wait)
            http_on_timeout(c);
        else if (c->bytes_at_wait == 0)
            connection_kill(c);
    }
}

void connections_sweep(struct server *s)
{
    int64_t now_ms = clock_mono_ms();
    LIST_FOREACH_SAFE (it, &s->connections)
        sweep_one(LIST_ENTRY(it, struct connection, link), now_ms);
}

int64_t connections_sweep_interval_ms(int64_t request_timeout_ms)
{
    int64_t quarter = request_timeout_ms / 4;
    if (quarter < 20)
        return 20;
    return quarter > 1000 ? 1000 : quarter;
}
