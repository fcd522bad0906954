/*
 * When it is not known what of a feed's items was committed: its row says. What it contains is
 * published, the rest is sent again. A row with another owner or fence ends the feed.
 *
 * The transaction whose answer was lost may even commit after the row was read: the guards of what
 * is sent again then find no row, and the row is read once more.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store_executions.h"
#include "logs/writer_internal.h"

struct row_op {
    struct feed *feed; /* NULL: it is gone */
};

void resync_add(struct feed *f)
{
    f->where = FEED_UNSURE;
    list_remove(&f->in_send);
    list_append(&f->w->unsure, &f->in_send);
}

static bool contains(const struct execution *row, const struct item *i)
{
    switch (i->kind) {
    case ITEM_CHUNK:
        return i->last_seq <= row->state.last_seq;
    case ITEM_STATE:
        return i->to.version <= row->state.version;
    default:
        return i->spool_offset <= row->spool_offset;
    }
}

/* Whether the first item that the row does not contain goes on from it. */
static bool continues(const struct execution *row, const struct item *i)
{
    switch (i->kind) {
    case ITEM_CHUNK:
        return i->chunk->first_seq == row->state.last_seq + 1;
    case ITEM_STATE:
        return i->from.version == row->state.version;
    default:
        return i->last_seq == row->state.last_seq;
    }
}

static void resolve(struct feed *f, const struct execution *row)
{
    if (row->fence != f->fence || !str_eq(row->owner, f->w->owner)) {
        feed_stop(f, FEED_STALE, "another gateway owns the execution");
        return;
    }
    size_t n = 0;
    struct list *it = f->items.next;
    while (n < f->n_flying && contains(row, LIST_ENTRY(it, struct item, node))) {
        it = it->next;
        n++;
    }
    bool fits = it == &f->items || continues(row, LIST_ENTRY(it, struct item, node));
    f->where = FEED_READY;
    items_commit(f, n);
    if (!f->freed && (!fits || f->guard_misses >= GUARD_MISSES_MAX)) {
        f->guard_misses = 0;
        feed_stop(f, FEED_STORE, "the row does not fit what was sent");
    }
}

static void on_row(void *user, int err, const struct execution *row)
{
    struct row_op *op = user;
    struct feed *f = op->feed;
    free(op);
    if (!f)
        return;
    struct writer *w = f->w;
    f->row_op = NULL;
    w->asking--;
    if (err == 0) {
        w->hold_ms = 0;
        resolve(f, row);
    } else if (err == ERR_NOT_FOUND) {
        feed_stop(f, FEED_STALE, "the execution's row is gone");
    } else {
        resync_add(f);
        writer_hold(w);
    }
    feed_settle(f);
    writer_schedule(w);
}

static int ask(struct feed *f)
{
    struct row_op *op = malloc(sizeof *op);
    if (!op)
        return ERR_NOMEM;
    op->feed = f;
    int rc = store_execution_get(f->w->pool, &f->id, on_row, op);
    if (rc < 0) {
        free(op);
        return rc;
    }
    f->row_op = op;
    return 0;
}

void resync_ask(struct writer *w)
{
    while (!w->holding && w->asking < ASKING_MAX && !list_is_empty(&w->unsure)) {
        struct feed *f = LIST_ENTRY(w->unsure.next, struct feed, in_send);
        if (ask(f) < 0) {
            writer_hold(w);
            return;
        }
        list_remove(&f->in_send);
        f->where = FEED_ASKING;
        w->asking++;
    }
}

void resync_orphan(struct feed *f)
{
    if (!f->row_op)
        return;
    f->row_op->feed = NULL;
    f->row_op = NULL;
    f->w->asking--;
}
