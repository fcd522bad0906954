/*
 * Events of a live execution and its timer (live.h). The timer does what no event tells: it looks
 * whether a silent execution's runner still lives (after a restart of tailgated there is no child
 * to wait for), repeats the stop, waits for the last bytes of a dead one, and at the end cleans up.
 */
#include "orchestrator/live.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "logs/writer.h"
#include "orchestrator/workspace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 1000          /* a silent run whose runner is not our child */
#define LOOK_ATTACHED_MS 5000 /* … is our child: only the net below SIGCHLD */
#define GONE_LOOK_MS 50
#define GONE_LOOKS_FAST 40 /* then at LOOK_MS: PostgreSQL is away */
#define CLEAN_UP_LOOK_MS 200
#define STOP_AGAIN_MS 3000

static void tick(void *user);

int live_new(struct orchestrator *o, const struct execution *row, struct live **ret)
{
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->o = o;
    list_init(&l->node);
    list_init(&l->waiters);
    int r = execution_copy(&l->row, row);
    if (r == 0)
        r = loop_timer_new(o->loop, tick, l, &l->timer);
    if (r == 0) {
        l->run_dir = path_join(o->runs_dir, row->id.hex);
        l->workspace = path_join(o->workspaces_dir, row->id.hex);
        r = l->run_dir && l->workspace ? 0 : ERR_NOMEM;
    }
    if (r < 0) {
        live_free(l);
        return r;
    }
    list_append(&o->lives, &l->node);
    loop_timer_start(l->timer, LOOK_MS, 0);
    *ret = l;
    return 0;
}

static void answer_waiters(struct live *l, int64_t version, const struct execution *e)
{
    LIST_FOREACH_SAFE (it, &l->waiters) {
        struct live_waiter *w = LIST_ENTRY(it, struct live_waiter, node);
        if (w->version > version)
            continue;
        list_remove(&w->node);
        w->fn(w, e);
    }
}

void live_free(struct live *l)
{
    if (!l)
        return;
    list_remove(&l->node);
    answer_waiters(l, INT64_MAX, NULL);
    l->o->engine->ops->forget(l->o->engine, l);
    if (l->feed)
        feed_free(l->feed);
    loop_timer_free(l->timer);
    execution_done(&l->row);
    free(l->run_dir);
    free(l->workspace);
    free(l);
}

struct live *live_find(const struct orchestrator *o, int64_t key)
{
    LIST_FOREACH (it, &o->lives) {
        struct live *l = LIST_ENTRY(it, struct live, node);
        if (l->row.key == key && !l->is_forgotten)
            return l;
    }
    return NULL;
}

void live_poke(struct live *l)
{
    loop_timer_start(l->timer, 0, 0);
}

const struct exec_state *live_state(const struct live *l)
{
    if (l->pending_count > 0)
        return &l->pending[l->pending_count - 1].to;
    return l->feed ? feed_state(l->feed) : &l->row.state;
}

/* Hands what was decided to the feed; what it has no memory for stays for the next tick. */
static void push_pending(struct live *l)
{
    size_t done = 0;
    while (l->feed && done < l->pending_count) {
        const struct run_step *s = &l->pending[done];
        int r = feed_transition(l->feed, &s->to, s->cause, l->request_id);
        if (r == ERR_NOMEM)
            break;
        if (r < 0)
            log_error("state change refused", "execution_id", l->row.id.hex, "to",
                      exec_status_name(s->to.status), "error", err_name(r));
        done++;
    }
    l->pending_count -= done;
    memmove(l->pending, l->pending + done, l->pending_count * sizeof l->pending[0]);
}

size_t live_event(struct live *l, const struct run_input *in, const char *request_id,
                  const char *line)
{
    if (l->is_over || l->is_forgotten || !l->feed)
        return 0;
    push_pending(l);
    struct run_step steps[RUN_STEPS_MAX];
    size_t n = run_decide(live_state(l), in, steps);
    if (n == 0)
        return 0;
    if (n > RUN_STEPS_MAX - l->pending_count) {
        log_error("event dropped: out of memory", "execution_id", l->row.id.hex);
        return 0;
    }
    if (line && feed_system_line(l->feed, line) < 0)
        log_warn("system line dropped", "execution_id", l->row.id.hex, "line", line);
    memcpy(l->pending + l->pending_count, steps, n * sizeof steps[0]);
    l->pending_count += n;
    (void)snprintf(l->request_id, sizeof l->request_id, "%s", request_id ? request_id : "");
    push_pending(l);
    return n;
}

size_t live_fail(struct live *l, enum run_event event, const char *line)
{
    const struct run_input in = {.event = event, .now_us = clock_wall_us()};
    return live_event(l, &in, NULL, line);
}

enum run_event live_lost_event(const struct live *l)
{
    return l->is_adopted && l->o->booted_us > l->row.state.started_at_us ? RUN_HOST_LOST : RUN_LOST;
}

/* ---- the feed's callbacks ---- */

static void on_begin(void *user, uint32_t pid UNUSED, int64_t time_us UNUSED)
{
    struct live *l = user;
    const struct run_input in = {.event = RUN_BEGAN, .now_us = clock_wall_us()};
    (void)live_event(l, &in, NULL, NULL);
}

static void on_exit_record(void *user, const struct spool_exit *x)
{
    struct live *l = user;
    const struct run_input in = {.event = RUN_EXITED, .exit = x, .now_us = clock_wall_us()};
    (void)live_event(l, &in, NULL, NULL);
}

static void on_committed(void *user, const struct exec_state *s)
{
    live_committed(user, s);
}

static bool runner_lives(const struct live *l)
{
    enum rundir_liveness liveness;
    const struct engine_ops *ops = l->o->engine->ops;
    return ops->inspect(l->o->engine, l->run_dir, &liveness) == 0 && liveness == RUNDIR_ALIVE;
}

static void on_break(void *user, enum feed_break why, const char *details)
{
    struct live *l = user;
    char line[640];
    log_warn("log broken off", "execution_id", l->row.id.hex, "details", details);
    if (why == FEED_STALE) {
        live_forget(l);
        return;
    }
    l->is_breaking = true;
    live_stop(l);
    if (why == FEED_STORE) {
        live_end_directly(l, RUN_STORE_FAILED);
        return;
    }
    enum run_event event = why == FEED_CORRUPT ? RUN_SPOOL_CORRUPT : RUN_SPOOL_UNREADABLE;
    if (why == FEED_CORRUPT && live_lost_event(l) == RUN_HOST_LOST && !runner_lives(l))
        event = RUN_HOST_LOST; /* a crash of the host tears what was not yet on disk */
    (void)snprintf(line, sizeof line, "tailgate: the log cannot be read further: %s", details);
    (void)live_fail(l, event, line);
}

int live_open_feed(struct live *l)
{
    static const struct feed_callbacks callbacks = {
        .on_begin = on_begin,
        .on_exit = on_exit_record,
        .on_committed = on_committed,
        .on_break = on_break,
    };
    char *path CLEANUP_FREE = path_join(l->run_dir, RUNDIR_SPOOL);
    if (!path)
        return ERR_NOMEM;
    int dirfd = rundir_open(l->run_dir);
    if (dirfd < 0)
        return dirfd == -ENOENT ? ERR_NOT_FOUND : ERR_SYS;
    int spool_fd = rundir_open_file(dirfd, RUNDIR_SPOOL, true); /* holes are punched in it */
    int ack_fd = rundir_open_file(dirfd, RUNDIR_ACK, true);
    (void)close(dirfd);
    int r = spool_fd < 0 || ack_fd < 0 ? ERR_SYS : 0;
    if (spool_fd == -ENOENT)
        r = ERR_NOT_FOUND;
    if (r == 0)
        r = feed_open(l->o->writer, &l->row, path, spool_fd, ack_fd, &callbacks, l, &l->feed);
    else if (spool_fd >= 0)
        (void)close(spool_fd);
    else if (ack_fd >= 0)
        (void)close(ack_fd);
    return r;
}

/* ---- what follows from a commit ---- */

static void log_state(const struct live *l, const struct exec_state *s)
{
    /* Part of the trace of the request that made it. */
    bool is_alone = log_request_id()[0] == '\0';
    if (is_alone)
        log_set_request_id(l->row.created_by_request_id);
    log_info("execution", "execution_id", l->row.id.hex, "status", exec_status_name(s->status),
             "exit_code", s->exit_code == EXIT_CODE_NONE ? NULL : LOG_NUM(s->exit_code), "signal",
             s->signal == 0 ? NULL : LOG_NUM(s->signal), "reason",
             s->reason[0] == '\0' ? NULL : s->reason);
    if (is_alone)
        log_set_request_id(NULL);
}

void live_committed(struct live *l, const struct exec_state *s)
{
    l->row.state = *s;
    log_state(l, s);
    answer_waiters(l, s->version, &l->row);
    if (s->status == EXEC_TERMINATING)
        live_stop(l);
    if (exec_status_is_terminal(s->status)) {
        l->is_over = true;
        live_poke(l);
    }
}

void live_forget(struct live *l)
{
    log_warn("execution is another gateway's now", "execution_id", l->row.id.hex);
    l->is_forgotten = true;
    live_poke(l);
}

void live_wait(struct live *l, struct live_waiter *w, int64_t version)
{
    w->version = version;
    list_append(&l->waiters, &w->node);
    if (l->row.state.version >= version)
        live_poke(l);
}

/* ---- the runner ---- */

static void on_started(void *user, int err, const struct problem *p)
{
    struct live *l = user;
    char line[640];
    l->is_starting = false;
    if (err == 0) {
        l->is_attached = true;
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
        .run_dir = l->run_dir, .workspace = l->workspace, .row = &l->row};
    static const struct engine_start fns = {
        .started = on_started, .on_line = on_line, .on_gone = on_gone};
    int r = l->o->engine->ops->start(l->o->engine, &run, &fns, l);
    if (r == 0)
        return;
    struct problem p;
    (void)problem_set(&p, r, "start failed", "engine %s: %s", l->o->engine->ops->name, err_name(r));
    on_started(l, r, &p);
}

void live_stop(struct live *l)
{
    l->stop_at_ms = clock_mono_ms() + STOP_AGAIN_MS;
    int r = l->o->engine->ops->stop(l->o->engine, l->run_dir);
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
    if (l->gone_looks++ > 0 && feed_is_drained(l->feed)) {
        enum run_event event = live_lost_event(l);
        (void)live_fail(l, event,
                        event == RUN_HOST_LOST
                            ? "tailgate: the host was restarted while this was running"
                            : "tailgate: the runner died; how the command ended is not known");
    } else {
        feed_wake(l->feed);
    }
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
    push_pending(l);
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
    if (runner_lives(l)) {
        if (l->stop_at_ms != 0 && clock_mono_ms() >= l->stop_at_ms)
            live_stop(l);
        return false;
    }
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
    return l->is_attached && l->stop_at_ms == 0 ? LOOK_ATTACHED_MS : LOOK_MS;
}

static void tick(void *user)
{
    struct live *l = user;
    struct orchestrator *o = l->o;
    answer_waiters(l, l->row.state.version, &l->row);
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
