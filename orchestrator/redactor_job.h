/* The redactor of a plan with long secrets, built in the thread pool: 64 KiB of them take a quarter
 * of a second. */
#ifndef TAILGATE_ORCHESTRATOR_REDACTOR_JOB_H
#define TAILGATE_ORCHESTRATOR_REDACTOR_JOB_H

#include "base/loop.h"

struct plan;
struct redactor;
struct redactor_job;
/* err as of plan_redactor, or ERR_CLOSED (the loop ends). r is the callee's from now on. */
typedef void (*redactor_job_fn)(void *user, int err, struct redactor *r);

/* What it needs of the plan is copied. fn is called once, in a later turn of the loop; the job is
 * gone then. ret: for who may forget it, or NULL. ERR_NOMEM, ERR_CLOSED: fn is not called. */
MUST_CHECK int redactor_job_start(struct loop *l, const struct plan *p, redactor_job_fn fn,
                                  void *user, struct redactor_job **ret);
void redactor_job_forget(struct redactor_job *j); /* fn is not called; NULL is fine */

#endif
