/*
 * The ring of changes, and the looks at the database that fill it.
 *
 *   idle (no readers) ─▶ place asked for ─▶ looking when told and now and then ─▶ idle
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store_changes.h"
#include "orchestrator/watch_internal.h"

#include <stdlib.h>
#include <string.h>

struct watch_look {
    struct watch *watch; /* NULL: it is gone, or needs no answer any more */
};

/* ---- the ring ---- */

static struct watch_change **slot(const struct watch *w, uint64_t index)
{
    return &w->ring[index % w->opts.changes_max];
}

static void change_free(struct watch *w, struct watch_change *c)
{
    if (c->text)
        keymap_remove(&w->latest, &c->by_key);
    w->bytes -= c->len;
    free(c->text);
    free(c->created_by);
    free(c);
}

static void drop_oldest(struct watch *w)
{
    struct watch_change **s = slot(w, w->first++);
    change_free(w, *s);
    *s = NULL;
}

static void forget_changes(struct watch *w)
{
    while (w->first < w->end)
        drop_oldest(w);
}

/* Behind all changes: readers that have not seen those before read the snapshot. */
static void reset(struct watch *w)
{
    forget_changes(w);
    w->end++;
    w->first = w->end;
}

static void supersede(struct watch *w, int64_t key)
{
    struct keymap_node *n = keymap_get(&w->latest, key);
    if (!n)
        return;
    struct watch_change *c = CONTAINER_OF(n, struct watch_change, by_key);
    keymap_remove(&w->latest, n);
    w->bytes -= c->len;
    c->len = 0;
    free(TAKE_PTR(c->text));
}

static int add_change(struct watch *w, const struct execution *e)
{
    struct buf text CLEANUP_BUF = {.max = WATCH_ROW_BYTES_MAX};
    struct watch_change *c = calloc(1, sizeof *c);
    int rc = c ? str_set(&c->created_by, e->created_by) : ERR_NOMEM;
    if (rc == 0)
        rc = w->opts.encode(w->opts.encode_user, e, &text);
    if (rc == 0)
        rc = buf_take(&text, &c->text, &c->len);
    if (rc < 0) {
        if (c)
            free(c->created_by);
        free(c);
        return rc;
    }
    supersede(w, e->key);
    if (w->end - w->first == w->opts.changes_max)
        drop_oldest(w);
    *slot(w, w->end++) = c;
    c->by_key.key = e->key;
    keymap_put(&w->latest, &c->by_key);
    w->bytes += c->len;
    while (w->bytes > w->opts.ring_bytes_max && w->end - w->first > 1)
        drop_oldest(w);
    return 0;
}

/* ---- looking ---- */

static void wake_readers(void *user)
{
    struct watch *w = user;
    /* A reader may close itself or others: begin anew after each. */
    bool found = true;
    while (found) {
        found = false;
        LIST_FOREACH (it, &w->readers) {
            struct watch_reader *r = LIST_ENTRY(it, struct watch_reader, node);
            if (!r->is_woken)
                continue;
            r->is_woken = false;
            list_remove(&r->node);
            list_append(&w->readers, &r->node);
            found = true;
            r->wake(r->user);
            break;
        }
    }
}

static void take_rows(struct watch *w, const struct execution *rows, size_t n)
{
    int rc = n >= w->opts.changes_max ? ERR_LIMIT : 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_change(w, &rows[i]);
    if (rc < 0) {
        log_warn("too many changes at once, lists are read anew", "rows", LOG_NUM(n), "error",
                 err_name(rc));
        reset(w);
    }
}

/* Also those whose question failed: they begin anew. */
static void tell_readers(struct watch *w, bool has_changed)
{
    LIST_FOREACH (it, &w->readers) {
        struct watch_reader *r = LIST_ENTRY(it, struct watch_reader, node);
        if (has_changed || r->phase == READER_NEW)
            reader_wake(r);
    }
}

static void take_answer(struct watch *w, int err, const char *place, bool is_known,
                        const struct execution *rows, size_t n)
{
    bool was_first = !w->place;
    char *copy = NULL;
    if (err == 0)
        err = str_set(&copy, place);
    if (err < 0) {
        log_debug("watch", "error", err_name(err)); /* the pool says why; the timer looks again */
        return;
    }
    if (!was_first && !is_known)
        reset(w); /* another database than before */
    take_rows(w, rows, n);
    free(w->place);
    w->place = copy;
    tell_readers(w, was_first || n > 0 || !is_known);
}

static void on_changes(void *user, int err, const char *place, bool is_known,
                       const struct execution *rows, size_t n)
{
    struct watch_look *l = user;
    struct watch *w = l->watch;
    free(l);
    if (!w)
        return;
    w->look = NULL;
    take_answer(w, err, place, is_known, rows, n);
    if (w->look_again) {
        w->look_again = false;
        watch_hint(w);
    }
}

static void look(struct watch *w)
{
    struct watch_look *l = calloc(1, sizeof *l);
    if (!l)
        return;
    l->watch = w;
    w->looked_ms = clock_mono_ms();
    int rc = store_changes_fetch(w->pool, w->place, NULL, w->opts.changes_max, on_changes, l);
    if (rc < 0)
        free(l);
    else
        w->look = l;
}

static void on_timer(void *user)
{
    struct watch *w = user;
    loop_timer_start(w->timer, WATCH_POLL_MS, WATCH_POLL_MS);
    if (!w->look)
        look(w);
}

void watch_hint(void *user)
{
    struct watch *w = user;
    if (list_is_empty(&w->readers))
        return;
    if (w->look) {
        w->look_again = true;
        return;
    }
    int64_t since_ms = clock_mono_ms() - w->looked_ms;
    if (since_ms >= WATCH_PAUSE_MS)
        on_timer(w);
    else
        loop_timer_start(w->timer, WATCH_PAUSE_MS - since_ms, 0);
}

/* ---- life ---- */

static void forget_look(struct watch *w)
{
    if (w->look)
        w->look->watch = NULL;
    w->look = NULL;
    w->look_again = false;
}

void watch_begin(struct watch *w)
{
    if (!w->look)
        look(w);
    loop_timer_start(w->timer, WATCH_POLL_MS, WATCH_POLL_MS);
}

/* The last reader left: what changes from now on is not looked at. */
void watch_rest(struct watch *w)
{
    forget_look(w);
    loop_timer_stop(w->timer);
    reset(w);
    free(TAKE_PTR(w->place));
}

int watch_new(struct loop *l, struct db_pool *pool, const struct watch_opts *opts,
              struct watch **ret)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->loop = l;
    w->pool = pool;
    w->opts = *opts;
    list_init(&w->readers);
    list_init(&w->asking);
    list_init(&w->queries);
    w->ring = calloc(opts->changes_max, sizeof(struct watch_change *));
    int rc = w->ring ? keymap_init(&w->latest) : ERR_NOMEM;
    if (rc == 0)
        rc = loop_timer_new(l, on_timer, w, &w->timer);
    if (rc == 0)
        rc = loop_defer_new(l, wake_readers, w, &w->wake);
    if (rc < 0) {
        watch_free(w);
        return rc;
    }
    *ret = w;
    return 0;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    forget_look(w);
    readers_forget(w);
    forget_changes(w);
    keymap_done(&w->latest);
    loop_timer_free(w->timer);
    loop_defer_free(w->wake);
    free(w->ring);
    free(w->place);
    free(w);
}
