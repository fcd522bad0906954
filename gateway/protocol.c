/* libwebsockets' events: a switch in which each case calls one function. */
#include "gateway/protocol.h"

#include "base/log.h"
#include "base/str.h"
#include "gateway/http_internal.h"
#include "gateway/stream.h"

#include <libwebsockets.h>
#include <string.h>

/* An HTTP/2 upgrade is offered by some clients; ours is HTTP/1.1 and says so. */
static int on_confirm_upgrade(struct lws *wsi, const char *to)
{
    static const char answer[] =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 102\r\n"
        "Connection: close\r\n\r\n"
        "{\"error\":\"invalid request\",\"code\":\"INVALID_REQUEST\","
        "\"details\":\"only upgrades to websocket are served\"}";
    unsigned char buffer[LWS_PRE + sizeof(answer)];
    if (!to || strcasecmp(to, "websocket") == 0)
        return 0;
    memcpy(buffer + LWS_PRE, answer, sizeof(answer) - 1);
    if (lws_write(wsi, buffer + LWS_PRE, sizeof(answer) - 1, LWS_WRITE_HTTP_HEADERS) < 0)
        return -1;
    return -1; /* hang up once it is sent */
}

static int on_filter(struct connection *c, struct lws *wsi)
{
    return stream_filter_upgrade(c->server->streams, wsi);
}

static int on_established(struct connection *c, struct lws *wsi, void *user)
{
    c->upgraded = true;
    return stream_established(c->server->streams, wsi, user);
}

static int on_message(void *user, const void *in, size_t len)
{
    void **session = user;
    return session && *session ? stream_received(*session, in, len) : -1;
}

static int on_stream_writeable(void *user)
{
    void **session = user;
    return session && *session ? stream_writeable(*session) : 0;
}

static int on_pong(void *user)
{
    void **session = user;
    return session && *session ? stream_pong(*session) : 0;
}

static int on_stream_closed(void *user)
{
    void **session = user;
    if (session && *session) {
        stream_closed(*session);
        *session = NULL;
    }
    return 0;
}

static int on_http_closed(struct connection *c)
{
    http_on_gone(c);
    return 0;
}

static int on_wsi_destroy(struct connection *c)
{
    connection_on_destroy(c);
    return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct connection *c = wsi ? connection_of(wsi) : NULL;
    if (!c)
        return 0; /* libwebsockets' own, or before the adoption is complete */
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return http_on_request(c, wsi);
    case LWS_CALLBACK_HTTP_BODY:
        return http_on_body(c, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_on_body_end(c);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_on_writeable(c);
    case LWS_CALLBACK_CLOSED_HTTP:
        return on_http_closed(c);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return on_confirm_upgrade(wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return on_filter(c, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(c, wsi, user);
    case LWS_CALLBACK_RECEIVE:
        return on_message(user, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_stream_writeable(user);
    case LWS_CALLBACK_RECEIVE_PONG:
        return on_pong(user);
    case LWS_CALLBACK_CLOSED:
        return on_stream_closed(user);
    case LWS_CALLBACK_WSI_DESTROY:
        return on_wsi_destroy(c);
    default:
        return 0;
    }
}

#define RX_BYTES 16384u

const struct lws_protocols protocol_table[] = {
    {.name = "http",
     .callback = callback,
     .per_session_data_size = sizeof(void *),
     .rx_buffer_size = RX_BYTES,
     .tx_packet_size = STREAM_TX_PACKET_SIZE},
    {.name = "tailgate.v1",
     .callback = callback,
     .per_session_data_size = sizeof(void *),
     .rx_buffer_size = RX_BYTES,
     .tx_packet_size = STREAM_TX_PACKET_SIZE},
    {.name = NULL},
};

void protocol_log(int level, const char *line)
{
    char text[512];
    size_t n = strnlen(line, sizeof(text) - 1);
    memcpy(text, line, n);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    text[n] = '\0';
    char *token = strstr(text, "token=");
    if (token)
        *token = '\0';
    log_write(level & LLL_ERR ? LOG_ERROR : LOG_WARN, "libwebsockets", "line", text, NULL);
}
