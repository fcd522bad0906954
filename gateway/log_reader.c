/* The lines of one execution, one by one, from the hub's chunks. */
#include "gateway/log_reader.h"

#include "base/clock.h"
#include "base/err.h"

/* How long reading may fail before the answer is cut. */
#define STALL_MS 30000

struct log_reader {
    struct topic *topic;
    struct cursor *cursor;
    struct chunk *chunk; /* held while its lines are given out */
    uint32_t index;
    uint64_t until;
    bool follow;
    int64_t failing_since_ms; /* 0 = reading works */
};

int log_reader_open(struct hub *h, const struct execution *row, uint64_t after, uint64_t until,
                    bool follow, loop_fn wake, void *user, struct log_reader **ret)
{
    struct log_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return ERR_NOMEM;
    r->until = until;
    r->follow = follow;
    int err = hub_topic_open(h, row, &r->topic);
    if (!err)
        err = cursor_open(r->topic, after, wake, user, &r->cursor);
    if (err) {
        log_reader_free(r);
        return err;
    }
    *ret = r;
    return 0;
}

void log_reader_free(struct log_reader *r)
{
    if (!r)
        return;
    chunk_unref(r->chunk);
    if (r->cursor)
        cursor_close(r->cursor);
    if (r->topic)
        topic_unref(r->topic);
    free(r);
}

/* The next chunk into r->chunk. */
static int next_chunk(struct log_reader *r)
{
    uint64_t gap_from, gap_to;
    for (;;) {
        if (!r->follow && cursor_position(r->cursor) >= r->until)
            return ERR_END;
        int err = cursor_next(r->cursor, &r->chunk, &r->index, &gap_from, &gap_to);
        if (err == ERR_GAP)
            continue;
        if (!err || err == ERR_AGAIN || err == ERR_END) {
            r->failing_since_ms = 0;
            return err;
        }
        int64_t now_ms = clock_mono_ms();
        if (r->failing_since_ms == 0)
            r->failing_since_ms = now_ms;
        return now_ms - r->failing_since_ms > STALL_MS ? ERR_DB_AWAY : ERR_AGAIN;
    }
}

int log_reader_next(struct log_reader *r, struct log_line *ret)
{
    if (r->chunk && r->index == r->chunk->n_lines) {
        chunk_unref(r->chunk);
        r->chunk = NULL;
    }
    if (!r->chunk) {
        int err = next_chunk(r);
        if (err)
            return err;
    }
    const struct chunk_line *line = &r->chunk->lines[r->index];
    uint64_t seq = r->chunk->first_seq + r->index;
    if (!r->follow && seq > r->until)
        return ERR_END;
    r->index++;
    *ret = (struct log_line){
        .seq = seq,
        .time_us = line->time_us,
        .text = r->chunk->text + line->offset,
        .len = line->len,
        .stream = line->stream,
        .flags = line->flags,
    };
    return 0;
}
