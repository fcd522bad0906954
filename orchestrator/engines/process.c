/*
 * Engine `process`: one record per runner that was started here, until it ends.
 *
 *   spawned ─(lock seen, or ended behind one)▶ started ─(ended)▶ gone
 *      └─(ended without a lock, or none in time)▶ failed
 *
 * The runner is in a session of its own and gets no descriptor of ours. A second one for the same
 * directory finds the lock and ends at once, which makes a start idempotent.
 */
#include "orchestrator/engines/process.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define LOCK_LOOK_MIN_MS 2
#define LOCK_LOOK_MAX_MS 50
#define LOCK_DEADLINE_MS 30000 /* far beyond what a loaded host needs to exec */

struct engine_process {
    struct engine base;
    struct loop *loop;
    char *runner_path;
    struct list children;
};

struct child {
    struct list node;
    struct engine_process *e;
    struct loop_process *process;
    struct loop_timer *timer; /* looks for the lock until it was seen */
    int64_t look_ms, deadline_ms;
    bool is_started;
    char *run_dir;
    engine_fn started;
    engine_gone_fn on_gone;
    void *user;
};

static void child_free(struct child *c)
{
    if (!c)
        return;
    list_remove(&c->node);
    loop_process_free(c->process);
    loop_timer_free(c->timer);
    free(c->run_dir);
    free(c);
}

static bool has_lock(const struct child *c)
{
    enum rundir_liveness liveness;
    return engine_liveness(c->run_dir, &liveness) == 0 && liveness != RUNDIR_NOT_STARTED;
}

static void start_done(struct child *c)
{
    c->is_started = true;
    loop_timer_stop(c->timer);
    c->started(c->user, 0, NULL);
}

static void start_failed(struct child *c, const struct problem *p)
{
    engine_fn started = c->started;
    void *user = c->user;
    child_free(c);
    started(user, p->err, p);
}

static void look_for_lock(void *user)
{
    struct child *c = user;
    struct problem p;
    if (has_lock(c)) {
        start_done(c);
        return;
    }
    if (clock_mono_ms() >= c->deadline_ms) {
        if (loop_process_kill(c->process, SIGKILL) < 0)
            log_debug("the runner that did not begin is gone already", "run_dir", c->run_dir);
        (void)problem_set(&p, ERR_TIMEOUT, "start failed", "the runner did not begin within %d s",
                          LOCK_DEADLINE_MS / 1000);
        start_failed(c, &p);
        return;
    }
    c->look_ms = c->look_ms * 2 > LOCK_LOOK_MAX_MS ? LOCK_LOOK_MAX_MS : c->look_ms * 2;
    loop_timer_start(c->timer, c->look_ms, 0);
}

static void child_ended(void *user, int64_t exit_status, int term_signal, const char *output UNUSED)
{
    struct child *c = user;
    struct problem p;
    if (!c->is_started && !has_lock(c)) {
        if (term_signal != 0)
            (void)problem_set(&p, ERR_SYS, "start failed",
                              "the runner ended before it began, on signal %d", term_signal);
        else
            (void)problem_set(&p, ERR_SYS, "start failed",
                              "the runner ended before it began, with status %lld",
                              (long long)exit_status);
        start_failed(c, &p);
        return;
    }
    if (!c->is_started) {
        c->is_started = true;
        struct engine_process *e = c->e;
        void *owner = c->user;
        c->started(owner, 0, NULL);
        /* It may have forgotten us in there. */
        bool is_here = false;
        LIST_FOREACH (it, &e->children)
            is_here = is_here || it == &c->node;
        if (!is_here)
            return;
    }
    engine_gone_fn on_gone = c->on_gone;
    void *owner = c->user;
    child_free(c);
    on_gone(owner);
}

static int spawn(struct child *c)
{
    const char *const argv[] = {c->e->runner_path, c->run_dir, NULL};
    const char *const env[] = {NULL};
    struct loop_process_opts opts = LOOP_PROCESS_DEFAULTS;
    opts.file = c->e->runner_path;
    opts.argv = argv;
    opts.env = env;
    opts.cwd = "/";
    opts.detached = true;
    return loop_process_spawn(c->e->loop, &opts, child_ended, c, &c->process);
}

static int process_start(struct engine *engine, const struct engine_run *run,
                         const struct engine_start *fns, void *user)
{
    struct engine_process *e = CONTAINER_OF(engine, struct engine_process, base);
    struct child *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    list_init(&c->node);
    c->e = e;
    c->started = fns->started;
    c->on_gone = fns->on_gone;
    c->user = user;
    c->look_ms = LOCK_LOOK_MIN_MS;
    c->deadline_ms = clock_mono_ms() + LOCK_DEADLINE_MS;
    int r = str_set(&c->run_dir, run->run_dir);
    if (r == 0)
        r = loop_timer_new(e->loop, look_for_lock, c, &c->timer);
    if (r == 0)
        r = spawn(c);
    if (r < 0) {
        child_free(c);
        return r;
    }
    list_append(&e->children, &c->node);
    loop_timer_start(c->timer, c->look_ms, 0);
    return 0;
}

static void process_forget(struct engine *engine, void *user)
{
    struct engine_process *e = CONTAINER_OF(engine, struct engine_process, base);
    LIST_FOREACH_SAFE (it, &e->children) {
        struct child *c = LIST_ENTRY(it, struct child, node);
        if (c->user == user)
            child_free(c);
    }
}

static int process_stop(struct engine *engine UNUSED, const char *run_dir)
{
    int dirfd = rundir_open(run_dir);
    if (dirfd < 0)
        return dirfd == -ENOENT ? ERR_NOT_FOUND : ERR_SYS;
    int r = rundir_signal(dirfd, SIGTERM);
    (void)close(dirfd);
    if (r < 0)
        return r == -ESRCH || r == -ENOENT ? ERR_NOT_FOUND : ERR_SYS;
    return 0;
}

static int process_inspect(struct engine *engine UNUSED, const char *run_dir,
                           enum rundir_liveness *ret)
{
    return engine_liveness(run_dir, ret);
}

static void process_free(struct engine *engine)
{
    struct engine_process *e = CONTAINER_OF(engine, struct engine_process, base);
    LIST_FOREACH_SAFE (it, &e->children)
        child_free(LIST_ENTRY(it, struct child, node));
    free(e->runner_path);
    free(e);
}

static const struct engine_ops process_ops = {
    .name = "process",
    .image = "host",
    .start = process_start,
    .forget = process_forget,
    .stop = process_stop,
    .inspect = process_inspect,
    .free = process_free,
};

int engine_process_new(struct loop *l, const char *runner_path, struct engine **ret)
{
    struct engine_process *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    e->base.ops = &process_ops;
    e->loop = l;
    list_init(&e->children);
    int r = str_set(&e->runner_path, runner_path);
    if (r < 0) {
        free(e);
        return r;
    }
    *ret = &e->base;
    return 0;
}
