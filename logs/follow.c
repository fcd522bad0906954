/*
 * Topics that another gateway feeds: their row is looked at when a notification says so, and every
 * second as the net below; new chunks are read into the ring, so that readers here share them like
 * those of a local execution. An end is published behind its last line.
 */
#include "base/err.h"
#include "db/store_executions.h"
#include "db/store_logs.h"
#include "logs/hub_internal.h"

static void pump(struct hub *h);

/* ---- new chunks ---- */

static void on_tail(void *user, int err, const struct store_chunk *rows, size_t n);

static void tail_read(struct topic *t)
{
    struct hub *h = t->hub;
    if (t->tail_reading)
        return;
    int rc =
        store_chunks_fetch(h->pool, t->by_key.key, t->last_seq, h->opts.page_chunks, on_tail, t);
    if (rc < 0)
        return; /* the next look at the row tries again */
    t->tail_reading = true;
    (void)topic_ref(t);
}

static void reach_target(struct topic *t)
{
    if (!t->has_target || t->last_seq < t->target.last_seq)
        return;
    t->has_target = false;
    topic_publish_state(t, &t->target);
}

/* False when the next line is not among them. */
static bool append_rows(struct topic *t, const struct store_chunk *rows, size_t n)
{
    uint64_t before = t->last_seq;
    for (size_t i = 0; i < n && rows[i].first_seq <= t->last_seq + 1; i++) {
        struct chunk *c = NULL;
        int rc = chunk_codec_decode(t->hub->codec, rows[i].data, rows[i].data_len, t->by_key.key,
                                    rows[i].first_seq, &c);
        if (rc == 0 && chunk_last_seq(c) != rows[i].last_seq)
            rc = ERR_CORRUPT;
        if (rc == 0 && rows[i].last_seq > t->last_seq)
            rc = topic_append(t, c);
        chunk_unref(c);
        if (rc < 0)
            break;
    }
    return t->last_seq > before;
}

static void on_tail(void *user, int err, const struct store_chunk *rows, size_t n)
{
    struct topic *t = user;
    t->tail_reading = false;
    if (err == 0 && !t->hub->dead && t->has_target) {
        bool progress = append_rows(t, rows, n);
        if (t->last_seq < t->target.last_seq && !progress)
            topic_jump(t, t->target.last_seq); /* cursors meet the hole themselves */
        if (t->last_seq < t->target.last_seq)
            tail_read(t);
        reach_target(t);
    }
    topic_unref(t);
}

/* ---- rows ---- */

static void learn(struct topic *t, const struct exec_state *s)
{
    if (t->local || t->ended || t->hub->dead)
        return;
    if (s->last_seq > t->last_seq && t->n_cursors == 0)
        topic_jump(t, s->last_seq);
    if (s->last_seq <= t->last_seq || !exec_status_is_terminal(s->status))
        topic_publish_state(t, s);
    if (s->last_seq > t->last_seq) {
        t->target = *s;
        t->has_target = true;
        tail_read(t);
    }
}

static void on_row(void *user, int err, const struct execution *e)
{
    struct topic *t = user;
    struct hub *h = t->hub;
    hub_ref(h);
    t->polling = false;
    h->polls--;
    if (err == 0)
        learn(t, &e->state);
    if (t->poll_again)
        follow_look(t);
    topic_unref(t);
    if (!h->dead)
        pump(h);
    hub_unref(h);
}

static void pump(struct hub *h)
{
    while (h->polls < HUB_POLLS_MAX && !list_is_empty(&h->poll_queue)) {
        struct topic *t = LIST_ENTRY(h->poll_queue.next, struct topic, in_polls);
        list_remove(&t->in_polls);
        t->poll_again = false;
        if (store_execution_get(h->pool, &t->id, on_row, t) < 0)
            continue; /* the next tick tries again */
        t->polling = true;
        h->polls++;
        (void)topic_ref(t);
    }
}

void follow_look(struct topic *t)
{
    if (t->hub->dead || t->local || t->ended)
        return;
    if (t->polling) {
        t->poll_again = true;
        return;
    }
    if (list_is_empty(&t->in_polls))
        list_append(&t->hub->poll_queue, &t->in_polls);
    pump(t->hub);
}

void follow_tick(void *user)
{
    struct hub *h = user;
    LIST_FOREACH (it, &h->all) {
        struct topic *t = LIST_ENTRY(it, struct topic, in_all);
        if (!t->local && !t->ended && !t->polling && t->n_cursors > 0 &&
            list_is_empty(&t->in_polls))
            list_append(&h->poll_queue, &t->in_polls);
    }
    pump(h);
}

void hub_poke(struct hub *h, int64_t execution_key)
{
    struct keymap_node *n = keymap_get(&h->topics, execution_key);
    if (n)
        follow_look(CONTAINER_OF(n, struct topic, by_key));
}
