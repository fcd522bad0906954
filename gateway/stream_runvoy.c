/*
 * Runvoy's stream: one execution, named and allowed by the URL; every line so far and to come, then
 * the disconnect message and close 1000. The client says nothing.
 *
 *   established ─▶ token's user ─▶ row ─▶ lines … ─▶ lingering ─▶ disconnect, 1000
 */
#include "gateway/stream_internal.h"

#include "base/clock.h"
#include "wire/messages.h"

void runvoy_established(struct stream *s)
{
    struct runvoy_request request;
    struct problem p = {0};
    struct sub *sub;

    /* Checked before the upgrade; the headers still stand. */
    if (stream_request_runvoy(s->st, s->wsi, &request, &p) != 0) {
        stream_refuse(s, &p);
        return;
    }
    if (sub_new(s, &request.id, &sub) != 0) {
        (void)problem_set(&p, ERR_NOMEM, "failed to read the execution", "%s", "out of memory");
        stream_refuse(s, &p);
        return;
    }
    sub->follow = true;
    sub->from = request.after;
    stream_authenticate(s, NULL, request.user_key);
}

void runvoy_authenticated(struct stream *s)
{
    sub_start(LIST_ENTRY(s->subs.next, struct sub, node));
}

static void linger(struct stream *s, int64_t now)
{
    struct streams *st = s->st;

    s->linger_ms = now + STREAM_LINGER_MS;
    list_remove(&s->linger);
    list_append(&st->lingering, &s->linger); /* all linger equally long: the earliest stays first */
    if (!loop_timer_is_active(st->linger_timer))
        loop_timer_start(st->linger_timer, STREAM_LINGER_MS, 0);
}

void runvoy_finished(struct stream *s)
{
    linger(s, clock_mono_ms());
}

void runvoy_linger_tick(void *streams)
{
    struct streams *st = streams;
    int64_t now = clock_mono_ms();
    struct stream *s;

    while (!list_is_empty(&st->lingering)) {
        struct buf m = STREAM_MESSAGE;
        s = LIST_ENTRY(st->lingering.next, struct stream, linger);
        if (s->linger_ms > now)
            break;
        if (!stream_is_drained(s, true)) {
            linger(s, now); /* the pause counts from when the peer has the last line */
            continue;
        }
        list_remove(&s->linger);
        stream_send(s, wire_disconnect(&m), &m);
        stream_close(s, LWS_CLOSE_STATUS_NORMAL, "execution completed");
    }
    if (!list_is_empty(&st->lingering)) {
        s = LIST_ENTRY(st->lingering.next, struct stream, linger);
        loop_timer_start(st->linger_timer, s->linger_ms - now, 0);
    }
}
