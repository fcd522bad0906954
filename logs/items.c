/*
 * What a feed has waiting, in order: chunks, state changes, offsets behind control records. An item
 * is sent, and sent again, as it is until it is known to be committed; then it is published.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "logs/keeper.h"
#include "logs/writer_internal.h"

#include <string.h>

static void remove_item(struct feed *f, struct item *i)
{
    list_remove(&i->node);
    f->n_items--;
    f->waiting_bytes -= i->weight;
    f->w->stats.waiting_bytes -= i->weight;
    item_free(i);
}

static struct item *last_of(struct feed *f)
{
    return LIST_ENTRY(f->items.prev, struct item, node);
}

static void append(struct feed *f, struct item *i)
{
    /* A chunk or an offset says all that an offset just before it does. */
    if (f->n_items > f->n_flying && i->kind != ITEM_STATE && last_of(f)->kind == ITEM_OFFSET)
        remove_item(f, last_of(f));
    list_append(&f->items, &i->node);
    f->n_items++;
}

int items_encode(struct feed *f, struct item *i)
{
    if (i->data)
        return 0;
    struct buf *b = &f->w->scratch;
    buf_clear(b);
    int rc = chunk_codec_encode(f->w->codec, i->chunk, b);
    if (rc < 0)
        return rc;
    i->data = malloc(b->len);
    if (!i->data)
        return ERR_NOMEM;
    memcpy(i->data, b->data, b->len);
    i->data_len = b->len;
    return 0;
}

int items_cut(struct feed *f)
{
    size_t lines = chunk_builder_lines(f->builder), bytes = chunk_builder_bytes(f->builder);
    if (lines == 0)
        return 0;
    struct item *i = item_new(ITEM_CHUNK);
    if (!i)
        return ERR_NOMEM;
    int rc = feed_redact_cut(f, i);
    if (rc == 0)
        rc = chunk_builder_finish(f->builder, f->key, f->read_seq - lines + 1, &i->chunk);
    if (rc < 0) {
        item_free(i);
        return rc;
    }
    i->weight = bytes + lines * sizeof(struct chunk_line);
    i->spool_offset = f->read_offset;
    i->last_seq = f->read_seq;
    i->small = bytes < f->w->opts.small_chunk_bytes;
    i->feed = f;
    append(f, i);
    feed_redact_did_cut(f, i);
    if (bytes > f->w->opts.inline_compress_bytes) {
        compress_start(f->w->compressor, i);
        writer_schedule(f->w);
    } else if (items_encode(f, i) < 0)
        log_warn("chunk waits for memory", "execution_id", f->id.hex);
    return 0;
}

int items_add_line(struct feed *f, int64_t time_us, uint8_t stream, uint8_t flags, const void *p,
                   size_t len)
{
    int rc = chunk_builder_add(f->builder, time_us, stream, flags, p, len);
    if (rc == ERR_TOO_LARGE) {
        rc = items_cut(f);
        if (rc == 0)
            rc = chunk_builder_add(f->builder, time_us, stream, flags, p, len);
    }
    if (rc < 0)
        return rc;
    size_t weight = len + sizeof(struct chunk_line);
    f->waiting_bytes += weight;
    f->w->stats.waiting_bytes += weight;
    f->queued.last_seq = ++f->read_seq;
    f->last_time_us = time_us;
    return 0;
}

void items_add_offset(struct feed *f, uint64_t spool_offset)
{
    struct item *i = item_new(ITEM_OFFSET);
    if (!i)
        return;
    i->spool_offset = spool_offset;
    i->last_seq = f->read_seq;
    append(f, i);
}

/*
 * The last chunk of an execution without other small ones needs no merging: it is stored as a full
 * one at once.
 */
static void spare_merging(struct feed *f)
{
    if (f->tail_bytes > 0 || f->n_items == f->n_flying)
        return;
    struct item *last = last_of(f);
    if (last->kind != ITEM_CHUNK || !last->small)
        return;
    LIST_FOREACH (it, &f->items) {
        struct item *i = LIST_ENTRY(it, struct item, node);
        if (i != last && i->kind == ITEM_CHUNK && i->small)
            return;
    }
    last->small = false;
}

int items_add_state(struct feed *f, const struct exec_state *to, const char *cause,
                    const char *request_id)
{
    struct item *i = item_new(ITEM_STATE);
    if (!i)
        return ERR_NOMEM;
    i->from = f->queued;
    i->to = *to;
    i->last_seq = f->read_seq;
    int rc = str_set(&i->cause, cause ? cause : "");
    if (rc == 0)
        rc = str_set(&i->request_id, request_id ? request_id : "");
    if (rc < 0) {
        item_free(i);
        return rc;
    }
    if (exec_status_is_terminal(to->status))
        spare_merging(f);
    append(f, i);
    f->w->urgent = true;
    return 0;
}

void items_drop(struct feed *f, size_t keep)
{
    while (f->n_items > keep)
        remove_item(f, LIST_ENTRY(f->items.prev, struct item, node));
}

/* ---- committed ---- */

static void publish_chunk(struct feed *f, struct item *i)
{
    struct writer *w = f->w;
    w->stats.chunks++;
    w->stats.lines += i->chunk->n_lines;
    w->stats.bytes += i->chunk->text_len;
    if (topic_last_seq(f->topic) < i->last_seq && topic_publish(f->topic, i->chunk) < 0)
        log_error("chunk does not continue its topic", "execution_id", f->id.hex, "first_seq",
                  LOG_NUM(i->chunk->first_seq));
}

static void note_small(struct feed *f, size_t bytes, bool ended)
{
    if (f->w->opts.keeper && (bytes > 0 || (ended && f->tail_bytes > 0)))
        keeper_note(f->w->opts.keeper, f->key, bytes, ended);
}

void items_commit(struct feed *f, size_t n)
{
    uint64_t offset = f->committed_offset;
    size_t small = 0;
    bool ended = false;
    if (n > 0) {
        f->failures = 0;
        f->guard_misses = 0;
    }
    f->busy++;
    /* A callback may queue more: what is being committed here keeps its place. */
    for (f->n_flying = n; f->n_flying > 0; f->n_flying--) {
        struct item *i = LIST_ENTRY(f->items.next, struct item, node);
        if (i->kind == ITEM_STATE) {
            f->committed = i->to;
            ended = exec_status_is_terminal(i->to.status);
            topic_publish_state(f->topic, &i->to);
            if (f->cb.on_committed)
                f->cb.on_committed(f->user, &i->to);
        } else if (i->kind == ITEM_CHUNK) {
            publish_chunk(f, i);
            small += i->small ? i->chunk->text_len + 1 : 0;
        }
        if (i->spool_offset > f->committed_offset)
            f->committed_offset = i->spool_offset;
        remove_item(f, i);
    }
    f->tail_bytes += small;
    note_small(f, small, ended);
    if (f->committed_offset > offset)
        acknowledge(f);
    f->busy--;
    if (f->stalled)
        feed_wake(f);
}
