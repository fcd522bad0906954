/* What has not been committed is bounded: the command blocks, nothing is lost, holes follow ack. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINES 40000 /* of 66 bytes: 2.6 MB and more in the spool */

static uint64_t file_size(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_size;
}

static uint64_t disk_bytes(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

/* Waits until the spool has not grown for some rounds: the command blocks. */
static uint64_t await_standstill(int fd)
{
    struct timespec t = {.tv_nsec = 20000000};
    int64_t deadline = mono_ms() + DEADLINE_MS;
    uint64_t last = 0;
    for (int same = 0; same < 50;) {
        uint64_t now = file_size(fd);
        same = now == last && now > SPOOL_HEADER_LEN ? same + 1 : 0;
        last = now;
        assert_true(mono_ms() < deadline);
        nanosleep(&t, NULL);
    }
    return last;
}

/* A reader that acks what it read, like the server's, counting lines and the disk's worst. */
struct ack_reader {
    uint64_t lines, worst_disk;
    bool in_order;
};

static uint64_t number_of(const struct spool_record *rec)
{
    char text[80] = {0};
    assert_true(rec->len < sizeof(text));
    memcpy(text, rec->payload, rec->len);
    return strtoull(text, NULL, 10);
}

static void follow_and_ack(struct fixture *f, struct ack_reader *a)
{
    struct spool_reader *r = NULL;
    struct spool_record rec;
    struct timespec t = {.tv_nsec = 1000000};
    int64_t deadline = mono_ms() + 2 * DEADLINE_MS;
    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    int ack = rundir_open_file(f->dirfd, RUNDIR_ACK, true);
    int rc = 0;

    *a = (struct ack_reader){.in_order = true};
    assert_int_equal(spool_reader_new(fd, RUN_ID, 0, &r), 0);
    while (rc != -ENODATA) {
        rc = spool_reader_next(r, &rec);
        if (rc == 0 && rec.kind == 'o' && rec.flags == 0) /* a killed command may leave a part */
            a->in_order = number_of(&rec) == ++a->lines && a->in_order;
        if (rc == -EAGAIN) {
            assert_int_equal(rundir_ack_write(ack, spool_reader_offset(r)), 0);
            uint64_t disk = disk_bytes(fd);
            if (disk > a->worst_disk)
                a->worst_disk = disk;
            assert_true(mono_ms() < deadline);
            nanosleep(&t, NULL);
            rc = 0;
        }
        if (rc == 0 && rec.kind == SPOOL_KIND_EXIT)
            assert_int_equal(spool_exit_unpack(rec.payload, rec.len, &f->exit), 0);
        assert_true(rc == 0 || rc == -ENODATA);
    }
    assert_int_equal(rundir_ack_write(ack, spool_reader_offset(r)), 0);
    spool_reader_free(r);
    close(fd);
    close(ack);
}

static void count_to(struct fixture *f, long n, const char *then)
{
    char command[128];
    snprintf(command, sizeof(command), "seq -f %%065.0f 1 %ld%s", n, then);
    fixture_command(f, command);
}

static void test_bound__acked__nothing_lost_disk_bounded(void **state)
{
    struct fixture *f = *state;
    struct ack_reader a;
    f->spec.spool_max = 300000;
    count_to(f, LINES, "; exit 5");
    run_start(f);
    follow_and_ack(f, &a);
    run_wait(f);
    assert_int_equal(a.lines, LINES);
    assert_true(a.in_order);
    assert_int_equal(f->exit.exit_code, 5);
    /* bound, one hole's step, and what one round of reading adds */
    assert_true(a.worst_disk < 300000 + (1u << 20) + (512u << 10));
}

static void test_bound__no_ack__command_blocks(void **state)
{
    struct fixture *f = *state;
    struct ack_reader a;
    f->spec.spool_max = 100000;
    count_to(f, LINES, "");
    run_start(f);
    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    uint64_t size = await_standstill(fd);
    assert_true(size >= 100000 && size < 100000 + (256u << 10));
    close(fd);
    follow_and_ack(f, &a);
    run_wait(f);
    assert_int_equal(a.lines, LINES);
    assert_true(a.in_order);
}

/* The drain's clock stands while nobody reads: what the command wrote before its end comes. */
static void test_bound__ended_while_blocked__pipe_still_read(void **state)
{
    struct fixture *f = *state;
    struct ack_reader a;
    f->spec.spool_max = 50000;
    f->spec.drain_ms = 50;
    count_to(f, 2500, "; echo $$ >me");
    run_start(f);
    await_gone((pid_t)await_number(f, "me"));
    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    (void)await_standstill(fd);
    close(fd);
    follow_and_ack(f, &a);
    run_wait(f);
    assert_int_equal(a.lines, 2500);
    assert_true(a.in_order);
}

static void test_bound__stopped_while_blocked__ends_after_ack(void **state)
{
    struct fixture *f = *state;
    struct ack_reader a;
    f->spec.spool_max = 50000;
    count_to(f, 10000000, "");
    run_start(f);
    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    (void)await_standstill(fd);
    close(fd);
    assert_int_equal(rundir_signal(f->dirfd, SIGTERM), 0);
    follow_and_ack(f, &a);
    run_wait(f);
    assert_true(a.in_order);
    assert_true((f->exit.flags & SPOOL_EXIT_STOPPED) != 0);
}

/* Commits of half the bytes make holes too; a page that is only half committed stays. */
static void test_bound__holes__end_before_ack(void **state)
{
    struct fixture *f = *state;
    struct ack_reader a;
    f->spec.spool_max = 64u << 20;
    count_to(f, LINES, "");
    run_start(f);
    follow_and_ack(f, &a);
    run_wait(f);
    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    struct spool_reader *r = NULL;
    assert_int_equal(spool_reader_new(fd, RUN_ID, 0, &r), 0); /* the header is never punched */
    spool_reader_free(r);
    assert_true(file_size(fd) > 3000000);
    close(fd);
    assert_int_equal(a.lines, LINES);
}

/* A file-size limit stands for a disk that refuses: the data is kept, the command blocks. */
static void test_bound__write_fails__kept_until_it_works(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit = {.rlim_cur = 200000, .rlim_max = RLIM_INFINITY};
    struct rlimit old;
    getrlimit(RLIMIT_FSIZE, &old);
    count_to(f, LINES, "");
    assert_int_equal(run_spec_write(f->dirfd, &f->spec), 0);
    setrlimit(RLIMIT_FSIZE, &limit);
    run_start(f);
    limit.rlim_cur = old.rlim_cur;
    setrlimit(RLIMIT_FSIZE, &limit);
    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    /* Whole writes only, and the runner's own last records still find room. */
    assert_in_range(await_standstill(fd), 1, 200000 - RUNDIR_RESERVE_BYTES);
    close(fd);
    /* Room again, as on a disk that somebody cleaned. */
    assert_int_equal(prlimit(f->pid, RLIMIT_FSIZE, &old, NULL), 0);
    run_wait(f);
    assert_int_equal(WEXITSTATUS(f->status), RUNDIR_RUNNER_DONE);
    run_read(f);
    size_t told = run_count_system(f, "output was blocked"); /* when it took a second */
    assert_int_equal(f->count, LINES + 2 + told);
    assert_string_equal(f->records[LINES + told].payload + 60, "40000");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_bound__acked__nothing_lost_disk_bounded),
        T(test_bound__no_ack__command_blocks),
        T(test_bound__ended_while_blocked__pipe_still_read),
        T(test_bound__stopped_while_blocked__ends_after_ack),
        T(test_bound__holes__end_before_ack),
        T(test_bound__write_fails__kept_until_it_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
