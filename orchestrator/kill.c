/*
 * Stopping an execution for a person.
 *
 *   row read, may they? ─▶ ended, TERMINATING: answered as it is
 *      ▲ ▲    ├▶ waits in the queue: STOPPED by a statement of our own ─▶ answered
 *      │ │    │                      └▶ it has left the queue meanwhile: read again
 *      │ │    └▶ live here ─▶ told in the audit ─▶ TERMINATING queued ─▶ committed: answered; the
 *      │ │                                         execution tells its runner itself (live.c)
 *      │ │    └▶ another gateway's ─▶ told in the audit ─▶ that one is told, each second until the
 *      │ │                                                row shows it
 *      │ └ (50 ms) live, ours, but not here: its row is just being created or ended
 *      └ the audit found it ended
 */
#include "base/clock.h"
#include "base/str.h"
#include "db/store_executions.h"
#include "db/store_runs.h"
#include "logs/writer.h"
#include "orchestrator/live.h"
#include "orchestrator/policy.h"
#include "orchestrator/queue.h"

#define ERROR_KILL "failed to kill execution"
#define AGAIN_MS 50
#define TRIES_MAX 40
#define TELL_EVERY 20      /* looks: a second */
#define TELL_TRIES_MAX 200 /* ten seconds: as long as a listener may be away */

struct kill {
    struct op op;
    struct live_waiter waiter;
    struct loop_timer *again;
    struct principal who;
    struct execution_id id;
    char *address, *request_id;
    struct execution row;  /* while something is written about it */
    struct exec_state to;  /* of one that waits in the queue */
    unsigned tries, tells; /* looks at a row of ours; at another gateway's that was told */
    bool is_asking;        /* a store callback will come */
    bool stopped_now;
    orchestrator_kill_fn fn;
    void *user;
};

static void kill_free(struct kill *k)
{
    list_remove(&k->waiter.node);
    loop_timer_free(k->again);
    execution_done(&k->row);
    free(k->address);
    free(k->request_id);
    free(k);
}

static void cancelled(struct op *op, const struct problem *p)
{
    struct kill *k = CONTAINER_OF(op, struct kill, op);
    k->fn(k->user, p, NULL, false);
    if (!k->is_asking)
        kill_free(k);
}

static void refuse(struct kill *k, const struct problem *p)
{
    k->fn(k->user, p, NULL, false);
    kill_free(k);
}

static void committed(struct live_waiter *w, const struct execution *e)
{
    struct kill *k = CONTAINER_OF(w, struct kill, waiter);
    struct problem p;
    if (!op_end(&k->op))
        return; /* cancelled answers and frees */
    if (e) {
        k->fn(k->user, NULL, e, k->stopped_now);
        kill_free(k);
        return;
    }
    (void)problem_set(&p, ERR_CLOSED, ERROR_KILL, "the execution is no longer run by this server");
    refuse(k, &p);
}

static void ask(void *user);

static struct caller caller_of(const struct kill *k)
{
    return (struct caller){&k->who, k->address, k->request_id};
}

/* The execution is live here and its feed usable. */
static void stop(struct kill *k, struct live *l)
{
    const struct run_input in = {
        .event = RUN_STOP_ASKED, .who = k->who.email, .now_us = clock_wall_us()};
    k->stopped_now = live_event(l, &in, k->request_id, NULL) > 0;
    /* A step that the feed has not taken yet has no version: it will be the next. */
    int64_t version = feed_state(l->feed)->version + (int64_t)l->pending_count;
    live_wait(l, &k->waiter, version);
}

/* The live execution of the row, when it can be told. */
static struct live *find_live(const struct kill *k, int64_t key)
{
    struct live *l = live_find(k->op.o, key);
    return l && l->feed && !l->is_over ? l : NULL;
}

static int again(struct kill *k, int64_t delay_ms, struct problem *p)
{
    if (++k->tries > TRIES_MAX)
        return problem_set(p, ERR_CLOSED, ERROR_KILL, "the execution is changing; try again");
    loop_timer_start(k->again, delay_ms, 0);
    return 0;
}

static void end_with(struct kill *k, int r, const struct problem *p)
{
    if (r < 0 && op_end(&k->op))
        refuse(k, p);
}

/* A hint may be lost: again and again. */
static int tell(struct kill *k, const struct execution *row, struct problem *p)
{
    const struct orchestrator *o = k->op.o;
    if (!o->tell_stop || k->tells >= TELL_TRIES_MAX)
        return problem_set(p, ERR_CLOSED, ERROR_KILL,
                           "gateway %.128s, which runs the execution, does not answer", row->owner);
    if (k->tells++ % TELL_EVERY == 0)
        o->tell_stop(o->tell_stop_user, row->key, k->who.email, k->request_id);
    loop_timer_start(k->again, AGAIN_MS, 0);
    return 0;
}

static void told(void *user, int err, const struct db_result *r)
{
    struct kill *k = user;
    struct problem p;
    if (!k->op.o) {
        kill_free(k);
        return;
    }
    k->is_asking = false;
    if (err < 0) {
        end_with(k, problem_store(&p, err, ERROR_KILL), &p);
        return;
    }
    if (!str_eq(k->row.owner, k->op.o->gateway_id)) {
        end_with(k, tell(k, &k->row, &p), &p);
        return;
    }
    struct live *l = find_live(k, k->row.key);
    if (l && db_affected(r, 0) > 0)
        stop(k, l);
    else
        end_with(k, again(k, l ? 0 : AGAIN_MS, &p), &p);
}

static void dequeued(void *user, int err, const struct db_result *r UNUSED)
{
    struct kill *k = user;
    struct problem p;
    if (!k->op.o) {
        kill_free(k);
        return;
    }
    k->is_asking = false;
    if (err == ERR_STALE) {
        end_with(k, again(k, 0, &p), &p);
    } else if (err < 0) {
        end_with(k, problem_store(&p, err, ERROR_KILL), &p);
    } else {
        struct orchestrator *o = k->op.o;
        k->row.state = k->to;
        row_publish(o, &k->row);
        (void)op_end(&k->op);
        k->fn(k->user, NULL, &k->row, true);
        kill_free(k);
        queue_look(o); /* it may have stood before others */
    }
}

/* Written first, so that nothing is stopped that nobody knows of. */
static int write_down(struct kill *k, const struct execution *row, struct problem *p)
{
    const struct caller by = caller_of(k);
    const struct run_input in = {
        .event = RUN_STOP_ASKED, .who = k->who.email, .now_us = clock_wall_us()};
    struct run_step steps[RUN_STEPS_MAX];
    execution_done(&k->row);
    int r = execution_copy(&k->row, row);
    if (r == 0 && row->state.status == EXEC_PENDING) {
        (void)run_decide(&row->state, &in, steps);
        k->to = steps[0].to;
        k->to.version = row->state.version + 1;
        r = store_execution_cancel(k->op.o->pool, &by, &k->row, &k->to, steps[0].cause, dequeued,
                                   k);
    } else if (r == 0) {
        r = store_kill_audit(k->op.o->pool, &by, &k->row, told, k);
    }
    k->is_asking = r == 0;
    return r < 0 ? problem_store(p, r, ERROR_KILL) : 0;
}

/* By us, unless it ended by itself before its gateway heard of it. */
static void answer_as_it_is(struct kill *k, const struct execution *row)
{
    bool stopped = row->state.status == EXEC_TERMINATING || row->state.status == EXEC_STOPPED;
    (void)op_end(&k->op);
    k->fn(k->user, NULL, row, k->tells > 0 && stopped);
    kill_free(k);
}

static int act(struct kill *k, const struct execution *row, struct problem *p)
{
    struct orchestrator *o = k->op.o;
    if (!policy_allows(&k->who, POLICY_STOP, row->created_by))
        return policy_refuse(p, POLICY_STOP);
    if (row->state.status == EXEC_TERMINATING || exec_status_is_terminal(row->state.status)) {
        answer_as_it_is(k, row);
        return 0;
    }
    if (row->state.status == EXEC_PENDING)
        return write_down(k, row, p);
    if (!str_eq(row->owner, o->gateway_id))
        return k->tells > 0 || !o->tell_stop ? tell(k, row, p) : write_down(k, row, p);
    return find_live(k, row->key) ? write_down(k, row, p) : again(k, AGAIN_MS, p);
}

static void got(void *user, int err, const struct execution *row)
{
    struct kill *k = user;
    struct problem p;
    int r = 0;
    k->is_asking = false;
    if (!k->op.o) {
        kill_free(k);
        return;
    }
    if (err == ERR_NOT_FOUND)
        r = problem_no_execution(&p, ERROR_KILL);
    else if (err < 0)
        r = problem_store(&p, err, ERROR_KILL);
    else
        r = act(k, row, &p);
    if (r < 0 && op_end(&k->op))
        refuse(k, &p);
}

static int look_up(struct kill *k)
{
    int r = store_execution_get(k->op.o->pool, &k->id, got, k);
    k->is_asking = r == 0;
    return r;
}

static void ask(void *user)
{
    struct kill *k = user;
    struct problem p;
    int r = look_up(k);
    if (r < 0 && op_end(&k->op)) {
        (void)problem_store(&p, r, ERROR_KILL);
        refuse(k, &p);
    }
}

static int kill_new(const struct caller *by, const struct execution_id *id, struct kill **ret)
{
    struct kill *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    list_init(&k->waiter.node);
    k->waiter.fn = committed;
    k->who = *by->who;
    k->id = *id;
    if (str_set(&k->address, by->address) < 0 ||
        str_set(&k->request_id, by->request_id ? by->request_id : "") < 0) {
        kill_free(k);
        return ERR_NOMEM;
    }
    *ret = k;
    return 0;
}

int orchestrator_kill(struct orchestrator *o, const struct caller *by,
                      const struct execution_id *id, orchestrator_kill_fn fn, void *user,
                      struct problem *p)
{
    struct kill *k;
    int r = problem_unless_started(o, p, ERROR_KILL);
    if (r < 0 && !o->is_leaving) /* stopping goes on while the server leaves */
        return r;
    if (kill_new(by, id, &k) < 0)
        return problem_store(p, ERR_NOMEM, ERROR_KILL);
    k->fn = fn;
    k->user = user;
    op_begin(o, &k->op, cancelled);
    r = loop_timer_new(o->loop, ask, k, &k->again);
    if (r == 0)
        r = look_up(k);
    if (r < 0) {
        (void)op_end(&k->op);
        kill_free(k);
        return problem_store(p, r, ERROR_KILL);
    }
    return 0;
}
