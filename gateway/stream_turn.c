/*
 * Whose turn it is to write. A stream that has something to send waits in one line with the others
 * and is served on the loop's next turn, outside libwebsockets' callbacks: asking for WRITEABLE
 * costs two epoll_ctl calls where one send() does the work, so it is asked for only while
 * libwebsockets holds the rest of a partial write.
 *
 *   idle ─▶ in line ─▶ served: one write ─▶ idle
 *              ▲                 ├─ more to send: back of the line
 *              └── WRITEABLE ◀───┴─ partly taken: choked
 *
 * What is served in one turn of the loop is bounded in bytes and time; who is left over comes first
 * on the next.
 */
#include "gateway/stream_internal.h"

#include "base/clock.h"

#include <string.h>
#include <sys/socket.h>

/* Of one turn of the loop: far below what other lines (50 ms) and API calls (100 ms) may wait. */
#define TURN_BYTES_MAX (8u << 20)
#define TURN_US_MAX 5000

static void stand_in_line(struct stream *s)
{
    if (s->peer_left || !list_is_empty(&s->turn))
        return;
    list_append(&s->st->turns, &s->turn);
    loop_defer_schedule(s->st->turn);
}

void stream_want_write(struct stream *s)
{
    if (!s->is_choked)
        stand_in_line(s);
}

static void await_writeable(struct stream *s)
{
    s->is_choked = true;
    lws_callback_on_writable(s->wsi);
}

/*
 * Asked to end the connection libwebsockets sends the close frame on the next WRITEABLE, waits 5 s
 * for the peer's, and only then calls stream_closed.
 */
static void say_goodbye(struct stream *s)
{
    char reason[124]; /* RFC 6455 5.5: a control frame holds 125 bytes, two of them the code */
    size_t n = strnlen(s->close_reason, sizeof reason - 1);

    s->said_goodbye = true;
    memcpy(reason, s->close_reason, n);
    lws_close_reason(s->wsi, (enum lws_close_status)s->close_code, (unsigned char *)reason, n);
    lws_set_timeout(s->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
}

/* The socket is dead: libwebsockets ends the connection without a close frame, and calls
 * stream_closed at once. */
static void hang_up(struct stream *s)
{
    (void)shutdown(lws_get_socket_fd(s->wsi), SHUT_RDWR);
    lws_set_timeout(s->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
}

/* One write; the stream may be gone afterwards. The bytes written. */
static size_t serve(struct stream *s)
{
    uint64_t before = s->sent_bytes;
    size_t n;

    if (s->said_goodbye)
        return 0;
    if (lws_partial_buffered(s->wsi)) {
        await_writeable(s);
        return 0;
    }
    if (stream_write(s) != 0) {
        hang_up(s);
        return 0;
    }
    n = (size_t)(s->sent_bytes - before);
    if (lws_partial_buffered(s->wsi))
        await_writeable(s);
    else if (stream_has_more(s))
        stand_in_line(s);
    else if (s->state == STREAM_CLOSING)
        say_goodbye(s);
    return n;
}

void stream_turn(void *streams)
{
    struct streams *st = streams;
    int64_t end_us = clock_mono_us() + TURN_US_MAX;
    size_t bytes = 0;
    struct list *node;

    while (bytes < TURN_BYTES_MAX && (node = list_pop(&st->turns)) != NULL) {
        bytes += serve(LIST_ENTRY(node, struct stream, turn));
        if (clock_mono_us() >= end_us)
            break;
    }
    if (!list_is_empty(&st->turns))
        loop_defer_schedule(st->turn);
}

/* Also spurious ones, and those that libwebsockets asks for itself. */
int stream_writeable(void *session)
{
    struct stream *s = session;

    s->is_choked = false;
    if (lws_partial_buffered(s->wsi))
        await_writeable(s);
    else
        stand_in_line(s);
    return 0;
}

int stream_peer_left(void *session)
{
    struct stream *s = session;

    s->peer_left = true;
    list_remove(&s->turn);
    return 0;
}
