/* Appending: one write a flush, half-way stops, full disks, torn ends. */
#include "spool/writer.h"

#include "spool/reader.h"

#include "golden.h"

#include <sys/stat.h>

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __real_ftruncate(int fd, off_t n);
int __wrap_ftruncate(int fd, off_t n);

static size_t disk_left = SIZE_MAX; /* bytes that fit before ENOSPC */
static bool interrupt_once;
static unsigned writes;
static int malloc_fails_at; /* 1: the next */
static bool fstat_fails, ftruncate_fails;

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    writes++;
    if (interrupt_once) {
        interrupt_once = false;
        errno = EINTR;
        return -1;
    }
    if (disk_left == 0) {
        errno = ENOSPC;
        return -1;
    }
    ssize_t k = __real_write(fd, p, n < disk_left ? n : disk_left);
    if (disk_left != SIZE_MAX && k > 0)
        disk_left -= (size_t)k;
    return k;
}

void *__wrap_malloc(size_t n)
{
    if (malloc_fails_at > 0 && --malloc_fails_at == 0)
        return NULL;
    return __real_malloc(n);
}

int __wrap_fstat(int fd, struct stat *st)
{
    errno = EIO;
    return fstat_fails ? -1 : __real_fstat(fd, st);
}

int __wrap_ftruncate(int fd, off_t n)
{
    errno = EIO;
    return ftruncate_fails ? -1 : __real_ftruncate(fd, n);
}

static int new_spool(void)
{
    uint8_t h[SPOOL_HEADER_LEN];
    spool_header_pack(TEST_ID, 5, h);
    return temporary_file(h, sizeof(h));
}

static off_t size_of(int fd)
{
    struct stat st;
    assert_int_equal(__real_fstat(fd, &st), 0);
    return st.st_size;
}

static size_t count(int fd, int *ret_rc)
{
    struct spool_reader *r = NULL;
    struct spool_record rec;
    size_t n = 0;
    assert_int_equal(spool_reader_new(fd, TEST_ID, 0, &r), 0);
    while ((*ret_rc = spool_reader_next(r, &rec)) == 0)
        n++;
    spool_reader_free(r);
    return n;
}

static void test_writer__many_records__one_write(void **state)
{
    struct spool_writer *w = NULL;
    int rc = 0;
    int fd = new_spool();
    assert_int_equal(spool_writer_new(fd, &w), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(spool_writer_append(w, i, 'o', 0, "line", 4), 0);
    assert_int_equal(size_of(fd), SPOOL_HEADER_LEN);
    assert_int_equal(spool_writer_end(w), SPOOL_HEADER_LEN + 2400);
    assert_int_equal(spool_writer_waiting(w), 2400);
    writes = 0;
    assert_int_equal(spool_writer_flush(w), 0);
    assert_int_equal(writes, 1);
    assert_int_equal(spool_writer_flush(w), 0);
    assert_int_equal(writes, 1);
    assert_int_equal(spool_writer_waiting(w), 0);
    assert_int_equal(count(fd, &rc), 100);
    spool_writer_free(w);
    close(fd);
    (void)state;
}

static void test_writer__time_set_back__never_decreases(void **state)
{
    struct spool_writer *w = NULL;
    int rc = 0;
    int fd = new_spool();
    for (int round = 0; round < 2; round++) { /* a second writer knows it from the file */
        assert_int_equal(spool_writer_new(fd, &w), 0);
        assert_int_equal(spool_writer_append(w, 1000 - round, 'o', 0, NULL, 0), 0);
        assert_int_equal(spool_writer_append(w, 5, 'e', 0, NULL, 0), 0);
        assert_int_equal(spool_writer_flush(w), 0);
        spool_writer_free(w);
    }
    assert_int_equal(count(fd, &rc), 4);
    assert_int_equal(rc, -EAGAIN);
    close(fd);
    (void)state;
}

static void test_writer__limits__said(void **state)
{
    static uint8_t line[SPOOL_LINE_MAX + 1];
    struct spool_writer *w = NULL;
    int rc = 0;
    int fd = new_spool();
    assert_int_equal(spool_writer_new(fd, &w), 0);
    assert_int_equal(spool_writer_append(w, 1, 'o', 0, line, SPOOL_LINE_MAX + 1), -EMSGSIZE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(spool_writer_append(w, 1, 'o', 0, line, SPOOL_LINE_MAX), 0);
    assert_int_equal(spool_writer_append(w, 1, 'o', 0, line, SPOOL_LINE_MAX), -EAGAIN);
    assert_int_equal(spool_writer_flush(w), 0);
    assert_int_equal(spool_writer_append(w, 1, 'o', 0, line, SPOOL_LINE_MAX), 0);
    assert_int_equal(spool_writer_flush(w), 0);
    assert_int_equal(count(fd, &rc), 4);
    spool_writer_free(w);
    close(fd);
    (void)state;
}

/* The disk fills up after every possible number of bytes; what waits goes out later, whole. */
static void test_writer__disk_full_anywhere__continued(void **state)
{
    for (size_t room = 0; room <= 72; room++) {
        struct spool_writer *w = NULL;
        int rc = 0;
        int fd = new_spool();
        assert_int_equal(spool_writer_new(fd, &w), 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(spool_writer_append(w, i, 'o', 0, "line", 4), 0);
        disk_left = room;
        interrupt_once = true;
        assert_int_equal(spool_writer_flush(w), room == 72 ? 0 : -ENOSPC);
        assert_int_equal(size_of(fd), SPOOL_HEADER_LEN + (off_t)room);
        assert_int_equal(count(fd, &rc), room / 24);
        assert_int_equal(spool_writer_waiting(w), 72 - room);
        assert_int_equal(spool_writer_append(w, 9, 'o', 0, "more", 4), 0);
        disk_left = SIZE_MAX;
        assert_int_equal(spool_writer_flush(w), 0);
        assert_int_equal(count(fd, &rc), 4);
        assert_int_equal(spool_writer_end(w), SPOOL_HEADER_LEN + 96);
        spool_writer_free(w);
        close(fd);
    }
    (void)state;
}

/* What was written half-way makes room in the buffer. */
static void test_writer__half_written__room_is_reused(void **state)
{
    static uint8_t line[SPOOL_LINE_MAX];
    struct spool_writer *w = NULL;
    int rc = 0;
    int fd = new_spool();
    assert_int_equal(spool_writer_new(fd, &w), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(spool_writer_append(w, 1, 'o', 0, line, SPOOL_LINE_MAX), 0);
    disk_left = 70000;
    assert_int_equal(spool_writer_flush(w), -ENOSPC);
    assert_int_equal(spool_writer_append(w, 1, 'o', 0, line, SPOOL_LINE_MAX), 0);
    disk_left = SIZE_MAX;
    assert_int_equal(spool_writer_flush(w), 0);
    assert_int_equal(count(fd, &rc), 4);
    spool_writer_free(w);
    close(fd);
    (void)state;
}

static void test_writer_new__torn_anywhere__cut_off(void **state)
{
    uint8_t p[64 + 24 + 24];
    spool_header_pack(TEST_ID, 5, p);
    for (size_t i = 0; i < 2; i++) {
        spool_record_pack(1, 'o', 0, "line", 4, p + 64 + 24 * i);
        memcpy(p + 64 + 24 * i + 20, "line", 4);
    }
    for (size_t cut = 64; cut <= sizeof(p); cut++) {
        struct spool_writer *w = NULL;
        int rc = 0;
        int fd = temporary_file(p, cut);
        assert_int_equal(spool_writer_new(fd, &w), 0);
        assert_int_equal(spool_writer_end(w), 64 + (cut - 64) / 24 * 24);
        assert_int_equal(size_of(fd), (off_t)spool_writer_end(w));
        assert_int_equal(spool_writer_append(w, 2, 'e', 0, "x", 1), 0);
        assert_int_equal(spool_writer_flush(w), 0);
        assert_int_equal(count(fd, &rc), (cut - 64) / 24 + 1);
        assert_int_equal(rc, -EAGAIN);
        spool_writer_free(w);
        close(fd);
    }
    (void)state;
}

static void test_writer_new__refusals__named(void **state)
{
    uint8_t p[256];
    uint8_t x[SPOOL_EXIT_LEN] = {0};
    struct spool_writer *w = NULL;
    spool_header_pack(TEST_ID, 5, p);
    int fd = temporary_file(p, 40); /* header torn */
    assert_int_equal(spool_writer_new(fd, &w), -EBADMSG);
    close(fd);
    spool_record_pack(1, 'x', 0, x, sizeof(x), p + 64);
    memcpy(p + 84, x, sizeof(x));
    fd = temporary_file(p, 84 + sizeof(x)); /* ended */
    assert_int_equal(spool_writer_new(fd, &w), -ENODATA);
    close(fd);
    p[90] ^= 1;
    fd = temporary_file(p, 84 + sizeof(x)); /* damaged */
    assert_int_equal(spool_writer_new(fd, &w), -EBADMSG);
    close(fd);
    fd = temporary_file(p, 70); /* torn; but the ack points behind the file */
    assert_int_equal(spool_writer_new_at(fd, 100, &w), -EBADMSG);
    fstat_fails = true;
    assert_int_equal(spool_writer_new(fd, &w), -EIO);
    fstat_fails = false;
    ftruncate_fails = true;
    assert_int_equal(spool_writer_new(fd, &w), -EIO);
    ftruncate_fails = false;
    for (int at = 1; at <= 2; at++) {
        malloc_fails_at = at;
        assert_int_equal(spool_writer_new(fd, &w), -ENOMEM);
    }
    malloc_fails_at = 0;
    close(fd);
    (void)state;
}

/* Behind what is committed there may be holes: the scan begins at ack. */
static void test_writer_new_at__holes_before__continues(void **state)
{
    uint8_t p[64 + 48];
    struct spool_writer *w = NULL;
    memset(p, 0, sizeof(p));
    spool_header_pack(TEST_ID, 5, p);
    spool_record_pack(7, 'o', 0, "line", 4, p + 88);
    memcpy(p + 108, "line", 4);
    int fd = temporary_file(p, sizeof(p));
    assert_int_equal(spool_writer_new(fd, &w), -EBADMSG);
    assert_int_equal(spool_writer_new_at(fd, 88, &w), 0);
    assert_int_equal(spool_writer_end(w), sizeof(p));
    spool_writer_free(w);
    close(fd);
    (void)state;
}

/* Disk full at every byte: what is whole stays, the torn rest is cut off, and it goes on there. */
static void test_writer_discard__disk_full_anywhere__whole_records_stay(void **state)
{
    for (size_t room = 0; room <= 72; room++) {
        struct spool_writer *w = NULL;
        int rc = 0;
        int fd = new_spool();
        assert_int_equal(spool_writer_new(fd, &w), 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(spool_writer_append(w, 9, 'o', 0, "line", 4), 0);
        disk_left = room;
        assert_int_equal(spool_writer_flush(w), room < 72 ? -ENOSPC : 0);
        disk_left = SIZE_MAX;
        assert_int_equal(spool_writer_discard(w, 0), 0);
        assert_int_equal(spool_writer_waiting(w), 0);
        assert_int_equal(spool_writer_end(w), SPOOL_HEADER_LEN + room / 24 * 24);
        assert_int_equal(spool_writer_append(w, 3, 's', 0, "last", 4), 0); /* time goes on from 9 */
        assert_int_equal(spool_writer_flush(w), 0);
        assert_int_equal(count(fd, &rc), room / 24 + 1);
        assert_int_equal(rc, -EAGAIN);
        spool_writer_free(w);
        close(fd);
    }
    (void)state;
}

static void test_writer_discard__errors__nothing_forgotten(void **state)
{
    struct spool_writer *w = NULL;
    int fd = new_spool();
    assert_int_equal(spool_writer_new(fd, &w), 0);
    assert_int_equal(spool_writer_append(w, 9, 'o', 0, "line", 4), 0);
    fstat_fails = true;
    assert_int_equal(spool_writer_discard(w, 0), -EIO);
    fstat_fails = false;
    malloc_fails_at = 1;
    assert_int_equal(spool_writer_discard(w, 0), -ENOMEM);
    malloc_fails_at = 0;
    assert_int_equal(spool_writer_waiting(w), 24);
    spool_writer_free(w);
    close(fd);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writer__many_records__one_write),
        cmocka_unit_test(test_writer__time_set_back__never_decreases),
        cmocka_unit_test(test_writer__limits__said),
        cmocka_unit_test(test_writer__disk_full_anywhere__continued),
        cmocka_unit_test(test_writer__half_written__room_is_reused),
        cmocka_unit_test(test_writer_new__torn_anywhere__cut_off),
        cmocka_unit_test(test_writer_new__refusals__named),
        cmocka_unit_test(test_writer_new_at__holes_before__continues),
        cmocka_unit_test(test_writer_discard__disk_full_anywhere__whole_records_stay),
        cmocka_unit_test(test_writer_discard__errors__nothing_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
