/*
 * What happens to an execution: the state table of api.md as a table in code. A pure function from
 * the state an execution is in and what was seen of it to the states it goes through next.
 *
 *                  PENDING   STARTING      RUNNING       TERMINATING   ended
 *   began          –         RUNNING       –             –             –
 *   exit 0         –         R, SUCCEEDED  SUCCEEDED     STOPPED       –
 *   exit n, signal –         R, FAILED     FAILED        STOPPED       –
 *   timed out      –         R, FAILED     FAILED        FAILED        –
 *   had no room    –         R, FAILED     FAILED        FAILED        –
 *   not started    –         FAILED        FAILED        STOPPED       –
 *   was stopped    –         R, STOPPED    STOPPED       STOPPED       –
 *   stop asked     STOPPED   TERMINATING   TERMINATING   –             –
 *   start failed   FAILED    FAILED        –             STOPPED       –
 *   lost (all)     FAILED    FAILED        FAILED        FAILED        –
 *   stale          –         –             –             –             –
 *
 * "R," = through RUNNING: a fast end passes through it too.
 */
#ifndef TAILGATE_ORCHESTRATOR_LIFECYCLE_H
#define TAILGATE_ORCHESTRATOR_LIFECYCLE_H

#include "base/model.h"
#include "spool/format.h"

enum run_event {
    RUN_BEGAN,            /* the command runs */
    RUN_EXITED,           /* exit record; run_input.exit says how */
    RUN_STOP_ASKED,       /* a person wants it ended; run_input.who */
    RUN_START_FAILED,     /* the engine could not start it: nothing ran */
    RUN_LOST,             /* its runner died without an exit record */
    RUN_HOST_LOST,        /* … because the host was booted since */
    RUN_SPOOL_CORRUPT,    /* the spool is damaged */
    RUN_SPOOL_UNREADABLE, /* the spool cannot be read */
    RUN_STORE_FAILED,     /* PostgreSQL refuses its lines */
    RUN_PLAN_LOST,        /* what was sealed for it cannot be opened */
    RUN_GATEWAY_LOST,     /* its gateway is gone, and where it ran cannot be reached */
    RUN_STALE,            /* another gateway owns it */
};

struct run_input {
    enum run_event event;
    const struct spool_exit *exit; /* RUN_EXITED only */
    const char *who;               /* RUN_STOP_ASKED: e-mail */
    const char *reason;            /* of a failure, where somebody knows better; NULL or "" = no */
    int64_t now_us;
};

#define RUN_STEPS_MAX 2
struct run_step {
    struct exec_state to; /* version and last_seq are the feed's to set */
    char cause[320];
};

/* Fills ret and returns how many states follow from `in` (0: the event changes nothing). */
size_t run_decide(const struct exec_state *now, const struct run_input *in,
                  struct run_step ret[RUN_STEPS_MAX]);

#endif
