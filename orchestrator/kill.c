/*
 * Stopping an execution for a person.
 *
 *   row read, may they? ─▶ ended, TERMINATING: answered as it is
 *        ▲    └▶ live here: TERMINATING (PENDING: STOPPED) queued ─▶ committed: answered; the
 *        │       execution tells its runner itself (live.c)
 *        └ (50 ms) live, ours, but not here: its row is just being created or ended
 */
#include "base/clock.h"
#include "base/str.h"
#include "db/store_executions.h"
#include "logs/writer.h"
#include "orchestrator/live.h"
#include "orchestrator/policy.h"

#include <stdio.h>

#define ERROR_KILL "failed to kill execution"
#define AGAIN_MS 50
#define TRIES_MAX 40

struct kill {
    struct op op;
    struct live_waiter waiter;
    struct loop_timer *again;
    struct principal who;
    struct execution_id id;
    char request_id[65];
    unsigned tries;
    bool is_asking; /* a store callback will come */
    bool stopped_now;
    orchestrator_kill_fn fn;
    void *user;
};

static void kill_free(struct kill *k)
{
    list_remove(&k->waiter.node);
    loop_timer_free(k->again);
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

static int act(struct kill *k, const struct execution *row, struct problem *p)
{
    struct orchestrator *o = k->op.o;
    if (!policy_allows(&k->who, POLICY_STOP, row->created_by))
        return policy_refuse(p, POLICY_STOP);
    if (row->state.status == EXEC_TERMINATING || exec_status_is_terminal(row->state.status)) {
        (void)op_end(&k->op);
        k->fn(k->user, NULL, row, false);
        kill_free(k);
        return 0;
    }
    if (!str_eq(row->owner, o->gateway_id))
        return problem_set(p, ERR_CLOSED, ERROR_KILL,
                           "the execution runs on gateway %.128s, which has to be asked",
                           row->owner);
    struct live *l = live_find(o, row->key);
    if (l && l->feed && !l->is_over) {
        stop(k, l);
        return 0;
    }
    if (++k->tries > TRIES_MAX)
        return problem_set(p, ERR_CLOSED, ERROR_KILL, "the execution is changing; try again");
    loop_timer_start(k->again, AGAIN_MS, 0);
    return 0;
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

int orchestrator_kill(struct orchestrator *o, const struct principal *who,
                      const struct execution_id *id, const char *request_id,
                      orchestrator_kill_fn fn, void *user, struct problem *p)
{
    int r = problem_unless_started(o, p, ERROR_KILL);
    if (r < 0 && !o->is_leaving) /* stopping goes on while the server leaves */
        return r;
    struct kill *k = calloc(1, sizeof *k);
    if (!k)
        return problem_store(p, ERR_NOMEM, ERROR_KILL);
    list_init(&k->waiter.node);
    k->waiter.fn = committed;
    k->who = *who;
    k->id = *id;
    k->fn = fn;
    k->user = user;
    (void)snprintf(k->request_id, sizeof k->request_id, "%s", request_id ? request_id : "");
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
