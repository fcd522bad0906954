/*
 * Log records on their way to PostgreSQL (trace.h), and traces read. A transaction that is under
 * way when the orchestrator ends outlives it by its answer.
 */
#include "orchestrator/trace.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store_trace.h"
#include "orchestrator/internal.h"
#include "orchestrator/policy.h"

#include <string.h>

#define ERROR_TRACE "failed to get trace"
#define RETRY_MS 2000
#define IDLE_MS 60000 /* between sweeps while nothing is logged */

struct tracer {
    struct op op;
    struct orchestrator *o;
    struct buf waiting, flying; /* JSON arrays without their end */
    size_t waiting_count, flying_count;
    struct loop_timer *timer;
    bool is_sending, is_dead;
};

static void release(struct tracer *t)
{
    buf_done(&t->waiting);
    buf_done(&t->flying);
    free(t);
}

static void sink(void *user, enum log_level level, const char *request_id, const char *json);

void tracer_free(struct tracer *t)
{
    if (!t)
        return;
    log_remove_sink(sink, t);
    loop_timer_free(t->timer);
    t->timer = NULL;
    t->is_dead = true;
    if (!t->is_sending)
        release(t);
}

/* ---- writing ---- */

static void on_written(void *user, int err, const struct db_result *r)
{
    struct tracer *t = user;
    bool swept_all;
    t->is_sending = false;
    if (t->is_dead) {
        release(t);
        return;
    }
    (void)op_end(&t->op);
    if (err == ERR_DB || err == ERR_CONFLICT)
        t->o->trace_dropped += t->flying_count;
    if (err == 0 || err == ERR_DB || err == ERR_CONFLICT) {
        buf_clear(&t->flying);
        t->flying_count = 0;
    }
    if (err < 0)
        log_warn("trace records are not written", "error", err_name(err));
    swept_all =
        err < 0 || t->o->opts.trace_retention_ms == 0 || db_affected(r, 1) < STORE_TRACE_SWEPT;
    if (err < 0)
        loop_timer_start(t->timer, RETRY_MS, 0);
    else
        loop_timer_start(t->timer, t->waiting_count > 0 || !swept_all ? TRACE_FLUSH_MS : IDLE_MS,
                         0);
}

/* What waits goes on its way; nothing is an empty array, for the sweep's sake. */
static int take_waiting(struct tracer *t)
{
    struct buf empty = t->flying;
    int e = t->waiting.len == 0 ? buf_append_char(&t->waiting, '[') : 0;
    if (e == 0) {
        t->waiting.max += 1; /* the bracket always fits */
        e = buf_append_char(&t->waiting, ']');
    }
    if (e < 0)
        return e;
    t->flying = t->waiting;
    t->flying_count = t->waiting_count;
    t->waiting = empty;
    t->waiting.max = t->o->opts.trace_queue_bytes;
    t->waiting_count = 0;
    return 0;
}

static void write_batch(void *user)
{
    struct tracer *t = user;
    if (t->is_sending)
        return; /* its answer starts the timer again */
    int e = t->flying.len > 0 ? 0 : take_waiting(t);
    if (e == 0)
        e = store_trace_write(t->o->pool, t->flying.data, t->flying.len,
                              t->o->opts.trace_retention_ms, on_written, t);
    if (e < 0) {
        loop_timer_start(t->timer, RETRY_MS, 0);
        return;
    }
    t->is_sending = true;
    op_begin(t->o, &t->op, NULL);
}

static void sink(void *user, enum log_level level UNUSED, const char *request_id, const char *json)
{
    struct tracer *t = user;
    if (str_is_empty(request_id))
        return;
    size_t before = t->waiting.len;
    int e = buf_append_char(&t->waiting, before == 0 ? '[' : ',');
    if (e == 0)
        e = buf_append_str(&t->waiting, json);
    if (e < 0) {
        t->o->trace_dropped++;
        t->waiting.len = before;
        if (t->waiting.data)
            t->waiting.data[before] = '\0';
        return;
    }
    if (t->waiting_count++ == 0 && !t->is_sending && t->flying.len == 0)
        loop_timer_start(t->timer, TRACE_FLUSH_MS, 0);
}

int trace_begin(struct orchestrator *o)
{
    struct tracer *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->o = o;
    buf_init(&t->waiting, o->opts.trace_queue_bytes);
    buf_init(&t->flying, o->opts.trace_queue_bytes);
    int e = loop_timer_new(o->loop, write_batch, t, &t->timer);
    if (e == 0)
        e = log_add_sink(sink, t);
    if (e < 0) {
        tracer_free(t);
        return e;
    }
    loop_timer_start(t->timer, IDLE_MS, 0);
    o->tracer = t;
    return 0;
}

/* ---- reading ---- */

struct asking {
    struct op op;
    trace_fn fn;
    void *user;
};

static void cancelled(struct op *op, const struct problem *p)
{
    struct asking *a = CONTAINER_OF(op, struct asking, op);
    a->fn(a->user, p, NULL);
}

static void got(void *user, int err, const struct trace *t)
{
    struct asking *a = user;
    struct problem p;
    if (op_end(&a->op)) {
        if (err < 0)
            (void)problem_store(&p, err, ERROR_TRACE);
        a->fn(a->user, err < 0 ? &p : NULL, err < 0 ? NULL : t);
    }
    free(a);
}

int trace_get(struct orchestrator *o, const struct principal *who, const char *request_id,
              trace_fn fn, void *user, struct problem *p)
{
    if (!policy_allows(who, POLICY_TRACE, NULL))
        return policy_refuse(p, POLICY_TRACE);
    if (str_is_empty(request_id))
        return problem_set(p, ERR_INVALID, ERROR_TRACE, "request_id is required");
    struct asking *a = calloc(1, sizeof *a);
    if (!a)
        return problem_store(p, ERR_NOMEM, ERROR_TRACE);
    a->fn = fn;
    a->user = user;
    int e = store_trace_get(o->pool, request_id, got, a);
    if (e < 0) {
        free(a);
        return problem_store(p, e, ERROR_TRACE);
    }
    op_begin(o, &a->op, cancelled);
    return 0;
}
