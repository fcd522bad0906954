/*
 * The deadlines of all streams, looked at by one timer: no authentication in time, pings and their
 * pongs, readers that take nothing, closes that the socket does not take. A timer a stream would
 * cost memory and wake-ups.
 *
 * While something is unsent the reader's life is what its kernel takes; the pong clock stands still
 * then, since a ping waits behind the rest. With nothing unsent it is the pong. So a slow reader is
 * never cut, however slow.
 */
#include "gateway/stream_internal.h"

#include "base/clock.h"
#include "gateway/socket_info.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#define SWEEP_MS 1000

void stream_sweep_init(struct streams *st)
{
    int64_t timeout_ms = server_options(st->server)->reader_idle_timeout_ms;
    int64_t interval_ms = timeout_ms < 4 * SWEEP_MS ? timeout_ms / 4 + 1 : SWEEP_MS;

    (void)snprintf(
        st->idle_reason, sizeof st->idle_reason, "the reader took nothing for %" PRId64 " %s",
        timeout_ms < 1000 ? timeout_ms : timeout_ms / 1000, timeout_ms < 1000 ? "ms" : "s");
    loop_timer_start(st->sweep, interval_ms, interval_ms);
}

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

/* The close frame stands behind all that waits. With more room in the kernel, where it stays after
 * the connection's end here, a reader that goes on one day finds the reason. */
static void close_idle(struct stream *s)
{
    int bytes = STREAM_FAREWELL_SNDBUF;

    (void)setsockopt(lws_get_socket_fd(s->wsi), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    stream_close(s, LWS_CLOSE_STATUS_POLICY_VIOLATION, s->st->idle_reason);
}

/* Whether something is unsent, of which the reader must take some in time. */
static bool await_reading(struct stream *s, int64_t now)
{
    uint64_t taken;

    if (stream_is_drained(s, false)) {
        s->taken_ms = now;
        return false;
    }
    taken = socket_info(lws_get_socket_fd(s->wsi)).tcpi_bytes_acked;
    if (taken != s->taken_bytes) {
        s->taken_bytes = taken;
        s->taken_ms = now;
    } else if (now - s->taken_ms >= server_options(s->st->server)->reader_idle_timeout_ms) {
        close_idle(s);
    }
    return true;
}

static void await_pong(struct stream *s, int64_t now)
{
    uint64_t digest = s->ping_bytes - s->pong_bytes;
    int64_t patience = server_options(s->st->server)->pong_timeout_ms;

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
    if (await_reading(s, now))
        s->ping_ms = now; /* a ping that has not left cannot be answered */
    else if (s->is_pinged)
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
