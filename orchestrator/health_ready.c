/* What /readyz?verbose lists: looked at anew each time; only the engine is waited for. */
#include "orchestrator/health_internal.h"

#include "base/str.h"
#include "logs/writer.h"

#include <stdlib.h>

enum { LINE_DATABASE, LINE_ORCHESTRATOR, LINE_ENGINE, LINE_WRITER };

struct ready {
    struct op op;
    struct orchestrator *o; /* also when the operation was cancelled */
    struct loop_timer *timer;
    health_ready_fn fn;
    void *user;
    bool asks;
    struct health_line lines[HEALTH_READY_LINES];
};

static void set(struct health_line *l, const char *name, bool is_ok, const char *why_not)
{
    l->name = name;
    l->is_ok = is_ok;
    if (str_copy(l->details, sizeof l->details, is_ok ? "" : why_not) < 0)
        l->details[0] = '\0';
}

static void answer(struct ready *r)
{
    if (r->asks)
        r->o->engine->ops->forget(r->o->engine, r);
    loop_timer_free(r->timer);
    r->fn(r->user, r->lines, HEALTH_READY_LINES);
    free(r);
}

static void cancelled(struct op *op, const struct problem *p)
{
    struct ready *r = CONTAINER_OF(op, struct ready, op);
    set(&r->lines[LINE_ORCHESTRATOR], "orchestrator", false, p->details);
    answer(r);
}

static void on_engine(void *user, int err, const struct problem *p)
{
    struct ready *r = user;
    r->asks = false;
    set(&r->lines[LINE_ENGINE], "engine", err == 0, err < 0 ? p->details : "");
    (void)!op_end(&r->op);
    answer(r);
}

static void on_timer(void *user)
{
    struct ready *r = user;
    if (r->asks)
        set(&r->lines[LINE_ENGINE], "engine", false, "no answer within --health-check-timeout");
    (void)!op_end(&r->op);
    answer(r);
}

int health_ready(struct orchestrator *o, health_ready_fn fn, void *user)
{
    struct ready *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->o = o;
    r->fn = fn;
    r->user = user;
    int e = loop_timer_new(o->loop, on_timer, r, &r->timer);
    if (e < 0) {
        free(r);
        return e;
    }
    set(&r->lines[LINE_DATABASE], "database", db_pool_is_ready(o->pool), "it cannot be reached");
    set(&r->lines[LINE_ORCHESTRATOR], "orchestrator", o->is_started && !o->is_leaving,
        o->is_leaving ? "the server is leaving" : "it has not started yet");
    set(&r->lines[LINE_ENGINE], "engine", true, "");
    set(&r->lines[LINE_WRITER], "writer", db_pool_is_ready(writer_pool(o->writer)),
        "its connection to the database is not there: log lines wait in their spools");
    const struct engine_ops *ops = o->engine->ops;
    r->asks = ops->check && ops->check(o->engine, on_engine, r) == 0;
    if (ops->check && !r->asks)
        set(&r->lines[LINE_ENGINE], "engine", false, "it cannot be asked");
    loop_timer_start(r->timer, r->asks ? o->opts.health_timeout_ms : 0, 0);
    op_begin(o, &r->op, cancelled);
    return 0;
}
