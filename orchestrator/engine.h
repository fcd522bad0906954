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

/* Whether the runner of that directory lives, by its lock, which tells of every engine's.
 * ERR_NOT_FOUND without a directory, ERR_SYS. */
MUST_CHECK int engine_liveness(const char *run_dir, enum rundir_liveness *ret);

/* err: 0 or why it did not start (p says it to a person). */
typedef void (*engine_fn)(void *user, int err, const struct problem *p);
/* What the engine has to say while it starts (an image being pulled), for the log. */
typedef void (*engine_line_fn)(void *user, const char *line);
/* The runner's process was seen to end (a hint: look at the spool). */
typedef void (*engine_gone_fn)(void *user);
/* Why a run ended that did not say so itself. reason: the execution's, "" = nothing is known; line:
 * the engine's own words for a person, "" = none. Valid during the call. */
typedef void (*engine_verdict_fn)(void *user, const char *reason, const char *line);

/* Execution ids of all that the engine keeps for this gateway; valid during the call. p: as
 * engine_fn's. */
typedef void (*engine_list_fn)(void *user, int err, const struct problem *p, const char *const *ids,
                               size_t n);

struct engine_run {                  /* borrowed for the call of start */
    const char *run_dir, *workspace; /* absolute paths */
    const struct execution *row;
    const char *image;         /* reference; NULL = the engine's own */
    const char *platform;      /* "linux/arm64"; NULL = the host's */
    const char *registry_auth; /* what the image is pulled with; NULL = nothing */
    int64_t cpu, memory;       /* 1024 = one CPU; MiB; 0 = the engine's default */
};

struct engine_start { /* told while and after it starts */
    engine_fn started;
    engine_line_fn on_line; /* only before started */
    engine_gone_fn on_gone;
};

struct engine_ops {
    const char *name;  /* "process" */
    const char *image; /* the image id executions of this engine show when none is named: "host" */
    /* Where a run finds its workspace; NULL = where tailgated sees it. */
    const char *workspace;
    /*
     * Starts the runner in run_dir (spec, spool, ack are there); idempotent: one that runs already
     * is fine. on_gone may be called once, later. ERR_*: started nothing and calls nothing.
     */
    int (*start)(struct engine *e, const struct engine_run *run, const struct engine_start *fns,
                 void *user);
    /* No further callbacks for this user pointer. */
    void (*forget)(struct engine *e, void *user);
    /* SIGTERM to the runner, which sees to the grace and KILL; a start under way is given up and
     * told so. ERR_NOT_FOUND: it does not live. */
    int (*stop)(struct engine *e, const char *run_dir);
    int (*inspect)(struct engine *e, const char *run_dir, enum rundir_liveness *ret);
    /* After the end: asks what the engine knows of it. fn is called once, later, unless forgotten.
     * NULL: the engine knows nothing more. */
    int (*explain)(struct engine *e, const char *run_dir, engine_verdict_fn fn, void *user);
    /* After the end: removes what the engine keeps of the run. False: not yet done, ask again.
     * NULL: it keeps nothing. */
    bool (*clean)(struct engine *e, const char *run_dir);
    /*
     * For a reconcile; each fn is called once, later, unless forgotten. NULL: there is nothing to
     * ask. check: whether the engine can be reached. list: what it keeps. has_image: whether the
     * image is there or can be pulled (ERR_NOT_FOUND: neither).
     */
    int (*check)(struct engine *e, engine_fn fn, void *user);
    int (*list)(struct engine *e, engine_list_fn fn, void *user);
    int (*has_image)(struct engine *e, const char *ref, const char *registry_auth, engine_fn fn,
                     void *user);
    void (*free)(struct engine *e);
};

#endif
