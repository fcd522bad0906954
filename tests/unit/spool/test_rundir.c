/* Creating, opening and removing a run directory; ack; holes. */
#include "spool/rundir.h"

#include "spool/format.h"

#include "golden.h"

#include <sys/stat.h>

int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);

static off_t punched_from, punched_len; /* of the last call */
static unsigned punches;
static int fallocate_error;

int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
    punches++;
    punched_from = offset;
    punched_len = len;
    if (fallocate_error != 0) {
        errno = fallocate_error;
        return -1;
    }
    return __real_fallocate(fd, mode, offset, len);
}

struct dir {
    char base[40];
    char path[64];
};

static int setup(void **state)
{
    struct dir *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return -1;
    snprintf(d->base, sizeof(d->base), "/tmp/tailgate-rundir-test.XXXXXX");
    if (mkdtemp(d->base) == NULL)
        return -1;
    snprintf(d->path, sizeof(d->path), "%s/run", d->base);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct dir *d = *state;
    int rc = rundir_remove(d->path);
    rc |= rmdir(d->base);
    free(d);
    return rc;
}

static void test_create__new__private_with_header(void **state)
{
    struct dir *d = *state;
    struct stat st;
    uint8_t header[SPOOL_HEADER_LEN + 1];
    char id[SPOOL_ID_LEN + 1];
    int64_t created = 0;
    uint64_t ack = 1;
    assert_int_equal(rundir_create(d->path, TEST_ID, 77), 0);
    assert_int_equal(stat(d->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    int dir = rundir_open(d->path);
    int spool = rundir_open_file(dir, RUNDIR_SPOOL, false);
    assert_int_equal(fstat(spool, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(read(spool, header, sizeof(header)), SPOOL_HEADER_LEN);
    assert_int_equal(spool_header_unpack(header, id, &created), 0);
    assert_string_equal(id, TEST_ID);
    assert_int_equal(created, 77);
    int ack_fd = rundir_open_file(dir, RUNDIR_ACK, true);
    assert_int_equal(rundir_ack_read(ack_fd, &ack), 0);
    assert_int_equal(ack, 0);
    close(ack_fd);
    close(spool);
    close(dir);
}

static void test_create__again__existing_files_stay(void **state)
{
    struct dir *d = *state;
    struct stat st;
    assert_int_equal(rundir_create(d->path, TEST_ID, 77), 0);
    int dir = rundir_open(d->path);
    int spool = rundir_open_file(dir, RUNDIR_SPOOL, true);
    assert_int_equal(write(spool, "more", 4), 4); /* appends */
    close(spool);
    assert_int_equal(unlinkat(dir, RUNDIR_ACK, 0), 0);
    assert_int_equal(rundir_create(d->path, TEST_ID, 99), 0);
    assert_int_equal(fstatat(dir, RUNDIR_SPOOL, &st, 0), 0);
    assert_int_equal(st.st_size, SPOOL_HEADER_LEN + 4);
    assert_int_equal(fstatat(dir, RUNDIR_ACK, &st, 0), 0);
    close(dir);
}

static void test_create__impossible__errno(void **state)
{
    struct dir *d = *state;
    char path[128];
    assert_int_equal(rundir_create(d->path, "short", 1), -EINVAL);
    snprintf(path, sizeof(path), "%s/a/b", d->base);
    assert_int_equal(rundir_create(path, TEST_ID, 1), -ENOENT);
    snprintf(path, sizeof(path), "%s/link", d->base);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_equal(rundir_create(path, TEST_ID, 1), -ENOTDIR);
    assert_int_equal(rundir_remove(path), -ENOTDIR);
    assert_int_equal(unlink(path), 0);
}

static void test_open_file__what_is_in_its_place__refused(void **state)
{
    struct dir *d = *state;
    assert_int_equal(rundir_create(d->path, TEST_ID, 1), 0);
    int dir = rundir_open(d->path);
    assert_int_equal(rundir_open_file(dir, RUNDIR_LOCK, false), -ENOENT);
    assert_int_equal(rundir_open_file(dir, "../secret", false), -EINVAL);
    assert_int_equal(rundir_open_file(dir, "other", false), -EINVAL);
    assert_int_equal(unlinkat(dir, RUNDIR_ACK, 0), 0);
    assert_int_equal(symlinkat("/etc/passwd", dir, RUNDIR_ACK), 0);
    assert_int_equal(rundir_open_file(dir, RUNDIR_ACK, false), -ELOOP);
    assert_int_equal(unlinkat(dir, RUNDIR_ACK, 0), 0);
    assert_int_equal(mkfifoat(dir, RUNDIR_ACK, 0600), 0); /* must not hang */
    assert_int_equal(rundir_open_file(dir, RUNDIR_ACK, false), -EINVAL);
    close(dir);
}

static void test_remove__everything_known__gone(void **state)
{
    struct dir *d = *state;
    struct stat st;
    assert_int_equal(rundir_remove(d->path), 0); /* absent is fine */
    assert_int_equal(rundir_create(d->path, TEST_ID, 1), 0);
    int dir = rundir_open(d->path);
    close(openat(dir, "lock.123", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); /* of a crash */
    close(openat(dir, "spec.new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    close(openat(dir, "foreign", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(rundir_remove(d->path), -ENOTEMPTY);
    assert_int_equal(fstatat(dir, "foreign", &st, 0), 0); /* not ours to remove */
    assert_int_equal(unlinkat(dir, "foreign", 0), 0);
    close(dir);
    assert_int_equal(rundir_remove(d->path), 0);
    assert_int_equal(stat(d->path, &st), -1);
}

static void test_ack__values__round_trip(void **state)
{
    static const uint64_t rows[] = {0, 64, 0x0102030405060708u, UINT64_MAX};
    struct dir *d = *state;
    uint64_t got = 0;
    assert_int_equal(rundir_create(d->path, TEST_ID, 1), 0);
    int dir = rundir_open(d->path);
    int fd = rundir_open_file(dir, RUNDIR_ACK, true);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rundir_ack_write(fd, rows[i]), 0);
        assert_int_equal(rundir_ack_read(fd, &got), 0);
        assert_true(got == rows[i]);
    }
    assert_int_equal(ftruncate(fd, 3), 0);
    assert_int_equal(rundir_ack_read(fd, &got), -EBADMSG);
    close(fd);
    fd = rundir_open_file(dir, RUNDIR_ACK, false);
    assert_int_equal(rundir_ack_write(fd, 1), -EBADF);
    assert_int_equal(rundir_ack_read(-1, &got), -EBADF);
    close(fd);
    close(dir);
}

static void test_punch__ranges__whole_pages_never_the_header(void **state)
{
    static const struct {
        uint64_t from, to;
        unsigned calls;
        off_t at, len;
    } rows[] = {
        {0, 0, 0, 0, 0},
        {0, 4095, 0, 0, 0},
        {0, 4096, 0, 0, 0},
        {0, 8191, 0, 0, 0},
        {0, 8192, 1, 4096, 4096},
        {64, 12288, 1, 4096, 8192},
        {4096, 8192, 1, 4096, 4096},
        {5000, 8192, 0, 0, 0},
        {5000, 20000, 1, 8192, 8192},
    };
    int fd = temporary_file("", 0);
    assert_int_equal(ftruncate(fd, 65536), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        punches = 0;
        assert_int_equal(rundir_punch(fd, rows[i].from, rows[i].to), 0);
        assert_int_equal(punches, rows[i].calls);
        if (punches > 0) {
            assert_int_equal(punched_from, rows[i].at);
            assert_int_equal(punched_len, rows[i].len);
        }
    }
    assert_int_equal(rundir_punch(fd, 8192, 4096), -EINVAL);
    assert_int_equal(rundir_punch(fd, 0, UINT64_MAX), -EINVAL);
    fallocate_error = EOPNOTSUPP;
    assert_int_equal(rundir_punch(fd, 0, 65536), -EOPNOTSUPP);
    fallocate_error = 0;
    close(fd);
    (void)state;
}

static void test_punch__written_file__frees_disk_keeps_rest(void **state)
{
    static uint8_t bytes[1u << 20];
    struct stat st;
    uint8_t b[2];
    memset(bytes, 'x', sizeof(bytes));
    int fd = temporary_file(bytes, sizeof(bytes));
    assert_int_equal(rundir_punch(fd, 0, 900000), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, sizeof(bytes));
    assert_true(st.st_blocks * 512 < 200000);
    assert_int_equal(pread(fd, b, 1, 0), 1);
    assert_int_equal(b[0], 'x');
    assert_int_equal(pread(fd, b, 1, 900000), 1);
    assert_int_equal(b[0], 'x');
    assert_int_equal(pread(fd, b, 1, 500000), 1);
    assert_int_equal(b[0], 0);
    close(fd);
    (void)state;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_create__new__private_with_header),
        T(test_create__again__existing_files_stay),
        T(test_create__impossible__errno),
        T(test_open_file__what_is_in_its_place__refused),
        T(test_remove__everything_known__gone),
        T(test_ack__values__round_trip),
        cmocka_unit_test(test_punch__ranges__whole_pages_never_the_header),
        cmocka_unit_test(test_punch__written_file__frees_disk_keeps_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
