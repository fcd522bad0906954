/*
 * The WebSocket side's front: which upgrades are let in, the birth and the end of streams, and the
 * lws events handed to the endpoint they belong to.
 */
#include "gateway/stream_internal.h"
#include "gateway/stream_list.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/stream_deflate.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define NAME_SIZE 512 /* of Origin and Host: a longer one is refused */

static int register_encoders(struct streams *st)
{
    const struct options *o = server_options(st->server);
    struct hub *hub = server_hub(st->server);
    int r = stream_register_encoders(hub, &st->kinds);

    if (r != 0 || !o->stream_deflate)
        return r;
    r = stream_deflater_new(o->max_message_bytes, st->kinds.tailgate, &st->deflater);
    if (r != 0)
        return r;
    return hub_register_encoder(hub, stream_encode_deflated, st->deflater, &st->kinds.deflated);
}

int streams_new(struct server *s, struct streams **ret)
{
    struct streams *st = calloc(1, sizeof *st);
    int r;

    if (!st)
        return ERR_NOMEM;
    st->server = s;
    list_init(&st->sessions);
    list_init(&st->lingering);
    list_init(&st->turns);
    list_init(&st->waiting);
    list_init(&st->asked);
    r = register_encoders(st);
    if (r == 0)
        r = loop_timer_new(server_loop(s), stream_sweep, st, &st->sweep);
    if (r == 0)
        r = loop_timer_new(server_loop(s), runvoy_linger_tick, st, &st->linger_timer);
    if (r == 0)
        r = loop_defer_new(server_loop(s), stream_turn, st, &st->turn);
    if (r != 0) {
        streams_free(st);
        return r;
    }
    stream_sweep_init(st);
    *ret = st;
    return 0;
}

void streams_free(struct streams *st)
{
    if (!st)
        return;
    stream_ask_free(st);
    loop_timer_free(st->sweep);
    loop_timer_free(st->linger_timer);
    loop_defer_free(st->turn);
    stream_deflater_free(st->deflater);
    free(st);
}

void streams_leave(struct streams *st)
{
    st->leaving = true;
    LIST_FOREACH_SAFE (it, &st->sessions)
        stream_close(LIST_ENTRY(it, struct stream, node), LWS_CLOSE_STATUS_GOINGAWAY,
                     "the server is leaving, reconnect");
}

const struct streams_stats *streams_stats(const struct streams *st)
{
    return &st->stats;
}

size_t streams_count(const struct streams *st)
{
    return st->count;
}

static const char *endpoint_path(enum stream_endpoint e)
{
    return e == STREAM_AT_RUNVOY ? "/api/v1/stream" : e == STREAM_AT_SESSION ? "/api/v1/ws" : "?";
}

static const char *http_phrase(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    default:
        return "Service Unavailable";
    }
}

static uint64_t random_id(void)
{
    uint64_t id = 0;

    /* Without random bytes the id still tells streams apart. */
    if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
        id = (uint64_t)clock_mono_us();
    return id;
}

/* Answers the request for an upgrade with an HTTP error. */
static void send_refusal(struct lws *wsi, const struct problem *p, const char *request_id)
{
    struct buf text CLEANUP_BUF = STREAM_MESSAGE;
    struct buf body CLEANUP_BUF = STREAM_MESSAGE;
    int status = err_http_status(p->err);
    int r = wire_error(&body, p);

    for (size_t i = 0; r == 0 && i < LWS_PRE; i++)
        r = buf_append_char(&text, '\0');
    if (r == 0)
        r = buf_printf(&text,
                       "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                       "X-Request-ID: %s\r\n%sConnection: close\r\n\r\n%s",
                       status, http_phrase(status), body.len, request_id,
                       status == 503 ? "Retry-After: 5\r\n" : "", body.data);
    if (r == 0 && lws_write(wsi, (unsigned char *)text.data + LWS_PRE, text.len - LWS_PRE,
                            LWS_WRITE_HTTP_HEADERS) < 0)
        log_debug("the refusal was not taken");
}

static int check_origin(const struct streams *st, struct lws *wsi, struct problem *p)
{
    char origin[NAME_SIZE], host[NAME_SIZE];
    int has_origin = lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN);
    int has_host = lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST);

    if (has_origin >= 0 && has_host >= 0 &&
        server_origin_allowed(st->server, has_origin > 0 ? origin : NULL,
                              has_host > 0 ? host : NULL))
        return 0;
    return problem_set(p, ERR_FORBIDDEN, "the upgrade was refused",
                       "this Origin is not in the allow-list");
}

static int check_upgrade(const struct streams *st, struct lws *wsi, enum stream_endpoint e,
                         struct problem *p)
{
    static const char refused[] = "the upgrade was refused";
    struct runvoy_request request;
    const struct lws_protocols *protocol = lws_get_protocol(wsi);
    int r;

    if (e == STREAM_NOWHERE)
        return problem_set(p, ERR_NOT_FOUND, refused, "there is no stream at this path");
    if (st->leaving || server_is_leaving(st->server))
        return problem_set(p, ERR_CLOSED, refused, "the server is leaving, reconnect");
    if (st->count >= (size_t)server_options(st->server)->max_connections)
        return problem_set(p, ERR_CLOSED, refused, "too many connections");
    r = check_origin(st, wsi, p);
    if (r != 0)
        return r;
    if (e == STREAM_AT_RUNVOY)
        return stream_request_runvoy(st, wsi, &request, p);
    if (!protocol || !str_eq(protocol->name, STREAM_SUBPROTOCOL))
        return problem_set(p, ERR_INVALID, refused,
                           "Sec-WebSocket-Protocol must offer " STREAM_SUBPROTOCOL);
    return 0;
}

int stream_filter_upgrade(struct streams *st, struct lws *wsi)
{
    enum stream_endpoint e = stream_request_endpoint(wsi);
    struct problem p = {0};
    char id[STREAM_ID_SIZE];

    if (check_upgrade(st, wsi, e, &p) == 0)
        return 0;
    stream_id_text(random_id(), id);
    log_info("stream refused", "request_id", id, "path", endpoint_path(e), "error", err_name(p.err),
             "details", p.details);
    send_refusal(wsi, &p, id);
    return 1;
}

static struct stream *stream_new(struct streams *st, struct lws *wsi, enum stream_endpoint e)
{
    struct stream *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->st = st;
    s->wsi = wsi;
    s->id = random_id();
    s->is_runvoy = e == STREAM_AT_RUNVOY;
    s->opened_ms = s->ping_ms = s->taken_ms = clock_mono_ms();
    list_init(&s->linger);
    list_init(&s->turn);
    list_init(&s->subs);
    list_init(&s->ready);
    buf_init(&s->out, STREAM_OUT_MAX);
    list_append(&st->sessions, &s->node);
    st->count++;
    st->stats.opened++;
    return s;
}

int stream_established(struct streams *st, struct lws *wsi, const char *client, void **session)
{
    enum stream_endpoint e = stream_request_endpoint(wsi);
    char id[STREAM_ID_SIZE];
    struct stream *s = stream_new(st, wsi, e);

    if (!s)
        return -1;
    *session = s;
    (void)!str_copy(s->client, sizeof(s->client), client);
    stream_id_text(s->id, id);
    log_set_request_id(id);
    log_info("stream opened", "path", endpoint_path(e));
    if (st->leaving)
        stream_close(s, LWS_CLOSE_STATUS_GOINGAWAY, "the server is leaving, reconnect");
    else if (s->is_runvoy)
        runvoy_established(s);
    else
        session_established(s);
    log_set_request_id(NULL);
    return 0;
}

int stream_received(void *session, const void *in, size_t len)
{
    struct stream *s = session;
    char id[STREAM_ID_SIZE];

    if (s->state == STREAM_CLOSING)
        return 0;
    stream_id_text(s->id, id);
    log_set_request_id(id);
    if (lws_frame_is_binary(s->wsi))
        stream_close(s, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "binary messages are not accepted");
    else if (!s->is_runvoy)
        session_received(s, in, len);
    log_set_request_id(NULL);
    return 0;
}

void stream_closed(void *session)
{
    struct stream *s = session;
    char id[STREAM_ID_SIZE];

    if (!s)
        return;
    stream_id_text(s->id, id);
    log_info("stream closed", "request_id", id, "close_code",
             s->close_code > 0 ? LOG_NUM(s->close_code) : NULL, "reason", s->close_reason,
             "sent_bytes", LOG_NUM(s->sent_bytes), "duration_ms",
             LOG_NUM(clock_mono_ms() - s->opened_ms));
    stream_op_forget(s->op);
    stream_list_close(s);
    LIST_FOREACH_SAFE (it, &s->subs)
        sub_free(LIST_ENTRY(it, struct sub, node));
    list_remove(&s->linger);
    list_remove(&s->turn);
    list_remove(&s->node);
    s->st->count--;
    buf_done(&s->in);
    buf_done(&s->out);
    free(s);
}
