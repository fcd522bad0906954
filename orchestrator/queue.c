/* Taking executions from the queue (queue.h). */
#include "orchestrator/queue.h"

#include "base/log.h"
#include "db/store_runs.h"
#include "orchestrator/live.h"

#define LOOK_MS 1000       /* for places that other gateways freed */
#define LOOK_RARE_MS 10000 /* without a queue: what one that is gone has left */

struct queue {
    struct orchestrator *o;
    struct loop_timer *timer;
    bool is_asking;
    bool again;   /* a place became free meanwhile */
    bool is_lost; /* an answer did not come: what was taken has to be found */
};

struct question {
    struct op op;
    bool is_for_lost;
};

static bool may_look(const struct orchestrator *o)
{
    return o->is_started && !o->is_leaving && !o->queue->is_asking &&
           orchestrator_live_count(o) + o->creating < o->opts.max_live;
}

static void launch(struct orchestrator *o, const struct store_launch *launch)
{
    struct live *l;
    if (live_find(o, launch->row.key))
        return;
    if (live_new(o, &launch->row, &l) < 0) {
        o->queue->is_lost = true; /* a later look finds it */
        return;
    }
    if (doubt_is_about(o, &launch->row.id)) {
        live_end_directly(l, RUN_START_FAILED); /* its client was told that it failed */
        return;
    }
    log_info("execution leaves the queue", "execution_id", launch->row.id.hex);
    row_publish(l->o, &l->row);
    live_resume(l, launch);
}

static void answered(void *user, int err, const struct store_launch *rows, size_t n)
{
    struct question *q = user;
    struct orchestrator *o = q->op.o;
    bool is_for_lost = q->is_for_lost;
    bool is_here = op_end(&q->op);
    free(q);
    if (!is_here)
        return;
    struct queue *queue = o->queue;
    queue->is_asking = false;
    if (err < 0) {
        queue->is_lost = queue->is_lost || (err != ERR_DB && err != ERR_CLOSED);
        log_warn("cannot look at the queue", "error", err_name(err));
        return; /* the timer asks again */
    }
    if (is_for_lost)
        queue->is_lost = false;
    for (size_t i = 0; i < n; i++)
        launch(o, &rows[i]);
    if ((n > 0 && !queue->is_lost) || queue->again)
        queue_look(o);
}

void queue_look(struct orchestrator *o)
{
    struct queue *queue = o->queue;
    if (queue->is_asking)
        queue->again = true;
    if (!may_look(o))
        return;
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        return; /* the timer asks again */
    const struct store_run_limits limits = {o->opts.max_running, o->opts.max_running_per_user};
    q->is_for_lost = queue->is_lost;
    int err = queue->is_lost
                  ? store_execution_dequeued(o->pool, o->gateway_id, answered, q)
                  : store_execution_dequeue(o->pool, o->gateway_id, &limits, answered, q);
    if (err < 0) {
        free(q);
        return;
    }
    queue->again = false;
    queue->is_asking = true;
    op_begin(o, &q->op, NULL);
}

static void tick(void *user)
{
    const struct queue *q = user;
    queue_look(q->o);
}

int queue_new(struct orchestrator *o, struct queue **ret)
{
    struct queue *q = calloc(1, sizeof *q);
    if (!q)
        return ERR_NOMEM;
    q->o = o;
    int err = loop_timer_new(o->loop, tick, q, &q->timer);
    if (err < 0) {
        free(q);
        return err;
    }
    *ret = q;
    return 0;
}

void queue_start(struct queue *q)
{
    loop_timer_start(q->timer, 0, q->o->opts.queue_max > 0 ? LOOK_MS : LOOK_RARE_MS);
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    loop_timer_free(q->timer);
    free(q);
}
