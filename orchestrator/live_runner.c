/*
 * A live execution's runner and its timer (live.h). The timer does what no event tells: it looks
 * whether a silent execution's runner still lives (after a restart of tailgated there is no child
 * to wait for), repeats the stop, waits for the last bytes of a dead one, and at the end cleans up.
 */
#include "orchestrator/live.h"

#include "base/clock.h"
#include "base/log.h"
#include "logs/writer.h"
#include "orchestrator/workspace.h"

#include <stdio.h>
#include <string.h>

#define LOOK_ATTACHED_MS 5000 /* … is our child: only the net below SIGCHLD */
#define GONE_LOOK_MS 50
#define GONE_LOOKS_FAST 40 /* then at LIVE_LOOK_MS: PostgreSQL is away */
#define CLEAN_UP_LOOK_MS 200
#define STOP_AGAIN_MS 3000
#define STOP_PATIENCE_MS 30000 /* beyond what a stop takes */

bool live_runner_lives(const struct live *l)
{
    enum rundir_liveness liveness;
    const struct engine_ops *ops = l->o->engine->ops;
    return ops->inspect(l->o->engine, l->run_dir, &liveness) == 0 && liveness == RUNDIR_ALIVE;
}

/* ---- the runner ---- */

static void on_started(void *user, int err, const struct problem *p)
{
    struct live *l = user;
    char line[640];
    l->is_starting = false;
    if (err == 0) {
        l->is_attached = true;
        plan_done(&l->plan);    /* the runner has it */
        if (l->stop_at_ms != 0) /* it was asked for before there was anyone to tell */
            live_stop(l);
        return;
    }
    log_warn("start failed", "execution_id", l->row.id.hex, "details", p->details);
    (void)snprintf(line, sizeof line, "tailgate: the command could not be started: %s", p->details);
    (void)live_fail(l, RUN_START_FAILED, line);
    live_poke(l);
}

static void on_gone(void *user)
{
    struct live *l = user;
    l->is_attached = false;
    if (l->is_over)
        live_poke(l);
    else
        live_look(l);
}

static void on_line(void *user, const char *line)
{
    struct live *l = user;
    if (l->feed && feed_system_line(l->feed, line) < 0)
        log_warn("system line dropped", "execution_id", l->row.id.hex, "line", line);
}

void live_start(struct live *l)
{
    l->is_starting = true;
    const struct engine_run run = {
        .run_dir = l->run_dir,
        .workspace = l->workspace,
        .row = &l->row,
        .image = l->plan.image,
        .platform = l->plan.platform,
        .registry_auth = l->plan.registry_auth,
        .cpu = l->plan.cpu,
        .memory = l->plan.memory,
    };
    static const struct engine_start fns = {
        .started = on_started, .on_line = on_line, .on_gone = on_gone};
    int r = l->o->engine->ops->start(l->o->engine, &run, &fns, l);
    if (r == 0)
        return;
    struct problem p;
    (void)problem_set(&p, r, "start failed", "engine %s: %s", l->o->engine->ops->name, err_name(r));
    on_started(l, r, &p);
}

/* After the grace the runner has killed the command and has read what its pipes held. */
static int64_t stop_patience_ms(const struct live *l)
{
    return l->row.grace_s * 1000 + l->o->opts.drain_ms + STOP_PATIENCE_MS;
}

void live_stop(struct live *l)
{
    const struct engine_ops *ops = l->o->engine->ops;
    int64_t now_ms = clock_mono_ms();
    if (l->stopping_since_ms == 0)
        l->stopping_since_ms = now_ms;
    l->stop_at_ms = now_ms + STOP_AGAIN_MS;
    if (ops->clean && now_ms - l->stopping_since_ms > stop_patience_ms(l)) {
        log_error("a run does not end by itself: its container is removed", "execution_id",
                  l->row.id.hex);
        (void)ops->clean(l->o->engine, l->run_dir);
        return;
    }
    int r = ops->stop(l->o->engine, l->run_dir);
    if (r < 0 && r != ERR_NOT_FOUND)
        log_warn("cannot stop the runner", "execution_id", l->row.id.hex, "error", err_name(r));
}

void live_set_gone(struct live *l)
{
    l->is_gone = true;
    l->gone_looks = 0;
    if (l->feed)
        feed_wake(l->feed);
    loop_timer_start(l->timer, GONE_LOOK_MS, 0);
}

void live_look(struct live *l)
{
    enum rundir_liveness liveness;
    if (l->is_gone || l->is_starting)
        return;
    int r = l->o->engine->ops->inspect(l->o->engine, l->run_dir, &liveness);
    if (r == ERR_NOT_FOUND || (r == 0 && liveness != RUNDIR_ALIVE))
        live_set_gone(l);
}

/* ---- the timer ---- */

/* The runner is dead. A look that finds all read counts only when the feed was woken after the
 * death, before the look. */
static void look_gone(struct live *l)
{
    if (exec_status_is_terminal(live_state(l)->status))
        return;
    if (l->gone_looks++ > 0 && feed_is_drained(l->feed))
        live_lost(l);
    else
        feed_wake(l->feed);
}

static void look_quiet(struct live *l)
{
    uint64_t seq = live_state(l)->last_seq;
    if (seq == l->seen_seq)
        live_look(l);
    l->seen_seq = seq;
}

static void go_on(struct live *l)
{
    live_push_pending(l);
    if (l->stop_at_ms != 0 && !l->is_gone && clock_mono_ms() >= l->stop_at_ms)
        live_stop(l);
    if (!l->feed)
        live_ending_tick(l);
    else if (l->is_gone)
        look_gone(l);
    else
        look_quiet(l);
}

/* True when nothing is left of it. */
static bool clean_up(struct live *l)
{
    if (l->feed)
        feed_free(TAKE_PTR(l->feed));
    if (l->is_starting || l->is_ending)
        return false;
    if (live_runner_lives(l)) {
        if (l->stop_at_ms != 0 && clock_mono_ms() >= l->stop_at_ms)
            live_stop(l);
        return false;
    }
    const struct engine_ops *ops = l->o->engine->ops;
    if (ops->clean && !ops->clean(l->o->engine, l->run_dir))
        return false;
    int r = rundir_remove(l->run_dir);
    if (r < 0)
        log_warn("cannot remove the run directory", "path", l->run_dir, "error", strerror(-r));
    workspace_mark_ended(l->workspace);
    return true;
}

static int64_t next_tick_ms(const struct live *l)
{
    if (l->is_over)
        return CLEAN_UP_LOOK_MS;
    if (l->is_gone && l->feed && l->gone_looks < GONE_LOOKS_FAST)
        return GONE_LOOK_MS;
    return l->is_attached && l->stop_at_ms == 0 ? LOOK_ATTACHED_MS : LIVE_LOOK_MS;
}

void live_tick(void *user)
{
    struct live *l = user;
    struct orchestrator *o = l->o;
    live_answer_waiters(l, l->row.state.version, &l->row);
    if (l->is_forgotten && !l->is_ending) {
        live_free(l);
        return;
    }
    if (l->is_over && clean_up(l)) {
        live_free(l);
        sweeper_note_end(o->sweeper);
        return;
    }
    if (!l->is_over && !l->is_forgotten)
        go_on(l);
    loop_timer_start(l->timer, next_tick_ms(l), 0);
}
