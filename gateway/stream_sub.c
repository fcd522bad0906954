/*
 * One execution on one stream: from the question for its row to the last line. What is said in
 * which order is decided in sub_fill: states stand where they happened, `live` once when everything
 * stored was given out, `end` behind the last line.
 */
#include "gateway/stream_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "wire/messages.h"

int sub_new(struct stream *s, const struct execution_id *id, struct sub **ret)
{
    struct sub *sub = calloc(1, sizeof *sub);

    if (!sub)
        return ERR_NOMEM;
    list_init(&sub->ready);
    list_append(&s->subs, &sub->node);
    sub->stream = s;
    sub->id = *id;
    s->n_subs++;
    *ret = sub;
    return 0;
}

void sub_free(struct sub *sub)
{
    stream_op_forget(sub->op);
    if (sub->cursor)
        cursor_close(sub->cursor);
    if (sub->topic)
        topic_unref(sub->topic);
    if (sub->frame)
        frame_unref(sub->frame);
    list_remove(&sub->ready);
    list_remove(&sub->node);
    sub->stream->n_subs--;
    free(sub);
}

struct sub *sub_find(const struct stream *s, const struct execution_id *id)
{
    LIST_FOREACH (it, &s->subs) {
        struct sub *sub = LIST_ENTRY(it, struct sub, node);
        if (str_eq(sub->id.hex, id->hex))
            return sub;
    }
    return NULL;
}

static void refuse(struct sub *sub, const struct problem *p)
{
    struct stream *s = sub->stream;
    struct execution_id id = sub->id;

    sub_free(sub);
    if (s->is_runvoy)
        stream_refuse(s, p);
    else
        stream_send_error(s, &id, p, false);
}

static void sub_wake(void *user)
{
    struct sub *sub = user;

    if (list_is_empty(&sub->ready))
        list_append(&sub->stream->ready, &sub->ready);
    stream_want_write(sub->stream);
}

/* With the row at hand: the topic, the place to begin at and the cursor. */
static int sub_open(struct sub *sub, const struct execution *row)
{
    struct stream *s = sub->stream;
    int r = hub_topic_open(server_hub(s->st->server), row, &sub->topic);

    if (r != 0)
        return r;
    sub->target = topic_last_seq(sub->topic);
    sub->version = topic_state(sub->topic)->version;
    sub->is_unreachable = exec_state_is_unreachable(topic_state(sub->topic));
    if (sub->is_tail)
        sub->from = sub->target > sub->from ? sub->target - sub->from : 0;
    sub->opened_us = clock_mono_us();
    r = cursor_open(sub->topic, sub->from, sub_wake, sub, &sub->cursor);
    if (r == 0 && !s->is_runvoy) {
        struct buf m = STREAM_MESSAGE;
        r = wire_ws_subscribed(&m, &sub->id, topic_state(sub->topic));
        stream_send(s, r, &m);
        return 0; /* a message that found no room has closed the stream, this sub with it */
    }
    return r;
}

static void on_row(void *user, const struct problem *p, const struct execution *row)
{
    struct problem failed;
    char id[STREAM_ID_SIZE];
    struct stream *s;
    struct sub *sub;
    int r;

    if (!stream_op_done(user, &s, &sub))
        return;
    stream_id_text(s->id, id);
    log_set_request_id(id);
    r = p ? p->err : sub_open(sub, row);
    if (r != 0) {
        if (!p) {
            (void)problem_set(&failed, r, "failed to subscribe", "%s", "out of memory");
            p = &failed;
        }
        refuse(sub, p);
    } else if (s->state == STREAM_OPEN) {
        sub_wake(sub);
    }
    log_set_request_id(NULL);
}

static int start(struct stream_op *op, struct problem *p)
{
    return orchestrator_get(server_orchestrator(op->st->server), &op->stream->who, ACTION_READ,
                            &op->sub->id, on_row, op, p);
}

static void start_refused(struct stream *s, struct sub *sub, const struct problem *p)
{
    (void)s;
    refuse(sub, p);
}

void sub_start(struct sub *sub)
{
    struct problem p;
    int r = stream_ask(sub->stream, sub, NULL, 0, start, start_refused);

    if (r != 0) {
        (void)problem_set(&p, r, "failed to subscribe", "%s", "out of memory");
        refuse(sub, &p);
    }
}

/* The states whose place is at or before the cursor's. */
static void tell_states(struct sub *sub)
{
    struct stream *s = sub->stream;
    const struct exec_state *states;
    size_t n = topic_states(sub->topic, &states);

    for (size_t i = 0; i < n && s->state == STREAM_OPEN; i++) {
        struct buf m = STREAM_MESSAGE;
        if (!exec_state_is_news(&states[i], sub->version, sub->is_unreachable))
            continue;
        if (states[i].last_seq > cursor_position(sub->cursor))
            break;
        sub->version = states[i].version;
        sub->is_unreachable = exec_state_is_unreachable(&states[i]);
        stream_send(s, wire_ws_status(&m, &sub->id, &states[i]), &m);
    }
}

static void tell_live(struct sub *sub)
{
    struct buf m = STREAM_MESSAGE;

    sub->live = true;
    stream_send(sub->stream, wire_ws_live(&m, &sub->id, cursor_position(sub->cursor)), &m);
}

static void tell_gap(struct sub *sub, uint64_t from, uint64_t to)
{
    struct buf m = STREAM_MESSAGE;

    stream_send(sub->stream, wire_ws_gap(&m, &sub->id, from, to), &m);
}

static void tell_end(struct sub *sub)
{
    struct buf m = STREAM_MESSAGE;

    stream_send(sub->stream, wire_ws_end(&m, &sub->id, topic_state(sub->topic)), &m);
}

/* What stands between the lines. ERR_END: without follow, all was given out; ERR_CLOSED: the stream
 * closed over it, sub is gone. */
static int tell(struct sub *sub)
{
    struct stream *s = sub->stream;
    uint64_t position = cursor_position(sub->cursor);

    if (!sub->live && position >= topic_last_seq(sub->topic))
        tell_live(sub);
    if (s->state != STREAM_OPEN)
        return ERR_CLOSED;
    tell_states(sub);
    if (s->state != STREAM_OPEN)
        return ERR_CLOSED;
    if (sub->follow || position < sub->target)
        return 0;
    if (!sub->live)
        tell_live(sub);
    if (s->state != STREAM_OPEN)
        return ERR_CLOSED;
    return exec_status_is_terminal(topic_state(sub->topic)->status) &&
                   position >= topic_last_seq(sub->topic)
               ? 0 /* the cursor's own end follows */
               : ERR_END;
}

static int kind_of(const struct stream *s)
{
    const struct stream_kinds *kinds = &s->st->kinds;

    if (s->is_runvoy)
        return kinds->runvoy;
    return s->deflates ? kinds->deflated : kinds->tailgate;
}

/* The next lines as a frame. As cursor_next, and ERR_NOMEM. */
static int next_frame(struct sub *sub, uint64_t *ret_gap_from, uint64_t *ret_gap_to)
{
    struct streams *st = sub->stream->st;
    int kind = kind_of(sub->stream);
    struct chunk *c;
    uint32_t first_line = 0;
    int r = cursor_next(sub->cursor, &c, &first_line, ret_gap_from, ret_gap_to);

    if (r != 0)
        return r == ERR_END || r == ERR_GAP ? r : ERR_AGAIN;
    r = hub_frame(server_hub(st->server), &sub->id, c, kind, first_line, &sub->frame);
    chunk_unref(c);
    sub->offset = 0;
    return r == 0 ? 0 : ERR_NOMEM;
}

int sub_fill(struct sub *sub)
{
    struct stream *s = sub->stream;
    uint64_t from = 0, to = 0;
    int r;

    if (sub->frame)
        return 0;
    r = s->is_runvoy ? 0 : tell(sub);
    if (r != 0)
        return r;
    do {
        r = next_frame(sub, &from, &to);
        if (r == ERR_GAP && !s->is_runvoy) {
            tell_gap(sub, from, to);
            return s->state == STREAM_OPEN ? 0 : ERR_CLOSED;
        }
    } while (r == ERR_GAP);
    if (r == ERR_END && !s->is_runvoy) {
        tell_end(sub);
        return s->state == STREAM_OPEN ? ERR_END : ERR_CLOSED;
    }
    return r;
}
