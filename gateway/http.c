/*
 * Requests: born with LWS_CALLBACK_HTTP, bound to their connection until the answer is sent or the
 * client goes away, freed with the last reference.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/http_internal.h"
#include "gateway/http_metrics.h"

#include <libwebsockets.h>
#include <string.h>
#include <sys/random.h>

static const char *const PHASE_NAMES[] = {
    [HTTP_READING] = "READING", [HTTP_ASKING] = "ASKING",       [HTTP_HANDLING] = "HANDLING",
    [HTTP_SENDING] = "SENDING", [HTTP_STREAMING] = "STREAMING", [HTTP_DONE] = "DONE",
};

void http_set_phase(struct http_request *r, enum http_phase phase)
{
    bool entered = http_log_enter(r);
    log_debug("request", "from", PHASE_NAMES[r->phase], "to", PHASE_NAMES[phase]);
    http_log_leave(entered);
    r->phase = phase;
    r->progress_ms = clock_mono_ms();
}

/* ---- life cycle ---- */

static int request_new(struct connection *c, struct http_request **ret)
{
    uint8_t random[16];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        log_error("getrandom failed");
        return ERR_SYS;
    }
    struct http_request *r = calloc(1, sizeof(*r));
    if (!r)
        return ERR_NOMEM;
    r->refs = 1;
    r->server = c->server;
    r->conn = c;
    r->started_us = clock_mono_us();
    r->progress_ms = clock_mono_ms();
    str_hex(random, sizeof(random), r->id);
    buf_init(&r->extra_headers, HTTP_EXTRA_HEADERS_MAX);
    buf_init(&r->out, HTTP_ANSWER_MAX);
    c->request = r;
    *ret = r;
    return 0;
}

static void forget_secret(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
}

static void request_free(struct http_request *r)
{
    if (r->free_state)
        r->free_state(r->state);
    forget_secret(r->headers[HEADER_API_KEY]);
    forget_secret(r->headers[HEADER_AUTHORIZATION]);
    for (size_t i = 0; i < HEADER_COUNT; i++)
        free(r->headers[i]);
    for (size_t i = 0; i < r->query_count; i++) {
        free(r->query[i].name);
        free(r->query[i].value);
    }
    for (size_t i = 0; i < r->params_count; i++) {
        free(r->params[i].name);
        free(r->params[i].value);
    }
    free(r->path);
    free(r->public_base);
    buf_done(&r->body);
    buf_done(&r->extra_headers);
    buf_done(&r->out);
    free(r);
}

struct http_request *http_ref(struct http_request *r)
{
    r->refs++;
    return r;
}

void http_unref(struct http_request *r)
{
    if (r && --r->refs == 0)
        request_free(r);
}

/* The connection lets go of its request: answered, or the client went away. */
static void detach(struct connection *c)
{
    struct http_request *r = c->request;
    c->request = NULL;
    r->conn = NULL;
    http_set_phase(r, HTTP_DONE);
    http_log_access(r);
    http_metrics_note(r->server->http_metrics, r->route, r->method, r->status,
                      clock_mono_us() - r->started_us);
    if (r->free_state) {
        r->free_state(r->state);
        r->free_state = NULL;
        r->state = NULL;
    }
    http_unref(r);
}

/* ---- accessors ---- */

struct server *http_server(const struct http_request *r)
{
    return r->server;
}

enum http_method http_method(const struct http_request *r)
{
    return r->method;
}

bool http_is_look(const struct http_request *r)
{
    const char *purpose = http_header(r, HEADER_SEC_PURPOSE);
    if (!purpose)
        purpose = http_header(r, HEADER_PURPOSE);
    return r->is_head || (purpose && strcasestr(purpose, "prefetch"));
}

const char *http_path(const struct http_request *r)
{
    return r->path;
}

static const char *find_pair(const struct http_pair *pairs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(pairs[i].name, name))
            return pairs[i].value;
    }
    return NULL;
}

const char *http_param(const struct http_request *r, const char *name)
{
    return find_pair(r->params, r->params_count, name);
}

const char *http_query(const struct http_request *r, const char *name)
{
    return find_pair(r->query, r->query_count, name);
}

const char *http_header(const struct http_request *r, enum http_header h)
{
    return r->headers[h];
}

const char *http_body(const struct http_request *r, size_t *ret_len)
{
    *ret_len = r->body.len;
    return r->body.data ? r->body.data : "";
}

const char *http_request_id(const struct http_request *r)
{
    return r->id;
}

const char *http_header_last_event_id(const struct http_request *r)
{
    return r->headers[HEADER_LAST_EVENT_ID];
}

const char *http_header_idempotency_key(const struct http_request *r)
{
    return r->headers[HEADER_IDEMPOTENCY_KEY];
}

const char *http_header_accept(const struct http_request *r)
{
    return r->headers[HEADER_ACCEPT];
}

const char *http_header_accept_encoding(const struct http_request *r)
{
    return r->headers[HEADER_ACCEPT_ENCODING];
}

const char *http_header_if_none_match(const struct http_request *r)
{
    return r->headers[HEADER_IF_NONE_MATCH];
}

const struct principal *http_principal(const struct http_request *r)
{
    return r->has_principal ? &r->principal : NULL;
}

struct caller http_caller(const struct http_request *r)
{
    return (struct caller){
        .who = http_principal(r), .address = r->client, .request_id = http_request_id(r)};
}

const char *http_public_base(const struct http_request *r)
{
    return r->public_base;
}

void http_set_state(struct http_request *r, void *state, void (*free_fn)(void *))
{
    if (r->free_state)
        r->free_state(r->state);
    r->state = state;
    r->free_state = free_fn;
}

void *http_state(const struct http_request *r)
{
    return r->state;
}

bool http_is_gone(const struct http_request *r)
{
    return r->conn == NULL;
}

/* ---- events ---- */

static void refuse(struct http_request *r, const struct problem *p)
{
    r->must_close = true;
    if (!http_header(r, HEADER_CONTENT_LENGTH) && !http_header(r, HEADER_TRANSFER_ENCODING))
        r->body_complete = true; /* none to be drained */
    http_respond_problem(r, p);
}

/* RFC 9110 10.1.1: the client waits for leave to send its body. */
static int send_continue(struct http_request *r, struct lws *wsi)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char buffer[LWS_PRE + sizeof(text)];
    const char *expect = http_header(r, HEADER_EXPECT);
    if (!expect || r->is_http10 || strcasecmp(expect, "100-continue") != 0)
        return 0;
    memcpy(buffer + LWS_PRE, text, sizeof(text) - 1);
    int n = lws_write(wsi, buffer + LWS_PRE, sizeof(text) - 1, LWS_WRITE_HTTP_HEADERS);
    return n < 0 ? -1 : 0;
}

/* Of any connection: libwebsockets' buffers are its own, and this is all that can be asked. */
static bool has_buffered_input(struct lws *wsi)
{
    return lws_service_adjust_timeout(lws_get_context(wsi), 1000, 0) == 0;
}

/*
 * libwebsockets 4.1 takes a pipelined request's head for its body when both wait in its buffer, and
 * never returns. Such a head was there when the answer before it was out, and still is: reading is
 * paused in between. A bystander is refused only if other connections have input buffered at both
 * moments.
 */
static bool is_pipelined_body(const struct connection *c, const struct http_request *r,
                              struct lws *wsi)
{
    bool has_body = r->method == HTTP_POST || r->method == HTTP_PUT || r->method == HTTP_OTHER ||
                    http_header(r, HEADER_CONTENT_LENGTH);
    return has_body && c->maybe_pipelined && has_buffered_input(wsi);
}

static int refuse_at_once(struct connection *c)
{
    struct problem p;
    (void)problem_set(&p, ERR_INVALID, "invalid request",
                      "a request with a body must wait for the answer before it");
    refuse(c->request, &p);
    (void)!http_on_writeable(c);
    return -1;
}

int http_on_request(struct connection *c, struct lws *wsi)
{
    struct http_request *r = NULL;
    struct problem p = {0};
    c->drain_until_ms = 0;
    if (c->request || request_new(c, &r))
        return -1;
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* the sweep sees to deadlines */
    int err = http_read_head(r, wsi, &p);
    if (!err && is_pipelined_body(c, r, wsi))
        return refuse_at_once(c);
    if (!err)
        err = http_make_public_base(r);
    if (!err)
        err = http_body_begin(r, &p);
    if (err && !p.err)
        return -1; /* out of memory */
    r->cors_allowed = server_origin_allowed(c->server, http_header(r, HEADER_ORIGIN),
                                            http_header(r, HEADER_HOST));
    if (err)
        refuse(r, &p);
    else if (r->body_complete)
        http_dispatch(r);
    else
        return send_continue(r, wsi);
    return 0;
}

int http_on_body(struct connection *c, const void *in, size_t len)
{
    struct http_request *r = c->request;
    struct problem p = {0};
    if (!r || r->phase != HTTP_READING)
        return 0; /* answered already: dropped */
    lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
    int err = http_body_take(r, in, len, &p);
    if (err && !p.err)
        return -1;
    if (err)
        refuse(r, &p);
    else if (r->body_complete)
        http_dispatch(r);
    return 0;
}

int http_on_body_end(struct connection *c)
{
    lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
    /* The body's own length told already, unless it was only awaited to be dropped. */
    return c->drain_until_ms > 0 ? -1 : 0;
}

/* The answer is out. Returns -1 to close. */
static int finish(struct connection *c)
{
    struct http_request *r = c->request;
    bool close = r->must_close || server_is_leaving(c->server);
    bool drain = !r->body_complete;
    struct lws *wsi = c->wsi;
    detach(c);
    if (drain) {
        /* Closing with bytes unread resets the connection, and the peer may lose the answer. */
        c->drain_until_ms = clock_mono_ms() + HTTP_BODY_DRAIN_MS;
        return 0;
    }
    if (close)
        return -1;
    c->maybe_pipelined = has_buffered_input(wsi);
    connection_wait_for_request(c);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* Writes the next piece of r->out; *ret_left tells whether more of it waits. */
static int write_piece(struct http_request *r, bool *ret_left)
{
    size_t left = r->out.len - r->out_sent;
    size_t n = left < HTTP_WRITE_MAX ? left : HTTP_WRITE_MAX;
    unsigned char *at = (unsigned char *)r->out.data + r->out_sent;
    /* HTTP/1 adds nothing in front, so no LWS_PRE is needed. */
    if (lws_write(r->conn->wsi, at, n, LWS_WRITE_HTTP) < (int)n)
        return ERR_SYS;
    r->out_sent += n;
    r->sent_bytes += n;
    r->progress_ms = clock_mono_ms();
    *ret_left = r->out_sent < r->out.len;
    if (!*ret_left) {
        r->out_sent = 0;
        if (r->phase == HTTP_SENDING)
            buf_done(&r->out);
        else
            buf_clear(&r->out);
    }
    return 0;
}

int http_on_writeable(struct connection *c)
{
    struct http_request *r = c->request;
    bool left = false;
    c->wants_write = false;
    if (c->dying)
        return -1;
    if (!r || (r->phase != HTTP_SENDING && r->phase != HTTP_STREAMING))
        return 0;
    if (r->phase == HTTP_STREAMING && r->out.len == 0 && !r->pull_ended) {
        http_ref(r);
        int err = http_stream_fill(r);
        bool gone = http_is_gone(r);
        http_unref(r);
        if (gone || (err && err != ERR_AGAIN && err != ERR_END))
            return -1; /* cut: the client sees that the body is incomplete */
    }
    if (r->out.len > 0 && write_piece(r, &left))
        return -1;
    if (left) {
        connection_want_write(c);
        return 0;
    }
    if (r->phase == HTTP_SENDING || r->pull_ended)
        return finish(c);
    if (r->pull_waits)
        connection_pause_reading(c);
    else
        connection_want_write(c);
    return 0;
}

void http_on_gone(struct connection *c)
{
    if (c->request)
        detach(c);
}

void http_on_timeout(struct connection *c)
{
    struct problem p;
    struct http_request *r = c->request;
    bool half_head = !r;
    if (half_head && request_new(c, &r)) {
        connection_kill(c);
        return;
    }
    (void)problem_set(&p, ERR_TIMEOUT, "request timeout",
                      "the request was not complete within the time allowed");
    refuse(r, &p);
    if (half_head) {
        /* libwebsockets gives no WRITEABLE while it waits for a head. */
        (void)!http_on_writeable(c);
        connection_kill(c);
    }
}
