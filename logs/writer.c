/*
 * The writer's turn of the loop. Reading goes by turns among the feeds, within a budget; then what
 * all of them have waiting is sent, unless a transaction is in flight: its answer sends the next.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "db/pool.h"
#include "logs/writer_internal.h"

static void on_turn(void *user);
static void on_hold_over(void *user);
static void on_look(void *user);
static void on_gap_over(void *user);

static int writer_init(struct writer *w)
{
    int rc = str_set(&w->owner, w->opts.owner);
    if (rc == 0)
        rc = chunk_codec_new(&w->codec);
    if (rc == 0)
        rc = compressor_new(w->loop, &w->compressor);
    if (rc == 0)
        rc = loop_defer_new(w->loop, on_turn, w, &w->turn);
    if (rc == 0)
        rc = loop_timer_new(w->loop, on_hold_over, w, &w->hold_timer);
    if (rc == 0)
        rc = loop_timer_new(w->loop, on_look, w, &w->look_timer);
    if (rc == 0)
        rc = loop_timer_new(w->loop, on_gap_over, w, &w->gap_timer);
    return rc;
}

int writer_new(struct loop *l, struct db_pool *pool, struct hub *hub,
               const struct writer_opts *opts, struct writer **ret)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->loop = l;
    w->pool = pool;
    w->hub = hub;
    w->opts = *opts;
    buf_init(&w->scratch, CHUNK_ENCODED_MAX);
    struct list *heads[] = {&w->feeds, &w->reading, &w->sending, &w->alone, &w->unsure};
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        list_init(heads[i]);
    int rc = writer_init(w);
    if (rc < 0) {
        writer_free(w);
        return rc;
    }
    w->opts.owner = w->owner;
    loop_timer_start(w->look_timer, LOOK_MS, LOOK_MS);
    *ret = w;
    return 0;
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    group_orphan(w);
    while (!list_is_empty(&w->feeds))
        feed_destroy(LIST_ENTRY(w->feeds.next, struct feed, in_feeds));
    loop_defer_free(w->turn);
    loop_timer_free(w->hold_timer);
    loop_timer_free(w->look_timer);
    loop_timer_free(w->gap_timer);
    compressor_free(w->compressor);
    chunk_codec_free(w->codec);
    buf_done(&w->scratch);
    free(w->owner);
    free(w);
}

void writer_schedule(struct writer *w)
{
    loop_defer_schedule(w->turn);
}

static void read_by_turns(struct writer *w)
{
    int64_t begin = clock_mono_us();
    size_t done = 0;
    while (!list_is_empty(&w->reading) && done < TURN_BYTES && clock_mono_us() - begin < TURN_US) {
        struct feed *f = LIST_ENTRY(list_pop(&w->reading), struct feed, in_reading);
        f->busy++;
        done += feed_read(f, SLICE_BYTES);
        if (f->reading_on && f->more && !f->stalled && list_is_empty(&f->in_reading))
            list_append(&w->reading, &f->in_reading);
        f->busy--;
        feed_settle(f);
        compress_pump(w->compressor, true);
    }
}

/*
 * A commit, and a frame to each reader, for every line or two costs more than the lines. So few
 * bytes wait for company when lines have been sent only just; after a pause the first goes at once.
 */
static bool waits_for_company(struct writer *w)
{
    if (w->urgent || w->stats.waiting_bytes >= w->opts.small_chunk_bytes)
        return false;
    int64_t left_us = w->lines_us + w->opts.commit_gap_ms * 1000 - clock_mono_us();
    if (left_us <= 0)
        return false;
    if (!loop_timer_is_active(w->gap_timer))
        loop_timer_start(w->gap_timer, (left_us + 999) / 1000, 0);
    return true;
}

static void on_gap_over(void *user)
{
    writer_schedule(user);
}

static void on_turn(void *user)
{
    struct writer *w = user;
    read_by_turns(w);
    if (!w->holding) {
        resync_ask(w);
        if (!waits_for_company(w))
            group_send(w);
    }
    compress_pump(w->compressor, false);
    if (!list_is_empty(&w->reading))
        writer_schedule(w);
}

void writer_hold(struct writer *w)
{
    if (w->holding)
        return;
    w->holding = true;
    w->stats.retries++;
    w->hold_ms = w->hold_ms == 0 ? HOLD_FIRST_MS : w->hold_ms * 2;
    if (w->hold_ms > HOLD_LAST_MS)
        w->hold_ms = HOLD_LAST_MS;
    loop_timer_start(w->hold_timer, w->hold_ms, 0);
}

static void on_hold_over(void *user)
{
    struct writer *w = user;
    if (!db_pool_is_ready(w->pool)) {
        /* Cheap to ask: so it goes on soon after PostgreSQL is back. */
        loop_timer_start(w->hold_timer, HOLD_FIRST_MS, 0);
        return;
    }
    w->holding = false;
    writer_schedule(w);
}

static void on_look(void *user)
{
    struct writer *w = user;
    LIST_FOREACH (it, &w->feeds) {
        feed_wake(LIST_ENTRY(it, struct feed, in_feeds));
    }
}

void writer_stats(const struct writer *w, struct writer_stats *ret)
{
    *ret = w->stats;
}
