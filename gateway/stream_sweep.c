/*
 * The deadlines of all streams, looked at by one timer: no authentication in time, pings and their
 * pongs, closes that the socket does not take. A timer a stream would cost memory and wake-ups.
 */
#include "gateway/stream_internal.h"

#include "base/clock.h"

static void await_auth(struct stream *s, int64_t now)
{
    if (now - s->opened_ms >= server_options(s->st->server)->auth_timeout_ms)
        stream_close(s, STREAM_CLOSE_AUTH_TIMEOUT, "no authentication in time");
}

static void await_close(struct stream *s, int64_t now)
{
    if (s->said_goodbye || now - s->close_ms < STREAM_CLOSE_WAIT_MS)
        return;
    s->close_ms = now;
    lws_set_timeout(s->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

static void await_pong(struct stream *s, int64_t now)
{
    uint64_t digest = s->ping_bytes - s->pong_bytes;
    int64_t patience = server_options(s->st->server)->pong_timeout_ms;

    if (!stream_is_drained(s, false)) {
        s->ping_ms = now; /* a ping that has not left cannot be answered */
        return;
    }
    if (digest > STREAM_DIGEST_BYTES_MAX)
        digest = STREAM_DIGEST_BYTES_MAX;
    patience += (int64_t)(digest / STREAM_DIGEST_BYTES_PER_MS);
    if (now - s->ping_ms >= patience)
        stream_close(s, LWS_CLOSE_STATUS_GOINGAWAY, "no pong in time, reconnect");
}

static void sweep_one(struct stream *s, int64_t now)
{
    int64_t interval = server_options(s->st->server)->ping_interval_ms;

    if (s->state == STREAM_CLOSING) {
        await_close(s, now);
        return;
    }
    if (s->state == STREAM_BUSY)
        return; /* a pong would not be read; the database has a deadline of its own */
    if (s->state == STREAM_WAITING)
        await_auth(s, now);
    if (s->is_pinged)
        await_pong(s, now);
    else if (interval > 0 && now - s->ping_ms >= interval)
        stream_send_ping(s);
}

void stream_sweep(void *streams)
{
    struct streams *st = streams;
    int64_t now = clock_mono_ms();

    LIST_FOREACH_SAFE (it, &st->sessions)
        sweep_one(LIST_ENTRY(it, struct stream, node), now);
}

int stream_pong(void *session)
{
    struct stream *s = session;

    if (!s->is_pinged)
        return 0;
    s->is_pinged = false;
    s->ping_ms = clock_mono_ms();
    s->pong_bytes = s->ping_bytes;
    return 0;
}
