/*
 * Group commit: what the feeds have waiting, as one transaction of guarded statements.
 *
 *   parts gathered ─▶ in flight ─▶ answered: each feed's statements are looked at
 *                                  refused: each feed goes alone
 *                                  unknown: each feed's row is read (resync.c)
 *
 * One group is in flight at a time; what arrives meanwhile is coalesced into the next.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "db/store_executions.h"
#include "db/store_logs.h"
#include "logs/writer_internal.h"

#include <stdio.h>
#include <string.h>

struct part {
    struct feed *feed;
    size_t first, n; /* statements of the batch; as many items */
};
struct group {
    struct writer *w; /* NULL: the writer is gone */
    bool alone;
    int64_t sent_us;
    size_t n;
    struct part parts[];
};

/* ---- gathering ---- */

static int add_item(struct feed *f, struct item *i, struct db_batch *b)
{
    const char *owner = f->w->owner;
    if (i->kind == ITEM_STATE)
        return store_transition_add(b, f->key, owner, f->fence, &i->from, &i->to, i->cause,
                                    i->request_id);
    if (i->kind == ITEM_OFFSET)
        return store_offset_add(b, f->key, owner, f->fence, i->last_seq, i->spool_offset);
    int rc = items_encode(f, i);
    if (rc == 0)
        rc = feed_redact_save(f, i);
    if (rc < 0)
        return rc;
    const struct store_chunk c = {
        .execution_key = f->key,
        .first_seq = i->chunk->first_seq,
        .last_seq = i->last_seq,
        .raw_bytes = i->chunk->text_len,
        .data = i->data,
        .data_len = i->data_len,
    };
    return store_chunk_add(b, &c, owner, f->fence, i->spool_offset, i->small);
}

/*
 * Adds f's items until `share` bytes are in, or one is still being compressed; states and offsets
 * always go with the chunk before them, so that an end commits with the last lines. A chunk with a
 * carry comes first, so that one is saved for each transaction. Returns the bytes; negative: memory
 * is short, what was added before is good.
 */
static int64_t add_feed(struct feed *f, struct db_batch *b, size_t share)
{
    /* While more is being read a begun chunk may become full, if there is other work. */
    if (f->n_items == 0 || !f->more) {
        int rc = items_cut(f);
        if (rc < 0)
            return rc;
    }
    size_t bytes = 0;
    LIST_FOREACH (it, &f->items) {
        struct item *i = LIST_ENTRY(it, struct item, node);
        if (compress_is_pending(i) ||
            (i->kind == ITEM_CHUNK && bytes > 0 && (i->carry || bytes + i->weight > share)))
            break;
        int rc = add_item(f, i, b);
        if (rc < 0)
            return rc;
        f->n_flying++;
        bytes += i->weight;
    }
    return (int64_t)bytes;
}

static size_t count(const struct list *head)
{
    size_t n = 0;
    LIST_FOREACH (it, head) {
        n++;
    }
    return n;
}

static struct group *gather(struct writer *w, struct db_batch *b)
{
    bool alone = !list_is_empty(&w->alone);
    struct list *from = alone ? &w->alone : &w->sending;
    size_t feeds = alone ? 1 : count(from);
    if (feeds > GROUP_FEEDS_MAX)
        feeds = GROUP_FEEDS_MAX;
    struct group *g = malloc(sizeof *g + feeds * sizeof(struct part));
    if (!g)
        return NULL;
    *g = (struct group){.w = w, .alone = alone || feeds == 1};
    size_t share = w->opts.group_bytes_max / (feeds ? feeds : 1), bytes = 0;
    if (share < CHUNK_BYTES_MAX)
        share = CHUNK_BYTES_MAX;
    while (!list_is_empty(from) && g->n < feeds && bytes < w->opts.group_bytes_max &&
           db_batch_count(b) < GROUP_STATEMENTS_MAX) {
        struct feed *f = LIST_ENTRY(from->next, struct feed, in_send);
        size_t first = db_batch_count(b);
        int64_t added = add_feed(f, b, share);
        if (f->n_flying > 0) {
            list_remove(&f->in_send);
            f->where = FEED_FLYING;
            g->parts[g->n++] = (struct part){f, first, f->n_flying};
        }
        if (added < 0)
            break;
        if (f->n_flying == 0)
            list_remove(&f->in_send);
        bytes += (size_t)added;
    }
    return g;
}

/* ---- answers ---- */

static void unsure(struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct feed *f = g->parts[i].feed;
        resync_add(f);
        feed_settle(f);
    }
}

/* Nothing of it was done, and it is not this group's fault: the same again, a little later. */
static void again(struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct feed *f = g->parts[i].feed;
        f->n_flying = 0;
        f->where = FEED_READY;
        feed_settle(f);
    }
}

static void refused(struct group *g, const char *sqlstate)
{
    for (size_t i = 0; i < g->n; i++) {
        struct feed *f = g->parts[i].feed;
        f->n_flying = 0;
        f->where = FEED_ALONE;
        if (g->alone && ++f->failures >= 2) {
            char details[64];
            (void)snprintf(details, sizeof details, "SQLSTATE %.5s", sqlstate);
            f->failures = 0;
            f->where = FEED_READY;
            feed_stop(f, FEED_STORE, details);
        } else {
            list_append(&f->w->alone, &f->in_send);
        }
        feed_settle(f);
    }
}

static void committed(struct group *g, const struct db_result *r)
{
    g->w->stats.groups++;
    metrics_observe_us(&g->w->stats.commit_seconds, clock_mono_us() - g->sent_us);
    g->w->hold_ms = 0;
    for (size_t i = 0; i < g->n; i++) {
        struct part *p = &g->parts[i];
        struct feed *f = p->feed;
        size_t done = 0;
        while (done < p->n && db_affected(r, p->first + done) == 1)
            done++;
        if (done < p->n) {
            f->guard_misses++;
            resync_add(f);
        } else {
            f->where = FEED_READY;
            items_commit(f, p->n);
        }
        feed_settle(f);
    }
}

/* Classes of SQLSTATE that speak of the server's condition, not of the statement (appendix A). */
static bool is_condition(const char *sqlstate)
{
    static const char *const CLASSES[] = {"08", "25", "40", "53", "55", "57", "58"};
    for (size_t i = 0; i < ARRAY_SIZE(CLASSES); i++)
        if (strncmp(sqlstate, CLASSES[i], 2) == 0)
            return true;
    return false;
}

static void on_answer(void *user, int err, const struct db_result *r)
{
    struct group *g = user;
    struct writer *w = g->w;
    if (!w) {
        free(g);
        return;
    }
    w->group = NULL;
    const char *sqlstate = r ? db_sqlstate(r) : "";
    if (err == 0) {
        committed(g, r);
    } else if (err == ERR_DB && is_condition(sqlstate)) {
        writer_hold(w);
        again(g);
    } else if (err == ERR_DB || err == ERR_CONFLICT) {
        w->stats.retries++;
        refused(g, sqlstate);
    } else {
        writer_hold(w);
        unsure(g);
    }
    free(g);
    writer_schedule(w);
}

void group_send(struct writer *w)
{
    if (w->group || w->holding || (list_is_empty(&w->alone) && list_is_empty(&w->sending)))
        return;
    struct db_batch *b = NULL;
    struct group *g = NULL;
    if (db_batch_new(&b) == 0)
        g = gather(w, b);
    if (!g || g->n == 0) {
        db_batch_free(b);
        free(g);
        if (!list_is_empty(&w->alone) || !list_is_empty(&w->sending))
            writer_hold(w); /* memory is short */
        return;
    }
    g->sent_us = clock_mono_us();
    if (db_submit(w->pool, b, on_answer, g) < 0) {
        writer_hold(w);
        again(g);
        free(g);
        return;
    }
    w->group = g;
    if (!w->urgent)
        w->lines_us = g->sent_us;
    w->urgent = false;
}

void group_orphan(struct writer *w)
{
    if (w->group)
        w->group->w = NULL;
    w->group = NULL;
}
