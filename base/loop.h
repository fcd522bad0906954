/*
 * The event loop: libuv behind the few things Tailgate needs, so that only base/ includes uv.h. One
 * thread. No object is freed inside its own callback: the _free functions stop the callbacks at
 * once and release the memory on a later turn (style 16).
 */
#ifndef TAILGATE_BASE_LOOP_H
#define TAILGATE_BASE_LOOP_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;

MUST_CHECK int loop_new(struct loop **ret);
/* Runs the remaining close callbacks, then frees. All objects must have been freed before. */
void loop_free(struct loop *l);
/* Until loop_stop. */
MUST_CHECK int loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* One turn; for tests. timeout_ms 0 polls. */
MUST_CHECK int loop_turn(struct loop *l, int timeout_ms);
/* The uv_loop_t, for libwebsockets' foreign_loops. */
void *loop_uv(struct loop *l);

/* How long turns took, what was spent waiting for events left out; and the longest since the last
 * call. */
struct metrics_histogram;
const struct metrics_histogram *loop_turn_seconds(const struct loop *l);
int64_t loop_take_longest_turn_us(struct loop *l);

typedef void (*loop_fn)(void *user);

/* ---- timers (monotonic) ---- */
struct loop_timer;
MUST_CHECK int loop_timer_new(struct loop *l, loop_fn fn, void *user, struct loop_timer **ret);
/* (Re)arms: first after delay_ms, then each repeat_ms (0 = once). */
void loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_is_active(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine; so for all _free below */

/* ---- deferred call: once, on the next turn; scheduling twice before it runs is one call ---- */
struct loop_defer;
MUST_CHECK int loop_defer_new(struct loop *l, loop_fn fn, void *user, struct loop_defer **ret);
void loop_defer_schedule(struct loop_defer *d);
void loop_defer_free(struct loop_defer *d);

/* ---- descriptors ---- */
#define LOOP_READ 1u
#define LOOP_WRITE 2u
struct loop_poll;
typedef void (*loop_poll_fn)(void *user, unsigned events, int error /* 0 or errno */);
/* The descriptor stays the caller's; it must be closed only after loop_poll_free. */
MUST_CHECK int loop_poll_new(struct loop *l, int fd, loop_poll_fn fn, void *user,
                             struct loop_poll **ret);
MUST_CHECK int loop_poll_start(struct loop_poll *p, unsigned events); /* 0 = stop */
void loop_poll_free(struct loop_poll *p);

/* ---- signals ---- */
struct loop_signal;
typedef void (*loop_signal_fn)(void *user, int signum);
MUST_CHECK int loop_signal_new(struct loop *l, int signum, loop_signal_fn fn, void *user,
                               struct loop_signal **ret);
void loop_signal_free(struct loop_signal *s);

/* ---- child processes ---- */
struct loop_process;
/* status: exit status, or -1 with term_signal set. output: what it wrote to stdout and stderr, cut
 * at LOOP_PROCESS_OUTPUT_MAX ("" unless captured); valid during the call. */
#define LOOP_PROCESS_OUTPUT_MAX 16384
typedef void (*loop_process_fn)(void *user, int64_t exit_status, int term_signal,
                                const char *output);
struct loop_process_opts {
    const char *file;        /* searched in PATH */
    const char *const *argv; /* NULL-ended */
    const char *const *env;  /* NULL = ours */
    const char *cwd;         /* NULL = ours */
    bool set_ids;            /* run as uid/gid */
    uid_t uid;
    gid_t gid;
    bool detached;       /* own session; goes on when we end */
    bool capture_output; /* stdout and stderr to the callback; otherwise /dev/null */
    int inherit_fd;      /* as fd 3 in the child; -1 = none. Preset by LOOP_PROCESS_DEFAULTS */
};
#define LOOP_PROCESS_DEFAULTS \
    {                         \
        .inherit_fd = -1      \
    }
/* stdin is /dev/null; PATH is that of env when given. fn is called once, when the child has ended
 * and its output too, at most 200 ms after the end when a grandchild keeps the output open. ERR_SYS
 * when it cannot be started (fn is not called then).
 */
MUST_CHECK int loop_process_spawn(struct loop *l, const struct loop_process_opts *opts,
                                  loop_process_fn fn, void *user, struct loop_process **ret);
/* ERR_NOT_FOUND when it has ended. */
MUST_CHECK int loop_process_kill(struct loop_process *p, int signum);
pid_t loop_process_pid(const struct loop_process *p);
void loop_process_free(struct loop_process *p); /* forgets it; the child goes on */

/* ---- one file's changes (inotify): fn after each modification, coalesced ---- */
struct loop_watch;
MUST_CHECK int loop_watch_new(struct loop *l, const char *path, loop_fn fn, void *user,
                              struct loop_watch **ret);
void loop_watch_free(struct loop_watch *w);

/* ---- thread pool: work runs off the loop, done on it (with ERR_CLOSED when cancelled) ---- */
struct loop_work;
typedef void (*loop_work_fn)(void *user);
typedef void (*loop_done_fn)(void *user, int err);
MUST_CHECK int loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user);

#endif
