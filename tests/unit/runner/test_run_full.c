/*
 * The real runner without room: a file-size limit stands for the disk. Whatever it does then, what
 * is in the spool is the beginning of what the command wrote, and the end says why.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define LINES 40000
#define LIMIT 200000

/* Starts with a disk of LIMIT bytes; ours stays as large as it was. */
static void start_with_small_disk(struct fixture *f)
{
    struct rlimit old;
    getrlimit(RLIMIT_FSIZE, &old);
    const struct rlimit limit = {.rlim_cur = LIMIT, .rlim_max = old.rlim_max};
    assert_int_equal(run_spec_write(f->dirfd, &f->spec), 0);
    setrlimit(RLIMIT_FSIZE, &limit);
    run_start(f);
    setrlimit(RLIMIT_FSIZE, &old);
}

static void give_room(struct fixture *f)
{
    const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    assert_int_equal(prlimit(f->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void wait_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Until the spool has not grown for a while. */
static void await_standstill(struct fixture *f)
{
    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    int64_t deadline = mono_ms() + DEADLINE_MS;
    off_t last = 0;
    for (int same = 0; same < 50; wait_ms(20)) {
        struct stat st;
        assert_int_equal(fstat(fd, &st), 0);
        same = st.st_size == last && last > SPOOL_HEADER_LEN ? same + 1 : 0;
        last = st.st_size;
        assert_true(mono_ms() < deadline);
    }
    close(fd);
}

/* Lines 1, 2, 3 … and no other; how many. */
static size_t count_prefix(const struct fixture *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->records[i].kind == SPOOL_KIND_STDOUT) {
            assert_int_equal(f->records[i].flags, 0);
            assert_int_equal(strtoul(f->records[i].payload, NULL, 10), ++n);
        }
    }
    return n;
}

static void finish(struct fixture *f)
{
    run_wait(f);
    assert_int_equal(WEXITSTATUS(f->status), RUNDIR_RUNNER_DONE);
    run_read(f);
}

static void test_fail__disk_full__ended_told_prefix_kept(void **state)
{
    struct fixture *f = *state;
    f->spec.spool_full = SPEC_SPOOL_FULL_FAIL;
    fixture_command(f, "seq -f %065.0f 1 100000000");
    start_with_small_disk(f);
    finish(f);
    assert_true((f->exit.flags & SPOOL_EXIT_DISK_FULL) != 0);
    assert_int_equal(run_count_system(f, "disk full: the command is ended"), 1);
    assert_in_range(count_prefix(f), 0, LIMIT / 85);
}

static void test_fail__bound__ended_told_prefix_kept(void **state)
{
    struct fixture *f = *state;
    f->spec.spool_full = SPEC_SPOOL_FULL_FAIL;
    f->spec.spool_max = 100000;
    fixture_command(f, "seq -f %065.0f 1 100000000");
    run_start(f);
    finish(f);
    assert_true((f->exit.flags & SPOOL_EXIT_SPOOL_FULL) != 0);
    assert_int_equal(run_count_system(f, "spool full: the command is ended"), 1);
    assert_in_range(count_prefix(f), 1000, 10000);
}

static void test_fail__command_ignores_term__killed_after_grace(void **state)
{
    struct fixture *f = *state;
    f->spec.spool_full = SPEC_SPOOL_FULL_FAIL;
    f->spec.spool_max = 100000;
    f->spec.grace_ms = 100;
    fixture_command(f, "trap '' TERM PIPE; seq -f %065.0f 1 10000; while :; do sleep 0.05; done");
    run_start(f);
    finish(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_SPOOL_FULL | SPOOL_EXIT_KILLED);
    assert_int_equal(f->exit.signal, SIGKILL);
}

static void test_fail__command_had_ended__still_told(void **state)
{
    struct fixture *f = *state;
    f->spec.spool_full = SPEC_SPOOL_FULL_FAIL;
    f->spec.spool_max = 500;
    fixture_command(f, "seq -f %065.0f 1 100"); /* fits into the pipe */
    run_start(f);
    finish(f);
    assert_true((f->exit.flags & SPOOL_EXIT_SPOOL_FULL) != 0);
}

static void test_block__room_comes_back__all_lines_and_a_word(void **state)
{
    struct fixture *f = *state;
    char command[64];
    snprintf(command, sizeof(command), "seq -f %%065.0f 1 %d", LINES);
    fixture_command(f, command);
    start_with_small_disk(f);
    await_standstill(f);
    wait_ms(1100); /* what is shorter is not worth a word */
    give_room(f);
    finish(f);
    assert_int_equal(count_prefix(f), LINES);
    assert_int_equal(run_count_system(f, "output was blocked"), 1);
    assert_int_equal(run_count_system(f, "s: disk full"), 1);
    assert_int_equal(f->exit.flags, 0);
}

static void test_block__stopped_while_full__ends_and_says_what_is_lost(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "seq -f %065.0f 1 100000000");
    start_with_small_disk(f);
    await_standstill(f);
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    finish(f);
    assert_true((f->exit.flags & SPOOL_EXIT_STOPPED) != 0);
    assert_int_equal(run_count_system(f, "disk full: what was written from here on is lost"), 1);
    (void)count_prefix(f);
}

static void test_block__ended_while_full__waits_then_whole(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "seq -f %065.0f 1 4000; echo $$ >me; exit 3");
    start_with_small_disk(f);
    await_gone((pid_t)await_number(f, "me"));
    give_room(f);
    finish(f);
    assert_int_equal(f->exit.exit_code, 3);
    assert_int_equal(count_prefix(f), 4000);
}

static void test_block__ended_while_full_then_stopped__ends(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "seq -f %065.0f 1 4000; echo $$ >me");
    start_with_small_disk(f);
    await_gone((pid_t)await_number(f, "me"));
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    finish(f);
    assert_int_equal(f->exit.exit_code, 0);
    assert_int_equal(run_count_system(f, "is lost"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_fail__disk_full__ended_told_prefix_kept),
        T(test_fail__bound__ended_told_prefix_kept),
        T(test_fail__command_ignores_term__killed_after_grace),
        T(test_fail__command_had_ended__still_told),
        T(test_block__room_comes_back__all_lines_and_a_word),
        T(test_block__stopped_while_full__ends_and_says_what_is_lost),
        T(test_block__ended_while_full__waits_then_whole),
        T(test_block__ended_while_full_then_stopped__ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
