/*
 * The sending half of a stream: what is ready is taken in turn, collected while it is small, and
 * written as raw frames when the stream has its turn (stream_turn.c), one write each. The shared
 * bytes of a frame are written from where they are; lws only reads them (a raw write has no header
 * of its own).
 */
#include "gateway/stream_internal.h"

#include "base/clock.h"
#include "gateway/stream_frames.h"
#include "gateway/stream_list.h"
#include "orchestrator/audit.h"
#include "wire/messages.h"

#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

void stream_send(struct stream *s, int r, struct buf *message)
{
    size_t mark = s->out.len;

    if (r == 0)
        r = stream_frame_begin(&s->out, &mark);
    if (r == 0)
        r = buf_append(&s->out, message->data, message->len);
    if (r == 0)
        r = stream_frame_end(&s->out, mark, STREAM_OP_TEXT);
    buf_done(message);
    if (r == 0) {
        stream_want_write(s);
        return;
    }
    s->out.len = mark;
    if (r == ERR_TOO_LARGE)
        stream_close(s, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too many answers are waiting unread");
    else
        stream_close(s, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
}

void stream_send_ping(struct stream *s)
{
    size_t mark = s->out.len;
    int r = stream_frame_begin(&s->out, &mark);

    if (r == 0)
        r = buf_append_char(&s->out, STREAM_PING_BYTE);
    if (r == 0)
        r = stream_frame_end(&s->out, mark, STREAM_OP_PING);
    if (r < 0)
        s->out.len = mark;
    if (r == 0)
        stream_want_write(s);
    s->is_pinged = r == 0;
    s->ping_ms = clock_mono_ms();
    s->ping_bytes = s->sent_bytes;
}

/* The audit hears of what was denied on a socket as it does of requests. */
static void note_refusal(const struct stream *s, const struct execution_id *id, int err,
                         const char *code)
{
    const bool is_known = s->who.email[0] != '\0';
    char session[STREAM_ID_SIZE];
    const struct caller by = {is_known ? &s->who : NULL, s->client, session};
    char resource[EXECUTION_ID_LEN + sizeof "executions/"] = "";

    if (err != ERR_FORBIDDEN && err != ERR_BAD_KEY && err != ERR_REVOKED)
        return;
    stream_id_text(s->id, session);
    if (id != NULL)
        (void)snprintf(resource, sizeof resource, "executions/%s", id->hex);
    audit_denied(server_orchestrator(s->st->server), &by,
                 id != NULL ? "executions.read" : "session.use", resource, code,
                 err == ERR_BAD_KEY && !is_known);
}

void stream_send_error(struct stream *s, const struct execution_id *id, const struct problem *p,
                       bool fatal)
{
    const char *code = p->code[0] != '\0' ? p->code : err_api_code(p->err);
    struct buf m = STREAM_MESSAGE;

    note_refusal(s, id, p->err, code);
    stream_send(s, wire_ws_error(&m, id, code, p->details, fatal), &m);
}

bool stream_is_drained(const struct stream *s, bool acknowledged)
{
    int bytes = 0;

    if (s->out.len > 0 || lws_partial_buffered(s->wsi))
        return false;
    /* A socket that cannot tell is on its way out; deadlines hold for it as for a silent one. */
    if (ioctl(lws_get_socket_fd(s->wsi), acknowledged ? SIOCOUTQ : SIOCOUTQNSD, &bytes) != 0)
        return true;
    return bytes == 0;
}

void stream_close(struct stream *s, unsigned code, const char *reason)
{
    if (s->state == STREAM_CLOSING)
        return;
    if (s->state == STREAM_BUSY && !s->is_runvoy)
        lws_rx_flow_control(s->wsi, 1); /* for the peer's own close */
    s->state = STREAM_CLOSING;
    s->close_code = (uint16_t)code;
    s->close_reason = reason;
    s->close_ms = clock_mono_ms();
    stream_op_forget(TAKE_PTR(s->op));
    stream_list_close(s);
    LIST_FOREACH_SAFE (it, &s->subs)
        sub_free(LIST_ENTRY(it, struct sub, node));
    list_remove(&s->linger);
    buf_done(&s->in);
    stream_want_write(s);
}

static struct sub *first_ready(const struct stream *s)
{
    return list_is_empty(&s->ready) ? NULL : LIST_ENTRY(s->ready.next, struct sub, ready);
}

/* To the end of the line: every execution gets its turn. */
static void rotate(struct stream *s, struct sub *sub)
{
    list_remove(&sub->ready);
    list_append(&s->ready, &sub->ready);
}

/* sub_fill, and what follows from there being nothing. 0 when there is something to send. */
static int fill(struct stream *s, struct sub *sub)
{
    int r = sub_fill(sub);

    if (r == ERR_AGAIN) {
        list_remove(&sub->ready);
    } else if (r == ERR_END) {
        sub_free(sub);
        if (s->is_runvoy)
            runvoy_finished(s);
    } else if (r == ERR_NOMEM) {
        stream_close(s, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
    }
    return r;
}

static bool is_sent_alone(const struct stream *s, const struct sub *sub)
{
    if (sub->frame->len - sub->offset >= STREAM_GATHER_FRAME_MAX)
        return true;
    return s->out.len == 0 && s->ready.next->next == &s->ready && cursor_is_caught_up(sub->cursor);
}

static void frame_over(struct stream *s, struct sub *sub)
{
    struct streams_stats *stats = &s->st->stats;

    stats->sent_lines += sub->frame->lines;
    if (sub->frame->published_us >= sub->opened_us)
        metrics_observe_us(&stats->commit_to_send, clock_mono_us() - sub->frame->published_us);
    frame_unref(TAKE_PTR(sub->frame));
    sub->offset = 0;
    rotate(s, sub);
}

/* Collects what is ready until out is worth a write. The sub whose frame goes out by itself, or
 * NULL. */
static struct sub *gather(struct stream *s)
{
    struct sub *sub;

    if (s->out.len < STREAM_GATHER_MAX && stream_list_is_ready(s))
        stream_list_fill(s);
    while (s->out.len < STREAM_GATHER_MAX && (sub = first_ready(s)) != NULL) {
        if (fill(s, sub) != 0 || !sub->frame)
            continue;
        if (is_sent_alone(s, sub))
            return sub;
        if (buf_append(&s->out, sub->frame->bytes + sub->offset, sub->frame->len - sub->offset))
            return sub; /* no memory to collect in: alone, then */
        frame_over(s, sub);
    }
    return NULL;
}

/* Readers that have caught up are asked for what follows at once: mostly nothing, and so the stream
 * needs no other turn. */
static void settle(struct stream *s)
{
    struct sub *sub;

    while ((sub = first_ready(s)) != NULL && !sub->frame && cursor_is_caught_up(sub->cursor)) {
        if (fill(s, sub) == 0)
            return;
    }
}

static int write_raw(struct stream *s, const void *p, size_t len)
{
    /* lws takes no const pointer; it does not write there (checked by a test). */
    int n = lws_write(s->wsi, (unsigned char *)(uintptr_t)p, len, LWS_WRITE_RAW);

    if (n < 0 || (size_t)n < len)
        return ERR_CLOSED;
    s->sent_bytes += len;
    s->st->stats.sent_bytes += len;
    return 0;
}

static int write_out(struct stream *s)
{
    int r = write_raw(s, s->out.data, s->out.len);

    buf_done(&s->out);
    return r;
}

static int write_frame(struct stream *s, struct sub *sub)
{
    const uint8_t *p = sub->frame->bytes + sub->offset;
    size_t n = stream_frames_fit(p, sub->frame->len - sub->offset, STREAM_WRITE_MAX);

    if (write_raw(s, p, n) != 0)
        return ERR_CLOSED;
    sub->offset += n;
    if (sub->offset == sub->frame->len)
        frame_over(s, sub);
    else
        rotate(s, sub);
    return 0;
}

int stream_write(struct stream *s)
{
    struct sub *alone = gather(s);
    int r = 0;

    if (s->out.len > 0)
        r = write_out(s);
    else if (alone)
        r = write_frame(s, alone);
    if (r == 0)
        settle(s);
    return r;
}

bool stream_has_more(const struct stream *s)
{
    return s->out.len > 0 || first_ready(s) || stream_list_is_ready(s);
}
