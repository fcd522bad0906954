/*
 * Topics: the states of an execution, what is published, and who holds what.
 *
 *   hub_topic_open ─▶ refs: openers, cursors, queries in flight ─▶ 0: out of the table, freed
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "logs/hub_internal.h"

#include <assert.h>
#include <string.h>

static struct topic *topic_new(struct hub *h, const struct execution *row)
{
    struct topic *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    struct list *nodes[] = {&t->in_all,  &t->in_lru, &t->in_dirty, &t->in_polls,
                            &t->cursors, &t->pages,  &t->fetches};
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        list_init(nodes[i]);
    t->hub = h;
    t->id = row->id;
    t->by_key.key = row->key;
    t->last_seq = row->state.last_seq;
    t->states[0] = row->state;
    t->n_states = 1;
    t->now = row->state;
    t->ended = exec_status_is_terminal(row->state.status);
    hub_ref(h);
    keymap_put(&h->topics, &t->by_key);
    list_append(&h->all, &t->in_all);
    return t;
}

static void topic_destroy(struct topic *t)
{
    struct hub *h = t->hub;
    assert(list_is_empty(&t->cursors) && list_is_empty(&t->fetches));
    replay_drop_pages(t);
    while (t->ring.count > 0)
        topic_drop_oldest(t);
    ring_done(&t->ring);
    struct list *nodes[] = {&t->in_all, &t->in_lru, &t->in_dirty, &t->in_polls};
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        list_remove(nodes[i]);
    keymap_remove(&h->topics, &t->by_key);
    free(t);
    hub_unref(h);
}

int hub_topic_open(struct hub *h, const struct execution *row, struct topic **ret)
{
    if (h->dead)
        return ERR_CLOSED;
    struct keymap_node *n = keymap_get(&h->topics, row->key);
    struct topic *t = n ? CONTAINER_OF(n, struct topic, by_key) : NULL;
    if (!t) {
        t = topic_new(h, row);
        if (!t)
            return ERR_NOMEM;
    } else if (!t->local) {
        if (row->state.last_seq > t->last_seq)
            topic_jump(t, row->state.last_seq);
        topic_publish_state(t, &row->state);
    }
    *ret = topic_ref(t);
    return 0;
}

struct topic *topic_ref(struct topic *t)
{
    t->refs++;
    return t;
}

void topic_unref(struct topic *t)
{
    if (!t)
        return;
    assert(t->refs > 0);
    if (--t->refs == 0)
        topic_destroy(t);
}

const struct execution_id *topic_id(const struct topic *t)
{
    return &t->id;
}

const struct exec_state *topic_state(const struct topic *t)
{
    return &t->now;
}

size_t topic_states(const struct topic *t, const struct exec_state **ret)
{
    *ret = t->states;
    return t->n_states;
}

uint64_t topic_last_seq(const struct topic *t)
{
    return t->last_seq;
}

/* ---- the ring ---- */

void topic_drop_oldest(struct topic *t)
{
    struct chunk *c = ring_shift(&t->ring);
    if (!c)
        return;
    c->in_ring = false;
    hub_release(t, &t->ring_bytes, c->memory);
    chunk_unref(c);
}

void topic_trim(struct topic *t)
{
    while (t->ring_bytes > t->hub->opts.ring_bytes && t->ring.count > 1)
        topic_drop_oldest(t);
}

static void set_last_seq(struct topic *t, uint64_t last_seq)
{
    t->last_seq = last_seq;
    t->now.last_seq = last_seq;
}

void topic_jump(struct topic *t, uint64_t last_seq)
{
    while (t->ring.count > 0)
        topic_drop_oldest(t);
    set_last_seq(t, last_seq);
    hub_mark_dirty(t);
}

int topic_append(struct topic *t, struct chunk *c)
{
    uint64_t last = chunk_last_seq(c);
    if (c->first_seq > t->last_seq + 1 || last <= t->last_seq)
        return ERR_CORRUPT;
    if (!t->hub->dead) {
        int rc = ring_push(&t->ring, c);
        if (rc < 0) {
            /* Without memory readers find it in the database. */
            topic_jump(t, last);
            return 0;
        }
        chunk_ref(c);
        c->in_ring = true;
        hub_hold(t, &t->ring_bytes, c->memory);
    }
    set_last_seq(t, last);
    topic_trim(t);
    hub_shrink(t->hub);
    hub_mark_dirty(t);
    return 0;
}

static void tell_others(const struct topic *t)
{
    if (t->local && t->hub->on_publish)
        t->hub->on_publish(t->hub->publish_user, t->by_key.key);
}

static void tell_state(const struct topic *t)
{
    if (t->local && t->hub->on_state)
        t->hub->on_state(t->hub->state_user, t->by_key.key);
}

int topic_publish(struct topic *t, struct chunk *c)
{
    if (c->execution_key != t->by_key.key || c->first_seq != t->last_seq + 1)
        return ERR_CORRUPT;
    struct hub_stats *s = &t->hub->stats;
    s->published_chunks++;
    s->published_lines += c->n_lines;
    s->published_bytes += c->text_len;
    c->published_us = clock_mono_us();
    int rc = topic_append(t, c);
    if (rc == 0)
        tell_others(t);
    return rc;
}

/* ---- states ---- */

static void keep_state(struct topic *t, const struct exec_state *s)
{
    if (s->version == t->now.version) {
        t->states[t->n_states - 1] = *s;
        return;
    }
    if (t->n_states == HUB_STATES_MAX) {
        memmove(&t->states[0], &t->states[1], (HUB_STATES_MAX - 1) * sizeof t->states[0]);
        t->n_states--;
    }
    t->states[t->n_states++] = *s;
}

void topic_publish_state(struct topic *t, const struct exec_state *s)
{
    if (!exec_state_is_news(s, t->now.version, exec_state_is_unreachable(&t->now)))
        return;
    keep_state(t, s);
    t->now = *s;
    t->now.last_seq = t->last_seq;
    if (exec_status_is_terminal(s->status)) {
        if (s->last_seq > t->last_seq)
            topic_jump(t, s->last_seq);
        t->ended = true;
        t->has_target = false;
    }
    LIST_FOREACH (it, &t->cursors) {
        hub_schedule_wake(LIST_ENTRY(it, struct cursor, node));
    }
    tell_others(t);
    tell_state(t);
}

void topic_set_local(struct topic *t, bool local)
{
    t->local = local;
    t->has_target = false;
    if (!local && !t->ended)
        follow_look(t);
    if (local && exec_state_is_unreachable(&t->now)) {
        struct exec_state s = t->now;
        s.reason[0] = '\0';
        topic_publish_state(t, &s);
    }
    tell_state(t);
}
