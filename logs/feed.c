/*
 * A feed's life and what its owner asks of it.
 *
 *   feed_open ─▶ reads, sends ─▶ feed_free ─▶ (what is in flight is answered and published) ─▶
 * freed
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "logs/writer_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void on_change(void *user)
{
    feed_wake(user);
}

static void start_from(struct feed *f, const struct execution *row)
{
    f->id = row->id;
    f->key = row->key;
    f->fence = row->fence;
    f->queued = f->committed = row->state;
    f->read_seq = row->state.last_seq;
    f->read_offset = f->committed_offset = row->spool_offset;
    /* Behind the header: what an earlier feed left is punched too. */
    f->punched = SPOOL_HEADER_LEN;
    /* Small chunks of an earlier feed may wait: how many is not known. */
    f->tail_bytes = row->state.last_seq > 0 ? 1 : 0;
    f->opened_seq = row->state.last_seq;
    f->reading_on = true;
}

static int feed_init(struct feed *f, const struct execution *row, const char *path)
{
    int rc = chunk_builder_new(&f->builder);
    if (rc < 0)
        return rc;
    rc = spool_reader_new(f->spool_fd, row->id.hex, row->spool_offset, &f->reader);
    if (rc == -ENOMEM)
        return ERR_NOMEM;
    if (rc == -EBADMSG || rc == -EAGAIN)
        return ERR_CORRUPT;
    if (rc < 0) {
        log_error("spool cannot be read", "execution_id", f->id.hex, "error", strerror(-rc));
        return ERR_SYS;
    }
    rc = hub_topic_open(f->w->hub, row, &f->topic);
    if (rc < 0)
        return rc;
    topic_set_local(f->topic, true);
    if (loop_watch_new(f->w->loop, path, on_change, f, &f->watch) < 0)
        log_warn("spool is looked at by the clock only", "execution_id", f->id.hex);
    return 0;
}

int feed_open(struct writer *w, const struct execution *row, const char *path, int spool_fd,
              int ack_fd, const struct feed_callbacks *cb, void *user, struct feed **ret)
{
    struct feed *f = calloc(1, sizeof *f);
    if (!f) {
        (void)close(spool_fd);
        (void)close(ack_fd);
        return ERR_NOMEM;
    }
    list_init(&f->in_feeds);
    list_init(&f->in_reading);
    list_init(&f->in_send);
    list_init(&f->items);
    f->w = w;
    f->spool_fd = spool_fd;
    f->ack_fd = ack_fd;
    f->cb = *cb;
    f->user = user;
    start_from(f, row);
    int rc = feed_init(f, row, path);
    if (rc < 0) {
        feed_destroy(f);
        return rc;
    }
    list_append(&w->feeds, &f->in_feeds);
    feed_wake(f);
    *ret = f;
    return 0;
}

void feed_destroy(struct feed *f)
{
    resync_orphan(f);
    acknowledge_orphan(f);
    list_remove(&f->in_feeds);
    list_remove(&f->in_reading);
    list_remove(&f->in_send);
    items_drop(f, 0);
    loop_watch_free(f->watch);
    if (f->topic && f->where != FEED_DEAD)
        topic_set_local(f->topic, false);
    topic_unref(f->topic);
    f->w->stats.waiting_bytes -= f->waiting_bytes; /* the builder's */
    chunk_builder_free(f->builder);
    redaction_free(f->redaction);
    spool_reader_free(f->reader);
    if (f->spool_fd >= 0)
        (void)close(f->spool_fd);
    if (f->ack_fd >= 0)
        (void)close(f->ack_fd);
    free(f);
}

void feed_free(struct feed *f)
{
    if (!f)
        return;
    f->freed = true;
    f->cb = (struct feed_callbacks){0};
    f->reading_on = false;
    loop_watch_free(TAKE_PTR(f->watch));
    list_remove(&f->in_reading);
    feed_settle(f);
}

void feed_wake(struct feed *f)
{
    if (f->is_held || !f->reading_on || !list_is_empty(&f->in_reading))
        return;
    if (f->stalled && f->waiting_bytes >= f->w->opts.feed_bytes_max)
        return; /* the commit that makes room looks again */
    f->drained = false;
    list_append(&f->w->reading, &f->in_reading);
    writer_schedule(f->w);
}

void feed_hold(struct feed *f)
{
    f->is_held = true;
    list_remove(&f->in_reading);
}

bool feed_is_drained(const struct feed *f)
{
    return f->where == FEED_READY && f->n_items == 0 && chunk_builder_lines(f->builder) == 0 &&
           !f->more && !f->stalled && !f->is_held && list_is_empty(&f->in_reading);
}

/* Lines behind a chunk that is being compressed wait for it, and join a chunk meanwhile. */
static bool has_to_send(const struct feed *f)
{
    if (f->n_items == 0)
        return chunk_builder_lines(f->builder) > 0;
    return !compress_is_pending(LIST_ENTRY(f->items.next, struct item, node));
}

void feed_queue(struct feed *f)
{
    if (f->where != FEED_READY || !list_is_empty(&f->in_send) || !has_to_send(f))
        return;
    list_append(&f->w->sending, &f->in_send);
    writer_schedule(f->w);
}

void feed_settle(struct feed *f)
{
    if (f->busy > 0)
        return;
    if (f->freed) {
        if (f->where != FEED_FLYING && f->where != FEED_ASKING)
            feed_destroy(f);
        return;
    }
    feed_queue(f);
    if (f->drained || !feed_is_drained(f))
        return;
    f->drained = true;
    if (!f->cb.on_drained)
        return;
    f->busy++;
    f->cb.on_drained(f->user);
    f->busy--;
    if (f->freed)
        feed_destroy(f);
}

static void forget_uncommitted(struct feed *f)
{
    items_drop(f, 0);
    f->n_flying = 0;
    f->w->stats.waiting_bytes -= f->waiting_bytes;
    f->waiting_bytes = 0;
    chunk_builder_clear(f->builder);
    if (f->redaction)
        redaction_clear(f->redaction);
    f->queued = f->committed;
    f->read_seq = topic_last_seq(f->topic);
}

void feed_stop(struct feed *f, enum feed_break why, const char *details)
{
    static const char *const NAMES[] = {"spool damaged", "spool unreadable", "execution taken over",
                                        "store refuses"};
    log_warn("feed stopped", "execution_id", f->id.hex, "cause", NAMES[why], "details", details);
    f->reading_on = false;
    f->more = false;
    f->stalled = false;
    list_remove(&f->in_reading);
    if (why == FEED_STORE)
        f->w->stats.dropped_lines += f->read_seq - topic_last_seq(f->topic);
    if (why == FEED_STALE || why == FEED_STORE)
        forget_uncommitted(f);
    if (why == FEED_STALE) {
        f->where = FEED_DEAD;
        topic_set_local(f->topic, false);
    }
    f->busy++;
    if (f->cb.on_break)
        f->cb.on_break(f->user, why, details);
    f->busy--;
}

int feed_transition(struct feed *f, const struct exec_state *to, const char *cause,
                    const char *request_id)
{
    if (f->where == FEED_DEAD)
        return ERR_STALE;
    if (!exec_status_may_become(f->queued.status, to->status))
        return ERR_INVALID;
    int rc = exec_status_is_terminal(to->status) ? feed_redact_finish(f) : 0;
    if (rc == 0)
        rc = items_cut(f);
    if (rc < 0)
        return rc;
    struct exec_state s = *to;
    s.version = f->queued.version + 1;
    s.last_seq = f->read_seq;
    if (s.started_at_us == 0)
        s.started_at_us = f->queued.started_at_us;
    rc = items_add_state(f, &s, cause, request_id);
    if (rc < 0)
        return rc;
    f->queued = s;
    f->drained = false;
    if (exec_status_is_terminal(s.status) && f->exit_end > 0)
        items_add_offset(f, f->exit_end);
    feed_queue(f);
    return 0;
}

const struct exec_state *feed_state(const struct feed *f)
{
    return &f->queued;
}

struct topic *feed_topic(struct feed *f)
{
    return f->topic;
}

int feed_system_line(struct feed *f, const char *text)
{
    if (f->where == FEED_DEAD)
        return ERR_STALE;
    size_t len = strnlen(text, CHUNK_BYTES_MAX);
    int rc = feed_redact_finish(f);
    if (rc < 0)
        return rc;
    int64_t now = clock_wall_us();
    if (now < f->last_time_us)
        now = f->last_time_us;
    rc = items_add_line(f, now, STREAM_SYSTEM, 0, text, len);
    if (rc < 0)
        return rc;
    f->drained = false;
    feed_queue(f);
    return 0;
}
