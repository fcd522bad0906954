#include "orchestrator/redactor_job.h"

#include "base/err.h"
#include "logs/redact.h"
#include "orchestrator/plan.h"

#include <sodium.h>

struct redactor_job {
    redactor_job_fn fn; /* NULL: forgotten */
    void *user;
    struct plan plan; /* a copy */
    int err;
    struct redactor *redactor;
};

static void job_free(struct redactor_job *j)
{
    plan_done(&j->plan);
    redactor_free(j->redactor);
    free(j);
}

/* In a thread. */
static void build(void *user)
{
    struct redactor_job *j = user;
    j->err = plan_redactor(&j->plan, &j->redactor);
}

static void on_built(void *user, int err)
{
    struct redactor_job *j = user;
    if (j->fn)
        j->fn(j->user, err < 0 ? err : j->err, TAKE_PTR(j->redactor));
    job_free(j);
}

static int copy_plan(const struct plan *p, struct plan *ret)
{
    struct buf plain = {.max = PLAN_BYTES_MAX};
    int err = plan_encode(p, &plain);
    if (err == 0)
        err = plan_decode(plain.data, plain.len, ret);
    if (plain.data)
        sodium_memzero(plain.data, plain.cap);
    buf_done(&plain);
    return err;
}

int redactor_job_start(struct loop *l, const struct plan *p, redactor_job_fn fn, void *user,
                       struct redactor_job **ret)
{
    struct redactor_job *j = calloc(1, sizeof *j);
    if (!j)
        return ERR_NOMEM;
    j->fn = fn;
    j->user = user;
    plan_init(&j->plan);
    int err = copy_plan(p, &j->plan);
    if (err == 0)
        err = loop_work_submit(l, build, on_built, j);
    if (err < 0) {
        job_free(j);
        return err;
    }
    if (ret)
        *ret = j;
    return 0;
}

void redactor_job_forget(struct redactor_job *j)
{
    if (j)
        j->fn = NULL;
}
