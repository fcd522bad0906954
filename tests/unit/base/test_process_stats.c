/* What the process takes of the machine. */
#include "base/compiler.h"
#include "base/process_stats.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);

static bool proc_is_away;

FILE *__wrap_fopen(const char *path, const char *mode)
{
    return proc_is_away ? NULL : __real_fopen(path, mode);
}

DIR *__wrap_opendir(const char *path)
{
    return proc_is_away ? NULL : __real_opendir(path);
}

static void test_process_stats__a_descriptor_more__counted(void **state UNUSED)
{
    struct process_stats before, after;

    process_stats(&before);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    process_stats(&after);
    assert_int_equal(after.open_fds, before.open_fds + 1);
    assert_true(after.max_fds >= after.open_fds);
    assert_in_range(after.resident_bytes, 100000, after.virtual_bytes);
    assert_true(after.cpu_us >= before.cpu_us && after.cpu_us > 0);
    (void)close(fd);
}

static void test_process_stats__no_proc__zero(void **state UNUSED)
{
    struct process_stats s;

    proc_is_away = true;
    process_stats(&s);
    proc_is_away = false;
    assert_int_equal(s.open_fds + s.resident_bytes + s.virtual_bytes, 0);
    assert_true(s.cpu_us > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_stats__a_descriptor_more__counted),
        cmocka_unit_test(test_process_stats__no_proc__zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
