/* The state × event table (lifecycle.h) and what the states it leads to look like. */
#include "orchestrator/lifecycle.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define EXIT_CODE_TIMEOUT 124 /* timeout(1) */
#define EXIT_CODE_STOPPED 130 /* api.md, "Executions": a person stopped it */
#define EXIT_CODE_MAX 255     /* wait(2): eight bits */

/* Rows of the table: events, exits told apart. */
enum row {
    ROW_BEGAN,
    ROW_EXIT_OK,
    ROW_EXIT_FAILED,
    ROW_EXIT_TIMEOUT,
    ROW_EXIT_FULL,
    ROW_EXIT_NOT_STARTED,
    ROW_EXIT_STOPPED,
    ROW_STOP_ASKED,
    ROW_START_FAILED,
    ROW_LOST,
    ROW_STALE,
    ROW_COUNT,
};

#define NO EXEC_STATUS_COUNT /* stays as it is */
#define PE EXEC_PENDING
#define ST EXEC_STARTING
#define RU EXEC_RUNNING
#define TE EXEC_TERMINATING
#define SU EXEC_SUCCEEDED
#define FA EXEC_FAILED
#define SD EXEC_STOPPED

/* clang-format off */
static const uint8_t table[ROW_COUNT][EXEC_STATUS_COUNT] = {
    /*                        PE  ST  RU  TE  SU  FA  SD */
    [ROW_BEGAN] =            {NO, RU, NO, NO, NO, NO, NO},
    [ROW_EXIT_OK] =          {NO, SU, SU, SD, NO, NO, NO},
    [ROW_EXIT_FAILED] =      {NO, FA, FA, SD, NO, NO, NO},
    [ROW_EXIT_TIMEOUT] =     {NO, FA, FA, FA, NO, NO, NO},
    [ROW_EXIT_FULL] =        {NO, FA, FA, FA, NO, NO, NO},
    [ROW_EXIT_NOT_STARTED] = {NO, FA, FA, SD, NO, NO, NO},
    [ROW_EXIT_STOPPED] =     {NO, SD, SD, SD, NO, NO, NO},
    [ROW_STOP_ASKED] =       {SD, TE, TE, NO, NO, NO, NO},
    [ROW_START_FAILED] =     {FA, FA, NO, SD, NO, NO, NO},
    [ROW_LOST] =             {FA, FA, FA, FA, NO, NO, NO},
    [ROW_STALE] =            {NO, NO, NO, NO, NO, NO, NO},
};
/* clang-format on */

static enum row exit_row(const struct spool_exit *x)
{
    if (x->flags & (SPOOL_EXIT_SPOOL_FULL | SPOOL_EXIT_DISK_FULL))
        return ROW_EXIT_FULL;
    if (x->flags & SPOOL_EXIT_TIMED_OUT)
        return ROW_EXIT_TIMEOUT;
    if (x->flags & SPOOL_EXIT_STOPPED)
        return ROW_EXIT_STOPPED;
    if (x->flags & SPOOL_EXIT_NOT_STARTED)
        return ROW_EXIT_NOT_STARTED;
    return x->exit_code == 0 && x->signal == 0 ? ROW_EXIT_OK : ROW_EXIT_FAILED;
}

static enum row event_row(const struct run_input *in)
{
    switch (in->event) {
    case RUN_BEGAN:
        return ROW_BEGAN;
    case RUN_EXITED:
        return exit_row(in->exit);
    case RUN_STOP_ASKED:
        return ROW_STOP_ASKED;
    case RUN_START_FAILED:
        return ROW_START_FAILED;
    case RUN_LOST:
    case RUN_HOST_LOST:
    case RUN_SPOOL_CORRUPT:
    case RUN_SPOOL_UNREADABLE:
    case RUN_STORE_FAILED:
    case RUN_PLAN_LOST:
    case RUN_GATEWAY_LOST:
        return ROW_LOST;
    case RUN_STALE:
        break;
    }
    return ROW_STALE;
}

static const char *lost_reason(enum run_event event)
{
    switch (event) {
    case RUN_HOST_LOST:
        return "host_lost";
    case RUN_SPOOL_CORRUPT:
        return "spool_corrupt";
    case RUN_SPOOL_UNREADABLE:
        return "spool_unreadable";
    case RUN_STORE_FAILED:
        return "log_store_failed";
    case RUN_PLAN_LOST:
        return "environment_lost";
    case RUN_GATEWAY_LOST:
        return "gateway_lost";
    case RUN_START_FAILED:
        return "start_failed";
    default:
        return "runner_lost";
    }
}

static void set_reason(struct exec_state *to, const char *reason)
{
    (void)snprintf(to->reason, sizeof to->reason, "%s", reason);
}

/* The record comes from outside: what no process can have is not passed on. */
static void set_exit(struct exec_state *to, const struct spool_exit *x)
{
    to->exit_code = x->exit_code < 0 || x->exit_code > EXIT_CODE_MAX ? EXIT_CODE_MAX : x->exit_code;
    to->signal = x->signal < 0 || x->signal > 64 ? 0 : x->signal;
    if (to->signal != 0 && !(x->flags & SPOOL_EXIT_NOT_STARTED))
        to->exit_code = 128 + to->signal;
    /* The command's end, unless the clock was set in between. */
    if (x->ended_us >= to->started_at_us && x->ended_us < to->completed_at_us)
        to->completed_at_us = x->ended_us;
}

static void describe_exit(struct run_step *s, enum row row, const struct spool_exit *x)
{
    set_exit(&s->to, x);
    switch (row) {
    case ROW_EXIT_TIMEOUT:
        s->to.exit_code = EXIT_CODE_TIMEOUT;
        set_reason(&s->to, "timeout");
        (void)snprintf(s->cause, sizeof s->cause, "timeout");
        break;
    case ROW_EXIT_FULL:
        set_reason(&s->to, x->flags & SPOOL_EXIT_SPOOL_FULL ? "spool_full" : "disk_full");
        (void)snprintf(s->cause, sizeof s->cause, "%s", s->to.reason);
        break;
    case ROW_EXIT_NOT_STARTED:
        set_reason(&s->to,
                   x->flags & SPOOL_EXIT_SETUP_FAILED ? "git_clone_failed" : "start_failed");
        (void)snprintf(s->cause, sizeof s->cause, "%s",
                       x->flags & SPOOL_EXIT_SETUP_FAILED ? "the repository could not be cloned"
                                                          : "the command could not be started");
        break;
    default:
        if (x->flags & SPOOL_EXIT_OUT_OF_MEMORY && s->to.status == EXEC_FAILED)
            set_reason(&s->to, "out_of_memory");
        if (s->to.signal != 0)
            (void)snprintf(s->cause, sizeof s->cause, "ended by signal %d", s->to.signal);
        else
            (void)snprintf(s->cause, sizeof s->cause, "exited with code %d", s->to.exit_code);
    }
}

static void describe_end(struct run_step *s, const struct run_input *in, enum row row)
{
    s->to.completed_at_us = in->now_us < s->to.started_at_us ? s->to.started_at_us : in->now_us;
    if (in->event == RUN_EXITED) {
        describe_exit(s, row, in->exit);
    } else if (in->event == RUN_STOP_ASKED) {
        (void)snprintf(s->cause, sizeof s->cause, "killed by %s", in->who);
    } else {
        set_reason(&s->to, lost_reason(in->event));
        (void)snprintf(s->cause, sizeof s->cause, "%s", s->to.reason);
    }
    if (s->to.status == EXEC_FAILED && !str_is_empty(in->reason)) {
        set_reason(&s->to, in->reason);
        (void)snprintf(s->cause, sizeof s->cause, "%s", in->reason);
    }
    if (s->to.status == EXEC_STOPPED) {
        s->to.exit_code = EXIT_CODE_STOPPED;
        set_reason(&s->to, "stopped");
    }
}

size_t run_decide(const struct exec_state *now, const struct run_input *in,
                  struct run_step ret[RUN_STEPS_MAX])
{
    enum row row = event_row(in);
    uint8_t target = table[row][now->status];
    if (target == NO)
        return 0;
    size_t n = 0;
    struct exec_state from = *now;
    bool ran = in->event == RUN_EXITED && row != ROW_EXIT_NOT_STARTED;
    if (now->status == EXEC_STARTING && ran) {
        from.status = EXEC_RUNNING;
        ret[n].to = from;
        (void)snprintf(ret[n].cause, sizeof ret[n].cause, "started");
        n++;
    }
    struct run_step *last = &ret[n++];
    last->to = from;
    last->to.status = (enum exec_status)target;
    if (exec_status_is_terminal(last->to.status))
        describe_end(last, in, row);
    else if (last->to.status == EXEC_TERMINATING)
        (void)snprintf(last->cause, sizeof last->cause, "killed by %s", in->who);
    else
        (void)snprintf(last->cause, sizeof last->cause, "%s",
                       last->to.status == EXEC_RUNNING ? "started" : "starting");
    return n;
}
