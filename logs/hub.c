/*
 * The hub itself: its topics by key, the encoders, the bounds on memory and the one deferred call
 * that wakes cursors.
 */
#include "base/err.h"
#include "db/pool.h"
#include "logs/hub_internal.h"

/* Both wire forms of a chunk of very many empty lines fit in this. */
#define FRAME_BYTES_MAX (32u << 20)

static void run_wakes(void *user);

static int hub_init(struct hub *h)
{
    int rc = keymap_init(&h->topics);
    if (rc == 0)
        rc = chunk_codec_new(&h->codec);
    if (rc == 0)
        rc = loop_defer_new(h->loop, run_wakes, h, &h->wake);
    if (rc == 0)
        rc = loop_timer_new(h->loop, replay_retry, h, &h->retry_timer);
    if (rc == 0)
        rc = loop_timer_new(h->loop, follow_tick, h, &h->poll_timer);
    return rc;
}

int hub_new(struct loop *l, struct db_pool *pool, const struct hub_opts *opts, struct hub **ret)
{
    struct hub *h = calloc(1, sizeof *h);
    if (!h)
        return ERR_NOMEM;
    h->refs = 1;
    h->loop = l;
    h->pool = pool;
    h->opts = *opts;
    if (h->opts.page_chunks == 0)
        h->opts.page_chunks = 1;
    buf_init(&h->scratch, FRAME_BYTES_MAX);
    struct list *heads[] = {&h->all,          &h->lru,   &h->dirty,     &h->waking,
                            &h->replay_queue, &h->retry, &h->poll_queue};
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        list_init(heads[i]);
    int rc = hub_init(h);
    if (rc < 0) {
        hub_free(h);
        return rc;
    }
    loop_timer_start(h->poll_timer, HUB_POLL_MS, HUB_POLL_MS);
    *ret = h;
    return 0;
}

/* Topics that are still referred to stay as they are, without memory and without wakes. */
void hub_free(struct hub *h)
{
    if (!h)
        return;
    h->dead = true;
    while (!list_is_empty(&h->lru)) {
        struct topic *t = LIST_ENTRY(h->lru.next, struct topic, in_lru);
        replay_drop_pages(t);
        while (t->ring.count > 0)
            topic_drop_oldest(t);
        list_remove(&t->in_lru);
    }
    while (list_pop(&h->dirty) || list_pop(&h->waking) || list_pop(&h->poll_queue) ||
           list_pop(&h->replay_queue) || list_pop(&h->retry)) {
    }
    loop_defer_free(TAKE_PTR(h->wake));
    loop_timer_free(TAKE_PTR(h->retry_timer));
    loop_timer_free(TAKE_PTR(h->poll_timer));
    hub_unref(h);
}

void hub_ref(struct hub *h)
{
    h->refs++;
}

void hub_unref(struct hub *h)
{
    if (--h->refs > 0)
        return;
    chunk_codec_free(h->codec);
    buf_done(&h->scratch);
    keymap_done(&h->topics);
    free(h);
}

int hub_register_encoder(struct hub *h, hub_encode_fn fn, void *user, int *ret_kind)
{
    if (h->n_encoders == CHUNK_FRAME_KINDS)
        return ERR_LIMIT;
    h->encoders[h->n_encoders].fn = fn;
    h->encoders[h->n_encoders].user = user;
    *ret_kind = h->n_encoders++;
    return 0;
}

void hub_on_publish(struct hub *h, hub_publish_fn fn, void *user)
{
    h->on_publish = fn;
    h->publish_user = user;
}

void hub_on_state(struct hub *h, hub_publish_fn fn, void *user)
{
    h->on_state = fn;
    h->state_user = user;
}

void hub_stats(const struct hub *h, struct hub_stats *ret)
{
    *ret = h->stats;
    ret->topics = h->topics.count;
    ret->cursors = h->n_cursors;
    ret->ring_bytes = h->held_bytes;
}

/* ---- memory ---- */

void hub_hold(struct topic *t, size_t *sum, size_t bytes)
{
    *sum += bytes;
    t->hub->held_bytes += bytes;
    if (list_is_empty(&t->in_lru))
        list_append(&t->hub->lru, &t->in_lru);
}

void hub_release(struct topic *t, size_t *sum, size_t bytes)
{
    *sum -= bytes;
    t->hub->held_bytes -= bytes;
}

void hub_shrink(struct hub *h)
{
    while (h->held_bytes > h->opts.ring_total_bytes && !list_is_empty(&h->lru)) {
        struct topic *t = LIST_ENTRY(h->lru.next, struct topic, in_lru);
        if (t->n_pages > 0)
            replay_drop_page(t);
        else if (t->ring.count > 0)
            topic_drop_oldest(t);
        else
            list_remove(&t->in_lru);
    }
}

/* ---- wakes ---- */

void hub_mark_dirty(struct topic *t)
{
    struct hub *h = t->hub;
    if (h->dead || t->n_cursors == 0)
        return;
    if (list_is_empty(&t->in_dirty))
        list_append(&h->dirty, &t->in_dirty);
    loop_defer_schedule(h->wake);
}

void hub_schedule_wake(struct cursor *c)
{
    struct hub *h = c->topic->hub;
    if (h->dead)
        return;
    if (list_is_empty(&c->in_wake))
        list_append(&h->waking, &c->in_wake);
    loop_defer_schedule(h->wake);
}

/* A callback may close any cursor, this one included, and free the hub. */
static void run_wakes(void *user)
{
    struct hub *h = user;
    for (struct list *n = list_pop(&h->dirty); n; n = list_pop(&h->dirty)) {
        struct topic *t = LIST_ENTRY(n, struct topic, in_dirty);
        LIST_FOREACH (it, &t->cursors) {
            struct cursor *c = LIST_ENTRY(it, struct cursor, node);
            if (!c->woken && list_is_empty(&c->in_wake))
                list_append(&h->waking, &c->in_wake);
        }
    }
    /* What is scheduled from now on is for the next turn. */
    struct list now;
    list_init(&now);
    list_append(&h->waking, &now);
    list_remove(&h->waking);
    hub_ref(h);
    for (struct list *n = list_pop(&now); n && !h->dead; n = list_pop(&now)) {
        struct cursor *c = LIST_ENTRY(n, struct cursor, in_wake);
        c->woken = true;
        c->wake(c->user);
    }
    while (list_pop(&now)) {
    }
    hub_unref(h);
}
