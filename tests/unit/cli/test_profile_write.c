/* The configuration file written: whole or not at all, and for its owner only. */
#include "cli/profile.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/base/unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64], path[128];
static enum { NONE, WRITE, FSYNC, CLOSE, RENAME, SHORT } failing;

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

static int no_space(void)
{
    errno = ENOSPC;
    return -1;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (failing == WRITE)
        return no_space();
    return __real_write(fd, p, failing == SHORT && n > 3 ? 3 : n);
}

int __wrap_fsync(int fd)
{
    return failing == FSYNC ? no_space() : __real_fsync(fd);
}

int __wrap_close(int fd)
{
    int r = __real_close(fd);
    return failing == CLOSE ? no_space() : r;
}

int __wrap_rename(const char *from, const char *to)
{
    return failing == RENAME ? no_space() : __real_rename(from, to);
}

static int make_root(void **state UNUSED)
{
    failing = NONE;
    (void)snprintf(root, sizeof root, "/tmp/tg-profile-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/a/b/config.yaml", root);
    return 0;
}

static int remove_root(void **state UNUSED)
{
    char command[128];
    failing = NONE;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static struct profile sample = {.api_endpoint = "http://h:1", .api_key = "tg_\"k: #\\'\xc3\xa9"};

static unsigned entries(const char *directory)
{
    unsigned n = 0;
    DIR *d = opendir(directory);
    if (d == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n - 2;
}

static void test_profile_write__new__readable_back_and_private(void **state UNUSED)
{
    struct profile v CLEANUP(profile_done) = {0};
    struct problem p = {0};
    struct stat st;
    char directory[128];
    failing = SHORT;
    assert_int_equal(profile_write(path, &sample, &p), 0);
    failing = NONE;
    assert_int_equal(profile_read(path, &v, &p), 0);
    assert_string_equal(v.api_endpoint, sample.api_endpoint);
    assert_string_equal(v.api_key, sample.api_key);
    assert_null(v.ca_file);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    (void)snprintf(directory, sizeof directory, "%s/a/b", root);
    assert_int_equal(stat(directory, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(entries(directory), 1);
}

static void test_profile_write__over_an_open_file__becomes_private(void **state UNUSED)
{
    struct problem p = {0};
    struct stat st;
    assert_int_equal(profile_write(path, &sample, &p), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(profile_write(path, &sample, &p), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_profile_write__system_call_fails__old_file_stays(void **state UNUSED)
{
    char directory[128];
    struct problem p = {0};
    struct profile other = {.api_endpoint = "http://new:1", .api_key = "new"};
    assert_int_equal(profile_write(path, &sample, &p), 0);
    for (int f = WRITE; f <= RENAME; f++) {
        struct profile v CLEANUP(profile_done) = {0};
        failing = f;
        assert_int_equal(profile_write(path, &other, &p), ERR_SYS);
        failing = NONE;
        assert_non_null(strstr(p.details, "No space left"));
        assert_int_equal(profile_read(path, &v, &p), 0);
        assert_string_equal(v.api_endpoint, sample.api_endpoint);
        (void)snprintf(directory, sizeof directory, "%s/a/b", root);
        assert_int_equal(entries(directory), 1);
    }
}

static void test_profile_write__no_directory__named(void **state UNUSED)
{
    struct problem p = {0};
    assert_int_equal(profile_write("/dev/null/x/config.yaml", &sample, &p), ERR_SYS);
    assert_non_null(strstr(p.details, "/dev/null/x/config.yaml: Not a directory"));
}

static void test_profile_write__value_that_is_no_text__refused(void **state UNUSED)
{
    struct problem p = {0};
    struct profile bad = {.api_key = "\xff\xfe"};
    assert_int_not_equal(profile_write(path, &bad, &p), 0);
    assert_int_equal(entries(root), 0);
}

static void test_profile_write__no_memory__reported(void **state UNUSED)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct problem p = {0};
        int r = profile_write(path, &sample, &p);
        assert_int_equal(r, fail_alloc_off() ? ERR_NOMEM : 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_profile_write__new__readable_back_and_private),
        TEST(test_profile_write__over_an_open_file__becomes_private),
        TEST(test_profile_write__system_call_fails__old_file_stays),
        TEST(test_profile_write__no_directory__named),
        TEST(test_profile_write__value_that_is_no_text__refused),
        TEST(test_profile_write__no_memory__reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
