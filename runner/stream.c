/* Reads an output stream and feeds its line cutter. */
#include "runner/stream.h"

#include "runner/now.h"

#include <errno.h>
#include <unistd.h>

#define SILENCE_MS 250
/* What a pipe or a terminal may still hold after its last writer, with room to spare: the bound
 * against a foreign process that has the pipe and never stops. */
#define LAST_BYTES (2u << 20)

void stream_init(struct stream *s, int fd, uint8_t kind)
{
    s->fd = fd;
    s->ended = fd < 0;
    s->silent_at_ms = NEVER_MS;
    s->budget = UINT64_MAX;
    s->pos = 0;
    s->len = 0;
    lines_init(&s->lines, kind);
}

void stream_done(struct stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

bool stream_is_pending(const struct stream *s)
{
    return s->pos < s->len || (s->fd < 0 && !s->ended);
}

void stream_pump(struct stream *s, struct outlet *o)
{
    s->pos += lines_feed(&s->lines, o, s->buf + s->pos, s->len - s->pos);
    if (s->pos == s->len && s->fd < 0 && !s->ended)
        s->ended = lines_end(&s->lines, o) == 0;
}

void stream_read(struct stream *s, struct outlet *o, int64_t now)
{
    size_t want = s->budget < sizeof(s->buf) ? (size_t)s->budget : sizeof(s->buf);
    ssize_t n = want > 0 ? read(s->fd, s->buf, want) : 0;

    if (n < 0 && errno == EINTR)
        return;
    if (n < 0 && errno == EAGAIN && s->budget == UINT64_MAX)
        return;
    s->pos = 0;
    s->len = 0;
    if (n > 0) {
        s->len = (size_t)n;
        if (s->budget != UINT64_MAX)
            s->budget -= (uint64_t)n;
    } else {
        stream_done(s); /* the end; a terminal without other side says EIO */
    }
    stream_pump(s, o);
    s->silent_at_ms = s->lines.len > 0 ? now + SILENCE_MS : NEVER_MS;
}

void stream_mind_silence(struct stream *s, struct outlet *o, int64_t now)
{
    if (now < s->silent_at_ms)
        return;
    s->silent_at_ms = NEVER_MS;
    if (!stream_is_pending(s))
        lines_give_part(&s->lines, o);
}

void stream_drop(struct stream *s)
{
    stream_done(s);
    s->pos = 0;
    s->len = 0;
    s->lines.len = 0;
    s->silent_at_ms = NEVER_MS;
    s->ended = true;
}

void stream_set_last(struct stream *s)
{
    s->budget = LAST_BYTES;
}
