/* A live execution's events: from its feed, from people, from what was committed (live.h). */
#include "orchestrator/live.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "logs/redact.h"
#include "logs/writer.h"
#include "orchestrator/queue.h"
#include "orchestrator/redactor_job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int set_paths(struct live *l, const char *state_dir)
{
    char *runs CLEANUP_FREE = path_join(state_dir, RUNS_DIR);
    char *workspaces CLEANUP_FREE = path_join(state_dir, WORKSPACES_DIR);
    if (!runs || !workspaces || str_set(&l->state_dir, state_dir) < 0)
        return ERR_NOMEM;
    l->run_dir = path_join(runs, l->row.id.hex);
    l->workspace = path_join(workspaces, l->row.id.hex);
    return l->run_dir && l->workspace ? 0 : ERR_NOMEM;
}

int live_new_at(struct orchestrator *o, const char *state_dir, const struct execution *row,
                struct live **ret)
{
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->o = o;
    list_init(&l->node);
    list_init(&l->waiters);
    plan_init(&l->plan);
    int r = execution_copy(&l->row, row);
    if (r == 0)
        r = loop_timer_new(o->loop, live_tick, l, &l->timer);
    if (r == 0)
        r = set_paths(l, state_dir);
    if (r < 0) {
        live_free(l);
        return r;
    }
    list_append(&o->lives, &l->node);
    loop_timer_start(l->timer, LIVE_LOOK_MS, 0);
    *ret = l;
    return 0;
}

int live_new(struct orchestrator *o, const struct execution *row, struct live **ret)
{
    return live_new_at(o, o->state_dir, row, ret);
}

void live_answer_waiters(struct live *l, int64_t version, const struct execution *e)
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
    live_answer_waiters(l, INT64_MAX, NULL);
    l->o->engine->ops->forget(l->o->engine, l);
    redactor_job_forget(l->redactor_job);
    if (l->feed)
        feed_free(l->feed);
    loop_timer_free(l->timer);
    execution_done(&l->row);
    plan_done(&l->plan);
    free(l->state_dir);
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
void live_push_pending(struct live *l)
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
    live_push_pending(l);
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
    live_push_pending(l);
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
    live_exited(user, x);
}

static void on_committed(void *user, const struct exec_state *s)
{
    live_committed(user, s);
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
    if (why == FEED_CORRUPT && live_lost_event(l) == RUN_HOST_LOST && !live_runner_lives(l))
        event = RUN_HOST_LOST; /* a crash of the host tears what was not yet on disk */
    (void)snprintf(line, sizeof line, "tailgate: the log cannot be read further: %s", details);
    (void)live_fail(l, event, line);
}

/* The descriptors are taken over. */
static int open_feed(struct live *l, int spool_fd, int ack_fd)
{
    static const struct feed_callbacks callbacks = {
        .on_begin = on_begin,
        .on_exit = on_exit_record,
        .on_committed = on_committed,
        .on_break = on_break,
    };
    char *path CLEANUP_FREE = path_join(l->run_dir, RUNDIR_SPOOL);
    if (path && spool_fd >= 0 && ack_fd >= 0)
        return feed_open(l->o->writer, &l->row, path, spool_fd, ack_fd, &callbacks, l, &l->feed);
    if (spool_fd >= 0)
        (void)close(spool_fd);
    if (ack_fd >= 0)
        (void)close(ack_fd);
    return !path ? ERR_NOMEM : spool_fd == -ENOENT ? ERR_NOT_FOUND : ERR_SYS;
}

static void on_redactor(void *user, int err, struct redactor *r)
{
    struct live *l = user;
    l->redactor_job = NULL;
    if (!l->feed) {
        redactor_free(r);
        return;
    }
    if (err == 0)
        err = feed_set_redactor(l->feed, r);
    if (err < 0)
        on_break(l, FEED_IO, err_name(err));
}

/* The lines wait in the spool until it is there. */
static int set_redactor(struct live *l)
{
    struct redactor *r;
    if (plan_is_large(&l->plan)) {
        redactor_job_forget(TAKE_PTR(l->redactor_job));
        feed_hold(l->feed);
        return redactor_job_start(l->o->loop, &l->plan, on_redactor, l, &l->redactor_job);
    }
    int err = plan_redactor(&l->plan, &r);
    return err < 0 ? err : feed_set_redactor(l->feed, r);
}

int live_open_feed(struct live *l)
{
    int dirfd = rundir_open(l->run_dir);
    if (dirfd < 0)
        return dirfd == -ENOENT ? ERR_NOT_FOUND : ERR_SYS;
    int spool_fd = rundir_open_file(dirfd, RUNDIR_SPOOL, true); /* holes are punched in it */
    int ack_fd = rundir_open_file(dirfd, RUNDIR_ACK, true);
    (void)close(dirfd);
    int r = open_feed(l, spool_fd, ack_fd);
    if (r < 0)
        return r;
    r = set_redactor(l);
    if (r < 0)
        feed_free(TAKE_PTR(l->feed));
    return r;
}

void row_publish(struct orchestrator *o, const struct execution *row)
{
    struct topic *t;
    if (hub_topic_open(o->hub, row, &t) < 0) {
        hub_poke(o->hub, row->key);
        return;
    }
    topic_publish_state(t, &row->state);
    topic_unref(t);
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
    live_answer_waiters(l, s->version, &l->row);
    if (s->status == EXEC_TERMINATING)
        live_stop(l);
    if (exec_status_is_terminal(s->status)) {
        l->is_over = true;
        live_poke(l);
        if (l->o->opts.queue_max > 0) /* its place is free */
            queue_look(l->o);
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
