/* Accepted sockets: adoption by libwebsockets, deadlines, the end. */
#include "gateway/connection.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/http_internal.h"
#include "gateway/socket_info.h"

#include <libwebsockets.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A socket that took nothing for so long is looked at for input that nobody reads. */
#define OUTPUT_STALL_MS 500
/* tcp_info's state when the peer has sent its FIN, and when nothing is left (RFC 9293 3.3.2). */
#define TCPI_CLOSED 7
#define TCPI_CLOSE_WAIT 8

struct connection *connection_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

static struct tcp_info tcp_info_of(struct lws *wsi)
{
    return socket_info(lws_get_socket_fd(wsi));
}

/* What our kernel acknowledged: the only sign of half a head, which libwebsockets keeps to itself.
 */
static uint64_t bytes_received(struct lws *wsi)
{
    return tcp_info_of(wsi).tcpi_bytes_received;
}

/* Whether bytes of ours wait, in libwebsockets or unacknowledged in the kernel. */
static bool has_output(struct lws *wsi)
{
    int n = 0;
    return lws_partial_buffered(wsi) || (ioctl(lws_get_socket_fd(wsi), SIOCOUTQ, &n) == 0 && n > 0);
}

static bool peer_has_closed(struct lws *wsi)
{
    uint8_t state = tcp_info_of(wsi).tcpi_state;
    return state == TCPI_CLOSED || state == TCPI_CLOSE_WAIT;
}

static bool has_input(struct lws *wsi)
{
    int n = 0;
    return ioctl(lws_get_socket_fd(wsi), FIONREAD, &n) == 0 && n > 0;
}

static bool is_writeable(struct lws *wsi)
{
    struct pollfd p = {.fd = lws_get_socket_fd(wsi), .events = POLLOUT};
    return poll(&p, 1, 0) > 0;
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
    s->adopting = c;
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&how); /* closes fd when it fails */
    s->adopting = NULL;
    c->in_adoption = false;
    if (!wsi) {
        /* A TLS handshake that fails at once has a wsi already, and libuv closes it on a later turn
         * of the loop: then WSI_DESTROY frees the connection. */
        if (!c->has_wsi)
            connection_free(c);
        return ERR_SYS;
    }
    c->wsi = wsi;
    return 0;
}

void connection_on_create(struct server *s, struct lws *wsi)
{
    if (!s || !s->adopting)
        return;
    s->adopting->has_wsi = true;
    lws_set_opaque_user_data(wsi, s->adopting);
}

void connection_on_destroy(struct connection *c)
{
    http_on_gone(c);
    c->wsi = NULL;
    c->has_wsi = false;
    if (!c->in_adoption)
        connection_free(c);
}

void connection_wait_for_request(struct connection *c)
{
    c->waiting_since_ms = clock_mono_ms();
    c->bytes_at_wait = bytes_received(c->wsi);
}

void connection_pause_reading(struct connection *c)
{
    if (!c->reading_paused && lws_rx_flow_control(c->wsi, 0) == 0)
        c->reading_paused = true;
}

void connection_want_write(struct connection *c)
{
    if (c->reading_paused && lws_rx_flow_control(c->wsi, 1) == 0)
        c->reading_paused = false;
    c->wants_write = true;
    lws_callback_on_writable(c->wsi);
}

void connection_kill(struct connection *c)
{
    if (!c || !c->wsi)
        return;
    c->dying = true;
    /* Waiting for a head libwebsockets reads the end of the stream and closes; with a request under
     * way it gives WRITEABLE instead. Its own timer is the net below, since timers set from outside
     * its callbacks may wait for its next event. */
    (void)shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);
    connection_want_write(c);
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, 1);
}

/* Whether the peer took nothing of what waits for it, for too long. */
static bool is_idle_reader(struct connection *c, const struct http_request *r, int64_t now_ms)
{
    uint64_t taken = tcp_info_of(c->wsi).tcpi_bytes_acked;
    if (taken != c->taken_bytes || !has_output(c->wsi)) {
        c->taken_bytes = taken;
        c->taken_ms = now_ms;
        return false;
    }
    int64_t since_ms = c->taken_ms > r->progress_ms ? c->taken_ms : r->progress_ms;
    return now_ms - since_ms >= server_options(c->server)->reader_idle_timeout_ms;
}

/* An answer that waits: for the socket, or (streamed) for something to say. */
static void sweep_output(struct connection *c, struct http_request *r, int64_t now_ms)
{
    int64_t idle_ms = now_ms - r->progress_ms;
    bool is_unread = r->phase == HTTP_STREAMING && peer_has_closed(c->wsi);
    if (idle_ms < OUTPUT_STALL_MS)
        return;
    if (is_unread) {
        connection_kill(c);
    } else if (is_idle_reader(c, r, now_ms)) {
        log_info("the reader took nothing for too long", "request_id", r->id, "path", r->path);
        connection_kill(c);
    } else if (c->wants_write && c->reading_paused) {
        if (is_writeable(c->wsi))
            connection_want_write(c);
    } else if (c->wants_write && (has_input(c->wsi) || peer_has_closed(c->wsi))) {
        connection_pause_reading(c);
    }
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
        else if (r->phase == HTTP_SENDING || r->phase == HTTP_STREAMING)
            sweep_output(c, r, now_ms);
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
