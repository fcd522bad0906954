/* A reconcile's life: who waits for it, its checks one after the other, and its schedule. */
#include "orchestrator/health_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/store_audit.h"
#include "orchestrator/policy.h"

#include <stdio.h>
#include <stdlib.h>

#define ERROR_RECONCILE "failed to reconcile"
#define LOGGED_MAX 20 /* issues of a scheduled one */

/* The engine first: without it nothing is asked of it. */
static const struct health_step steps[] = {
    {"engine", "engine", health_check_engine},
    {"execution", "executions", health_check_rows},
    {"execution", "runners", health_check_runners},
    {"image", "images", health_check_images},
    {"container", "containers", health_check_containers},
    {"run_directory", "run directories", health_check_directories},
    {"secret", "sealed leftovers", health_check_sweep},
    {"secret", "secrets", health_check_secrets},
    {"database_role", "database rights", health_check_rights},
    {"file", "files", health_check_files},
    {"ownership", "roles and owners", health_check_owners},
};

struct health_waiter {
    struct op op;
    struct list node;
    health_fn fn;
    void *user;
};

static void begin(struct health *h);

/* ---- a check ---- */

static void check_free(struct health_check *c)
{
    buf_done(&c->names);
    buf_done(&c->gone);
    free(c);
}

static bool drop(struct health_check *c)
{
    bool lives = c->h != NULL;
    if (--c->refs == 0)
        check_free(c);
    return lives;
}

void health_hold(struct health_check *c)
{
    c->refs++;
}

bool health_release(struct health_check *c)
{
    return drop(c);
}

void health_hold_engine(struct health_check *c)
{
    c->refs++;
    c->asks_engine = true;
}

bool health_release_engine(struct health_check *c)
{
    c->asks_engine = false;
    return drop(c);
}

/* No answer of the engine comes any more; others find it over. */
static void end_check(struct health *h)
{
    struct health_check *c = TAKE_PTR(h->check);
    if (!c)
        return;
    loop_timer_free(c->timer);
    loop_timer_free(c->turn);
    c->timer = c->turn = NULL;
    c->h = NULL;
    if (c->asks_engine) {
        c->asks_engine = false;
        h->o->engine->ops->forget(h->o->engine, c);
        c->refs--; /* never the last */
    }
    (void)drop(c);
}

void health_done(struct health_check *c)
{
    struct health *h = c->h;
    if (!h)
        return;
    end_check(h);
    h->step++;
    loop_timer_start(h->next, 0, 0);
}

void health_failed(struct health_check *c, int err, const char *details)
{
    char message[320];
    (void)snprintf(message, sizeof message, "the check of %s failed: %s", c->step->name,
                   details ? details : err_name(err));
    health_issue(&c->h->report, HEALTH_ERROR, c->step->resource_type, "", message,
                 "look at the server's log, then reconcile again");
    health_done(c);
}

static void on_timeout(void *user)
{
    health_failed(user, ERR_TIMEOUT, "no answer within --health-check-timeout");
}

static int start_check(struct health *h)
{
    struct health_check *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct health_check){.h = h, .step = &steps[h->step], .refs = 1};
    buf_init(&c->names, HEALTH_NAMES_BYTES);
    buf_init(&c->gone, HEALTH_NAMES_BYTES);
    h->check = c;
    int r = loop_timer_new(h->o->loop, on_timeout, c, &c->timer);
    if (r < 0)
        return r;
    loop_timer_start(c->timer, h->o->opts.health_timeout_ms, 0);
    c->refs++; /* begin may end it */
    r = c->step->begin(c);
    if (r < 0 && c->h)
        health_failed(c, r, NULL);
    (void)drop(c);
    return 0;
}

/* ---- a reconcile ---- */

static void log_report(const struct health_report *r)
{
    for (size_t i = 0; i < r->issue_count && i < LOGGED_MAX; i++) {
        const struct health_issue *one = &r->issues[i];
        log_warn("reconcile found", "type", one->resource_type, "id", one->resource_id, "message",
                 one->message, "action", one->action);
    }
    log_info("reconciled", "status", health_status(r), "errors", LOG_NUM(r->errors), "repaired",
             LOG_NUM(r->reconciled), "issues", LOG_NUM((int64_t)r->issue_count));
}

static void finish(struct health *h)
{
    h->is_running = false;
    log_report(&h->report);
    LIST_FOREACH_SAFE (node, &h->waiters) {
        struct health_waiter *w = LIST_ENTRY(node, struct health_waiter, node);
        list_remove(node);
        if (op_end(&w->op))
            w->fn(w->user, NULL, &h->report);
        free(w);
    }
    if (!h->is_running) /* an answer may have asked for the next */
        health_report_done(&h->report);
}

static void next(void *user)
{
    struct health *h = user;
    if (h->step == ARRAY_SIZE(steps)) {
        finish(h);
        return;
    }
    int r = start_check(h);
    if (r < 0) {
        health_issue(&h->report, HEALTH_ERROR, steps[h->step].resource_type, "",
                     "the check could not be made: out of memory", "reconcile again");
        end_check(h);
        h->step++;
        loop_timer_start(h->next, 0, 0);
    }
}

static void begin(struct health *h)
{
    if (h->is_running)
        return;
    health_report_init(&h->report);
    h->report.at_us = clock_wall_us();
    buf_clear(&h->images);
    h->is_running = true;
    h->engine_away = false;
    h->step = 0;
    loop_timer_start(h->next, 0, 0);
}

static void on_schedule(void *user)
{
    struct health *h = user;
    if (h->o->is_started && !h->o->is_leaving)
        begin(h);
}

/* ---- who asks ---- */

static void cancelled(struct op *op, const struct problem *p)
{
    struct health_waiter *w = CONTAINER_OF(op, struct health_waiter, op);
    w->fn(w->user, p, NULL);
}

static void on_noted(void *user, int err, const struct db_result *r UNUSED)
{
    struct health_waiter *w = user;
    struct orchestrator *o = w->op.o;
    struct problem p;
    if (!o) {
        free(w);
        return;
    }
    if (err < 0) {
        (void)op_end(&w->op);
        (void)problem_store(&p, err, ERROR_RECONCILE);
        w->fn(w->user, &p, NULL);
        free(w);
        return;
    }
    list_append(&o->health->waiters, &w->node);
    begin(o->health);
}

static int note(struct orchestrator *o, const struct caller *by, struct health_waiter *w)
{
    const struct store_audit entry = {
        .by = *by, .action = "health.reconcile", .resource = "", .result = "ok"};
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    r = store_audit_add(b, &entry);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return db_submit(o->pool, b, on_noted, w);
}

int health_reconcile(struct orchestrator *o, const struct caller *by, health_fn fn, void *user,
                     struct problem *p)
{
    if (!policy_allows(by->who, POLICY_RECONCILE, NULL))
        return policy_refuse(p, POLICY_RECONCILE);
    if (problem_unless_started(o, p, ERROR_RECONCILE) < 0)
        return p->err;
    struct health_waiter *w = o->health ? calloc(1, sizeof *w) : NULL;
    if (!w)
        return problem_store(p, o->health ? ERR_NOMEM : ERR_INTERNAL, ERROR_RECONCILE);
    list_init(&w->node);
    w->fn = fn;
    w->user = user;
    int r = note(o, by, w);
    if (r < 0) {
        free(w);
        return problem_store(p, r, ERROR_RECONCILE);
    }
    op_begin(o, &w->op, cancelled);
    return 0;
}

/* ---- life cycle ---- */

int health_begin(struct orchestrator *o)
{
    int64_t interval_ms = o->opts.reconcile_interval_ms;
    struct health *h = calloc(1, sizeof *h);
    if (!h)
        return ERR_NOMEM;
    h->o = o;
    list_init(&h->waiters);
    buf_init(&h->images, (size_t)1 << 20);
    int r = loop_timer_new(o->loop, next, h, &h->next);
    if (r == 0)
        r = loop_timer_new(o->loop, on_schedule, h, &h->schedule);
    if (r < 0) {
        health_free(h);
        return r;
    }
    if (interval_ms > 0)
        loop_timer_start(h->schedule, interval_ms, interval_ms);
    o->health = h;
    return 0;
}

void health_free(struct health *h)
{
    if (!h)
        return;
    end_check(h);
    LIST_FOREACH_SAFE (node, &h->waiters) { /* they were told */
        list_remove(node);
        free(LIST_ENTRY(node, struct health_waiter, node));
    }
    loop_timer_free(h->schedule);
    loop_timer_free(h->next);
    buf_done(&h->images);
    health_report_done(&h->report);
    free(h);
}
