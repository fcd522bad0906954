/* Running, showing and listing executions for a person: who may, then PostgreSQL, then the answer.
 */
#include "base/clock.h"
#include "base/str.h"
#include "db/store_executions.h"
#include "orchestrator/live.h"
#include "orchestrator/policy.h"
#include "orchestrator/request.h"

#include <sodium.h>
#include <string.h>

#define ERROR_RUN "failed to run command"
#define ERROR_GET "failed to get execution"
#define ERROR_LIST "failed to list executions"

/* ---- run ---- */

struct run {
    struct op op;
    orchestrator_execution_fn fn;
    void *user;
    char **env;
    uint64_t random;
    int64_t asked_us;
    char email[sizeof((struct principal *)0)->email];
};

static void run_free(struct run *run)
{
    strings_free(run->env);
    free(run);
}

static void run_cancelled(struct op *op, const struct problem *p)
{
    struct run *run = CONTAINER_OF(op, struct run, op);
    run->fn(run->user, p, NULL);
}

static void row_created(void *user, int err, const struct execution *row)
{
    struct run *run = user;
    struct orchestrator *o = run->op.o;
    struct live *l = NULL;
    struct problem p;
    if (!op_end(&run->op)) {
        run_free(run);
        return;
    }
    o->creating--;
    if (err == 0)
        err = live_new(o, row, &l);
    if (err < 0) {
        /* The row may be there: nobody would ever start or end it. */
        if (err != ERR_DB && err != ERR_CONFLICT && err != ERR_CLOSED)
            doubt_note(o, run->email, run->random, run->asked_us);
        (void)problem_store(&p, err, ERROR_RUN);
        run->fn(run->user, &p, NULL);
    } else {
        run->fn(run->user, NULL, &l->row);
        live_launch(l, run->env);
    }
    run_free(run);
}

static int check_room(const struct orchestrator *o, struct problem *p)
{
    size_t live = orchestrator_live_count(o) + o->creating;
    if (live < o->opts.max_live)
        return 0;
    return problem_set(p, ERR_LIMIT, ERROR_RUN,
                       "%zu executions are live, as many as this server takes; try again later",
                       live);
}

static int create_row(struct orchestrator *o, const struct principal *who,
                      const struct run_request *r, const struct request_limits *limits,
                      struct run *run)
{
    const struct store_new_execution row = {
        .status = EXEC_STARTING,
        .command = r->command,
        .image_id = o->engine->ops->image,
        .created_by = who->email,
        .owner = o->gateway_id,
        .request_id = r->request_id ? r->request_id : "",
        .random = run->random,
        .timeout_s = limits->timeout_s,
        .grace_s = limits->grace_s,
        .tty = r->tty,
    };
    return store_execution_create(o->pool, &row, row_created, run);
}

int orchestrator_run(struct orchestrator *o, const struct principal *who,
                     const struct run_request *r, orchestrator_execution_fn fn, void *user,
                     struct problem *p)
{
    struct request_limits limits;
    if (!policy_allows(who, POLICY_RUN, NULL))
        return policy_refuse(p, POLICY_RUN);
    int e = request_check(o, r, &limits, p);
    if (e == 0)
        e = problem_unless_started(o, p, ERROR_RUN);
    if (e == 0)
        e = check_room(o, p);
    if (e < 0)
        return e;
    struct run *run = calloc(1, sizeof *run);
    if (!run || request_env(r, &run->env) < 0) {
        free(run);
        return problem_store(p, ERR_NOMEM, ERROR_RUN);
    }
    run->fn = fn;
    run->user = user;
    run->asked_us = clock_wall_us();
    randombytes_buf(&run->random, sizeof run->random);
    memcpy(run->email, who->email, sizeof run->email);
    e = create_row(o, who, r, &limits, run);
    if (e < 0) {
        run_free(run);
        return problem_store(p, e, ERROR_RUN);
    }
    o->creating++;
    op_begin(o, &run->op, run_cancelled);
    return 0;
}

/* ---- get ---- */

struct get {
    struct op op;
    struct principal who;
    enum policy_action action;
    orchestrator_execution_fn fn;
    void *user;
};

static void get_cancelled(struct op *op, const struct problem *p)
{
    struct get *g = CONTAINER_OF(op, struct get, op);
    g->fn(g->user, p, NULL);
}

static void got(void *user, int err, const struct execution *e)
{
    struct get *g = user;
    struct problem p;
    if (op_end(&g->op)) {
        int r = 0;
        if (err == ERR_NOT_FOUND)
            r = problem_no_execution(&p, ERROR_GET);
        else if (err < 0)
            r = problem_store(&p, err, ERROR_GET);
        else if (!policy_allows(&g->who, g->action, e->created_by))
            r = policy_refuse(&p, g->action);
        g->fn(g->user, r < 0 ? &p : NULL, r < 0 ? NULL : e);
    }
    free(g);
}

int orchestrator_get(struct orchestrator *o, const struct principal *who, enum action action,
                     const struct execution_id *id, orchestrator_execution_fn fn, void *user,
                     struct problem *p)
{
    struct get *g = calloc(1, sizeof *g);
    if (!g)
        return problem_store(p, ERR_NOMEM, ERROR_GET);
    g->who = *who;
    g->action = action == ACTION_STOP ? POLICY_STOP : POLICY_READ;
    g->fn = fn;
    g->user = user;
    int r = store_execution_get(o->pool, id, got, g);
    if (r < 0) {
        free(g);
        return problem_store(p, r, ERROR_GET);
    }
    op_begin(o, &g->op, get_cancelled);
    return 0;
}

/* ---- list ---- */

struct listing {
    struct op op;
    orchestrator_executions_fn fn;
    void *user;
    struct loop_defer *empty; /* the answer is empty without asking */
};

static void listing_free(struct listing *g)
{
    loop_defer_free(g->empty);
    free(g);
}

static void list_cancelled(struct op *op, const struct problem *p)
{
    struct listing *g = CONTAINER_OF(op, struct listing, op);
    g->fn(g->user, p, NULL, 0);
    if (g->empty)
        listing_free(g);
}

static void listed(void *user, int err, const struct execution *rows, size_t n)
{
    struct listing *g = user;
    struct problem p;
    if (op_end(&g->op)) {
        if (err < 0)
            (void)problem_store(&p, err, ERROR_LIST);
        g->fn(g->user, err < 0 ? &p : NULL, err < 0 ? NULL : rows, err < 0 ? 0 : n);
    }
    listing_free(g);
}

static void listed_nothing(void *user)
{
    listed(user, 0, NULL, 0);
}

static int list_rows(struct orchestrator *o, const struct execution_filter *f, const char *only,
                     struct listing *g)
{
    const struct store_execution_filter filter = {
        .status_mask = f->status_mask,
        .created_by = only ? only : f->created_by,
        .since_us = f->since_us,
        .until_us = f->until_us,
        .before_key = f->before_key,
        .limit = f->limit,
    };
    if (f->limit > 0 && (!only || !f->created_by || str_eq(only, f->created_by)))
        return store_execution_list(o->pool, &filter, listed, g);
    /* Others' executions, asked for by one who sees only their own: there are none to see. */
    int r = loop_defer_new(o->loop, listed_nothing, g, &g->empty);
    if (r == 0)
        loop_defer_schedule(g->empty);
    return r;
}

int orchestrator_list(struct orchestrator *o, const struct principal *who,
                      const struct execution_filter *f, orchestrator_executions_fn fn, void *user,
                      struct problem *p)
{
    enum policy_scope scope = policy_scope(who->role, POLICY_LIST);
    if (scope == POLICY_NONE)
        return policy_refuse(p, POLICY_LIST);
    struct listing *g = calloc(1, sizeof *g);
    if (!g)
        return problem_store(p, ERR_NOMEM, ERROR_LIST);
    g->fn = fn;
    g->user = user;
    int r = list_rows(o, f, scope == POLICY_OWN ? who->email : NULL, g);
    if (r < 0) {
        listing_free(g);
        return problem_store(p, r, ERROR_LIST);
    }
    op_begin(o, &g->op, list_cancelled);
    return 0;
}
