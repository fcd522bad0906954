/* Writing to what may block or go away. */
#include "cli/out.h"
#include "tests/unit/base/unit.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int write_errno; /* the next write fails with it */
static int terminal = -1, columns = -1;

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_isatty(int fd);
int __wrap_isatty(int fd);
int __wrap_ioctl(int fd, unsigned long request, struct winsize *size);

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (write_errno != 0) {
        errno = write_errno;
        write_errno = 0;
        return -1;
    }
    return __real_write(fd, p, n);
}

int __wrap_isatty(int fd)
{
    return terminal >= 0 ? terminal : __real_isatty(fd);
}

int __wrap_ioctl(int fd UNUSED, unsigned long request UNUSED, struct winsize *size)
{
    if (columns < 0)
        return -1;
    size->ws_col = (unsigned short)columns;
    return 0;
}

static void *drain(void *user)
{
    int fd = *(int *)user;
    static char block[8192];
    size_t total = 0;
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0)
        total += (size_t)n;
    return (void *)(uintptr_t)total;
}

static void test_out_write__more_than_a_pipe_holds__all_of_it(void **state UNUSED)
{
    static char data[1000000];
    struct interrupt i;
    int fds[2];
    pthread_t reader;
    void *total;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(interrupt_init(&i), 0);
    assert_int_equal(pthread_create(&reader, NULL, drain, &fds[0]), 0);
    assert_int_equal(out_write(&i, fds[1], data, sizeof data), 0);
    assert_int_equal(out_write(NULL, fds[1], data, sizeof data), 0);
    write_errno = EINTR;
    assert_int_equal(out_write(&i, fds[1], "x", 1), 0);
    write_errno = EAGAIN;
    assert_int_equal(out_write(&i, fds[1], "x", 1), 0);
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(pthread_join(reader, &total), 0);
    assert_int_equal((uintptr_t)total, 2 * sizeof data + 2);
    interrupt_done(&i);
    assert_int_equal(close(fds[0]), 0);
}

static void test_out_write__blocked__a_signal_gets_through(void **state UNUSED)
{
    static char data[200000];
    struct interrupt i;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(interrupt_init(&i), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    while (write(fds[1], data, sizeof data) > 0)
        ;
    assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(out_write(&i, fds[1], data, sizeof data), ERR_AGAIN);
    interrupt_done(&i);
    assert_int_equal(close(fds[0]) + close(fds[1]), 0);
}

static void test_out_write__errors__as_documented(void **state UNUSED)
{
    int fds[2];
    struct interrupt i;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(interrupt_init(&i), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(out_write(&i, fds[1], "x", 1), ERR_CLOSED);
    assert_int_equal(out_write(NULL, fds[1], "x", 1), ERR_CLOSED);
    write_errno = ENOSPC;
    assert_int_equal(out_write(NULL, fds[1], "x", 1), ERR_SYS);
    write_errno = EAGAIN;
    assert_int_equal(out_write(NULL, fds[1], "x", 1), ERR_SYS);
    assert_int_equal(out_write(NULL, fds[1], "", 0), 0);
    interrupt_done(&i);
    assert_int_equal(close(fds[1]), 0);
}

static void test_out_has_colour__terminal_and_no_color__as_documented(void **state UNUSED)
{
    (void)unsetenv("NO_COLOR");
    terminal = 1;
    assert_true(out_has_colour(1));
    (void)setenv("NO_COLOR", "", 1);
    assert_true(out_has_colour(1));
    (void)setenv("NO_COLOR", "1", 1);
    assert_false(out_has_colour(1));
    (void)unsetenv("NO_COLOR");
    terminal = 0;
    assert_false(out_has_colour(1));
}

static void test_out_columns__terminal__its_width(void **state UNUSED)
{
    terminal = 0;
    assert_int_equal(out_columns(1), 0);
    terminal = 1;
    columns = 132;
    assert_int_equal(out_columns(1), 132);
    columns = 0;
    assert_int_equal(out_columns(1), 80);
    columns = -1;
    assert_int_equal(out_columns(1), 80);
}

static void test_out_is_same__descriptors__by_what_is_behind(void **state UNUSED)
{
    int a[2], b[2];
    assert_int_equal(pipe(a) + pipe(b), 0);
    int copy = dup(a[1]);
    assert_true(out_is_same(a[1], copy));
    assert_false(out_is_same(a[1], b[1]));
    assert_false(out_is_same(a[1], 9999));
    assert_int_equal(close(a[0]) + close(a[1]) + close(b[0]) + close(b[1]) + close(copy), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_write__more_than_a_pipe_holds__all_of_it),
        cmocka_unit_test(test_out_write__blocked__a_signal_gets_through),
        cmocka_unit_test(test_out_write__errors__as_documented),
        cmocka_unit_test(test_out_has_colour__terminal_and_no_color__as_documented),
        cmocka_unit_test(test_out_columns__terminal__its_width),
        cmocka_unit_test(test_out_is_same__descriptors__by_what_is_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
