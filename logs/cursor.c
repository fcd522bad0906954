/*
 * Cursors: a reader's position. It asks the ring first, then the pages read from PostgreSQL, and
 * otherwise waits for such a page.
 */
#include "base/err.h"
#include "logs/hub_internal.h"

int cursor_open(struct topic *t, uint64_t after, loop_fn wake, void *user, struct cursor **ret)
{
    if (t->hub->dead)
        return ERR_CLOSED;
    struct cursor *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    list_init(&c->in_wake);
    list_init(&c->in_queue);
    c->topic = topic_ref(t);
    c->position = after;
    c->wake = wake;
    c->user = user;
    list_append(&t->cursors, &c->node);
    t->n_cursors++;
    t->hub->n_cursors++;
    hub_schedule_wake(c);
    if (!t->local && !t->ended && t->n_cursors == 1)
        follow_look(t);
    *ret = c;
    return 0;
}

void cursor_close(struct cursor *c)
{
    if (!c)
        return;
    struct topic *t = c->topic;
    list_remove(&c->node);
    list_remove(&c->in_wake);
    list_remove(&c->in_queue);
    chunk_unref(c->handed);
    free(c);
    t->hub->n_cursors--;
    if (--t->n_cursors == 0)
        replay_drop_pages(t);
    topic_unref(t);
}

static int give(struct cursor *c, struct chunk *chunk, struct chunk **ret, uint32_t *ret_first_line)
{
    *ret_first_line = (uint32_t)(c->position + 1 - chunk->first_seq);
    *ret = chunk;
    c->position = chunk_last_seq(chunk);
    return 0;
}

/* The topic is read: its memory is the last to go. */
static void touch(struct topic *t)
{
    if (list_is_empty(&t->in_lru))
        return;
    list_remove(&t->in_lru);
    list_append(&t->hub->lru, &t->in_lru);
}

/* What a page brought for this cursor; a ring that reaches back meanwhile makes no difference. */
static struct chunk *take_handed(struct cursor *c)
{
    struct chunk *chunk = TAKE_PTR(c->handed);
    if (chunk && chunk->first_seq <= c->position + 1 && chunk_last_seq(chunk) > c->position)
        return chunk;
    chunk_unref(chunk);
    return NULL;
}

static int tell_error(struct cursor *c)
{
    int err = c->error;
    c->error = 0;
    return err;
}

int cursor_next(struct cursor *c, struct chunk **ret, uint32_t *ret_first_line,
                uint64_t *ret_gap_from, uint64_t *ret_gap_to)
{
    struct topic *t = c->topic;
    c->woken = false;
    if (t->hub->dead)
        return ERR_CLOSED;
    if (c->position >= t->last_seq)
        return t->ended ? ERR_END : ERR_AGAIN;
    uint64_t want = c->position + 1;
    struct chunk *chunk = ring_find(&t->ring, want, &c->hint);
    if (chunk) {
        touch(t);
        return give(c, chunk_ref(chunk), ret, ret_first_line);
    }
    chunk = take_handed(c);
    if (chunk)
        return give(c, chunk, ret, ret_first_line);
    if (c->error)
        return tell_error(c);
    if (c->waiting)
        return ERR_AGAIN;
    if (t->gap_from <= want && want <= t->gap_to) {
        *ret_gap_from = want;
        *ret_gap_to = t->gap_to;
        c->position = t->gap_to;
        return ERR_GAP;
    }
    chunk = replay_find(t, want);
    if (chunk) {
        touch(t);
        return give(c, chunk_ref(chunk), ret, ret_first_line);
    }
    replay_want(c);
    return ERR_AGAIN;
}

uint64_t cursor_position(const struct cursor *c)
{
    return c->position;
}

bool cursor_is_caught_up(const struct cursor *c)
{
    return c->position >= c->topic->last_seq;
}
