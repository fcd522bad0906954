/*
 * libwebsockets' client. The context lives as long as the stream; each connection is a new wsi. The
 * signals' descriptor is adopted as a raw file: a duplicate, for libwebsockets closes what it
 * adopts.
 */
#include "cli/stream.h"

#include "base/buf.h"
#include "base/str.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <string.h>
#include <unistd.h>

#define RX_BYTES 65536
#define CONNECT_TIMEOUT_S 10

struct stream {
    const struct settings *settings;
    struct stream_events events;
    void *user;
    struct lws_context *context;
    lws_sorted_usec_list_t timer;
    struct lws *wsi;
    bool is_connecting; /* lost is still owed */
    struct stream_end end;
    struct buf message; /* fragments so far */
    struct buf out;     /* LWS_PRE bytes, then what waits to be sent */
    char path[600];
};

static void set_reason(struct stream *s, const char *text, size_t len)
{
    size_t max = sizeof s->end.reason - 1;
    len = len < max ? len : max;
    memcpy(s->end.reason, text, len);
    s->end.reason[len] = '\0';
}

static void tell_lost(struct stream *s)
{
    if (!s->is_connecting)
        return;
    struct stream_end end = s->end;
    s->is_connecting = false;
    s->wsi = NULL;
    buf_clear(&s->message);
    buf_clear(&s->out);
    s->events.lost(s->user, &end);
}

/* libwebsockets tells no more than that TLS failed; nearly always it is the certificate. */
static const char *tls_hint(const struct stream *s, const char *why)
{
    return s->settings->endpoint.tls && strstr(why, "SSL") != NULL
               ? " (is the certificate trusted? see --ca-file)"
               : "";
}

static int on_connection_error(struct stream *s, struct lws *wsi, const char *in, size_t len)
{
    char why[80] = "cannot connect";
    if (in != NULL)
        (void)snprintf(why, sizeof why, "%.*s", (int)len, in);
    s->end.http_status = wsi != NULL ? (int)lws_http_client_http_response(wsi) : 0;
    if (s->end.http_status != 0)
        (void)snprintf(s->end.reason, sizeof s->end.reason, "HTTP status %d", s->end.http_status);
    else
        (void)snprintf(s->end.reason, sizeof s->end.reason, "%.80s: %s%s",
                       s->settings->endpoint.authority, why, tls_hint(s, why));
    tell_lost(s);
    return 0;
}

static int on_headers(const struct stream *s, struct lws *wsi, unsigned char **at, size_t len)
{
    const char *key = s->settings->api_key;
    return lws_add_http_header_by_name(wsi, (const unsigned char *)"x-api-key:",
                                       (const unsigned char *)key, (int)strlen(key), at, *at + len);
}

/* in: two bytes of close code in network order, then the reason (RFC 6455 5.5.1). */
static int on_peer_close(struct stream *s, const unsigned char *in, size_t len)
{
    if (len < 2)
        return 0;
    s->end.close_code = in[0] << 8 | in[1];
    set_reason(s, (const char *)in + 2, len - 2);
    return 0;
}

static int on_receive(struct stream *s, struct lws *wsi, const char *in, size_t len)
{
    bool is_whole = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
    if (is_whole && s->message.len == 0)
        return s->events.message(s->user, in, len) == 0 ? 0 : -1;
    if (buf_append(&s->message, in, len) != 0) {
        s->end.close_code = LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE;
        return -1;
    }
    if (!is_whole)
        return 0;
    int r = s->events.message(s->user, s->message.data, s->message.len);
    buf_clear(&s->message);
    return r == 0 ? 0 : -1;
}

static int on_writeable(struct stream *s, struct lws *wsi)
{
    if (s->out.len <= LWS_PRE)
        return 0;
    size_t len = s->out.len - LWS_PRE;
    int n = lws_write(wsi, (unsigned char *)s->out.data + LWS_PRE, len, LWS_WRITE_TEXT);
    buf_clear(&s->out);
    return n == (int)len ? 0 : -1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, UNUSED void *session,
                    void *in, size_t len)
{
    struct lws_context *context = lws_get_context(wsi);
    struct stream *s = context != NULL ? lws_context_user(context) : NULL;
    if (s == NULL)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return on_headers(s, wsi, in, len);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        return on_connection_error(s, wsi, in, len);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        s->events.opened(s->user);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return on_receive(s, wsi, in, len);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(s, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close(s, in, len);
    case LWS_CALLBACK_CLIENT_CLOSED:
        tell_lost(s);
        return 0;
    case LWS_CALLBACK_RAW_RX_FILE:
        s->events.signal(s->user);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "tailgate.v1", .callback = on_event, .rx_buffer_size = RX_BYTES},
    {0},
};

/* A server that is gone without a word: ping after 30 s of silence, hang up after 45. */
static const lws_retry_bo_t idle_policy = {
    .secs_since_valid_ping = 30,
    .secs_since_valid_hangup = 45,
};

static struct lws_context *create_context(struct stream *s)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .user = s,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .client_ssl_ca_filepath = s->settings->ca_file,
        .connect_timeout_secs = CONNECT_TIMEOUT_S,
        .timeout_secs = CONNECT_TIMEOUT_S,
        .http_proxy_address = "", /* the key goes to the endpoint and nowhere else */
        .retry_and_idle_policy = &idle_policy,
        .pt_serv_buf_size = RX_BYTES,
    };
    lws_set_log_level(0, NULL);
    return lws_create_context(&info);
}

static int adopt_signals(struct stream *s, int fd)
{
    lws_sock_file_fd_type copy = {.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 3)};
    struct lws_vhost *vhost = lws_get_vhost_by_name(s->context, "default");
    if (copy.filefd < 0)
        return ERR_SYS;
    if (vhost == NULL) {
        (void)close(copy.filefd);
        return ERR_SYS;
    }
    return lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, copy, protocols[0].name,
                                      NULL) != NULL
               ? 0
               : ERR_SYS;
}

int stream_new(const struct settings *settings, struct interrupt *intr,
               const struct stream_events *events, void *user, struct stream **ret,
               struct problem *p)
{
    struct stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return problem_set(p, ERR_NOMEM, "cannot open a stream", "out of memory");
    s->settings = settings;
    s->events = *events;
    s->user = user;
    buf_init(&s->message, STREAM_MESSAGE_MAX);
    buf_init(&s->out, LWS_PRE + STREAM_SEND_MAX);
    (void)snprintf(s->path, sizeof s->path, "%s/ws", settings->endpoint.base);
    s->context = create_context(s);
    if (s->context == NULL || adopt_signals(s, intr->fd) != 0) {
        stream_free(s);
        return problem_set(p, ERR_SYS, "cannot open a stream", "libwebsockets does not start%s",
                           settings->ca_file != NULL ? " (--ca-file may be unusable)" : "");
    }
    *ret = s;
    return 0;
}

void stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    s->is_connecting = false; /* nobody wants to hear of it */
    lws_sul_cancel(&s->timer);
    if (s->context != NULL)
        lws_context_destroy(s->context);
    buf_done(&s->message);
    buf_done(&s->out);
    free(s);
}

void stream_connect(struct stream *s)
{
    const struct endpoint *e = &s->settings->endpoint;
    struct lws_client_connect_info info = {
        .context = s->context,
        .address = e->host,
        .port = e->port,
        .ssl_connection = e->tls ? LCCSCF_USE_SSL : 0,
        .path = s->path,
        .host = e->authority,
        .protocol = protocols[0].name,
        .local_protocol_name = protocols[0].name,
        .alpn = "http/1.1",
        .pwsi = &s->wsi,
        .retry_and_idle_policy = &idle_policy,
        .ietf_version_or_minus_one = -1,
    };
    info.ssl_connection |= LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
    s->end = (struct stream_end){0};
    s->is_connecting = true;
    if (lws_client_connect_via_info(&info) == NULL && s->is_connecting) {
        set_reason(s, "cannot connect", strlen("cannot connect"));
        tell_lost(s);
    }
}

int stream_send(struct stream *s, const char *text, size_t len)
{
    static const char room[LWS_PRE];
    if (s->wsi == NULL)
        return ERR_CLOSED;
    buf_clear(&s->out);
    int r = buf_append(&s->out, room, sizeof room);
    if (r == 0)
        r = buf_append(&s->out, text, len);
    if (r != 0)
        buf_clear(&s->out);
    else
        (void)lws_callback_on_writable(s->wsi); /* 0 only for a connection that is closing */
    return r;
}

static void on_timer(lws_sorted_usec_list_t *sul)
{
    struct stream *s = CONTAINER_OF(sul, struct stream, timer);
    s->events.timer(s->user);
}

void stream_start_timer(struct stream *s, int64_t delay_ms)
{
    lws_sul_schedule(s->context, 0, &s->timer, on_timer, delay_ms * LWS_US_PER_MS);
}

int stream_turn(struct stream *s)
{
    return lws_service(s->context, 0) < 0 ? ERR_SYS : 0;
}
