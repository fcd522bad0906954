/*
 * What the orchestrator asks of an engine, as an operations table. An engine starts, stops and
 * inspects what runs in a run directory; it never carries log bytes.
 */
#ifndef TAILGATE_ORCHESTRATOR_ENGINE_H
#define TAILGATE_ORCHESTRATOR_ENGINE_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/model.h"
#include "spool/rundir.h"

struct engine {
    const struct engine_ops *ops; /* first member of every engine */
};

/* err: 0 or why it did not start (p says it to a person). */
typedef void (*engine_fn)(void *user, int err, const struct problem *p);
/* The runner's process was seen to end (a hint: look at the spool). */
typedef void (*engine_gone_fn)(void *user);

struct engine_run {                  /* borrowed for the call of start */
    const char *run_dir, *workspace; /* absolute paths */
    const struct execution *row;
};

struct engine_ops {
    const char *name;  /* "process" */
    const char *image; /* the image id executions of this engine show when none is named: "host" */
    /*
     * Starts the runner in run_dir (spec, spool, ack are there); idempotent: one that runs already
     * is fine. on_gone may be called once, later. ERR_*: started nothing and calls nothing.
     */
    int (*start)(struct engine *e, const struct engine_run *run, engine_fn started,
                 engine_gone_fn on_gone, void *user);
    /* No further callbacks for this user pointer. */
    void (*forget)(struct engine *e, void *user);
    /* SIGTERM to the runner, which sees to the grace and KILL. ERR_NOT_FOUND: it does not live. */
    int (*stop)(struct engine *e, const char *run_dir);
    int (*inspect)(struct engine *e, const char *run_dir, enum rundir_liveness *ret);
    void (*free)(struct engine *e);
};

#endif
