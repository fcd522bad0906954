/*
 * Ends an execution whose feed cannot be used, by statements of our own: its row is read, the
 * transition that follows from it written, guarded like all others; whatever fails is tried again
 * by the execution's timer.
 *
 *   wanted ─▶ row read ─▶ transition sent ─▶ committed: over
 *     ▲          │ └▶ terminal: over; another owner or fence: forgotten
 *     └──────────┴────────────┘ (error, or the row changed in between)
 */
#include "orchestrator/live.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store_executions.h"
#include "logs/writer.h"

struct ending {
    struct op op;
    struct live *l;
    struct exec_state to;
    size_t steps;
};

static void ended(struct live *l, const struct exec_state *s)
{
    l->row.state = *s;
    row_publish(l->o, &l->row);
    live_committed(l, s);
}

static void written(void *user, int err, const struct db_result *r)
{
    struct ending *e = user;
    struct live *l = e->l;
    if (op_end(&e->op)) {
        l->is_ending = false;
        bool done = err == 0;
        for (size_t i = 0; done && i < e->steps; i++)
            done = db_affected(r, i) == 1;
        if (done)
            ended(l, &e->to);
        else if (err < 0)
            log_warn("cannot end an execution yet", "execution_id", l->row.id.hex, "error",
                     err_name(err));
    }
    free(e);
}

/* Sends what follows from the row's state. 0: fn will be called. */
static int send_transition(struct ending *e, const struct execution *row)
{
    struct live *l = e->l;
    const struct run_input in = {.event = l->end_event, .now_us = clock_wall_us()};
    struct run_step steps[RUN_STEPS_MAX];
    struct exec_state from = row->state;
    struct db_batch *b;
    e->steps = run_decide(&from, &in, steps);
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < e->steps; i++) {
        e->to = steps[i].to;
        e->to.version = from.version + 1;
        r = store_transition_add(b, row->key, row->owner, row->fence, &from, &e->to, steps[i].cause,
                                 "");
        from = e->to;
    }
    if (r < 0 || e->steps == 0) {
        db_batch_free(b);
        return r < 0 ? r : ERR_INTERNAL;
    }
    return db_submit(l->o->pool, b, written, e);
}

static void row_read(void *user, int err, const struct execution *row)
{
    struct ending *e = user;
    struct live *l = e->l;
    if (!op_end(&e->op)) {
        free(e);
        return;
    }
    bool is_ours = err == 0 && row->fence == l->row.fence && str_eq(row->owner, l->o->gateway_id);
    if (is_ours && !exec_status_is_terminal(row->state.status) && send_transition(e, row) == 0) {
        op_begin(l->o, &e->op, NULL);
        return;
    }
    l->is_ending = false;
    if (is_ours && exec_status_is_terminal(row->state.status))
        ended(l, &row->state);
    else if (err == ERR_NOT_FOUND || (err == 0 && !is_ours))
        live_forget(l);
    free(e);
}

void live_ending_tick(struct live *l)
{
    if (l->is_ending)
        return;
    struct ending *e = calloc(1, sizeof *e);
    if (!e)
        return;
    e->l = l;
    if (store_execution_get(l->o->pool, &l->row.id, row_read, e) < 0) {
        free(e);
        return;
    }
    l->is_ending = true;
    op_begin(l->o, &e->op, NULL);
}

void live_end_directly(struct live *l, enum run_event event)
{
    l->end_event = event;
    l->pending_count = 0;
    if (l->feed)
        feed_free(TAKE_PTR(l->feed));
    live_poke(l);
}
