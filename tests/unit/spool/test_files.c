/* Files appear whole or not at all, whatever fails on the way. */
#include "spool/files.h"

#include "golden.h"

#include <sys/stat.h>

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_linkat(int a, const char *b, int c, const char *d, int e);
int __wrap_linkat(int a, const char *b, int c, const char *d, int e);
int __real_renameat(int a, const char *b, int c, const char *d);
int __wrap_renameat(int a, const char *b, int c, const char *d);

enum seam { NONE, WRITE, WRITE_SHORT, WRITE_EINTR, LINK, LINK_RACE, RENAME };
static enum seam failing;

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (failing == WRITE || failing == WRITE_EINTR) {
        errno = failing == WRITE ? ENOSPC : EINTR;
        failing = failing == WRITE_EINTR ? NONE : failing;
        return -1;
    }
    return __real_write(fd, p, failing == WRITE_SHORT && n > 1 ? 1 : n);
}

int __wrap_linkat(int a, const char *b, int c, const char *d, int e)
{
    errno = failing == LINK_RACE ? EEXIST : EIO;
    return failing == LINK || failing == LINK_RACE ? -1 : __real_linkat(a, b, c, d, e);
}

int __wrap_renameat(int a, const char *b, int c, const char *d)
{
    errno = EIO;
    return failing == RENAME ? -1 : __real_renameat(a, b, c, d);
}

typedef int (*make_fn)(int dirfd, const char *name, const void *p, size_t n);

static void test_files__each_failure__nothing_half_made(void **state)
{
    static const struct {
        make_fn make;
        enum seam seam;
        int want;
    } rows[] = {
        {files_create_whole, NONE, 0},        {files_create_whole, WRITE, -ENOSPC},
        {files_create_whole, WRITE_SHORT, 0}, {files_create_whole, WRITE_EINTR, 0},
        {files_create_whole, LINK, -EIO},     {files_replace, NONE, 0},
        {files_replace, WRITE, -ENOSPC},      {files_replace, RENAME, -EIO},
        {files_create_whole, LINK_RACE, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[] = "/tmp/tailgate-files-test.XXXXXX";
        char text[16] = {0};
        struct stat st;
        assert_non_null(mkdtemp(path));
        int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        failing = rows[i].seam;
        int rc = rows[i].make(dir, "f", "hello", 5);
        failing = NONE;
        assert_int_equal(rc, rows[i].want);
        assert_int_equal(fstatat(dir, "f.new", &st, 0), -1);
        int fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);
        if (rc == 0 && rows[i].seam != LINK_RACE) {
            assert_int_equal(read(fd, text, sizeof(text)), 5);
            assert_string_equal(text, "hello");
            close(fd);
            assert_int_equal(unlinkat(dir, "f", 0), 0);
        } else {
            assert_int_equal(fd, -1);
        }
        close(dir);
        assert_int_equal(rmdir(path), 0);
    }
    (void)state;
}

static void test_files__name_too_long__refused(void **state)
{
    assert_int_equal(files_replace(AT_FDCWD, "a-name-that-is-far-too-long-for-this", "", 0),
                     -ENAMETOOLONG);
    assert_int_equal(files_open(AT_FDCWD, "/tmp", O_RDONLY), -EINVAL);
    (void)state;
}

/* What a crash left behind does not stop the next attempt. */
static void test_files__left_over_temporary__replaced(void **state)
{
    char path[] = "/tmp/tailgate-files-test.XXXXXX";
    assert_non_null(mkdtemp(path));
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(openat(dir, "f.new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(files_create_whole(dir, "f", "x", 1), 0);
    assert_int_equal(unlinkat(dir, "f", 0), 0);
    assert_int_equal(mkdirat(dir, "f.new", 0700), 0); /* cannot be replaced */
    assert_int_equal(files_create_whole(dir, "f", "x", 1), -EISDIR);
    assert_int_equal(unlinkat(dir, "f.new", AT_REMOVEDIR), 0);
    close(dir);
    assert_int_equal(rmdir(path), 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files__each_failure__nothing_half_made),
        cmocka_unit_test(test_files__name_too_long__refused),
        cmocka_unit_test(test_files__left_over_temporary__replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
