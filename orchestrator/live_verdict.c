/*
 * How a run ended, where its own word is not all that can be known: an engine may tell why a
 * command was killed, or where its container went. Asked once; the run is not over before the
 * answer.
 */
#include "orchestrator/live.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "logs/writer.h"

#include <signal.h>

#define OUT_OF_MEMORY "out_of_memory"

static void end(struct live *l, const char *reason, const char *line)
{
    struct run_input in = {.event = l->has_exit ? RUN_EXITED : RUN_LOST,
                           .exit = &l->exit,
                           .reason = reason,
                           .now_us = clock_wall_us()};
    (void)live_event(l, &in, NULL, line);
}

static void on_verdict(void *user, const char *reason, const char *line)
{
    struct live *l = user;
    l->is_asking = false;
    /* A command that was killed has ended by itself, whatever became of its container. */
    if (l->has_exit && !str_eq(reason, OUT_OF_MEMORY))
        end(l, NULL, NULL);
    else
        end(l, reason, str_is_empty(line) ? NULL : line);
    live_poke(l);
}

/* False: there is nobody to ask. */
static bool ask(struct live *l)
{
    const struct engine_ops *ops = l->o->engine->ops;
    if (!ops->explain || l->is_asking)
        return l->is_asking;
    int err = ops->explain(l->o->engine, l->run_dir, on_verdict, l);
    if (err)
        log_warn("the engine cannot be asked why a run ended", "execution_id", l->row.id.hex,
                 "error", err_name(err));
    l->is_asking = err == 0;
    return l->is_asking;
}

/* A daemon that ends tells its containers to stop: that was nobody's wish. */
static bool is_stopped_by_others(const struct live *l, const struct spool_exit *x)
{
    return l->o->engine->ops->explain && (x->flags & SPOOL_EXIT_STOPPED) &&
           l->stopping_since_ms == 0 && live_state(l)->status != EXEC_TERMINATING;
}

void live_exited(struct live *l, const struct spool_exit *x)
{
    if (is_stopped_by_others(l, x)) {
        end(l, "container_lost", "tailgate: the container was stopped from outside");
        return;
    }
    const uint32_t ended_by_us = SPOOL_EXIT_STOPPED | SPOOL_EXIT_TIMED_OUT | SPOOL_EXIT_KILLED;
    l->has_exit = true;
    l->exit = *x;
    /* 137 may be a shell's word for a child that was killed. */
    bool is_told = x->flags & SPOOL_EXIT_OUT_OF_MEMORY;
    bool was_killed = x->signal == SIGKILL || x->exit_code == 128 + SIGKILL;
    if (!was_killed || is_told || (x->flags & ended_by_us) || !ask(l))
        end(l, NULL, NULL);
}

void live_lost(struct live *l)
{
    enum run_event event = live_lost_event(l);
    if (event == RUN_HOST_LOST)
        (void)live_fail(l, event, "tailgate: the host was restarted while this was running");
    else if (!ask(l))
        (void)live_fail(l, event, "tailgate: the runner died; how the command ended is not known");
}
