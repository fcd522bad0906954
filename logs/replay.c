/*
 * Replay: pages of stored chunks for cursors that the ring does not reach back to.
 *
 *   cursor: replay_want ─▶ queue ─▶ waits at a fetch ─page─▶ gets its first chunk handed, is woken
 *                                        │ error: told, waits for the retry timer
 *                                        │ nothing there: looked at again, then it is a gap
 *
 * A page is shared by all cursors that read near each other; few are kept, and a cursor never
 * depends on one: the chunk it waited for is its own reference, so each answer means progress.
 */
#include "base/err.h"
#include "db/store_logs.h"
#include "logs/hub_internal.h"

/* A cursor this close behind the start of a page that is being read waits for that page once. */
#define SHARE_LINES 2048u

struct fetch {
    struct list node; /* topic's */
    struct list waiters;
    struct topic *topic;
    uint64_t after;
    uint64_t look;
};

/* ---- pages ---- */

static void page_drop(struct topic *t, struct page *p)
{
    list_remove(&p->node);
    t->n_pages--;
    for (size_t i = 0; i < p->n; i++) {
        p->chunks[i]->in_page = false;
        hub_release(t, &t->page_bytes, p->chunks[i]->memory);
        chunk_unref(p->chunks[i]);
    }
    free(p);
}

void replay_drop_page(struct topic *t)
{
    if (!list_is_empty(&t->pages))
        page_drop(t, LIST_ENTRY(t->pages.prev, struct page, node));
}

void replay_drop_pages(struct topic *t)
{
    while (!list_is_empty(&t->pages))
        replay_drop_page(t);
}

static void page_keep(struct topic *t, struct page *p)
{
    while (t->n_pages >= TOPIC_PAGES_MAX)
        replay_drop_page(t);
    list_prepend(&t->pages, &p->node);
    t->n_pages++;
    for (size_t i = 0; i < p->n; i++) {
        p->chunks[i]->in_page = true;
        hub_hold(t, &t->page_bytes, p->chunks[i]->memory);
    }
}

/* Index of the chunk that holds seq, p->n when none does. */
static size_t page_index(const struct page *p, uint64_t seq)
{
    if (seq < p->chunks[0]->first_seq || seq > chunk_last_seq(p->chunks[p->n - 1]))
        return p->n;
    size_t i = 0;
    while (chunk_last_seq(p->chunks[i]) < seq)
        i++;
    return i;
}

static struct page *page_find(struct topic *t, uint64_t seq)
{
    LIST_FOREACH (it, &t->pages) {
        struct page *p = LIST_ENTRY(it, struct page, node);
        if (page_index(p, seq) < p->n)
            return p;
    }
    return NULL;
}

/*
 * Decodes what follows `after` without a hole. *ret stays NULL when the very next line is missing;
 * then *ret_hole_to is the last one that is.
 */
static int page_make(struct topic *t, uint64_t after, const struct store_chunk *rows, size_t n,
                     struct page **ret, uint64_t *ret_hole_to)
{
    struct page *p = malloc(sizeof *p + n * sizeof(struct chunk *));
    if (!p)
        return ERR_NOMEM;
    list_init(&p->node);
    p->n = 0;
    uint64_t next = after + 1;
    int rc = 0;
    for (size_t i = 0; i < n && rows[i].first_seq <= next && rows[i].first_seq <= t->last_seq;
         i++) {
        struct chunk *c = NULL;
        rc = chunk_codec_decode(t->hub->codec, rows[i].data, rows[i].data_len, t->by_key.key,
                                rows[i].first_seq, &c);
        if (rc == 0 && (chunk_last_seq(c) != rows[i].last_seq || rows[i].last_seq < next)) {
            chunk_unref(c);
            rc = ERR_CORRUPT;
        }
        if (rc < 0)
            break;
        p->chunks[p->n++] = c;
        next = chunk_last_seq(c) + 1;
    }
    if (p->n > 0) {
        *ret = p; /* what came before an unreadable chunk is given out first */
        return 0;
    }
    free(p);
    *ret_hole_to = n > 0 && rc == 0 ? rows[0].first_seq - 1 : UINT64_MAX;
    return rc;
}

/* ---- queries ---- */

static void on_page(void *user, int err, const struct store_chunk *rows, size_t n);

static int fetch_start(struct topic *t, uint64_t after, struct fetch **ret)
{
    struct hub *h = t->hub;
    struct fetch *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->after = after;
    f->look = ++h->looks;
    list_init(&f->waiters);
    int rc = store_chunks_fetch(h->pool, t->by_key.key, after, h->opts.page_chunks, on_page, f);
    if (rc < 0) {
        free(f);
        return rc;
    }
    f->topic = topic_ref(t);
    list_append(&t->fetches, &f->node);
    h->fetches++;
    *ret = f;
    return 0;
}

/* A query in flight whose page should hold what c wants. */
static struct fetch *fetch_to_share(const struct cursor *c)
{
    LIST_FOREACH (it, &c->topic->fetches) {
        struct fetch *f = LIST_ENTRY(it, struct fetch, node);
        if (f->after == c->position)
            return f;
        if (!c->shared_once && f->after < c->position && c->position - f->after < SHARE_LINES)
            return f;
    }
    return NULL;
}

static void read_ahead(struct topic *t, uint64_t after)
{
    struct hub *h = t->hub;
    uint64_t hint = 0;
    if (h->backing_off || h->fetches >= HUB_FETCHES_MAX / 2 || after >= t->last_seq ||
        ring_find(&t->ring, after + 1, &hint) || page_find(t, after + 1))
        return;
    LIST_FOREACH (it, &t->fetches) {
        if (LIST_ENTRY(it, struct fetch, node)->after == after)
            return;
    }
    struct fetch *f = NULL;
    int rc = fetch_start(t, after, &f);
    (void)rc; /* whoever needs the page asks for it */
}

struct chunk *replay_find(struct topic *t, uint64_t seq)
{
    struct page *p = page_find(t, seq);
    if (!p)
        return NULL;
    size_t i = page_index(p, seq);
    struct chunk *c = p->chunks[i];
    list_remove(&p->node);
    list_prepend(&t->pages, &p->node);
    if (i >= p->n / 2)
        read_ahead(t, chunk_last_seq(p->chunks[p->n - 1]));
    return c;
}

/* ---- waiting cursors ---- */

static void settle(struct cursor *c)
{
    list_remove(&c->in_queue);
    c->waiting = false;
    hub_schedule_wake(c);
}

static void hand(struct cursor *c, struct chunk *chunk)
{
    chunk_unref(c->handed);
    c->handed = chunk_ref(chunk);
    c->shared_once = false;
    settle(c);
}

static void retry_later(struct hub *h, struct cursor *c, int64_t ms)
{
    list_remove(&c->in_queue);
    list_append(&h->retry, &c->in_queue);
    if (!loop_timer_is_active(h->retry_timer))
        loop_timer_start(h->retry_timer, ms, 0);
}

static void fail(struct hub *h, struct cursor *c, int err)
{
    if (!h->backing_off) {
        h->backing_off = true;
        h->retry_ms = h->retry_ms == 0 ? HUB_RETRY_FIRST_MS : h->retry_ms * 2;
        if (h->retry_ms > HUB_RETRY_LAST_MS)
            h->retry_ms = HUB_RETRY_LAST_MS;
        loop_timer_start(h->retry_timer, h->retry_ms, 0);
    }
    c->error = err;
    retry_later(h, c, h->retry_ms);
    hub_schedule_wake(c);
}

void replay_retry(void *user)
{
    struct hub *h = user;
    h->backing_off = false;
    while (!list_is_empty(&h->retry))
        settle(LIST_ENTRY(h->retry.next, struct cursor, in_queue));
    replay_pump(h);
}

void replay_want(struct cursor *c)
{
    struct hub *h = c->topic->hub;
    c->waiting = true;
    list_append(&h->replay_queue, &c->in_queue);
    replay_pump(h);
}

void replay_pump(struct hub *h)
{
    while (!h->dead && !h->backing_off && h->fetches < HUB_FETCHES_MAX &&
           !list_is_empty(&h->replay_queue)) {
        struct cursor *c = LIST_ENTRY(h->replay_queue.next, struct cursor, in_queue);
        struct chunk *chunk = replay_find(c->topic, c->position + 1);
        if (chunk) {
            hand(c, chunk);
            continue;
        }
        struct fetch *f = fetch_to_share(c);
        int rc = f ? 0 : fetch_start(c->topic, c->position, &f);
        if (rc < 0) {
            fail(h, c, rc);
            break;
        }
        list_remove(&c->in_queue);
        list_append(&f->waiters, &c->in_queue);
    }
}

/* ---- answers ---- */

static void page_arrived(struct fetch *f, struct page *p)
{
    struct topic *t = f->topic;
    struct hub *h = t->hub;
    h->retry_ms = 0;
    h->stats.replay_pages++;
    if (t->suspect_from <= f->after + 1 && f->after < t->suspect_to)
        t->suspect_from = t->suspect_to = 0;
    page_keep(t, p);
    while (!list_is_empty(&f->waiters)) {
        struct cursor *c = LIST_ENTRY(f->waiters.next, struct cursor, in_queue);
        size_t i = page_index(p, c->position + 1);
        if (i < p->n) {
            hand(c, p->chunks[i]);
            continue;
        }
        c->shared_once = true;
        list_remove(&c->in_queue);
        list_append(&h->replay_queue, &c->in_queue);
    }
    uint64_t last = chunk_last_seq(p->chunks[p->n - 1]);
    if (last > t->last_seq)
        topic_jump(t, last); /* fed elsewhere: more is committed than we knew */
    if (t->n_cursors == 0)
        replay_drop_pages(t);
    hub_shrink(h);
}

/*
 * Lines that were committed are not there. One look proves nothing, so a query that begins later
 * must miss them as well.
 */
static void hole_seen(struct fetch *f, uint64_t to)
{
    struct topic *t = f->topic;
    uint64_t from = f->after + 1;
    struct chunk *oldest = t->ring.count ? t->ring.slots[t->ring.base & (t->ring.cap - 1)] : NULL;
    uint64_t known = oldest ? oldest->first_seq - 1 : t->last_seq;
    if (to > known)
        to = known;
    bool confirmed = t->suspect_from != 0 && t->suspect_from <= from && from <= t->suspect_to &&
                     f->look > t->suspect_look;
    if (confirmed) {
        t->gap_from = from;
        t->gap_to = to;
    } else if (t->suspect_from == 0 || from < t->suspect_from || from > t->suspect_to) {
        t->suspect_from = from;
        t->suspect_to = to;
        t->suspect_look = t->hub->looks;
    }
    while (!list_is_empty(&f->waiters)) {
        struct cursor *c = LIST_ENTRY(f->waiters.next, struct cursor, in_queue);
        if (confirmed)
            settle(c);
        else
            retry_later(t->hub, c, HUB_SUSPECT_MS);
    }
}

static void answer(struct fetch *f, int err, const struct store_chunk *rows, size_t n)
{
    struct hub *h = f->topic->hub;
    struct page *p = NULL;
    uint64_t hole_to = 0;
    if (err == 0)
        err = page_make(f->topic, f->after, rows, n, &p, &hole_to);
    if (p) {
        page_arrived(f, p);
    } else if (err == 0) {
        hole_seen(f, hole_to);
    } else {
        while (!list_is_empty(&f->waiters))
            fail(h, LIST_ENTRY(f->waiters.next, struct cursor, in_queue), err);
    }
}

static void on_page(void *user, int err, const struct store_chunk *rows, size_t n)
{
    struct fetch *f = user;
    struct topic *t = f->topic;
    struct hub *h = t->hub;
    hub_ref(h);
    list_remove(&f->node);
    h->fetches--;
    if (!h->dead) {
        answer(f, err, rows, n);
        replay_pump(h);
    }
    while (list_pop(&f->waiters)) {
    }
    free(f);
    topic_unref(t);
    hub_unref(h);
}
