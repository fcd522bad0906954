/*
 * tailgate-runner RUN_DIR: runs the one command that RUN_DIR/spec describes and appends its lines
 * to RUN_DIR/spool. It outlives the server that started it: own session, own lock, nothing but the
 * run directory shared.
 */
#include "runner/run.h"
#include "runner/sandbox.h"
#include "spool/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_SYSCALL
#define CLOSE_RANGE_SYSCALL 436 /* Linux 5.9 */
#endif

struct files {
    int dir, spool, ack, lock;
};

static int fail(const char *what, const char *path, int rc)
{
    dprintf(2, "tailgate-runner: cannot %s %s: %s\n", what, path, strerror(-rc));
    return RUNDIR_RUNNER_FAILED;
}

/* What the server had open is none of the command's business. */
static void close_inherited(void)
{
    if (syscall(CLOSE_RANGE_SYSCALL, 3u, ~0u, 0u) == 0)
        return;
    long max = sysconf(_SC_OPEN_MAX);
    for (long fd = 3; fd < (max > 0 ? max : 1024); fd++)
        close((int)fd);
}

/* SIGTERM from now on waits until the loop asks for it. */
static void set_signals(void)
{
    const int ignored[] = {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGXFSZ, SIGTTOU, SIGTTIN, SIGTSTP};
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, RUN_SIGNAL_STOP);
    sigaddset(&mask, RUN_SIGNAL_CHILD);
    (void)sigprocmask(SIG_SETMASK, &mask, NULL); /* cannot fail with valid arguments */
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        (void)signal(ignored[i], SIG_IGN);
    /* An inherited SIG_IGN would reap the command behind the runner's back. */
    (void)signal(SIGCHLD, SIG_DFL);
}

/* Descriptors 0 to 2 exist always, so that no file of ours becomes one of them. */
static int open_standard(void)
{
    for (;;) {
        int fd = open("/dev/null", O_RDWR);
        if (fd < 0)
            return -errno;
        if (fd > 2) {
            close(fd);
            return 0;
        }
    }
}

static int detach(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return -errno;
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        return -errno;
    close(null);
    (void)setsid(); /* fails when the engine did it already */
    return chdir("/") < 0 ? -errno : 0;
}

static int become_supervisor(void)
{
    umask(077);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return -errno;
#ifndef __SANITIZE_ADDRESS__ /* its leak check has to trace the process */
    /* Another process of the same user must not read the spec from this one's memory. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
#endif
    return 0;
}

static bool has_lock(int dir)
{
    enum rundir_liveness live = RUNDIR_NOT_STARTED;
    pid_t pid = 0;

    return rundir_liveness(dir, &live, &pid) == 0 && live != RUNDIR_NOT_STARTED;
}

/* Opens what a run needs and takes the lock last: before it, a failure leaves no trace. */
static int open_run(const char *path, struct files *f, struct run_spec *spec)
{
    enum rundir_liveness live = RUNDIR_NOT_STARTED;
    pid_t pid = 0;

    f->dir = rundir_open(path);
    if (f->dir < 0)
        return fail("open", path, f->dir);
    int rc = rundir_liveness(f->dir, &live, &pid);
    if (rc < 0)
        return fail("read the lock in", path, rc);
    if (live != RUNDIR_NOT_STARTED)
        return RUNDIR_RUNNER_ALREADY;
    rc = run_spec_read(f->dir, spec);
    if (rc < 0) /* a runner that was faster has taken it away */
        return has_lock(f->dir) ? RUNDIR_RUNNER_ALREADY : fail("read the spec in", path, rc);
    f->spool = rundir_open_file(f->dir, RUNDIR_SPOOL, true);
    if (f->spool < 0)
        return fail("open the spool in", path, f->spool);
    f->ack = rundir_open_file(f->dir, RUNDIR_ACK, false);
    if (f->ack < 0)
        return fail("open the ack in", path, f->ack);
    f->lock = rundir_lock(f->dir);
    if (f->lock == -EEXIST)
        return RUNDIR_RUNNER_ALREADY;
    if (f->lock < 0)
        return fail("take the lock in", path, f->lock);
    /* From here on nobody reads it again: the lock is never taken twice. What cannot be removed
     * goes with the directory. */
    (void)run_spec_drop(f->dir);
    return RUNDIR_RUNNER_DONE;
}

static int run_in(const char *path)
{
    struct files f = {-1, -1, -1, -1};
    struct run_spec spec = {.spool_max = 0};
    struct outlet out;

    int rc = become_supervisor();
    if (rc < 0)
        return fail("supervise", path, rc);
    int code = open_run(path, &f, &spec);
    if (code == RUNDIR_RUNNER_DONE) {
        rc = outlet_init(&out, f.spool, f.ack, spec.spool_max);
        if (rc < 0) {
            code = fail("continue the spool in", path, rc);
        } else {
            rc = detach();
            if (rc == 0)
                rc = run_command(&spec, &out);
            code = rc < 0 ? RUNDIR_RUNNER_FAILED : RUNDIR_RUNNER_DONE;
            outlet_done(&out);
        }
    }
    run_spec_done(&spec);
    return code; /* the end of the process closes the files and releases the lock */
}

int main(int argc, char **argv)
{
    if (open_standard() < 0)
        return RUNDIR_RUNNER_FAILED;
    if (argc == 2 && strcmp(argv[1], "--landlock-abi") == 0)
        return dprintf(1, "%d\n", sandbox_abi()) < 0 ? RUNDIR_RUNNER_FAILED : RUNDIR_RUNNER_DONE;
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return dprintf(1, "tailgate-runner %s\n", TAILGATE_VERSION) < 0 ? RUNDIR_RUNNER_FAILED
                                                                        : RUNDIR_RUNNER_DONE;
    if (argc != 2 || argv[1][0] == '-') {
        dprintf(2, "usage: tailgate-runner RUN_DIR | --landlock-abi | --version\n");
        return RUNDIR_RUNNER_USAGE;
    }
    close_inherited();
    set_signals();
    return run_in(argv[1]);
}
