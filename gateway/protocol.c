/* libwebsockets' events: a switch in which each case calls one function. */
#include "gateway/protocol.h"

#include "base/log.h"
#include "base/str.h"
#include "gateway/client_address.h"
#include "gateway/http_internal.h"
#include "gateway/stream.h"
#include "gateway/stream_deflate.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define FORWARDED_SIZE 4096 /* libwebsockets takes no longer head */

/* Answers an upgrade that libwebsockets would drop without a word, or not understand. */
static int refuse_upgrade(struct lws *wsi, const char *details)
{
    uint8_t random[16];
    char id[2 * sizeof(random) + 1], body[256];
    unsigned char out[LWS_PRE + 1024];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -1;
    str_hex(random, sizeof(random), id);
    int len = snprintf(body, sizeof(body),
                       "{\"error\":\"the upgrade was refused\",\"code\":\"INVALID_REQUEST\","
                       "\"details\":\"%s\"}",
                       details);
    int n = snprintf((char *)out + LWS_PRE, sizeof(out) - LWS_PRE,
                     "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
                     "Content-Length: %d\r\nX-Request-ID: %s\r\nConnection: close\r\n\r\n%s",
                     len, id, body);
    log_info("upgrade refused", "request_id", id, "details", details);
    if (lws_write(wsi, out + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_HEADERS) < 0)
        log_debug("the refusal was not taken");
    return -1; /* hang up once it is sent */
}

/* Whether a comma-separated list of subprotocols has ours. A longer one than fits has it not. */
static bool offers_ours(struct lws *wsi)
{
    static const char separators[] = ", \t";
    char list[512];
    if (lws_hdr_copy(wsi, list, (int)sizeof(list), WSI_TOKEN_PROTOCOL) <= 0)
        return false;
    for (const char *name = list + strspn(list, separators); *name;) {
        size_t len = strcspn(name, separators);
        if (len == strlen(STREAM_SUBPROTOCOL) && memcmp(name, STREAM_SUBPROTOCOL, len) == 0)
            return true;
        name += len + strspn(name + len, separators);
    }
    return false;
}

/* An HTTP/2 upgrade is offered by some clients; ours is HTTP/1.1 and says so. */
static int on_confirm_upgrade(struct lws *wsi, const char *to)
{
    if (to && strcasecmp(to, "websocket") != 0)
        return refuse_upgrade(wsi, "only upgrades to websocket are served");
    if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) <= 0)
        return refuse_upgrade(wsi, "Sec-WebSocket-Key is required");
    if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0 && !offers_ours(wsi))
        return refuse_upgrade(wsi, "Sec-WebSocket-Protocol must offer " STREAM_SUBPROTOCOL);
    return 0;
}

static int on_filter(struct connection *c, struct lws *wsi)
{
    return stream_filter_upgrade(c->server->streams, wsi);
}

static int on_add_headers(struct lws *wsi, const struct stream_slot *slot, void *in)
{
    return slot && slot->deflates ? stream_complete_answer(wsi, in) : 0;
}

static int on_established(struct connection *c, struct lws *wsi, struct stream_slot *slot)
{
    char forwarded[FORWARDED_SIZE], client[ADDRESS_TEXT_SIZE];
    int n = lws_hdr_copy(wsi, forwarded, sizeof(forwarded), WSI_TOKEN_X_FORWARDED_FOR);

    c->upgraded = true;
    client_address(&c->server->trusted_proxies, c->peer, n > 0 ? forwarded : NULL, client);
    if (stream_established(c->server->streams, wsi, client, &slot->session) != 0)
        return -1;
    if (slot->deflates)
        stream_use_deflate(slot->session);
    return 0;
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

static int on_peer_close(void *user)
{
    void **session = user;
    return session && *session ? stream_peer_left(*session) : 0;
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
    if (reason == LWS_CALLBACK_WSI_CREATE && !c)
        connection_on_create(lws_context_user(lws_get_context(wsi)), wsi);
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
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
        return stream_confirm_extension(wsi);
    case LWS_CALLBACK_ADD_HEADERS:
        return on_add_headers(wsi, user, in);
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(c, wsi, user);
    case LWS_CALLBACK_RECEIVE:
        return on_message(user, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_stream_writeable(user);
    case LWS_CALLBACK_RECEIVE_PONG:
        return on_pong(user);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close(user);
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
     .per_session_data_size = sizeof(struct stream_slot),
     .rx_buffer_size = RX_BYTES,
     .tx_packet_size = STREAM_TX_PACKET_SIZE},
    {.name = "tailgate.v1",
     .callback = callback,
     .per_session_data_size = sizeof(struct stream_slot),
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
    static const char *const secrets[] = {"token=", "ticket="};
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
        char *at = strstr(text, secrets[i]);
        if (at)
            *at = '\0';
    }
    log_write(level & LLL_ERR ? LOG_ERROR : LOG_WARN, "libwebsockets", "line", text, NULL);
}
