/*
 * The pool: batches wait in one queue, go to the READY connection with the least in flight, and end
 * on one list, from which their callbacks run when the pool itself is at rest; so a callback may
 * submit more or free the pool.
 *
 *   batch: waiting ─dispatch▶ in flight (pipe.c) ─answered, lost, too late▶ done ─callback▶ freed
 */
#include "db/pool.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "db/batch.h"
#include "db/link.h"
#include "db/pipe.h"

#define POOL_SIZE_MAX 64
/* libpq keeps what it sends in memory: a connection gets no more than this unless a batch is larger
 * by itself. */
#define IN_FLIGHT_BYTES_MAX (16u << 20)

/*
 * Statements are look-ups by key with a LIMIT, and they are prepared once. So the plan is made
 * once, goes by the indexes and does not depend on statistics of tables that were empty a minute
 * ago. (Custom plans of store_chunks_fetch read and sorted all later chunks for one page; the
 * generic one opens one partition at run time and stops at the LIMIT.)
 */
#define SESSION_SETTINGS \
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off"

struct pool_conn {
    struct db_pool *pool;
    struct db_link *link;
    struct db_pipe pipe;
};

struct db_pool {
    struct db_pool_opts opts;
    struct pool_conn *conns;
    struct list waiting, done;
    size_t waiting_count;
    struct metrics_histogram wait_seconds;
    struct loop_defer *defer; /* dispatch */
    struct loop_timer *timer; /* the earliest deadline … */
    int64_t timer_at_ms;      /* … 0 = not armed */
    loop_fn on_ready;
    void *on_ready_user;
    bool failing; /* the last attempt to connect failed */
    bool lost;    /* logged */
    bool closed;
    int depth; /* of our own frames on the stack */
};

bool db_pool_is_ready(const struct db_pool *p)
{
    for (size_t i = 0; i < p->opts.size; i++)
        if (p->conns[i].link && db_link_is_ready(p->conns[i].link))
            return true;
    return false;
}

void db_pool_stats(const struct db_pool *p, struct db_pool_stats *ret)
{
    *ret = (struct db_pool_stats){
        .connections = p->opts.size, .waiting = p->waiting_count, .wait_seconds = p->wait_seconds};
    for (size_t i = 0; i < p->opts.size; i++)
        ret->ready += p->conns[i].link && db_link_is_ready(p->conns[i].link);
}

static void destroy(struct db_pool *p)
{
    for (size_t i = 0; p->conns && i < p->opts.size; i++) {
        db_link_free(p->conns[i].link);
        db_pipe_done(&p->conns[i].pipe);
    }
    loop_timer_free(p->timer);
    loop_defer_free(p->defer);
    free(p->conns);
    free(p);
}

static struct db_batch *first(const struct list *l)
{
    return list_is_empty(l) ? NULL : LIST_ENTRY(l->next, struct db_batch, node);
}

static void finish_waiting(struct db_pool *p, struct db_batch *b, int err)
{
    b->err = err;
    p->waiting_count--;
    list_remove(&b->node);
    list_append(&p->done, &b->node);
}

static void run_done(struct db_pool *p)
{
    for (struct list *node; (node = list_pop(&p->done)) != NULL;) {
        struct db_batch *b = LIST_ENTRY(node, struct db_batch, node);
        b->fn(b->user, b->err, &b->result);
        db_batch_free(b);
    }
}

/* When a waiting batch is to be given up. */
static int64_t waits_until(const struct db_pool *p, const struct db_batch *b)
{
    int64_t away = b->submitted_ms + p->opts.away_ms;
    return p->failing && away < b->deadline_ms && !db_pool_is_ready(p) ? away : b->deadline_ms;
}

static void arm_timer(struct db_pool *p)
{
    const struct db_batch *b = first(&p->waiting);
    int64_t at = b ? waits_until(p, b) : INT64_MAX;
    for (size_t i = 0; i < p->opts.size; i++) {
        b = first(&p->conns[i].pipe.in_flight);
        if (b && b->deadline_ms < at)
            at = b->deadline_ms;
    }
    if (at == INT64_MAX) {
        loop_timer_stop(p->timer);
        p->timer_at_ms = 0;
    } else if (at != p->timer_at_ms) {
        int64_t now = clock_mono_ms();
        loop_timer_start(p->timer, at > now ? at - now : 0, 0);
        p->timer_at_ms = at;
    }
}

static void enter(struct db_pool *p)
{
    p->depth++;
}

/* The outermost frame settles: callbacks, then the timer, then the end. */
static void leave(struct db_pool *p)
{
    if (p->depth == 1)
        run_done(p);
    if (--p->depth > 0)
        return;
    if (p->closed)
        destroy(p);
    else
        arm_timer(p);
}

static struct pool_conn *pick(struct db_pool *p, const struct db_batch *b)
{
    struct pool_conn *best = NULL;
    for (size_t i = 0; i < p->opts.size; i++) {
        struct pool_conn *c = &p->conns[i];
        if (!c->pipe.pg || c->pipe.depth >= p->opts.pipeline_depth ||
            (c->pipe.depth > 0 && c->pipe.bytes + b->bytes > IN_FLIGHT_BYTES_MAX))
            continue;
        if (!best || c->pipe.depth < best->pipe.depth)
            best = c;
    }
    return best;
}

static void dispatch(struct db_pool *p)
{
    for (struct db_batch *b; (b = first(&p->waiting)) != NULL;) {
        struct pool_conn *c = pick(p, b);
        if (!c)
            break;
        int64_t waited_ms = clock_mono_ms() - b->submitted_ms;
        int r = db_pipe_send(&c->pipe, b);
        if (r == ERR_NOMEM) {
            finish_waiting(p, b, r);
            continue;
        }
        p->waiting_count--;
        metrics_observe_us(&p->wait_seconds, waited_ms * 1000);
        if (r == 0)
            r = db_link_flush(c->link);
        if (r < 0)
            db_link_drop(c->link, PQerrorMessage(c->pipe.pg));
    }
}

static void on_up(void *user)
{
    struct pool_conn *c = user;
    struct db_pool *p = c->pool;
    enter(p);
    if (db_pipe_open(&c->pipe, db_link_pg(c->link)) < 0) {
        db_link_drop(c->link, "the connection refuses pipeline mode");
    } else {
        p->failing = false;
        if (p->lost)
            log_info("database connection is back");
        p->lost = false;
        loop_defer_schedule(p->defer);
    }
    leave(p);
}

static void on_input(void *user)
{
    struct pool_conn *c = user;
    struct db_pool *p = c->pool;
    enter(p);
    if (db_pipe_receive(&c->pipe, &p->done) < 0)
        db_link_drop(c->link, PQerrorMessage(c->pipe.pg));
    dispatch(p);
    leave(p);
}

static void on_down(void *user, PGconn *pg, bool was_up, const char *why)
{
    struct pool_conn *c = user;
    struct db_pool *p = c->pool;
    (void)pg;
    enter(p);
    /* Answers that came before the end count. */
    if (c->pipe.pg && db_pipe_receive(&c->pipe, &p->done) < 0)
        log_debug("answers lost with the connection");
    db_pipe_close(&c->pipe, ERR_DB_AWAY, &p->done);
    if (!was_up)
        p->failing = true;
    if (!p->lost)
        log_warn(was_up ? "database connection lost" : "database cannot be reached", "why", why);
    p->lost = true;
    leave(p);
}

/* The next turn after a submission, or after a connection came up. */
static void on_defer(void *user)
{
    struct db_pool *p = user;
    enter(p);
    dispatch(p);
    loop_fn ready = db_pool_is_ready(p) ? TAKE_PTR(p->on_ready) : NULL;
    if (ready)
        ready(p->on_ready_user);
    leave(p);
}

/* One batch is too late: the connection goes, for its answers are in order. */
static void drop_late(struct pool_conn *c, int64_t now)
{
    const struct db_batch *head = first(&c->pipe.in_flight);
    if (!head || head->deadline_ms > now)
        return;
    LIST_FOREACH (node, &c->pipe.in_flight) {
        struct db_batch *b = LIST_ENTRY(node, struct db_batch, node);
        if (b->deadline_ms <= now && b->err == 0)
            b->err = ERR_TIMEOUT;
    }
    db_link_drop(c->link, "no answer before the deadline");
}

static void on_timer(void *user)
{
    struct db_pool *p = user;
    int64_t now = clock_mono_ms();
    enter(p);
    p->timer_at_ms = 0;
    int err = db_pool_is_ready(p) ? ERR_TIMEOUT : ERR_DB_AWAY;
    for (struct db_batch *b; (b = first(&p->waiting)) != NULL && waits_until(p, b) <= now;)
        finish_waiting(p, b, err);
    for (size_t i = 0; i < p->opts.size; i++)
        drop_late(&p->conns[i], now);
    leave(p);
}

static int make_conns(struct db_pool *p, struct loop *l, const char *conninfo)
{
    static const struct db_link_callbacks callbacks = {on_up, on_input, on_down};
    const struct db_link_opts opts = {.conninfo = conninfo,
                                      .application_name = p->opts.application_name,
                                      .statement_timeout_ms = p->opts.deadline_ms,
                                      .settings = SESSION_SETTINGS};
    p->conns = calloc(p->opts.size, sizeof(*p->conns));
    if (!p->conns)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->opts.size; i++) {
        p->conns[i].pool = p;
        db_pipe_init(&p->conns[i].pipe);
    }
    for (size_t i = 0; i < p->opts.size; i++) {
        int r = db_link_new(l, &opts, &callbacks, &p->conns[i], &p->conns[i].link);
        if (r < 0)
            return r;
    }
    return 0;
}

int db_pool_new(struct loop *l, const struct db_pool_opts *opts, struct db_pool **ret)
{
    if (opts->size == 0 || opts->size > POOL_SIZE_MAX || opts->pipeline_depth == 0 ||
        opts->deadline_ms <= 0 || !opts->conninfo)
        return ERR_INVALID;
    struct db_pool *p = calloc(1, sizeof(*p));
    if (!p)
        return ERR_NOMEM;
    p->opts = *opts;
    list_init(&p->waiting);
    list_init(&p->done);
    int r = loop_timer_new(l, on_timer, p, &p->timer);
    if (r == 0)
        r = loop_defer_new(l, on_defer, p, &p->defer);
    if (r == 0)
        r = make_conns(p, l, opts->conninfo);
    p->opts.conninfo = p->opts.application_name = NULL; /* the caller's */
    if (r < 0) {
        destroy(p);
        return r;
    }
    *ret = p;
    return 0;
}

void db_pool_free(struct db_pool *p)
{
    if (!p || p->closed)
        return;
    enter(p);
    p->closed = true;
    for (size_t i = 0; i < p->opts.size; i++)
        db_pipe_close(&p->conns[i].pipe, ERR_CLOSED, &p->done);
    for (struct db_batch *b; (b = first(&p->waiting)) != NULL;)
        finish_waiting(p, b, ERR_CLOSED);
    run_done(p);
    leave(p);
}

void db_pool_on_ready(struct db_pool *p, loop_fn fn, void *user)
{
    p->on_ready = fn;
    p->on_ready_user = user;
    loop_defer_schedule(p->defer);
}

int db_submit(struct db_pool *p, struct db_batch *b, db_batch_fn fn, void *user)
{
    int r = p->closed                                 ? ERR_CLOSED
            : b->count == 0                           ? ERR_INVALID
            : p->waiting_count >= p->opts.waiting_max ? ERR_LIMIT
                                                      : 0;
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    b->fn = fn;
    b->user = user;
    b->submitted_ms = clock_mono_ms();
    b->deadline_ms = b->submitted_ms + p->opts.deadline_ms;
    list_append(&p->waiting, &b->node);
    p->waiting_count++;
    loop_defer_schedule(p->defer);
    return 0;
}

int db_query(struct db_pool *p, const struct db_stmt *s, const struct db_value *params, size_t n,
             db_batch_fn fn, void *user)
{
    struct db_batch *b;
    int r = db_batch_of(s, params, n, &b);
    if (r < 0)
        return r;
    return db_submit(p, b, fn, user);
}
