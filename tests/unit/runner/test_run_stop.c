/* How runs end otherwise: timeouts, SIGTERM, trees that do not want to go, stragglers. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A tree that ignores TERM, in three generations, one of them a double-forked session of its own.
 * Their ids are in the workspace; "up" says that all are there. */
#define STUBBORN                                                                 \
    "trap '' TERM; "                                                             \
    "setsid sh -c 'trap \"\" TERM; (sleep 1000 & echo $! >far; wait) & exit' ; " \
    "(sh -c 'trap \"\" TERM; echo $$ >near; while :; do sleep 1000; done') & "   \
    "until [ -s far ] && [ -s near ]; do sleep 0.02; done; echo up; while :; do sleep 1000; done"

static void test_stop__timeout__ends_command(void **state)
{
    struct fixture *f = *state;
    f->spec.timeout_ms = 300;
    fixture_command(f, "echo start; sleep 1000; echo never");
    run_all(f);
    run_assert_text(f, 'o', "start\n");
    assert_int_equal(f->exit.flags, SPOOL_EXIT_TIMED_OUT);
    assert_int_equal(f->exit.signal, SIGTERM);
    assert_int_equal(f->exit.exit_code, 128 + SIGTERM);
}

static void test_stop__timeout_with_own_code__kept(void **state)
{
    struct fixture *f = *state;
    f->spec.timeout_ms = 200;
    fixture_command(f, "trap 'echo bye; exit 9' TERM; while :; do sleep 0.02; done");
    run_all(f);
    run_assert_text(f, 'o', "bye\n");
    assert_int_equal(f->exit.flags, SPOOL_EXIT_TIMED_OUT);
    assert_int_equal(f->exit.exit_code, 9);
}

static void test_stop__sigterm__stopped(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "echo up; sleep 1000");
    run_start(f);
    run_await(f, 'o', "up");
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
    run_read(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STOPPED);
    assert_int_equal(f->exit.signal, SIGTERM);
}

static void test_stop__other_signals__ignored(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "echo up; until [ -e go ]; do sleep 0.02; done; echo done");
    run_start(f);
    run_await(f, 'o', "up");
    kill(f->pid, SIGHUP);
    kill(f->pid, SIGINT);
    kill(f->pid, SIGPIPE);
    char path[128];
    snprintf(path, sizeof(path), "%s/go", f->work);
    FILE *go = fopen(path, "w");
    assert_non_null(go);
    fclose(go);
    run_wait(f);
    run_read(f);
    run_assert_text(f, 'o', "up\ndone\n");
    assert_int_equal(f->exit.flags, 0);
}

static void test_stop__stubborn_tree__killed_after_grace(void **state)
{
    struct fixture *f = *state;
    f->spec.grace_ms = 300;
    fixture_command(f, STUBBORN);
    run_start(f);
    run_await(f, 'o', "up");
    pid_t far = (pid_t)await_number(f, "far");
    pid_t near = (pid_t)await_number(f, "near");
    assert_int_equal(kill(far, 0), 0);
    int64_t before = mono_ms();
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
    int64_t took = mono_ms() - before;
    run_read(f);
    assert_int_equal(f->exit.signal, SIGKILL);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STOPPED | SPOOL_EXIT_KILLED);
    assert_true(took >= 290);
    await_gone(far);
    await_gone(near);
}

static void test_stop__stopped_process__still_ends(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "echo up; kill -STOP $$; echo never");
    run_start(f);
    run_await(f, 'o', "up");
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
    run_read(f);
    assert_int_equal(f->exit.signal, SIGTERM);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STOPPED);
}

static void test_stop__command_goes_children_stay__killed_after_grace(void **state)
{
    struct fixture *f = *state;
    f->spec.grace_ms = 400;
    fixture_command(f, "(trap '' TERM; echo up; while :; do sleep 1000; done) & "
                       "trap 'echo bye; exit 3' TERM; while :; do wait; done");
    run_start(f);
    run_await(f, 'o', "up");
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
    run_read(f);
    run_assert_text(f, 'o', "up\nbye\n");
    assert_int_equal(f->exit.exit_code, 3);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STOPPED | SPOOL_EXIT_KILLED | SPOOL_EXIT_STRAGGLERS);
}

static void test_stop__before_the_start__not_lost(void **state)
{
    struct fixture *f = *state;
    sigset_t term;
    sigset_t old;
    fixture_command(f, "echo never >ran");
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &old); /* inherited: the runner finds it pending */
    assert_int_equal(run_spec_write(f->dirfd, &f->spec), 0);
    f->pid = fork();
    if (f->pid == 0) {
        kill(getpid(), SIGTERM);
        execl(RUNNER_PROGRAM, "tailgate-runner", f->run, (char *)NULL);
        _exit(127);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    assert_int_equal(waitpid(f->pid, &f->status, 0), f->pid);
    f->pid = 0;
    run_read(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STOPPED);
    assert_int_equal(f->exit.signal, SIGTERM);
    assert_int_equal(f->begin_pid, 0);
    assert_int_equal(run_count_system(f, "stopped before"), 1);
    char path[128];
    snprintf(path, sizeof(path), "%s/ran", f->work);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_stragglers__sleeping__ended_after_drain(void **state)
{
    struct fixture *f = *state;
    f->spec.drain_ms = 300;
    fixture_command(f, "sleep 600 & echo $! >bg; echo done");
    int64_t before = mono_ms();
    run_all(f);
    int64_t took = mono_ms() - before;
    run_assert_text(f, 'o', "done\n");
    assert_int_equal(f->exit.exit_code, 0);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STRAGGLERS);
    assert_int_equal(run_count_system(f, "left processes behind"), 1);
    assert_true(took >= 290);
    await_gone((pid_t)await_number(f, "bg"));
}

static void test_stragglers__ignore_term__killed_after_a_second(void **state)
{
    struct fixture *f = *state;
    f->spec.drain_ms = 100;
    fixture_command(f, "(trap '' TERM; echo up >flag; while :; do sleep 600; done) & "
                       "until [ -s flag ]; do sleep 0.02; done; echo done; exit 4");
    int64_t before = mono_ms();
    run_all(f);
    int64_t took = mono_ms() - before;
    assert_int_equal(f->exit.exit_code, 4);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STRAGGLERS);
    assert_true(took >= 1000);
}

static void test_stragglers__that_write__lines_kept(void **state)
{
    struct fixture *f = *state;
    f->spec.drain_ms = 10 * DEADLINE_MS; /* not waited for */
    fixture_command(f, "(sleep 0.3; echo late; sleep 0.3; printf later) & echo done");
    run_all(f);
    run_assert_text(f, 'o', "done\nlate\nlater");
    assert_int_equal(f->exit.flags, 0); /* they ended by themselves */
}

static void test_stragglers__daemon_without_pipes__ended_too(void **state)
{
    struct fixture *f = *state;
    f->spec.drain_ms = 200;
    fixture_command(f,
                    "setsid sh -c 'sleep 600 & echo $! >bg' >/dev/null 2>&1 </dev/null; echo done");
    run_all(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STRAGGLERS);
    await_gone((pid_t)await_number(f, "bg"));
}

static void test_stragglers__sigterm_while_draining__ended_at_once(void **state)
{
    struct fixture *f = *state;
    f->spec.drain_ms = 60000;
    fixture_command(f, "(echo bg; sleep 600) & echo $$ >me");
    run_start(f);
    run_await(f, 'o', "bg");
    await_gone((pid_t)await_number(f, "me"));
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
    run_read(f);
    assert_int_equal(f->exit.exit_code, 0);
    assert_true((f->exit.flags & SPOOL_EXIT_STRAGGLERS) != 0);
}

static void test_stop__runner_killed__command_goes_too(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "echo $$ >me; echo up; exec sleep 1000");
    run_start(f);
    run_await(f, 'o', "up");
    pid_t me = (pid_t)await_number(f, "me");
    kill(f->pid, SIGKILL);
    run_wait(f);
    await_gone(me);
    enum rundir_liveness live = RUNDIR_ALIVE;
    pid_t pid = 0;
    assert_int_equal(rundir_liveness(f->dirfd, &live, &pid), 0);
    assert_int_equal(live, RUNDIR_DEAD);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_stop__timeout__ends_command),
        T(test_stop__timeout_with_own_code__kept),
        T(test_stop__sigterm__stopped),
        T(test_stop__other_signals__ignored),
        T(test_stop__stubborn_tree__killed_after_grace),
        T(test_stop__stopped_process__still_ends),
        T(test_stop__command_goes_children_stay__killed_after_grace),
        T(test_stop__before_the_start__not_lost),
        T(test_stragglers__sleeping__ended_after_drain),
        T(test_stragglers__ignore_term__killed_after_a_second),
        T(test_stragglers__that_write__lines_kept),
        T(test_stragglers__daemon_without_pipes__ended_too),
        T(test_stragglers__sigterm_while_draining__ended_at_once),
        T(test_stop__runner_killed__command_goes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
