/* Finding and signalling descendants, with real ones. */
#include "runner/tree.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* depth processes below this one, each in its own session, named with a parenthesis; the last tells
 * that it is there. Those in between exit when `orphans`. */
static _Noreturn void grow(int depth, int tell, int orphans)
{
    bool last = depth == 1;
    for (; depth > 0; depth--) {
        setsid();
        prctl(PR_SET_NAME, "a) R 1 (b", 0, 0, 0);
        last = depth == 1;
        if (last || fork() != 0)
            break;
    }
    if (!last && orphans)
        _exit(0);
    if (last && write(tell, "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void start(int depth, int orphans)
{
    int p[2];
    char c = 0;
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        grow(depth, p[1], orphans);
    assert_int_equal(read(p[0], &c, 1), 1);
    close(p[0]);
    close(p[1]);
}

/* Reaps all; how many of them ended by signum. */
static size_t reap(int signum)
{
    size_t n = 0;
    int status = 0;
    while (waitpid(-1, &status, 0) > 0)
        n += WIFSIGNALED(status) && WTERMSIG(status) == signum;
    assert_int_equal(errno, ECHILD);
    return n;
}

static void test_tree__no_descendants__none_signalled(void **state)
{
    assert_int_equal(tree_signal(SIGTERM, getpgrp()), 0);
    (void)state;
}

static void test_tree__chain_of_sessions__all_signalled(void **state)
{
    start(4, 0);
    assert_int_equal(tree_signal(SIGKILL, 0), 4);
    assert_int_equal(reap(SIGKILL), 4);
    (void)state;
}

static void test_tree__orphans__all_signalled(void **state)
{
    start(3, 1);
    start(1, 0);
    assert_int_equal(tree_signal(SIGTERM, 0), 2);
    assert_int_equal(reap(SIGTERM), 2);
    (void)state;
}

/* A zombie is nothing to signal; it is there until it is reaped. */
static void test_tree__zombie__not_counted(void **state)
{
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(tree_signal(SIGKILL, 0), 0);
    assert_int_equal(reap(SIGKILL), 0);
    (void)state;
}

/* A stopped process gets to see its SIGTERM. */
static void test_tree__stopped__ends_on_term(void **state)
{
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        for (;;)
            pause();
    }
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
    assert_int_equal(tree_signal(SIGTERM, 0), 1);
    assert_int_equal(reap(SIGTERM), 1);
    (void)state;
}

/* More processes than one table's first size, and a crowd that is not ours. */
static void test_tree__many__all_signalled(void **state)
{
    for (int i = 0; i < 300; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (;;)
                pause();
        }
        assert_true(pid > 0);
    }
    assert_int_equal(tree_signal(SIGKILL, 0), 300);
    assert_int_equal(reap(SIGKILL), 300);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree__no_descendants__none_signalled),
        cmocka_unit_test(test_tree__chain_of_sessions__all_signalled),
        cmocka_unit_test(test_tree__orphans__all_signalled),
        cmocka_unit_test(test_tree__zombie__not_counted),
        cmocka_unit_test(test_tree__stopped__ends_on_term),
        cmocka_unit_test(test_tree__many__all_signalled),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
