/* When the outlet writes, pauses, blocks, gives up, and where it punches holes. */
#include "runner/outlet.h"

#include "runner/now.h"
#include "spooled.h"

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_usleep(unsigned us);
int __wrap_fsync(int fd);
int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);

static int write_error;   /* errno of every write; 0: they go through */
static unsigned sleeps;   /* calls of usleep, which do not sleep here */
static unsigned heals_at; /* write_error is cleared by this sleep */
static int fsync_error;
static int reserve_error; /* errno of taking blocks */
static int64_t slept_us;  /* what the clock is ahead by */

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    int rc = __real_clock_gettime(id, t);
    t->tv_sec += slept_us / 1000000;
    t->tv_nsec += slept_us % 1000000 * 1000;
    if (t->tv_nsec >= 1000000000) {
        t->tv_sec++;
        t->tv_nsec -= 1000000000;
    }
    return rc;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    errno = write_error;
    return write_error != 0 ? -1 : __real_write(fd, p, n);
}

/* With FALLOC_FL_PUNCH_HOLE it is a hole, which always goes through. */
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
    if (reserve_error == 0 || (mode & FALLOC_FL_PUNCH_HOLE) != 0)
        return __real_fallocate(fd, mode, offset, len);
    errno = reserve_error;
    return -1;
}

int __wrap_usleep(unsigned us)
{
    slept_us += us;
    if (++sleeps == heals_at)
        write_error = 0;
    return 0;
}

int __wrap_fsync(int fd)
{
    (void)fd;
    errno = fsync_error;
    return fsync_error != 0 ? -1 : 0;
}

static off_t size_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st.st_size;
}

static void add_lines(struct outlet *o, size_t n, uint32_t len)
{
    static uint8_t line[SPOOL_LINE_MAX];
    for (size_t i = 0; i < n; i++)
        assert_int_equal(outlet_line(o, 'o', 0, line, len), 0);
}

static void test_outlet__few_lines__wait_a_little(void **state)
{
    struct spooled s;
    spooled_init(&s, 1u << 20);
    int64_t now = now_ms();
    assert_false(outlet_is_due(&s.out, now));
    add_lines(&s.out, 3, 10);
    assert_false(outlet_is_due(&s.out, now));
    assert_true(outlet_is_due(&s.out, now + 1000)); /* old enough, however busy it is */
    assert_int_equal(size_of(s.spool_fd), SPOOL_HEADER_LEN);
    outlet_flush(&s.out, now);
    assert_int_equal(size_of(s.spool_fd), SPOOL_HEADER_LEN + 90);
    assert_false(outlet_is_due(&s.out, now + 1000));
    add_lines(&s.out, 3, 50000);
    assert_true(outlet_is_due(&s.out, 0)); /* much enough */
    spooled_done(&s);
    (void)state;
}

static void test_outlet__bound__paused_until_ack_moves(void **state)
{
    struct spooled s;
    spooled_init(&s, 1000);
    assert_int_equal(outlet_next_ms(&s.out), NEVER_MS);
    add_lines(&s.out, 9, 80);
    assert_true(outlet_is_open(&s.out));
    add_lines(&s.out, 1, 80);
    assert_false(outlet_is_open(&s.out));
    outlet_look(&s.out, 100); /* nobody acked */
    assert_false(outlet_is_open(&s.out));
    assert_int_equal(outlet_next_ms(&s.out), 120);
    assert_int_equal(rundir_ack_write(s.ack_fd, 264), 0);
    outlet_look(&s.out, 119); /* not yet time */
    assert_false(outlet_is_open(&s.out));
    outlet_look(&s.out, 120);
    assert_true(outlet_is_open(&s.out));
    spooled_done(&s);
    (void)state;
}

static void test_outlet__large_bound__includes_what_is_added_past_it(void **state)
{
    struct spooled s;
    spooled_init(&s, 64u << 20);
    assert_int_equal(s.out.bound, (64u << 20) - (1u << 20) - 3 * SPOOL_WRITE_BYTES);
    spooled_done(&s);
    (void)state;
}

/* An ack from nowhere: behind the end, going back, or half a number. */
static void test_outlet__nonsense_ack__ignored(void **state)
{
    struct spooled s;
    spooled_init(&s, 500);
    add_lines(&s.out, 10, 80);
    assert_int_equal(rundir_ack_write(s.ack_fd, UINT64_MAX), 0);
    outlet_look(&s.out, 100);
    assert_false(outlet_is_open(&s.out));
    assert_int_equal(rundir_ack_write(s.ack_fd, 664), 0);
    outlet_look(&s.out, 200);
    assert_true(outlet_is_open(&s.out));
    assert_int_equal(rundir_ack_write(s.ack_fd, 64), 0);
    add_lines(&s.out, 5, 80);
    assert_int_equal(ftruncate(s.ack_fd, 3), 0);
    outlet_look(&s.out, 300);
    assert_int_equal(s.out.ack, 664);
    spooled_done(&s);
    (void)state;
}

static void test_outlet__holes__in_coarse_steps(void **state)
{
    struct spooled s;
    struct stat st;
    spooled_init(&s, 1u << 30);
    for (int i = 0; i < 50; i++) {
        add_lines(&s.out, 1, SPOOL_LINE_MAX);
        outlet_flush(&s.out, i);
    }
    assert_int_not_equal(outlet_next_ms(&s.out), NEVER_MS); /* looks now and then, though open */
    assert_int_equal(rundir_ack_write(s.ack_fd, 900000), 0);
    outlet_look(&s.out, 1000);
    assert_int_equal(s.out.punched, 0);
    assert_int_equal(rundir_ack_write(s.ack_fd, 3000000), 0);
    outlet_look(&s.out, 2000);
    assert_int_equal(s.out.punched, 3000000);
    assert_int_equal(fstat(s.spool_fd, &st), 0);
    assert_true(st.st_blocks * 512 < 600000);
    assert_int_equal(rundir_ack_write(s.ack_fd, spool_writer_end(s.out.writer)), 0);
    assert_int_equal(outlet_finish(&s.out), 0);
    assert_int_equal(fstat(s.spool_fd, &st), 0);
    assert_true(st.st_blocks * 512 < 20000);
    spooled_done(&s);
    (void)state;
}

static void test_outlet__disk_full__blocked_then_continues(void **state)
{
    struct spooled s;
    size_t n = 0;
    size_t records = 0;
    spooled_init(&s, 1u << 30);
    add_lines(&s.out, 3, 65000);
    write_error = ENOSPC;
    outlet_flush(&s.out, 1000);
    assert_false(outlet_is_open(&s.out));
    assert_int_equal(outlet_next_ms(&s.out), 1500);
    s.out.retry_at_ms = INT64_MAX;
    assert_int_equal(outlet_line(&s.out, 'o', 0, "x", 1), 0); /* while there is room … */
    assert_int_equal(outlet_line(&s.out, 'o', 0, (uint8_t[60000]){0}, 60000), -EAGAIN);
    outlet_system(&s.out, "a system line has its own %s", "room");
    s.out.retry_at_ms = 1500;
    outlet_flush(&s.out, 1499);
    assert_int_equal(s.out.tries, 1);
    for (int64_t t = 1500; t < 1500 + 100 * 500; t += 500)
        outlet_flush(&s.out, t);
    assert_int_equal(s.out.tries, 101);
    assert_false(outlet_is_broken(&s.out)); /* a full disk is waited for, however long */
    write_error = 0;
    outlet_flush(&s.out, INT64_MAX);
    assert_true(outlet_is_open(&s.out));
    char *text = spooled_joined(&s, 's', &n, &records);
    assert_memory_equal(text, "a system line has its own room\n", n);
    free(text);
    spooled_done(&s);
    (void)state;
}

static void test_outlet_state__tells_why(void **state)
{
    struct spooled s;
    spooled_init(&s, 1000);
    assert_int_equal(outlet_state(&s.out), OUTLET_OPEN);
    add_lines(&s.out, 10, 80);
    assert_int_equal(outlet_state(&s.out), OUTLET_SPOOL_FULL);
    assert_int_equal(rundir_ack_write(s.ack_fd, 264), 0);
    assert_int_equal(outlet_state(&s.out), OUTLET_OPEN); /* without waiting for the next look */
    static const struct {
        int error;
        enum outlet_state want;
    } rows[] = {{ENOSPC, OUTLET_DISK_FULL},
                {EDQUOT, OUTLET_DISK_FULL},
                {EFBIG, OUTLET_DISK_FULL},
                {EIO, OUTLET_FAILING}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_error = rows[i].error;
        outlet_flush(&s.out, (int64_t)(i + 1) * 1000);
        assert_int_equal(outlet_state(&s.out), rows[i].want);
        assert_false(outlet_is_open(&s.out));
    }
    write_error = 0;
    spooled_done(&s);
    (void)state;
}

/* Blocks are taken before lines need them; without room for the runner's own records behind them
 * lines are not written at all. */
static void test_outlet__disk_full__own_records_have_their_place(void **state)
{
    struct spooled s;
    size_t n = 0;
    size_t records = 0;
    spooled_init(&s, 1u << 30);
    add_lines(&s.out, 1, 100);
    outlet_flush(&s.out, 0);
    reserve_error = ENOSPC;
    add_lines(&s.out, 3, 60000);
    outlet_flush(&s.out, 0);
    assert_int_equal(outlet_state(&s.out), OUTLET_DISK_FULL);
    outlet_give_up(&s.out);
    assert_true(outlet_is_open(&s.out));
    assert_int_equal(outlet_next_ms(&s.out), NEVER_MS);
    outlet_system(&s.out, "told");
    assert_int_equal(outlet_finish(&s.out), 0); /* asks for no more blocks */
    free(spooled_joined(&s, 'o', &n, &records));
    assert_int_equal(records, 1);
    free(spooled_joined(&s, 's', &n, &records));
    assert_int_equal(records, 1);
    reserve_error = 0;
    spooled_done(&s);
    (void)state;
}

static void test_outlet__file_system_without_reserves__goes_on_without(void **state)
{
    struct spooled s;
    reserve_error = EOPNOTSUPP;
    spooled_init(&s, 1u << 30);
    assert_true(s.out.reserved == UINT64_MAX);
    add_lines(&s.out, 3, 60000);
    outlet_flush(&s.out, 0);
    assert_true(outlet_is_open(&s.out));
    reserve_error = 0;
    spooled_done(&s);
    (void)state;
}

static void test_outlet_give_up__bound__what_waits_is_written(void **state)
{
    struct spooled s;
    size_t n = 0;
    size_t records = 0;
    spooled_init(&s, 1000);
    add_lines(&s.out, 12, 80);
    assert_int_equal(outlet_state(&s.out), OUTLET_SPOOL_FULL);
    outlet_give_up(&s.out);
    assert_true(
        outlet_is_open(&s.out)); /* nobody waits for the drain of a spool that is given up */
    assert_int_equal(outlet_finish(&s.out), 0);
    free(spooled_joined(&s, 'o', &n, &records));
    assert_int_equal(records, 12);
    spooled_done(&s);
    (void)state;
}

static void test_outlet_finish__errors__waits_or_gives_up(void **state)
{
    static const struct {
        int error;
        unsigned heals_at, sleeps;
        int fsync, want;
    } rows[] = {
        {0, 0, 0, 0, 0},        {0, 0, 0, EIO, -EIO}, {ENOSPC, 500, 500, 0, 0},
        {EDQUOT, 50, 50, 0, 0}, {EIO, 5, 5, 0, 0},    {EIO, 0, 19, 0, -EIO},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spooled s;
        spooled_init(&s, 1u << 20);
        add_lines(&s.out, 1, 5);
        write_error = rows[i].error;
        heals_at = rows[i].heals_at;
        fsync_error = rows[i].fsync;
        sleeps = 0;
        assert_int_equal(outlet_finish(&s.out), rows[i].want);
        assert_int_equal(sleeps, rows[i].sleeps);
        spooled_done(&s);
    }
    write_error = fsync_error = 0;
    (void)state;
}

static void test_outlet_init__damaged__refused(void **state)
{
    struct outlet o;
    int empty = spooled_file();
    assert_int_equal(outlet_init(&o, empty, -1, 1), -EBADF);
    assert_int_equal(outlet_init(&o, empty, empty, 1), -EBADMSG);
    close(empty);
    (void)state;
}

static void test_outlet_system__too_long__cut(void **state)
{
    struct spooled s;
    size_t n = 0;
    size_t records = 0;
    static char text[5000];
    memset(text, 'y', sizeof(text) - 1);
    spooled_init(&s, 1u << 20);
    outlet_system(&s.out, "%s", text);
    outlet_flush(&s.out, 0);
    char *got = spooled_joined(&s, 's', &n, &records);
    assert_int_equal(records, 1);
    assert_int_equal(n, 1024);
    free(got);
    spooled_done(&s);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outlet__few_lines__wait_a_little),
        cmocka_unit_test(test_outlet__bound__paused_until_ack_moves),
        cmocka_unit_test(test_outlet__large_bound__includes_what_is_added_past_it),
        cmocka_unit_test(test_outlet__nonsense_ack__ignored),
        cmocka_unit_test(test_outlet__holes__in_coarse_steps),
        cmocka_unit_test(test_outlet__disk_full__blocked_then_continues),
        cmocka_unit_test(test_outlet_state__tells_why),
        cmocka_unit_test(test_outlet__disk_full__own_records_have_their_place),
        cmocka_unit_test(test_outlet__file_system_without_reserves__goes_on_without),
        cmocka_unit_test(test_outlet_give_up__bound__what_waits_is_written),
        cmocka_unit_test(test_outlet_finish__errors__waits_or_gives_up),
        cmocka_unit_test(test_outlet_init__damaged__refused),
        cmocka_unit_test(test_outlet_system__too_long__cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
