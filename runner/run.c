/*
 * The runner's loop, once for the setup (when the spec has one) and once for the command: one poll
 * over the signals and the command's streams, and a phase that steps when something ended or a
 * deadline passed.
 *
 *   RUNNING ──command reaped──▶ DRAINING ──no descendant left──▶ LAST ──streams ended──▶ DONE
 *
 * RUNNING:  a timeout or SIGTERM starts the way to SIGKILL over the whole tree (stop.h).
 * DRAINING: background processes may still write, for drain_ms; then they are ended.
 * LAST:     nobody of ours writes any more; what the pipes still hold is read.
 */
#include "runner/run.h"

#include "runner/child.h"
#include "runner/container.h"
#include "runner/full.h"
#include "runner/now.h"
#include "runner/oom.h"
#include "runner/stop.h"
#include "runner/stream.h"
#include "spool/bytes.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define STREAMS 2
#define STRAGGLER_GRACE_MAX_MS 1000

enum phase { PHASE_RUNNING, PHASE_DRAINING, PHASE_LAST, PHASE_DONE };

struct run {
    struct run_spec *spec;
    struct outlet *out;
    int signal_fd;
    enum phase phase;
    struct child child;
    struct stop stop;
    bool asked_to_stop; /* SIGTERM came */
    bool reaped;        /* the command */
    bool childless;     /* no descendant is left */
    int64_t timeout_at_ms;
    int64_t drain_until_ms;
    int64_t stepped_at_ms;
    struct full full;
    bool is_given_up; /* nothing more is read */
    struct spool_exit exit;
    struct stream streams[STREAMS];
};

/* ---- signals ---- */

static void note_command_end(struct run *r, int status)
{
    r->reaped = true;
    r->exit.ended_us = now_us();
    if (WIFSIGNALED(status)) {
        r->exit.signal = WTERMSIG(status);
        r->exit.exit_code = 128 + r->exit.signal;
    } else {
        r->exit.exit_code = WEXITSTATUS(status);
    }
}

static void reap(struct run *r)
{
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid <= 0) {
            r->childless = pid < 0;
            return;
        }
        if (pid == r->child.pid)
            note_command_end(r, status);
    }
}

static void read_signals(struct run *r)
{
    struct signalfd_siginfo info[8];

    ssize_t n = read(r->signal_fd, info, sizeof(info));
    for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(info[0]); i++) {
        if (info[i].ssi_signo == RUN_SIGNAL_STOP)
            r->asked_to_stop = true;
    }
    reap(r);
}

/* ---- phases ---- */

static void step_running(struct run *r, int64_t now)
{
    if (r->reaped) {
        r->phase = PHASE_DRAINING;
        r->drain_until_ms = now + r->spec->drain_ms;
        return;
    }
    if (r->stop.phase == STOP_IDLE && (r->asked_to_stop || now >= r->timeout_at_ms)) {
        r->exit.flags |= r->asked_to_stop ? SPOOL_EXIT_STOPPED : SPOOL_EXIT_TIMED_OUT;
        stop_begin(&r->stop, now, r->spec->grace_ms);
    }
    stop_step(&r->stop, now);
    if (r->stop.phase >= STOP_KILLING)
        r->exit.flags |= SPOOL_EXIT_KILLED;
}

static bool streams_have_ended(const struct run *r)
{
    return r->streams[0].ended && r->streams[1].ended;
}

static void end_stragglers(struct run *r, int64_t now)
{
    int64_t grace_ms = r->spec->grace_ms;

    if (r->stop.phase != STOP_IDLE)
        return;
    r->exit.flags |= SPOOL_EXIT_STRAGGLERS;
    outlet_system(r->out, "tailgate: the command has ended but left processes behind; ending them");
    stop_begin(&r->stop, now,
               grace_ms < STRAGGLER_GRACE_MAX_MS ? grace_ms : STRAGGLER_GRACE_MAX_MS);
}

static void step_draining(struct run *r, int64_t now)
{
    bool given_up = r->stop.phase == STOP_GIVEN_UP;

    if (r->childless || given_up) {
        bool over = r->stop.phase != STOP_IDLE || r->asked_to_stop || now >= r->drain_until_ms;
        if (!over && !streams_have_ended(r))
            return; /* somebody else has a pipe: the rest of drain_ms is for them */
        if (given_up)
            outlet_system(r->out, "tailgate: some processes cannot be ended; leaving them");
        for (size_t i = 0; i < STREAMS; i++)
            stream_set_last(&r->streams[i]);
        r->phase = PHASE_LAST;
        return;
    }
    if (now >= r->drain_until_ms || r->asked_to_stop)
        end_stragglers(r, now);
    enum stop_phase before = r->stop.phase;
    stop_step(&r->stop, now);
    if (before == STOP_ASKING && r->stop.phase == STOP_KILLING) {
        r->exit.flags |= SPOOL_EXIT_STRAGGLERS;
        if ((r->exit.flags & (SPOOL_EXIT_TIMED_OUT | SPOOL_EXIT_STOPPED)) != 0)
            r->exit.flags |= SPOOL_EXIT_KILLED;
    }
}

static void drop_streams(struct run *r)
{
    r->is_given_up = true;
    for (size_t i = 0; i < STREAMS; i++)
        stream_drop(&r->streams[i]);
}

/* Blocked for good: by --spool-full=fail, by an error that stays, or since the command was ended
 * and the disk has no room for its last words. */
static void mind_full(struct run *r, int64_t now)
{
    const uint32_t by_us = SPOOL_EXIT_STOPPED | SPOOL_EXIT_TIMED_OUT;
    enum outlet_state state = full_watch(&r->full, r->out, now);
    bool is_ended = r->asked_to_stop || (r->exit.flags & by_us) != 0;
    bool is_full = state == OUTLET_SPOOL_FULL || state == OUTLET_DISK_FULL;

    if (state == OUTLET_OPEN || r->is_given_up)
        return;
    if ((is_full && r->spec->spool_full == SPEC_SPOOL_FULL_FAIL) || outlet_is_broken(r->out)) {
        drop_streams(r);
        r->exit.flags |= full_end(state, r->out);
        if (r->phase == PHASE_RUNNING)
            stop_begin(&r->stop, now, r->spec->grace_ms);
    } else if (state == OUTLET_DISK_FULL && r->phase == PHASE_LAST && is_ended) {
        drop_streams(r);
        full_lose_rest(r->out);
    }
}

static void step(struct run *r, int64_t now)
{
    /* The command's descendants cannot write while nobody reads: that time is not theirs. */
    if (r->phase == PHASE_DRAINING && !outlet_is_open(r->out))
        r->drain_until_ms += now - r->stepped_at_ms;
    r->stepped_at_ms = now;
    if (r->phase == PHASE_RUNNING)
        step_running(r, now);
    if (r->phase == PHASE_DRAINING)
        step_draining(r, now);
    if (r->phase == PHASE_LAST && (streams_have_ended(r) || outlet_is_broken(r->out)))
        r->phase = PHASE_DONE;
}

/* ---- waiting ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int timeout_ms(const struct run *r, int64_t now)
{
    int64_t at = earlier(outlet_next_ms(r->out), r->stop.next_at_ms);

    if (r->phase == PHASE_RUNNING && r->stop.phase == STOP_IDLE)
        at = earlier(at, r->timeout_at_ms);
    if (r->phase == PHASE_DRAINING && r->stop.phase == STOP_IDLE && outlet_is_open(r->out))
        at = earlier(at, r->drain_until_ms);
    for (size_t i = 0; i < STREAMS && outlet_is_open(r->out); i++)
        at = earlier(at, stream_is_pending(&r->streams[i]) ? now : r->streams[i].silent_at_ms);
    if (at == NEVER_MS)
        return -1;
    int64_t wait = at > now ? at - now : 0;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

/* Polls; what was read before is written before anything is waited for. */
static int poll_all(struct run *r, struct pollfd fds[1 + STREAMS])
{
    bool open = outlet_is_open(r->out);

    fds[0] = (struct pollfd){.fd = r->signal_fd, .events = POLLIN};
    for (size_t i = 0; i < STREAMS; i++) {
        int fd = open ? r->streams[i].fd : -1;
        fds[1 + i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    int n = poll(fds, 1 + STREAMS, 0);
    int64_t now = now_ms();
    if (n == 0 || outlet_is_due(r->out, now))
        outlet_flush(r->out, now);
    if (n == 0 && open == outlet_is_open(r->out))
        n = poll(fds, 1 + STREAMS, r->phase == PHASE_LAST && open ? 0 : timeout_ms(r, now));
    return n;
}

static void handle_streams(struct run *r, const struct pollfd fds[1 + STREAMS], int64_t now)
{
    for (size_t i = 0; i < STREAMS; i++) {
        struct stream *s = &r->streams[i];
        if (!outlet_is_open(r->out))
            return;
        if (stream_is_pending(s))
            stream_pump(s, r->out);
        else if (s->fd >= 0 && (fds[1 + i].revents != 0 || r->phase == PHASE_LAST))
            stream_read(s, r->out, now);
        else if (fds[1 + i].fd >= 0) /* it was asked, and has nothing */
            stream_mind_silence(s, r->out, now);
    }
}

static void loop(struct run *r)
{
    struct pollfd fds[1 + STREAMS];

    while (r->phase != PHASE_DONE) {
        int n = poll_all(r, fds);
        int64_t now = now_ms();
        if (n > 0 && fds[0].revents != 0)
            read_signals(r);
        mind_full(r, now);
        if (n >= 0)
            handle_streams(r, fds, now);
        outlet_look(r->out, now);
        step(r, now);
    }
}

/* ---- beginning and end ---- */

static void write_exit(struct run *r)
{
    uint8_t payload[SPOOL_EXIT_LEN];
    struct rusage u = {0};

    (void)getrusage(RUSAGE_CHILDREN, &u); /* cannot fail with this argument */
    r->exit.user_us = (int64_t)u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec;
    r->exit.system_us = (int64_t)u.ru_stime.tv_sec * 1000000 + u.ru_stime.tv_usec;
    r->exit.max_rss_kib = u.ru_maxrss;
    if (r->exit.ended_us < r->exit.started_us)
        r->exit.ended_us = r->exit.started_us;
    spool_exit_pack(&r->exit, payload);
    outlet_record(r->out, now_us(), SPOOL_KIND_EXIT, payload, sizeof(payload));
}

/* A shell says 137 of its child. The container is as old as the run, so its count is the run's. */
static void mind_memory(struct run *r)
{
    const uint32_t ended_by_us = SPOOL_EXIT_STOPPED | SPOOL_EXIT_TIMED_OUT | SPOOL_EXIT_SPOOL_FULL |
                                 SPOOL_EXIT_DISK_FULL | SPOOL_EXIT_NOT_STARTED;
    if (r->spec->sandbox != SPEC_SANDBOX_CONTAINER || (r->exit.flags & ended_by_us) != 0 ||
        r->exit.exit_code != 128 + SIGKILL || oom_kills(OOM_CGROUP) == 0)
        return;
    r->exit.flags |= SPOOL_EXIT_OUT_OF_MEMORY;
    outlet_system(r->out, "tailgate: out of memory: the limit is %lld MiB",
                  (long long)(oom_limit(OOM_CGROUP) >> 20));
}

static void note_not_started(struct run *r, const struct child_failure *why)
{
    outlet_system(r->out, "tailgate: the command could not be started: %s: %s", why->what,
                  strerror(why->error));
    r->exit.exit_code = why->exit_code;
    r->exit.flags |= SPOOL_EXIT_NOT_STARTED;
    r->exit.started_us = r->exit.ended_us = now_us();
}

static void note_stopped_before(struct run *r)
{
    outlet_system(r->out, "tailgate: stopped before the command was started");
    r->exit.signal = RUN_SIGNAL_STOP;
    r->exit.exit_code = 128 + RUN_SIGNAL_STOP;
    r->exit.flags |= SPOOL_EXIT_STOPPED;
    r->exit.started_us = r->exit.ended_us = now_us();
}

static void note_begin(struct run *r)
{
    uint8_t pid[4];

    put_u32(pid, (uint32_t)r->child.pid);
    outlet_record(r->out, r->exit.started_us, SPOOL_KIND_BEGIN, pid, sizeof(pid));
}

/* From the child's start to its end, all that it wrote given out. is_setup: as system lines. */
static void run_child(struct run *r, bool is_setup)
{
    r->phase = PHASE_RUNNING;
    r->reaped = false;
    r->childless = false;
    r->exit = (struct spool_exit){.started_us = now_us()};
    r->stepped_at_ms = now_ms();
    stop_init(&r->stop, r->child.pid);
    stream_init(&r->streams[0], r->child.out_fd, is_setup ? SPOOL_KIND_SYSTEM : SPOOL_KIND_STDOUT);
    stream_init(&r->streams[1], r->child.err_fd, is_setup ? SPOOL_KIND_SYSTEM : SPOOL_KIND_STDERR);
    if (!is_setup)
        note_begin(r);
    loop(r);
    for (size_t i = 0; i < STREAMS; i++)
        stream_done(&r->streams[i]);
}

/* SIGTERM may have come while nothing ran. */
static bool is_stopped(struct run *r)
{
    struct pollfd fd = {.fd = r->signal_fd, .events = POLLIN};

    if (poll(&fd, 1, 0) > 0)
        read_signals(r);
    if (r->asked_to_stop)
        note_stopped_before(r);
    return r->asked_to_stop;
}

/* True when the command may follow. */
static bool run_setup(struct run *r)
{
    const uint32_t ended_by_us =
        SPOOL_EXIT_STOPPED | SPOOL_EXIT_TIMED_OUT | SPOOL_EXIT_SPOOL_FULL | SPOOL_EXIT_DISK_FULL;
    struct run_spec setup = *r->spec;
    struct child_failure failure;

    setup.command = setup.setup;
    setup.env = setup.setup_env;
    setup.directory = NULL;
    setup.tty = false;
    if (child_start(&setup, &r->child, &failure) < 0) {
        note_not_started(r, &failure);
        r->exit.flags |= SPOOL_EXIT_SETUP_FAILED;
        return false;
    }
    run_child(r, true);
    if (r->exit.exit_code == 0 && (r->exit.flags & ended_by_us) == 0)
        return !is_stopped(r);
    if ((r->exit.flags & ended_by_us) == 0)
        r->exit.flags |= SPOOL_EXIT_NOT_STARTED | SPOOL_EXIT_SETUP_FAILED;
    return false;
}

static void run_all(struct run *r)
{
    struct child_failure failure;

    if (r->spec->sandbox == SPEC_SANDBOX_CONTAINER && container_settle(r->spec, &failure) < 0) {
        note_not_started(r, &failure);
        write_exit(r);
        return;
    }
    r->timeout_at_ms = r->spec->timeout_ms > 0 ? now_ms() + r->spec->timeout_ms : NEVER_MS;
    if (!is_stopped(r) && (r->spec->setup == NULL || run_setup(r))) {
        if (child_start(r->spec, &r->child, &failure) < 0)
            note_not_started(r, &failure);
        else
            run_child(r, false);
    }
    mind_memory(r);
    write_exit(r);
}

int run_command(struct run_spec *spec, struct outlet *out)
{
    sigset_t mask;

    struct run *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return -ENOMEM;
    r->spec = spec;
    r->out = out;
    sigemptyset(&mask);
    sigaddset(&mask, RUN_SIGNAL_STOP);
    sigaddset(&mask, RUN_SIGNAL_CHILD);
    r->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    int rc = r->signal_fd < 0 ? -errno : 0;
    if (rc == 0) {
        run_all(r);
        rc = outlet_finish(out);
        close(r->signal_fd);
    }
    free(r);
    return rc;
}
