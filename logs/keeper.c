/*
 * What is to be done, when. Merging: one execution at a time, in the order they were noted. Rounds:
 * partitions ahead, retention, and executions whose small chunks a crash left behind. While
 * PostgreSQL is away nothing is asked of it.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "db/pool.h"
#include "db/store_logs.h"
#include "logs/keeper_internal.h"

#define DAY_US (86400LL * 1000 * 1000)
#define DAYS_AHEAD 3
#define RETRY_MS 500
/* log_tail gives its space back soon after an execution's end. */
#define VACUUM_SOON_MS 200
/* A reader in the way of one keeps the space: so many are tried after the last merge. */
#define VACUUMS_MAX 6u
/* What log_tail may keep on disk when it is as good as empty: rows, and indexes beyond twice the
 * rows' bytes (a row of one line takes more of them than a quarter). */
#define TAIL_ROWS_BYTES (1 << 20)
#define TAIL_INDEX_BYTES (256 << 10)
#define LEFTOVERS_MAX 1000u
/* A task that nobody adds to is forgotten; its rows are found again at the execution's end. */
#define TASK_IDLE_MS (3600LL * 1000)

static void pump(void *user);
static void begin_round(void *user);
static void begin_vacuum(void *user);

/* A query in flight: its answer may come after the keeper is gone. */
struct op {
    struct list node;
    struct keeper *k;
};

static struct op *op_new(struct keeper *k)
{
    struct op *op = malloc(sizeof *op);
    if (!op)
        return NULL;
    op->k = k;
    list_append(&k->ops, &op->node);
    return op;
}

/* The keeper, NULL when it is gone. */
static struct keeper *op_done(struct op *op)
{
    struct keeper *k = op->k;
    list_remove(&op->node);
    free(op);
    return k;
}

static int keeper_init(struct keeper *k)
{
    int rc = keymap_init(&k->tasks);
    if (rc == 0)
        rc = chunk_codec_new(&k->codec);
    if (rc == 0)
        rc = chunk_builder_new(&k->builder);
    if (rc == 0)
        rc = loop_defer_new(k->loop, pump, k, &k->next);
    if (rc == 0)
        rc = loop_timer_new(k->loop, pump, k, &k->retry);
    if (rc == 0)
        rc = loop_timer_new(k->loop, begin_vacuum, k, &k->vacuum_timer);
    if (rc == 0)
        rc = loop_timer_new(k->loop, begin_round, k, &k->rounds);
    return rc;
}

int keeper_new(struct loop *l, struct db_pool *pool, const struct keeper_opts *opts,
               struct keeper **ret)
{
    struct keeper *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->loop = l;
    k->pool = pool;
    k->opts = *opts;
    if (k->opts.vacuum_every_ms <= 0)
        k->opts.vacuum_every_ms = KEEPER_VACUUM_EVERY_MS;
    list_init(&k->queue);
    list_init(&k->ops);
    list_init(&k->all);
    buf_init(&k->scratch, CHUNK_ENCODED_MAX);
    int rc = keeper_init(k);
    if (rc < 0) {
        keeper_free(k);
        return rc;
    }
    loop_timer_start(k->rounds, 0, k->opts.interval_ms);
    *ret = k;
    return 0;
}

static void task_free(struct keeper *k, struct task *t)
{
    keymap_remove(&k->tasks, &t->by_key);
    list_remove(&t->in_queue);
    list_remove(&t->in_all);
    free(t);
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    merge_orphan(k);
    for (struct list *n = list_pop(&k->ops); n; n = list_pop(&k->ops))
        LIST_ENTRY(n, struct op, node)->k = NULL;
    while (!list_is_empty(&k->all))
        task_free(k, LIST_ENTRY(k->all.next, struct task, in_all));
    keymap_done(&k->tasks);
    chunk_codec_free(k->codec);
    chunk_builder_free(k->builder);
    buf_done(&k->scratch);
    loop_defer_free(k->next);
    loop_timer_free(k->retry);
    loop_timer_free(k->vacuum_timer);
    loop_timer_free(k->rounds);
    free(k);
}

/* ---- merging ---- */

static struct task *task_get(struct keeper *k, int64_t key)
{
    struct keymap_node *n = keymap_get(&k->tasks, key);
    if (n)
        return CONTAINER_OF(n, struct task, by_key);
    struct task *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->by_key.key = key;
    list_init(&t->in_queue);
    list_append(&k->all, &t->in_all);
    keymap_put(&k->tasks, &t->by_key);
    return t;
}

static void enqueue(struct keeper *k, struct task *t)
{
    if (list_is_empty(&t->in_queue))
        list_append(&k->queue, &t->in_queue);
    loop_defer_schedule(k->next);
}

void keeper_note(struct keeper *k, int64_t execution_key, size_t bytes, bool ended)
{
    struct task *t = task_get(k, execution_key);
    if (!t)
        return; /* found again as a leftover */
    t->bytes += bytes;
    t->ended = t->ended || ended;
    t->noted_ms = clock_mono_ms();
    if (t->ended || t->bytes >= CHUNK_BYTES_MAX)
        enqueue(k, t);
}

bool keeper_is_idle(const struct keeper *k)
{
    return !k->merge && list_is_empty(&k->queue);
}

static void pump(void *user)
{
    struct keeper *k = user;
    if (k->merge || list_is_empty(&k->queue) || loop_timer_is_active(k->retry))
        return;
    if (!db_pool_is_ready(k->pool)) {
        loop_timer_start(k->retry, RETRY_MS, 0);
        return;
    }
    struct task *t = LIST_ENTRY(k->queue.next, struct task, in_queue);
    if (merge_start(k, t->by_key.key, t->ended) < 0) {
        loop_timer_start(k->retry, RETRY_MS, 0);
        return;
    }
    list_remove(&t->in_queue);
    t->bytes = 0; /* what is noted from now on may come too late for this merge */
}

static void want_vacuum(struct keeper *k)
{
    if (loop_timer_is_active(k->vacuum_timer))
        return;
    int64_t every = k->opts.vacuum_every_ms;
    int64_t soon = every < VACUUM_SOON_MS ? every : VACUUM_SOON_MS;
    int64_t wait = k->vacuumed_ms > 0 ? k->vacuumed_ms + every - clock_mono_ms() : 0;
    loop_timer_start(k->vacuum_timer, wait > soon ? wait : soon, 0);
}

void keeper_merged(struct keeper *k, int64_t key, int err, const struct merge_result *r)
{
    if (r->merged > 0) {
        k->vacuums = 0;
        want_vacuum(k);
    }
    struct keymap_node *n = keymap_get(&k->tasks, key);
    struct task *t = n ? CONTAINER_OF(n, struct task, by_key) : NULL;
    if (!t) {
        loop_defer_schedule(k->next);
        return;
    }
    if (err == ERR_CORRUPT)
        log_error("small chunks cannot be merged", "execution_key", LOG_NUM(key), "error",
                  err_name(err));
    if (err == ERR_CORRUPT || (err == 0 && r->ended)) {
        task_free(k, t);
    } else if (err < 0) {
        enqueue(k, t);
        loop_timer_start(k->retry, RETRY_MS, 0);
    } else {
        t->bytes += r->left;
        if (t->ended || (t->bytes >= CHUNK_BYTES_MAX && r->merged > 0))
            enqueue(k, t);
    }
    loop_defer_schedule(k->next);
}

/* ---- vacuum ---- */

typedef int (*tail_fn)(struct db_pool *p, db_batch_fn fn, void *user);

/* Asks for one thing to be done with log_tail; while PostgreSQL is away it begins anew later. */
static void tail_op(struct keeper *k, tail_fn what, db_batch_fn fn)
{
    struct op *op = db_pool_is_ready(k->pool) ? op_new(k) : NULL;
    if (op && what(k->pool, fn, op) == 0)
        return;
    if (op)
        (void)op_done(op);
    want_vacuum(k);
}

/* Somebody was in the way. */
static void vacuum_again(struct keeper *k)
{
    if (k->vacuums < VACUUMS_MAX)
        want_vacuum(k);
}

static void on_reindexed(void *user, int err, const struct db_result *r UNUSED)
{
    struct keeper *k = op_done(user);
    if (k && err < 0)
        vacuum_again(k);
}

static void on_sized(void *user, int err, const struct db_result *r)
{
    struct keeper *k = op_done(user);
    if (!k)
        return;
    if (err < 0) {
        vacuum_again(k);
        return;
    }
    int64_t rows = db_get_i64(r, 0, 0, 0), indexes = db_get_i64(r, 0, 0, 1);
    if (rows <= TAIL_ROWS_BYTES && indexes > 2 * rows + TAIL_INDEX_BYTES)
        tail_op(k, store_tail_reindex, on_reindexed);
    else if (rows > TAIL_ROWS_BYTES && list_is_empty(&k->all))
        vacuum_again(k);
}

static void on_vacuumed(void *user, int err, const struct db_result *r UNUSED)
{
    struct keeper *k = op_done(user);
    if (!k)
        return;
    k->vacuums++;
    if (err < 0)
        vacuum_again(k);
    else
        tail_op(k, store_tail_size, on_sized);
}

static void begin_vacuum(void *user)
{
    struct keeper *k = user;
    k->vacuumed_ms = clock_mono_ms();
    tail_op(k, store_tail_vacuum, on_vacuumed);
}

/* ---- rounds: partitions, retention, leftovers ---- */

static void round_failed(struct keeper *k, const char *what, int err)
{
    log_warn("keeper tries again", "task", what, "error", err_name(err));
    loop_timer_start(k->rounds, RETRY_MS, k->opts.interval_ms);
}

static void forget_idle_tasks(struct keeper *k)
{
    int64_t now = clock_mono_ms();
    LIST_FOREACH_SAFE (it, &k->all) {
        struct task *t = LIST_ENTRY(it, struct task, in_all);
        bool merging = k->merge && !t->ended && list_is_empty(&t->in_queue);
        if (list_is_empty(&t->in_queue) && !merging && now - t->noted_ms > TASK_IDLE_MS)
            task_free(k, t);
    }
}

static void on_leftovers(void *user, int err, const struct db_result *r)
{
    struct keeper *k = op_done(user);
    if (!k)
        return;
    if (err < 0) {
        round_failed(k, "leftovers", err);
        return;
    }
    size_t n = db_rows(r, 0);
    for (size_t i = 0; i < n; i++)
        keeper_note(k, db_get_i64(r, 0, i, 0), 0, true);
    if (n == LEFTOVERS_MAX)
        loop_timer_start(k->rounds, RETRY_MS, k->opts.interval_ms);
    forget_idle_tasks(k);
}

static void look_for_leftovers(struct keeper *k)
{
    struct op *op = op_new(k);
    int rc = op ? store_tail_leftovers(k->pool, LEFTOVERS_MAX, on_leftovers, op) : ERR_NOMEM;
    if (rc < 0) {
        if (op)
            (void)op_done(op);
        round_failed(k, "leftovers", rc);
    }
}

static void on_dropped(void *user, int err, const struct db_result *r)
{
    struct keeper *k = op_done(user);
    if (!k)
        return;
    if (err < 0) {
        round_failed(k, "retention", err);
        return;
    }
    int64_t dropped = db_get_i64(r, 0, 0, 0);
    if (dropped > 0)
        log_info("logs removed by retention", "days", LOG_NUM(dropped));
    look_for_leftovers(k);
}

static void on_ensured(void *user, int err, const struct db_result *r UNUSED)
{
    struct keeper *k = op_done(user);
    if (!k)
        return;
    if (err < 0) {
        round_failed(k, "partitions", err);
        return;
    }
    if (k->opts.retention_ms <= 0) {
        look_for_leftovers(k);
        return;
    }
    /* A day goes when even its last moment is past the retention. */
    int64_t day = (clock_wall_us() - k->opts.retention_ms * 1000) / DAY_US;
    struct op *op = op_new(k);
    int rc = op ? store_partitions_drop(k->pool, day, on_dropped, op) : ERR_NOMEM;
    if (rc < 0) {
        if (op)
            (void)op_done(op);
        round_failed(k, "retention", rc);
    }
}

static void begin_round(void *user)
{
    struct keeper *k = user;
    if (!db_pool_is_ready(k->pool)) {
        loop_timer_start(k->rounds, RETRY_MS, k->opts.interval_ms);
        return;
    }
    struct op *op = op_new(k);
    int rc =
        op ? store_partitions_ensure(k->pool, clock_wall_us() / DAY_US, DAYS_AHEAD, on_ensured, op)
           : ERR_NOMEM;
    if (rc < 0) {
        if (op)
            (void)op_done(op);
        round_failed(k, "partitions", rc);
    }
}
