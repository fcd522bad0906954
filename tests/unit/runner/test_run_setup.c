/* The stage before the command: its lines, its failures, its end by others, and where the command
 * begins. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *setup_env[] = {"PATH=/usr/bin:/bin", "ONLY=setup", NULL};

static void setup(struct fixture *f, const char *text)
{
    f->spec.setup = strdup(text);
    assert_non_null(f->spec.setup);
    f->spec.setup_env = setup_env;
}

/* The harness frees what it made itself. */
static int teardown(void **state)
{
    struct fixture *f = *state;
    free(f->spec.setup);
    f->spec.setup = NULL;
    f->spec.setup_env = NULL;
    f->spec.directory = NULL;
    return fixture_teardown(state);
}

static void test_setup__succeeds__system_lines_then_command(void **state)
{
    struct fixture *f = *state;
    setup(f, "echo \"got $ONLY\"; echo err >&2; env | wc -l >count; echo 1 >made");
    fixture_command(f, "cat made; echo ${ONLY:-none}");
    run_all(f);
    assert_int_equal(run_count_system(f, "got setup"), 1);
    assert_int_equal(run_count_system(f, "err"), 1);
    run_assert_text(f, 'o', "1\nnone\n");
    assert_int_equal(f->exit.exit_code, 0);
    assert_int_equal(f->exit.flags, 0);
    assert_true(f->begin_pid != 0);
    /* The begin record is the command's. */
    for (size_t i = 0; i < f->count && f->records[i].kind != SPOOL_KIND_BEGIN; i++)
        assert_int_equal(f->records[i].kind, 's');
}

static void test_setup__leaves_processes__command_follows(void **state)
{
    struct fixture *f = *state;
    setup(f, "sleep 1000 & echo ready");
    f->spec.drain_ms = 50;
    fixture_command(f, "echo ran");
    run_all(f);
    run_assert_text(f, 'o', "ran\n");
    assert_int_equal(f->exit.flags, 0);
}

struct failing {
    const char *setup;
    int code, signal;
};

static void test_setup__fails__command_not_started(void **state)
{
    static const struct failing rows[] = {
        {"exit 3", 3, 0}, {"kill -9 $$", 137, 9}, {"no-such-program", 127, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *s = NULL;
        assert_int_equal(fixture_setup(&s), 0);
        struct fixture *f = s;
        setup(f, rows[i].setup);
        fixture_command(f, "echo never");
        run_all(f);
        run_assert_text(f, 'o', "");
        assert_int_equal(f->exit.exit_code, rows[i].code);
        assert_int_equal(f->exit.signal, rows[i].signal);
        assert_int_equal(f->exit.flags, SPOOL_EXIT_NOT_STARTED | SPOOL_EXIT_SETUP_FAILED);
        assert_int_equal(f->begin_pid, 0);
        teardown(&s);
    }
    (void)state;
}

static void test_setup__no_workspace__not_started(void **state)
{
    struct fixture *f = *state;
    setup(f, "true");
    fixture_command(f, "true");
    assert_int_equal(rmdir(f->work), 0);
    run_all(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_NOT_STARTED | SPOOL_EXIT_SETUP_FAILED);
    assert_int_equal(mkdir(f->work, 0700), 0);
}

static void test_setup__timeout__counts_and_ends(void **state)
{
    struct fixture *f = *state;
    f->spec.timeout_ms = 200;
    setup(f, "sleep 1000");
    fixture_command(f, "echo never");
    run_all(f);
    run_assert_text(f, 'o', "");
    assert_int_equal(f->exit.flags, SPOOL_EXIT_TIMED_OUT);
}

static void test_setup__timeout__one_for_both(void **state)
{
    struct fixture *f = *state;
    f->spec.timeout_ms = 2000;
    setup(f, "sleep 0.3");
    fixture_command(f, "sleep 1000");
    int64_t start = mono_ms();
    run_all(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_TIMED_OUT);
    assert_true(mono_ms() - start >= 2000);
    assert_true(f->begin_pid != 0);
}

static void test_setup__sigterm__stopped(void **state)
{
    struct fixture *f = *state;
    setup(f, "echo up; sleep 1000");
    fixture_command(f, "echo never");
    run_start(f);
    run_await(f, 's', "up");
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
    run_read(f);
    run_assert_text(f, 'o', "");
    assert_int_equal(f->exit.flags, SPOOL_EXIT_STOPPED);
}

/* It ends by itself, successfully, after it was asked to stop: nothing follows all the same. */
static void test_setup__sigterm_ignored_then_success__command_not_started(void **state)
{
    struct fixture *f = *state;
    setup(f, "trap 'exit 0' TERM; echo up; while :; do sleep 0.02; done");
    fixture_command(f, "echo never");
    run_start(f);
    run_await(f, 's', "up");
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
    run_read(f);
    run_assert_text(f, 'o', "");
    assert_int_equal(f->exit.flags & SPOOL_EXIT_STOPPED, SPOOL_EXIT_STOPPED);
}

static void test_directory__below__command_begins_there(void **state)
{
    struct fixture *f = *state;
    f->spec.directory = "repo/sub";
    setup(f, "mkdir -p repo/real; ln -s real repo/sub");
    fixture_command(f, "pwd -P | grep -c 'repo/real$'");
    run_all(f);
    run_assert_text(f, 'o', "1\n");
}

static void test_directory__link_leads_out__not_started(void **state)
{
    static const char *const rows[] = {"ln -s / out", "ln -s ../.. out", "ln -s /proc/self/cwd out",
                                       "true"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *s = NULL;
        assert_int_equal(fixture_setup(&s), 0);
        struct fixture *f = s;
        f->spec.directory = "out";
        setup(f, rows[i]);
        fixture_command(f, "echo never");
        run_all(f);
        run_assert_text(f, 'o', "");
        assert_int_equal(f->exit.flags, SPOOL_EXIT_NOT_STARTED);
        assert_int_equal(run_count_system(f, "cannot enter the workspace"), 1);
        teardown(&s);
    }
    (void)state;
}

static void test_spec__runner_lives__is_gone(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "echo up; sleep 1000");
    fixture_env(f, "API_KEY=very-secret");
    run_start(f);
    run_await(f, 'o', "up");
    assert_int_equal(faccessat(f->dirfd, RUNDIR_SPEC, F_OK, 0), -1);
    assert_int_equal(run_second(f), RUNDIR_RUNNER_ALREADY);
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_setup__succeeds__system_lines_then_command),
        T(test_setup__leaves_processes__command_follows),
        cmocka_unit_test(test_setup__fails__command_not_started),
        T(test_setup__no_workspace__not_started),
        T(test_setup__timeout__counts_and_ends),
        T(test_setup__timeout__one_for_both),
        T(test_setup__sigterm__stopped),
        T(test_setup__sigterm_ignored_then_success__command_not_started),
        T(test_directory__below__command_begins_there),
        cmocka_unit_test(test_directory__link_leads_out__not_started),
        T(test_spec__runner_lives__is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
