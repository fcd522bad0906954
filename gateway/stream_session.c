/*
 * tailgate.v1: what a client says and what is answered. A message is read once it is complete; a
 * bad one is answered with an error that names it, and the socket stays open.
 */
#include "gateway/stream_internal.h"

#include "gateway/stream_list.h"
#include "orchestrator/tickets.h"
#include "wire/messages.h"

#define KEY_SIZE 256 /* far above an API key's length; longer is no key */

static void problem(struct stream *s, const struct execution_id *id, int err, const char *details)
{
    struct problem p;

    (void)problem_set(&p, err, "request failed", "%s", details);
    stream_send_error(s, id, &p, false);
}

static void refuse(struct stream *s, int err, const char *details)
{
    struct problem p;

    (void)problem_set(&p, err, "authentication failed", "%s", details);
    stream_refuse(s, &p);
}

/* What the client says meanwhile waits in the socket. */
static void stop_reading(struct stream *s)
{
    lws_rx_flow_control(s->wsi, 0);
    s->state = STREAM_BUSY; /* so that a refusal turns reading on again */
}

static void authenticate(struct stream *s, const char *key)
{
    stop_reading(s);
    stream_authenticate(s, key, 0);
}

void session_established(struct stream *s)
{
    char key[KEY_SIZE];
    char ticket[TICKET_LEN + 1];
    int r;

    s->in.max = server_options(s->st->server)->max_message_bytes;
    r = stream_request_arg(s->wsi, "ticket", ticket, sizeof ticket);
    if (r == 0) {
        stop_reading(s);
        stream_authenticate_ticket(s, ticket);
        return;
    }
    if (r != ERR_NOT_FOUND) {
        refuse(s, ERR_BAD_KEY, "the ticket is too long");
        return;
    }
    r = stream_request_key(s->wsi, key, sizeof key);
    if (r == 0)
        authenticate(s, key);
    else if (r != ERR_NOT_FOUND)
        refuse(s, ERR_BAD_KEY, "the API key is too long");
}

void session_authenticated(struct stream *s)
{
    struct buf m = STREAM_MESSAGE;
    char id[STREAM_ID_SIZE];

    lws_rx_flow_control(s->wsi, 1);
    stream_id_text(s->id, id);
    stream_send(s, wire_ws_hello(&m, SERVER_VERSION, s->who.email, id), &m);
}

static void subscribe(struct stream *s, const struct wire_client_message *m)
{
    int64_t most = server_options(s->st->server)->max_subscriptions;
    struct sub *sub;

    if (sub_find(s, &m->id)) {
        problem(s, &m->id, ERR_CONFLICT, "this execution is already subscribed to on this socket");
        return;
    }
    if (s->n_subs >= most) {
        problem(s, &m->id, ERR_LIMIT, "too many subscriptions on one socket");
        return;
    }
    if (sub_new(s, &m->id, &sub) != 0) {
        problem(s, &m->id, ERR_NOMEM, "out of memory");
        return;
    }
    sub->is_tail = m->has_tail && !m->has_after;
    sub->from = sub->is_tail ? m->tail : m->has_after ? m->after : 0;
    sub->follow = m->follow;
    sub_start(sub);
}

static void unsubscribe(struct stream *s, const struct wire_client_message *m)
{
    struct sub *sub = sub_find(s, &m->id);

    if (sub)
        sub_free(sub);
    else
        problem(s, &m->id, ERR_NOT_FOUND, "there is no subscription to this execution");
}

static void act(struct stream *s, const struct wire_client_message *m)
{
    if (m->type == WIRE_AUTH) {
        if (s->state == STREAM_WAITING)
            authenticate(s, m->key);
        else
            problem(s, NULL, ERR_INVALID, "auth: this socket is already authenticated");
    } else if (s->state != STREAM_OPEN) {
        problem(s, NULL, ERR_UNAUTHORIZED, "the first message must be auth");
    } else if (m->executions) {
        if (m->type == WIRE_SUBSCRIBE)
            stream_list_subscribe(s, m->since);
        else
            stream_list_unsubscribe(s);
    } else if (m->type == WIRE_SUBSCRIBE) {
        subscribe(s, m);
    } else {
        unsubscribe(s, m);
    }
}

static void message(struct stream *s, const char *text, size_t len)
{
    struct wire_client_message m = {0};
    struct problem p = {0};

    if (wire_client_decode(text, len, &m, &p) == 0) {
        act(s, &m);
        wire_client_done(&m);
    } else {
        stream_send_error(s, NULL, &p, false);
    }
}

void session_received(struct stream *s, const void *in, size_t len)
{
    bool is_final = lws_is_final_fragment(s->wsi) != 0;

    if (len > s->in.max - s->in.len) {
        stream_close(s, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "the message is too long");
        return;
    }
    if (is_final && s->in.len == 0) {
        message(s, len > 0 ? in : "", len);
        return;
    }
    if (buf_append(&s->in, in, len) != 0) {
        stream_close(s, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
        return;
    }
    if (!is_final)
        return;
    struct buf whole = s->in;
    buf_init(&s->in, whole.max);
    message(s, whole.data ? whole.data : "", whole.len);
    buf_done(&whole);
}
