/*
 * Readers of the live list: what each is told next. Rows that a query brought wait in the reader, a
 * page's worth; changes are read from the ring when they are sent.
 */
#include "base/str.h"
#include "db/store_changes.h"
#include "db/store_executions.h"
#include "orchestrator/policy.h"
#include "orchestrator/watch_internal.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_BYTES_MAX ((size_t)WATCH_RESUME_ROWS * WATCH_ROW_BYTES_MAX)
#define LIVE_STATES \
    (1u << EXEC_PENDING | 1u << EXEC_STARTING | 1u << EXEC_RUNNING | 1u << EXEC_TERMINATING)
#define ENDED_STATES (1u << EXEC_SUCCEEDED | 1u << EXEC_FAILED | 1u << EXEC_STOPPED)

struct watch_query {
    struct list node;            /* watch's */
    struct watch *watch;         /* NULL: it is gone */
    struct watch_reader *reader; /* NULL: nobody waits any more */
};

void reader_wake(struct watch_reader *r)
{
    r->is_woken = true;
    loop_defer_schedule(r->watch->wake);
}

static void pump(struct watch *w);

/* ---- questions ---- */

static void ask(struct watch_reader *r)
{
    list_append(&r->watch->asking, &r->in_ask);
    pump(r->watch);
}

static void forget_rows(struct watch_reader *r)
{
    r->has_rows = false;
    r->n_rows = r->next_row = 0;
    buf_done(&r->rows);
    free(TAKE_PTR(r->ends));
}

static int add_row(struct watch_reader *r, const struct execution *e)
{
    const struct watch_opts *o = &r->watch->opts;
    size_t before = r->rows.len;
    int rc = buf_append_char(&r->rows, ',');
    if (rc == 0)
        rc = o->encode(o->encode_user, e, &r->rows);
    if (rc == 0 && r->rows.len - before > WATCH_ROW_BYTES_MAX)
        rc = ERR_TOO_LARGE;
    if (rc == 0)
        r->ends[r->n_rows++] = (uint32_t)r->rows.len; /* at most ROWS_BYTES_MAX */
    return rc;
}

static int add_rows(struct watch_reader *r, const struct execution *rows, size_t n)
{
    forget_rows(r);
    r->ends = n > 0 ? calloc(n, sizeof *r->ends) : NULL;
    int rc = n > 0 && !r->ends ? ERR_NOMEM : 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_row(r, &rows[i]);
    r->has_rows = true;
    reader_wake(r);
    return rc;
}

static void start_snapshot(struct watch_reader *r)
{
    struct watch *w = r->watch;
    free(TAKE_PTR(r->since));
    forget_rows(r);
    r->begins = true;
    r->before_key = 0;
    r->newest_left = w->opts.snapshot_max;
    r->index = w->end;
    r->phase = READER_LIVE;
    /* Without memory for it the reader cannot come back by place; it reads the snapshot then. */
    (void)!str_set(&r->place, w->place);
    ask(r);
}

/* The answer's reader, NULL when nobody waits; room for the next question. */
static struct watch_reader *answered(struct watch_query *q)
{
    struct watch *w = q->watch;
    struct watch_reader *r = q->reader;
    list_remove(&q->node);
    free(q);
    if (w)
        w->n_asking--;
    if (r)
        r->query = NULL;
    return w ? r : NULL;
}

/* Asked again: the pool has waited already, and the poll's pause goes on. */
static void retry(struct watch_reader *r)
{
    forget_rows(r);
    r->phase = READER_NEW;
}

static void on_listed(void *user, int err, const struct execution *rows, size_t n)
{
    struct watch_query *q = user;
    struct watch *w = q->watch;
    struct watch_reader *r = answered(q);
    if (r && err < 0)
        retry(r);
    if (r && err == 0) {
        r->is_last = n < r->limit;
        if (n > 0)
            r->before_key = rows[n - 1].key;
        if (r->phase == READER_NEWEST) {
            r->newest_left -= n < r->newest_left ? n : r->newest_left;
            r->is_last = r->is_last || r->newest_left == 0;
        }
        if (add_rows(r, rows, n) < 0)
            retry(r);
    }
    if (w)
        pump(w);
}

static void on_resumed(void *user, int err, const char *place, bool is_known,
                       const struct execution *rows, size_t n)
{
    struct watch_query *q = user;
    struct watch *w = q->watch;
    struct watch_reader *r = answered(q);
    if (r && err < 0 && err != ERR_DB) {
        retry(r);
    } else if (r && (err == ERR_DB || !is_known || n >= WATCH_RESUME_ROWS ||
                     str_set(&r->place, place) < 0)) {
        start_snapshot(r);
    } else if (r) {
        free(TAKE_PTR(r->since));
        r->is_last = true;
        if (add_rows(r, rows, n) < 0)
            start_snapshot(r);
    }
    if (w)
        pump(w);
}

static int query(struct watch_reader *r, struct watch_query *q)
{
    struct watch *w = r->watch;
    const char *created_by = r->only_own ? r->email : NULL;
    if (r->phase == READER_RESUMING)
        return store_changes_fetch(w->pool, r->since, created_by, WATCH_RESUME_ROWS, on_resumed, q);
    bool live = r->phase == READER_LIVE;
    r->limit = live || r->newest_left > WATCH_PAGE_ROWS ? WATCH_PAGE_ROWS : r->newest_left;
    const struct store_execution_filter f = {
        .status_mask = live ? LIVE_STATES : ENDED_STATES,
        .created_by = created_by,
        .before_key = r->before_key,
        .limit = r->limit,
    };
    return store_execution_list(w->pool, &f, on_listed, q);
}

static void pump(struct watch *w)
{
    while (w->n_asking < WATCH_ASKING_MAX && !list_is_empty(&w->asking)) {
        struct watch_reader *r = LIST_ENTRY(w->asking.next, struct watch_reader, in_ask);
        struct watch_query *q = calloc(1, sizeof *q);
        list_remove(&r->in_ask);
        if (q) {
            list_init(&q->node);
            q->watch = w;
            q->reader = r;
        }
        if (!q || query(r, q) < 0) {
            free(q);
            retry(r);
            continue;
        }
        list_append(&w->queries, &q->node);
        r->query = q;
        w->n_asking++;
    }
}

void readers_forget(struct watch *w)
{
    for (struct list *n = list_pop(&w->queries); n; n = list_pop(&w->queries))
        LIST_ENTRY(n, struct watch_query, node)->watch = NULL;
}

/* ---- what is told ---- */

/* The watch knows its place: the reader's own way begins. */
static void start(struct watch_reader *r)
{
    struct watch *w = r->watch;
    if (!w->place)
        return;
    if (!r->since) {
        start_snapshot(r);
        return;
    }
    r->index = w->end;
    r->phase = READER_RESUMING;
    ask(r);
}

/* Rows until they are a page's worth. */
static void take_page(struct watch_reader *r, struct watch_page *ret)
{
    size_t begin = r->next_row > 0 ? r->ends[r->next_row - 1] : 0, end = begin;
    while (r->next_row < r->n_rows && end - begin < WATCH_PAGE_BYTES)
        end = r->ends[r->next_row++];
    ret->rows = end > begin ? r->rows.data + begin + 1 : "";
    ret->len = end > begin ? end - begin - 1 : 0;
}

/* The rows of the last answer are told: what follows. */
static void next_phase(struct watch_reader *r, struct watch_page *page)
{
    r->has_rows = false; /* its bytes stay for the page */
    if (!r->is_last) {
        ask(r);
    } else if (r->phase == READER_LIVE) {
        r->phase = READER_NEWEST;
        r->before_key = 0;
        ask(r);
    } else {
        r->phase = READER_FOLLOWING;
        page->more = false;
        page->place = r->place;
    }
}

static int next_rows(struct watch_reader *r, struct watch_page *ret)
{
    struct watch_page page = {.is_snapshot = r->phase != READER_RESUMING, .begins = r->begins};
    if (!r->has_rows)
        return ERR_AGAIN;
    r->begins = false;
    page.begins = page.begins && page.is_snapshot;
    take_page(r, &page);
    page.more = page.is_snapshot;
    if (r->next_row == r->n_rows)
        next_phase(r, &page);
    *ret = page;
    return 0;
}

static int next_changes(struct watch_reader *r, struct watch_page *ret)
{
    struct watch *w = r->watch;
    forget_rows(r);
    buf_clear(&r->page);
    while (r->index < w->end && r->page.len < WATCH_PAGE_BYTES) {
        const struct watch_change *c = w->ring[r->index % w->opts.changes_max];
        if (c->text && (!r->only_own || str_eq(c->created_by, r->email))) {
            size_t before = r->page.len;
            int rc = before > 0 ? buf_append_char(&r->page, ',') : 0;
            if (rc == 0)
                rc = buf_append(&r->page, c->text, c->len);
            if (rc < 0) {
                r->page.len = before;
                return ERR_NOMEM;
            }
        }
        r->index++;
    }
    if (r->page.len == 0) {
        buf_done(&r->page);
        return ERR_AGAIN;
    }
    *ret = (struct watch_page){
        .rows = r->page.data, .len = r->page.len, .place = r->index == w->end ? w->place : NULL};
    return 0;
}

int watch_next(struct watch_reader *r, struct watch_page *ret)
{
    if (r->phase == READER_FOLLOWING && r->index < r->watch->first)
        start_snapshot(r); /* too slow, or too much changed */
    if (r->phase == READER_NEW)
        start(r);
    return r->phase == READER_FOLLOWING ? next_changes(r, ret) : next_rows(r, ret);
}

bool watch_has_more(const struct watch_reader *r)
{
    return r->phase == READER_FOLLOWING ? r->index < r->watch->end : r->has_rows;
}

/* ---- life ---- */

int watch_open(struct watch *w, const struct principal *who, const char *since, loop_fn wake,
               void *user, struct watch_reader **ret, struct problem *p)
{
    static const char failed[] = "failed to list executions";
    enum policy_scope scope = policy_scope(who->role, POLICY_LIST);
    if (scope == POLICY_NONE)
        return policy_refuse(p, POLICY_LIST);
    if (since && !store_place_is_valid(since))
        return problem_set(p, ERR_INVALID, failed, "since must be a cursor of this list");
    struct watch_reader *r = calloc(1, sizeof *r);
    if (!r || str_set(&r->since, since) < 0) {
        free(r);
        return problem_set(p, ERR_NOMEM, failed, "out of memory");
    }
    r->watch = w;
    r->wake = wake;
    r->user = user;
    r->only_own = scope == POLICY_OWN;
    memcpy(r->email, who->email, sizeof r->email);
    buf_init(&r->rows, ROWS_BYTES_MAX);
    buf_init(&r->page, WATCH_PAGE_BYTES + 1 + WATCH_ROW_BYTES_MAX);
    list_init(&r->in_ask);
    bool is_first = list_is_empty(&w->readers);
    list_append(&w->readers, &r->node);
    if (is_first)
        watch_begin(w);
    reader_wake(r);
    *ret = r;
    return 0;
}

void watch_close(struct watch_reader *r)
{
    if (!r)
        return;
    struct watch *w = r->watch;
    if (r->query)
        r->query->reader = NULL;
    list_remove(&r->in_ask);
    list_remove(&r->node);
    forget_rows(r);
    buf_done(&r->page);
    free(r->since);
    free(r->place);
    free(r);
    if (list_is_empty(&w->readers))
        watch_rest(w);
}
