/* tailgate-runner from the command's start to the exit record: bytes, codes, environment, tty. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct bytes_row {
    const char *command;
    const char *out, *err;
    size_t out_n, err_n;
};
#define ROW(c, o, e)                          \
    {                                         \
        c, o, e, sizeof(o) - 1, sizeof(e) - 1 \
    }

static const struct bytes_row bytes_rows[] = {
    ROW("printf 'a\\tb\\r\\n\\377\\376 bad utf8\\n\\033[31mred\\033[0m\\nno newline at end'",
        "a\tb\r\n\377\376 bad utf8\n\033[31mred\033[0m\nno newline at end", ""),
    ROW("true", "", ""),
    ROW("echo", "\n", ""),
    ROW("printf '\\n\\n\\n'", "\n\n\n", ""),
    ROW("printf '\\r'", "\r", ""),
    ROW("printf 'a\\0b\\n\\0'", "a\0b\n\0", ""),
    ROW("echo out; echo err >&2; printf e >&2", "out\n", "err\ne"),
    ROW("read x; echo \"got $? [$x]\"", "got 1 []\n", ""),
    ROW("printf x; exec >&-", "x", ""),
};

static void test_run__bytes__are_exact(void **state)
{
    for (size_t i = 0; i < sizeof(bytes_rows) / sizeof(bytes_rows[0]); i++) {
        const struct bytes_row *row = &bytes_rows[i];
        void *s = NULL;
        assert_int_equal(fixture_setup(&s), 0);
        struct fixture *f = s;
        fixture_command(f, row->command);
        run_all(f);
        run_assert_joined(f, 'o', row->out, row->out_n);
        run_assert_joined(f, 'e', row->err, row->err_n);
        assert_int_equal(f->records[f->count - 1].kind, SPOOL_KIND_EXIT);
        assert_int_equal(f->exit.exit_code, 0);
        assert_int_equal(f->exit.flags, 0);
        fixture_teardown(&s);
    }
    (void)state;
}

struct end_row {
    const char *command;
    int code, signal;
    uint32_t flags;
};

static void test_run__end__is_in_exit_record(void **state)
{
    static const struct end_row rows[] = {
        {"exit 0", 0, 0, 0},
        {"exit 7", 7, 0, 0},
        {"exit 255", 255, 0, 0},
        {"/no/such/program", 127, 0, 0},
        {"kill -TERM $$", 128 + SIGTERM, SIGTERM, 0},
        {"kill -KILL $$", 128 + SIGKILL, SIGKILL, 0},
        {"kill -PIPE $$", 128 + SIGPIPE, SIGPIPE,
         0}, /* the runner ignores it, the command must not */
        {"kill -INT $$", 128 + SIGINT, SIGINT, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *s = NULL;
        assert_int_equal(fixture_setup(&s), 0);
        struct fixture *f = s;
        fixture_command(f, rows[i].command);
        run_all(f);
        assert_int_equal(f->exit.exit_code, rows[i].code);
        assert_int_equal(f->exit.signal, rows[i].signal);
        assert_int_equal(f->exit.flags, rows[i].flags);
        assert_int_equal(f->records[0].kind, SPOOL_KIND_BEGIN);
        assert_true(f->begin_pid > 0);
        assert_true(f->exit.started_us <= f->exit.ended_us);
        assert_true(f->exit.max_rss_kib > 0);
        fixture_teardown(&s);
    }
    (void)state;
}

static void test_run__times__never_decrease(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "for i in 1 2 3 4 5; do echo $i; echo $i >&2; done");
    run_all(f);
    for (size_t i = 1; i < f->count; i++)
        assert_true(f->records[i - 1].time_us <= f->records[i].time_us);
    assert_int_equal(f->count, 12);
    assert_true(f->exit.started_us == f->records[0].time_us);
}

static void test_run__cpu_time__is_counted(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
    run_all(f);
    assert_true(f->exit.user_us + f->exit.system_us > 10000);
}

/* An unfinished line comes after 250 ms of silence, and joins with what follows. */
static void test_run__silence__gives_out_part(void **state)
{
    struct fixture *f = *state;
    fixture_command(f,
                    "printf first; until [ -e go ]; do sleep 0.05; done; printf ' second\\nlast'");
    run_start(f);
    run_await(f, 'o', "first"); /* while the command waits */
    char path[128];
    snprintf(path, sizeof(path), "%s/go", f->work);
    FILE *go = fopen(path, "w");
    assert_non_null(go);
    fclose(go);
    run_wait(f);
    run_read(f);
    run_assert_text(f, 'o', "first second\nlast");
    assert_int_equal(f->records[1].flags, SPOOL_PART);
    assert_int_equal(f->records[2].flags, 0);
    assert_int_equal(f->records[3].flags, SPOOL_NO_EOL);
}

/* A part, then the end with nothing more: an empty record closes the line. */
static void test_run__part_then_end__empty_record(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "printf prompt; sleep 0.5");
    run_all(f);
    run_assert_text(f, 'o', "prompt");
    assert_int_equal(f->count, 4);
    assert_int_equal(f->records[1].flags, SPOOL_PART);
    assert_int_equal(f->records[2].flags, SPOOL_NO_EOL);
    assert_int_equal(f->records[2].len, 0);
}

static void test_run__long_line__cut_at_maximum(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "head -c 65536 /dev/zero; echo; head -c 200000 /dev/zero; echo; echo end");
    run_all(f);
    struct bytes b = run_joined(f, 'o');
    assert_int_equal(b.n, 65536 + 1 + 200000 + 1 + 4);
    free(b.p);
    for (size_t i = 0; i < f->count; i++)
        assert_true(f->records[i].len <= SPOOL_LINE_MAX);
}

static void test_run__bulk__every_line_in_order(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "seq 1 200000");
    run_all(f);
    assert_int_equal(f->count, 200002);
    for (size_t i = 0; i < 200000; i++)
        assert_int_equal(strtol(f->records[i + 1].payload, NULL, 10), (long)i + 1);
}

static void test_run__env__is_exactly_the_specs(void **state)
{
    struct fixture *f = *state;
    fixture_env(f, "A=1");
    fixture_env(f, "EMPTY=");
    fixture_env(f, "WITH=a=b c");
    setenv("TAILGATE_TEST_LEAK", "1", 1);
    fixture_command(f, "tr '\\0' '\\n' </proc/$$/environ");
    run_all(f);
    run_assert_text(f, 'o', "PATH=/usr/bin:/bin\nA=1\nEMPTY=\nWITH=a=b c\n");
}

static void test_run__surroundings__are_clean(void **state)
{
    struct fixture *f = *state;
    fixture_command(
        f, "pwd; umask; n=0; for f in /proc/$$/fd/*; do test -e $f && n=$((n+1)); done; echo $n; "
           "grep -e ^SigBlk -e ^SigIgn /proc/self/status; "
           "set -- $(cat /proc/$$/stat); [ $$ = $6 ] && echo session");
    run_all(f);
    char want[512];
    int n = snprintf(want, sizeof(want),
                     "%s\n0022\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nsession\n",
                     f->work);
    run_assert_joined(f, 'o', want, (size_t)n);
}

static void test_run__tty__one_stream_raw_bytes(void **state)
{
    struct fixture *f = *state;
    f->spec.tty = true;
    fixture_command(f, "test -t 0 && test -t 1 && test -t 2 && echo yes; stty size; echo e >&2; "
                       "printf 'a\\r\\n\\tb\\n'; echo x >/dev/tty; printf end");
    run_all(f);
    run_assert_text(f, 'o', "yes\n24 80\ne\na\r\n\tb\nx\nend");
    run_assert_text(f, 'e', "");
    assert_int_equal(f->exit.exit_code, 0);
}

static void test_run__tty_bulk__nothing_lost(void **state)
{
    struct fixture *f = *state;
    f->spec.tty = true;
    fixture_command(f, "seq 1 20000");
    run_all(f);
    assert_int_equal(f->count, 20002);
    assert_string_equal(f->records[20000].payload, "20000");
}

static void test_run__no_workspace__not_started(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "echo never");
    rmdir(f->work);
    run_all(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_NOT_STARTED);
    assert_int_equal(f->exit.exit_code, 126);
    assert_int_equal(f->begin_pid, 0);
    assert_int_equal(run_count_system(f, "cannot enter the workspace: No such file"), 1);
}

static void test_run__command_too_long__not_started(void **state)
{
    struct fixture *f = *state;
    char *command = malloc(300001);
    assert_non_null(command);
    memset(command, ' ', 300000);
    command[300000] = '\0';
    fixture_command(f, command);
    free(command);
    run_all(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_NOT_STARTED);
    assert_int_equal(run_count_system(f, "Argument list too long"), 1);
}

static void test_run__second_runner__leaves_quietly(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "echo once; until [ -e go ]; do sleep 0.05; done");
    run_start(f);
    run_await(f, 'o', "once");
    assert_int_equal(run_second(f), RUNDIR_RUNNER_ALREADY);
    enum rundir_liveness live = RUNDIR_DEAD;
    pid_t pid = 0;
    assert_int_equal(rundir_liveness(f->dirfd, &live, &pid), 0);
    assert_int_equal(live, RUNDIR_ALIVE);
    assert_int_equal(pid, f->pid);
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    run_wait(f);
    assert_int_equal(run_second(f), RUNDIR_RUNNER_ALREADY);
    run_read(f);
    run_assert_text(f, 'o', "once\n");
    assert_int_equal(rundir_liveness(f->dirfd, &live, &pid), 0);
    assert_int_equal(live, RUNDIR_DEAD);
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), -ESRCH);
}

/* The server wrote progress lines and committed them before the start. */
static void test_run__spool_with_lines__is_continued(void **state)
{
    struct fixture *f = *state;
    struct spool_writer *w = NULL;
    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, true);
    assert_int_equal(spool_writer_new(fd, &w), 0);
    assert_int_equal(spool_writer_append(w, INT64_MAX - 5, 's', 0, "cloned", 6), 0);
    assert_int_equal(spool_writer_flush(w), 0);
    spool_writer_free(w);
    close(fd);
    fixture_command(f, "echo hi");
    run_all(f);
    assert_string_equal(f->records[0].payload, "cloned");
    run_assert_text(f, 'o', "hi\n");
    assert_true(f->records[2].time_us == INT64_MAX - 5); /* never before the last */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run__bytes__are_exact),
        cmocka_unit_test(test_run__end__is_in_exit_record),
        T(test_run__times__never_decrease),
        T(test_run__cpu_time__is_counted),
        T(test_run__silence__gives_out_part),
        T(test_run__part_then_end__empty_record),
        T(test_run__long_line__cut_at_maximum),
        T(test_run__bulk__every_line_in_order),
        T(test_run__env__is_exactly_the_specs),
        T(test_run__surroundings__are_clean),
        T(test_run__tty__one_stream_raw_bytes),
        T(test_run__tty_bulk__nothing_lost),
        T(test_run__no_workspace__not_started),
        T(test_run__command_too_long__not_started),
        T(test_run__second_runner__leaves_quietly),
        T(test_run__spool_with_lines__is_continued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
