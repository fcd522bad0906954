/* Showing and listing executions for a person: who may, then PostgreSQL, then the answer. */
#include "base/str.h"
#include "db/store_executions.h"
#include "orchestrator/internal.h"
#include "orchestrator/policy.h"

#define ERROR_GET "failed to get execution"
#define ERROR_LIST "failed to list executions"

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
