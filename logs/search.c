/*
 * Searches: who runs, who waits, and each one's way between the database and the thread pool. What
 * the pool touches (text, pattern, scan, rows, chunk) is not touched by the loop meanwhile. A
 * search that was cancelled while work or a query is under way is freed when that is over.
 */
#include "logs/search.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/str.h"
#include "db/store_logs.h"
#include "logs/search_scan.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Chunks read at once: 2 MiB of lines. */
#define ROWS_MAX 32u

static const char FAILED[] = "failed to search the logs";

struct searcher {
    struct loop *loop;
    struct db_pool *pool;
    struct searcher_opts opts;
    struct list running, waiting; /* searches */
    size_t n_running, n_waiting;
    struct loop_defer *next;
};

struct row {
    uint64_t first_seq;
    void *data;
    size_t len;
};

struct search {
    struct list node;          /* searcher's; alone once cancelled */
    struct searcher *searcher; /* NULL: cancelled */
    search_fn fn;
    void *user;
    struct search_request request; /* its text is the one below */
    char *text;
    bool is_running;
    atomic_bool cancelled;
    int64_t deadline_us;
    struct pattern *pattern;
    struct scan *scan;
    struct chunk_codec *codec;
    struct row rows[ROWS_MAX];
    size_t n_rows, next_row;
    struct chunk *chunk; /* being looked through */
    uint64_t edge;       /* the next chunks lie behind it, or backward before it */
    int result;          /* of the work */
    struct problem problem;
};

static void rows_free(struct search *g)
{
    for (size_t i = 0; i < g->n_rows; i++)
        free(g->rows[i].data);
    g->n_rows = g->next_row = 0;
}

static void search_free(struct search *g)
{
    list_remove(&g->node);
    rows_free(g);
    chunk_unref(g->chunk);
    scan_free(g->scan);
    pattern_free(g->pattern);
    chunk_codec_free(g->codec);
    free(g->text);
    free(g);
}

/* ---- in the thread pool ---- */

static int open_scan(struct search *g)
{
    const struct search_request *r = &g->request;
    int rc = pattern_new(g->text, r->is_regex, r->ignore_case, &g->pattern, &g->problem);
    const struct scan_opts opts = {.pattern = g->pattern,
                                   .from = r->from,
                                   .last_seq = r->last_seq,
                                   .limit = r->limit,
                                   .backward = r->backward,
                                   .count_only = r->count_only,
                                   .ended = r->ended};
    if (rc == 0)
        rc = scan_new(&opts, &g->scan);
    return rc == 0 ? chunk_codec_new(&g->codec) : rc;
}

static int open_chunk(struct search *g)
{
    const struct row *row = &g->rows[g->next_row];
    return chunk_codec_decode(g->codec, row->data, row->len, g->request.execution_key,
                              row->first_seq, &g->chunk);
}

static int look_through(struct search *g)
{
    int64_t slice_end_us = clock_mono_us() + SEARCH_SLICE_MS * 1000;
    int rc = 0;
    while (rc == 0 && g->next_row < g->n_rows) {
        if (atomic_load_explicit(&g->cancelled, memory_order_relaxed))
            return ERR_CLOSED;
        if (!g->chunk)
            rc = open_chunk(g);
        if (rc == 0)
            rc = scan_chunk(g->scan, g->chunk, slice_end_us, g->deadline_us);
        if (rc == 0) {
            g->next_row++;
            chunk_unref(TAKE_PTR(g->chunk));
            if (g->next_row < g->n_rows && clock_mono_us() >= slice_end_us)
                rc = ERR_AGAIN;
        }
    }
    return rc;
}

static void work_open(void *user)
{
    struct search *g = user;
    g->result = open_scan(g);
}

static void work_look(void *user)
{
    struct search *g = user;
    g->result = look_through(g);
}

static void work_finish(void *user)
{
    struct search *g = user;
    g->result = scan_finish(g->scan);
}

/* ---- answers ---- */

static void leave_line(struct search *g)
{
    struct searcher *s = g->searcher;
    list_remove(&g->node);
    if (g->is_running)
        s->n_running--;
    else
        s->n_waiting--;
    g->searcher = NULL;
    loop_defer_schedule(s->next);
}

static void answer_problem(struct search *g, int err)
{
    struct problem p = g->problem;
    if (err == ERR_LIMIT)
        (void)problem_set(&p, ERR_INVALID, "invalid regex parameter",
                          "expression too expensive at seq %" PRIu64, scan_seq(g->scan));
    else if (err == ERR_CORRUPT)
        (void)problem_set(&p, ERR_INTERNAL, FAILED,
                          "stored lines from seq %" PRIu64 " on cannot be read",
                          g->rows[g->next_row].first_seq);
    else if (err == ERR_NOMEM || p.err == 0)
        (void)problem_set(&p, err == ERR_NOMEM ? ERR_INTERNAL : err, FAILED, "%s",
                          err == ERR_NOMEM ? "out of memory" : "the lines could not be read");
    leave_line(g);
    g->fn(g->user, &p, NULL);
    search_free(g);
}

/* A database that does not answer is told as one, and never as an expensive expression. */
static int database_error(int err)
{
    return err == ERR_TIMEOUT || err == ERR_LIMIT || err == ERR_CORRUPT ? ERR_DB_AWAY : err;
}

static void answer_page(struct search *g)
{
    struct search_page page;
    scan_page(g->scan, &page);
    leave_line(g);
    g->fn(g->user, NULL, &page);
    search_free(g);
}

/* ---- on the loop, between the steps ---- */

static void step(struct search *g, loop_work_fn work);

static void on_rows(void *user, int err, const struct store_chunk *chunks, size_t n);

static void fetch(struct search *g)
{
    const struct search_request *r = &g->request;
    struct db_pool *pool = g->searcher->pool;
    rows_free(g);
    bool is_over = r->backward ? g->edge <= 1 : g->edge >= r->last_seq;
    if (is_over) {
        step(g, work_finish);
        return;
    }
    int err = r->backward
                  ? store_chunks_fetch_before(pool, r->execution_key, g->edge, ROWS_MAX, on_rows, g)
                  : store_chunks_fetch(pool, r->execution_key, g->edge, ROWS_MAX, on_rows, g);
    if (err < 0)
        answer_problem(g, database_error(err));
}

static void on_worked(void *user, int err)
{
    struct search *g = user;
    if (!g->searcher) {
        search_free(g);
        return;
    }
    int rc = err < 0 ? err : g->result;
    bool is_whole = rc == 0 && g->next_row == g->n_rows;
    if (rc == ERR_AGAIN)
        step(g, work_look);
    else if (rc == ERR_END || rc == ERR_TIMEOUT || (is_whole && g->edge == UINT64_MAX))
        answer_page(g);
    else if (rc < 0)
        answer_problem(g, rc);
    else
        fetch(g);
}

static void step(struct search *g, loop_work_fn work)
{
    if (work == work_finish)
        g->edge = UINT64_MAX; /* nothing follows */
    int err = loop_work_submit(g->searcher->loop, work, on_worked, g);
    if (err < 0)
        answer_problem(g, err);
}

static int keep_row(struct search *g, const struct store_chunk *c)
{
    struct row *row = &g->rows[g->n_rows];
    row->data = malloc(c->data_len > 0 ? c->data_len : 1);
    if (!row->data)
        return ERR_NOMEM;
    memcpy(row->data, c->data, c->data_len);
    row->len = c->data_len;
    row->first_seq = c->first_seq;
    g->n_rows++;
    g->edge = g->request.backward ? c->first_seq : c->last_seq;
    return 0;
}

static void on_rows(void *user, int err, const struct store_chunk *chunks, size_t n)
{
    struct search *g = user;
    if (!g->searcher) {
        search_free(g);
        return;
    }
    err = err < 0 ? database_error(err) : 0;
    for (size_t i = 0; i < n && i < ROWS_MAX && err == 0; i++)
        err = keep_row(g, &chunks[i]);
    if (err < 0)
        answer_problem(g, err);
    else
        step(g, g->n_rows > 0 ? work_look : work_finish);
}

static void begin(struct search *g)
{
    struct searcher *s = g->searcher;
    list_append(&s->running, &g->node);
    s->n_waiting--;
    s->n_running++;
    g->is_running = true;
    g->deadline_us = clock_mono_us() + s->opts.time_ms * 1000;
    step(g, work_open);
}

/* One at a call: answering it may end others. */
static void begin_waiting(void *user)
{
    struct searcher *s = user;
    struct list *first = s->n_running < s->opts.running_max ? list_pop(&s->waiting) : NULL;
    if (!first)
        return;
    loop_defer_schedule(s->next);
    begin(LIST_ENTRY(first, struct search, node));
}

/* ---- life ---- */

int searcher_new(struct loop *l, struct db_pool *pool, const struct searcher_opts *opts,
                 struct searcher **ret)
{
    struct searcher *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->loop = l;
    s->pool = pool;
    s->opts = *opts;
    list_init(&s->running);
    list_init(&s->waiting);
    int rc = loop_defer_new(l, begin_waiting, s, &s->next);
    if (rc < 0) {
        free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

/* What is under way frees it when it is over. */
static void abandon(struct search *g)
{
    leave_line(g);
    atomic_store_explicit(&g->cancelled, true, memory_order_relaxed);
}

void searcher_free(struct searcher *s)
{
    if (!s)
        return;
    struct list *node = NULL;
    while ((node = list_pop(&s->running)) != NULL)
        abandon(LIST_ENTRY(node, struct search, node));
    LIST_FOREACH_SAFE (it, &s->waiting)
        search_free(LIST_ENTRY(it, struct search, node));
    loop_defer_free(s->next);
    free(s);
}

static uint64_t first_edge(const struct search_request *r)
{
    uint64_t edge = r->from.done[0];
    for (size_t k = 1; k < SEARCH_STREAMS; k++) {
        uint64_t done = r->from.done[k];
        if (r->backward ? done > edge : done < edge)
            edge = done;
    }
    return r->backward && edge > r->last_seq ? r->last_seq + 1 : edge;
}

int search_start(struct searcher *s, const struct search_request *r, search_fn fn, void *user,
                 struct search **ret)
{
    if (s->n_waiting >= s->opts.waiting_max && s->n_running >= s->opts.running_max)
        return ERR_LIMIT;
    struct search *g = calloc(1, sizeof *g);
    if (!g || str_set(&g->text, r->text) < 0) {
        free(g);
        return ERR_NOMEM;
    }
    g->searcher = s;
    g->fn = fn;
    g->user = user;
    g->request = *r;
    g->request.text = g->text;
    g->edge = first_edge(r);
    atomic_init(&g->cancelled, false);
    list_append(&s->waiting, &g->node);
    s->n_waiting++;
    loop_defer_schedule(s->next);
    *ret = g;
    return 0;
}

void search_cancel(struct search *g)
{
    if (g->is_running) {
        abandon(g);
        return;
    }
    leave_line(g);
    search_free(g);
}
