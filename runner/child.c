/*
 * The command's start. Between fork and exec the new process becomes what the command is to be and
 * tells through a close-on-exec pipe which step failed; end of file there means it was exec'd.
 *
 *   fork ─▶ session ─▶ streams ─▶ signals ─▶ ids ─▶ workspace, directory ─▶ sandbox ─▶ exec
 */
#include "runner/child.h"

#include "runner/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PIPE_BYTES (256 * 1024) /* four times the default: fewer wake-ups at full speed */

enum step { STEP_SESSION, STEP_STREAMS, STEP_IDS, STEP_WORKSPACE, STEP_SANDBOX, STEP_EXEC };

static const char *const step_names[] = {
    [STEP_SESSION] = "cannot make a session", [STEP_STREAMS] = "cannot set up its streams",
    [STEP_IDS] = "cannot become its user",    [STEP_WORKSPACE] = "cannot enter the workspace",
    [STEP_SANDBOX] = "cannot confine it",     [STEP_EXEC] = "cannot execute /bin/sh",
};

struct report {
    enum step step;
    int error;
};

/* Both ends of everything between runner and command; -1 where there is none. */
struct plumbing {
    int out_r, out_w; /* a terminal: its two sides */
    int err_r, err_w;
    int report_r, report_w;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all(struct plumbing *p)
{
    close_fd(&p->out_r);
    close_fd(&p->out_w);
    close_fd(&p->err_r);
    close_fd(&p->err_w);
    close_fd(&p->report_r);
    close_fd(&p->report_w);
}

static int set_non_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int make_pipe(int *r, int *w)
{
    int p[2];
    if (pipe2(p, O_CLOEXEC) < 0)
        return -errno;
    *r = p[0];
    *w = p[1];
    return 0;
}

static int make_output_pipe(int *r, int *w)
{
    int rc = make_pipe(r, w);
    if (rc < 0)
        return rc;
    (void)fcntl(*w, F_SETPIPE_SZ, PIPE_BYTES); /* the default does as well */
    return set_non_blocking(*r);
}

/* Bytes pass as they are: no \n to \r\n, no echo. 80x24, as terminals are born. */
static int set_up_terminal(int slave)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct termios t;

    if (tcgetattr(slave, &t) < 0)
        return -errno;
    t.c_oflag &= ~(tcflag_t)OPOST;
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    if (tcsetattr(slave, TCSANOW, &t) < 0 || ioctl(slave, TIOCSWINSZ, &size) < 0)
        return -errno;
    return 0;
}

static int make_terminal(const struct run_spec *spec, int *master, int *slave)
{
    char name[64];

    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*master < 0 || grantpt(*master) < 0 || unlockpt(*master) < 0)
        return -errno;
    int rc = ptsname_r(*master, name, sizeof(name));
    if (rc != 0)
        return -rc;
    *slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave < 0)
        return -errno;
    /* So that the command can open it by name too. */
    if (spec->set_ids && fchown(*slave, spec->uid, (gid_t)-1) < 0)
        return -errno;
    rc = set_up_terminal(*slave);
    return rc < 0 ? rc : set_non_blocking(*master);
}

static int make_plumbing(const struct run_spec *spec, struct plumbing *p)
{
    int rc = make_pipe(&p->report_r, &p->report_w);
    if (rc < 0)
        return rc;
    if (spec->tty)
        return make_terminal(spec, &p->out_r, &p->out_w);
    rc = make_output_pipe(&p->out_r, &p->out_w);
    return rc < 0 ? rc : make_output_pipe(&p->err_r, &p->err_w);
}

/* ---- in the new process ---- */

static int set_streams(const struct run_spec *spec, const struct plumbing *p)
{
    if (spec->tty) {
        if (ioctl(p->out_w, TIOCSCTTY, 0) < 0)
            return -errno;
        return dup2(p->out_w, 0) < 0 || dup2(p->out_w, 1) < 0 || dup2(p->out_w, 2) < 0 ? -errno : 0;
    }
    /* 0, 1 and 2 are taken (main.c), so none of these is one of those. */
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0)
        return -errno;
    if (dup2(null, 0) < 0 || dup2(p->out_w, 1) < 0 || dup2(p->err_w, 2) < 0)
        return -errno;
    return 0;
}

static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, &action, NULL); /* those that cannot be set have their default */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* capset(2) of nothing: root in a container is no more than its other users. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/* When memory runs out the kernel should end the command, not the runner that tells of it. */
static void offer_to_oom_killer(void)
{
    static const char score[] = "500";
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, score, sizeof(score) - 1); /* without it the kernel chooses by size alone */
    close(fd);
}

static int become_user(const struct run_spec *spec)
{
    if (!spec->set_ids)
        return 0;
    if (spec->uid == (uid_t)-1 || spec->gid == (gid_t)-1) /* would mean: stay as you are */
        return -EINVAL;
    if (setgroups(0, NULL) < 0 || setresgid(spec->gid, spec->gid, spec->gid) < 0 ||
        setresuid(spec->uid, spec->uid, spec->uid) < 0)
        return -errno;
    return drop_capabilities();
}

/* The command goes when the runner is killed: nobody would read its pipes or end it. */
static int die_with_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

/* openat2(2); numbers and layout are kernel ABI (Linux 5.6), headers may be older. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define RESOLVE_BENEATH_FLAG 0x08u
#define RESOLVE_NO_MAGICLINKS_FLAG 0x02u
struct open_how_abi {
    uint64_t flags, mode, resolve;
};

/* What was cloned into the workspace may hold links: none of them leads out of it. */
static int enter_directory(const struct run_spec *spec)
{
    const struct open_how_abi how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH_FLAG | RESOLVE_NO_MAGICLINKS_FLAG,
    };

    if (chdir(spec->workspace) < 0)
        return -errno;
    if (spec->directory == NULL)
        return 0;
    long fd = syscall(SYS_openat2, AT_FDCWD, spec->directory, &how, sizeof(how));
    if (fd < 0)
        return -errno;
    int rc = fchdir((int)fd) < 0 ? -errno : 0;
    close((int)fd);
    return rc;
}

static int become_command(const struct run_spec *spec, const struct plumbing *p, pid_t parent,
                          enum step *step)
{
    static char *const no_env[] = {NULL};
    char *const argv[] = {"sh", "-c", spec->command, NULL};

    *step = STEP_SESSION;
    if (setsid() < 0)
        return -errno;
    *step = STEP_STREAMS;
    int rc = set_streams(spec, p);
    if (rc < 0)
        return rc;
    reset_signals();
    umask(022);
    *step = STEP_IDS;
    offer_to_oom_killer();
    rc = become_user(spec);
    if (rc == 0)
        rc = die_with_parent(parent);
    if (rc < 0)
        return rc;
    *step = STEP_WORKSPACE;
    rc = enter_directory(spec);
    if (rc < 0)
        return rc;
    *step = STEP_SANDBOX;
    rc = sandbox_enter(spec);
    if (rc < 0)
        return rc;
    *step = STEP_EXEC;
    /* Not execve(): in a build that counts coverage that would write the counts first, and complain
     * on the command's standard error where its user may not. */
    syscall(SYS_execve, "/bin/sh", argv, spec->env != NULL ? spec->env : no_env);
    return -errno;
}

static _Noreturn void run_child(const struct run_spec *spec, const struct plumbing *p, pid_t parent)
{
    struct report r = {.step = STEP_SESSION};
    r.error = -become_command(spec, p, parent, &r.step);
    if (write(p->report_w, &r, sizeof(r)) != (ssize_t)sizeof(r))
        _exit(125); /* nobody there to tell */
    _exit(126);
}

/* ---- in the runner ---- */

static void fill_failure(enum step step, int error, struct child_failure *ret)
{
    ret->what = step_names[step];
    ret->error = error;
    ret->exit_code = step == STEP_EXEC && error == ENOENT ? 127 : 126;
}

/* 0 when the command was exec'd, -1 when it reported a failure. */
static int await_exec(int fd, struct child_failure *ret_failure)
{
    struct report r;
    ssize_t n = 0;

    do {
        n = read(fd, &r, sizeof(r));
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        return 0;
    if (n == (ssize_t)sizeof(r) && r.step <= STEP_EXEC)
        fill_failure(r.step, r.error, ret_failure);
    else
        fill_failure(STEP_EXEC, EIO, ret_failure);
    return -1;
}

static int fork_command(const struct run_spec *spec, struct plumbing *p, struct child *ret,
                        struct child_failure *ret_failure)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0) {
        fill_failure(STEP_SESSION, errno, ret_failure);
        return -1;
    }
    if (pid == 0)
        run_child(spec, p, parent);
    close_fd(&p->report_w);
    close_fd(&p->out_w);
    close_fd(&p->err_w);
    if (await_exec(p->report_r, ret_failure) < 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        return -1;
    }
    ret->pid = pid;
    ret->out_fd = p->out_r;
    ret->err_fd = p->err_r;
    p->out_r = -1; /* the caller's now */
    p->err_r = -1;
    return 0;
}

int child_start(const struct run_spec *spec, struct child *ret, struct child_failure *ret_failure)
{
    struct plumbing p = {-1, -1, -1, -1, -1, -1};

    int rc = make_plumbing(spec, &p);
    if (rc < 0) {
        fill_failure(STEP_STREAMS, -rc, ret_failure);
        rc = -1;
    } else {
        rc = fork_command(spec, &p, ret, ret_failure);
    }
    close_all(&p);
    return rc;
}
