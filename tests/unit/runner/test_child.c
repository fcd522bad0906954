/* The command's start, and each way in which it can fail. */
#include "runner/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

int __real_pipe2(int p[2], int flags);
int __wrap_pipe2(int p[2], int flags);
int __real_posix_openpt(int flags);
int __wrap_posix_openpt(int flags);
int __real_ptsname_r(int fd, char *p, size_t n);
int __wrap_ptsname_r(int fd, char *p, size_t n);
pid_t __real_fork(void);
pid_t __wrap_fork(void);
int __real_tcgetattr(int fd, struct termios *t);
int __wrap_tcgetattr(int fd, struct termios *t);

enum seam { NONE, PIPE, PIPE_2, PIPE_3, OPENPT, PTSNAME, PTSNAME_GONE, FORK, TCGETATTR };
static enum seam failing;

int __wrap_pipe2(int p[2], int flags)
{
    errno = EMFILE;
    if (failing == PIPE)
        return -1;
    if (failing == PIPE_2 || failing == PIPE_3)
        failing = failing == PIPE_2 ? PIPE : PIPE_2;
    return __real_pipe2(p, flags);
}

int __wrap_posix_openpt(int flags)
{
    errno = ENOENT;
    return failing == OPENPT ? -1 : __real_posix_openpt(flags);
}

int __wrap_ptsname_r(int fd, char *p, size_t n)
{
    if (failing == PTSNAME_GONE)
        memcpy(p, "/dev/none", 10);
    return failing == PTSNAME ? ENOTTY : failing == PTSNAME_GONE ? 0 : __real_ptsname_r(fd, p, n);
}

pid_t __wrap_fork(void)
{
    errno = EAGAIN;
    return failing == FORK ? -1 : __real_fork();
}

int __wrap_tcgetattr(int fd, struct termios *t)
{
    errno = EIO;
    return failing == TCGETATTR ? -1 : __real_tcgetattr(fd, t);
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void test_child_start__each_failure__named_and_nothing_left(void **state)
{
    static char workspace[] = "/tmp";
    static char nowhere[] = "/no/such/workspace";
    static char command[] = "true";
    static const struct {
        enum seam seam;
        bool tty;
        const char *what;
        int error;
    } rows[] = {
        {PIPE, false, "cannot set up its streams", EMFILE},
        {PIPE_2, false, "cannot set up its streams", EMFILE},
        {PIPE_3, false, "cannot set up its streams", EMFILE},
        {OPENPT, true, "cannot set up its streams", ENOENT},
        {PTSNAME, true, "cannot set up its streams", ENOTTY},
        {PTSNAME_GONE, true, "cannot set up its streams", ENOENT},
        {TCGETATTR, true, "cannot set up its streams", EIO},
        {FORK, false, "cannot make a session", EAGAIN},
        {NONE, false, "cannot enter the workspace", ENOENT},
        {NONE, true, "cannot enter the workspace", ENOENT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct run_spec s = {.command = command, .workspace = workspace, .tty = rows[i].tty};
        struct child child;
        struct child_failure why = {0};
        if (rows[i].seam == NONE)
            s.workspace = nowhere;
        int before = open_descriptors();
        failing = rows[i].seam;
        assert_int_equal(child_start(&s, &child, &why), -1);
        failing = NONE;
        assert_string_equal(why.what, rows[i].what);
        assert_int_equal(why.error, rows[i].error);
        assert_int_equal(why.exit_code, 126);
        assert_int_equal(open_descriptors(), before);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no process either */
    }
    (void)state;
}

static void test_child_start__runs__streams_are_non_blocking(void **state)
{
    static char workspace[] = "/tmp";
    static char command[] = "echo out; echo err >&2; exit 3";
    struct run_spec s = {.command = command, .workspace = workspace};
    struct child child;
    struct child_failure why;
    int status = 0;
    char text[16] = {0};
    assert_int_equal(child_start(&s, &child, &why), 0);
    assert_true((fcntl(child.out_fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(child.out_fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    assert_int_equal(read(child.out_fd, text, sizeof(text)), 4);
    assert_memory_equal(text, "out\n", 4);
    assert_int_equal(read(child.err_fd, text, sizeof(text)), 4);
    assert_memory_equal(text, "err\n", 4);
    assert_int_equal(read(child.out_fd, text, sizeof(text)), 0);
    close(child.out_fd);
    close(child.err_fd);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_child_start__each_failure__named_and_nothing_left),
        cmocka_unit_test(test_child_start__runs__streams_are_non_blocking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
