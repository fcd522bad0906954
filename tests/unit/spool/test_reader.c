/* Reading a spool as it grows, torn, damaged, with errors below. */
#include "spool/reader.h"

#include "spool/writer.h"

#include "golden.h"

ssize_t __real_pread(int fd, void *p, size_t n, off_t offset);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t offset);
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

static int pread_error;   /* errno of the next pread; EINTR once */
static size_t pread_most; /* 0: as many as asked */
static bool malloc_fails;

ssize_t __wrap_pread(int fd, void *p, size_t n, off_t offset)
{
    if (pread_error != 0) {
        errno = pread_error;
        pread_error = 0;
        return -1;
    }
    return __real_pread(fd, p, pread_most != 0 && pread_most < n ? pread_most : n, offset);
}

void *__wrap_malloc(size_t n)
{
    return malloc_fails ? NULL : __real_malloc(n);
}

/* header, begin, three lines, exit */
static size_t sample(uint8_t *p)
{
    uint8_t x[SPOOL_EXIT_LEN];
    const struct spool_exit ok = {.exit_code = 0};
    static const struct {
        uint8_t kind;
        const char *text;
    } rows[] = {{'b', "\1\2\3\4"}, {'o', "one"}, {'e', "two"}, {'o', "three"}};
    size_t n = SPOOL_HEADER_LEN;
    spool_header_pack(TEST_ID, 5, p);
    for (size_t i = 0; i < 4; i++) {
        uint32_t len = (uint32_t)strlen(rows[i].text);
        spool_record_pack(10 + (int64_t)i, rows[i].kind, 0, rows[i].text, len, p + n);
        memcpy(p + n + SPOOL_RECORD_HEADER_LEN, rows[i].text, len);
        n += SPOOL_RECORD_HEADER_LEN + len;
    }
    spool_exit_pack(&ok, x);
    spool_record_pack(20, 'x', 0, x, sizeof(x), p + n);
    memcpy(p + n + SPOOL_RECORD_HEADER_LEN, x, sizeof(x));
    return n + SPOOL_RECORD_HEADER_LEN + sizeof(x);
}

/* Records given out until rc is no longer 0. */
static size_t drain(struct spool_reader *r, int *ret_rc)
{
    struct spool_record rec;
    size_t n = 0;
    while ((*ret_rc = spool_reader_next(r, &rec)) == 0) {
        assert_true(rec.end == spool_reader_offset(r));
        assert_true(rec.offset + SPOOL_RECORD_HEADER_LEN + rec.len == rec.end);
        n++;
    }
    return n;
}

static void test_reader__whole_file__golden(void **state)
{
    uint8_t p[512];
    size_t n = sample(p);
    struct spool_reader *r = NULL;
    int rc = 0;
    golden_check("spool/whole/spool", p, n);
    int fd = temporary_file(p, n);
    assert_int_equal(spool_reader_new(fd, TEST_ID, 0, &r), 0);
    assert_int_equal(drain(r, &rc), 5);
    assert_int_equal(rc, -ENODATA);
    assert_int_equal(spool_reader_offset(r), n);
    spool_reader_seek(r, SPOOL_HEADER_LEN);
    pread_most = 7; /* a file system that gives little at a time */
    assert_int_equal(drain(r, &rc), 5);
    pread_most = 0;
    spool_reader_free(r);
    close(fd);
    (void)state;
}

/* Cut at every byte: the whole records come, then "not yet", and after the rest is there, they go
 * on. */
static void test_reader__torn_anywhere__prefix_then_again(void **state)
{
    uint8_t p[512];
    size_t n = sample(p);
    for (size_t cut = 0; cut < n; cut++) {
        struct spool_reader *r = NULL;
        int rc = 0;
        int fd = temporary_file(p, cut);
        rc = spool_reader_new(fd, TEST_ID, 0, &r);
        if (cut < SPOOL_HEADER_LEN) {
            assert_int_equal(rc, -EAGAIN);
            close(fd);
            continue;
        }
        assert_int_equal(rc, 0);
        size_t before = drain(r, &rc);
        assert_int_equal(rc, -EAGAIN);
        assert_int_equal(pwrite(fd, p + cut, n - cut, 0), (ssize_t)(n - cut)); /* appends */
        assert_int_equal(before + drain(r, &rc), 5);
        assert_int_equal(rc, -ENODATA);
        spool_reader_free(r);
        close(fd);
    }
    (void)state;
}

/* A torn record that was seen, cut off by the next writer and replaced must not be mixed. */
static void test_reader__torn_record_replaced__reads_the_new_one(void **state)
{
    uint8_t p[512];
    size_t n = sample(p);
    struct spool_reader *r = NULL;
    struct spool_record rec;
    int rc = 0;
    size_t third = SPOOL_HEADER_LEN + 24 + 23;
    int fd = temporary_file(p, third + 21);
    assert_int_equal(spool_reader_new(fd, TEST_ID, 0, &r), 0);
    assert_int_equal(drain(r, &rc), 2);
    assert_int_equal(rc, -EAGAIN);
    struct spool_writer *w = NULL;
    assert_int_equal(spool_writer_new(fd, &w), 0);
    assert_int_equal(spool_writer_append(w, 99, 'o', 0, "NEW", 3), 0);
    assert_int_equal(spool_writer_flush(w), 0);
    spool_writer_free(w);
    assert_int_equal(spool_reader_next(r, &rec), 0);
    assert_memory_equal(rec.payload, "NEW", 3);
    spool_reader_free(r);
    close(fd);
    (void)n;
    (void)state;
}

static void test_reader__damaged_anywhere__never_more_than_the_prefix(void **state)
{
    uint8_t p[512];
    size_t n = sample(p);
    for (size_t at = SPOOL_HEADER_LEN; at < n; at++) {
        struct spool_reader *r = NULL;
        int rc = 0;
        p[at] ^= 0x5a;
        int fd = temporary_file(p, n);
        assert_int_equal(spool_reader_new(fd, TEST_ID, 0, &r), 0);
        size_t got = drain(r, &rc);
        assert_true(rc == -EBADMSG || rc == -EAGAIN);
        assert_true(got < 5 && spool_reader_offset(r) <= at);
        assert_int_equal(spool_reader_next(r, &(struct spool_record){0}), rc); /* stays there */
        spool_reader_free(r);
        close(fd);
        p[at] ^= 0x5a;
    }
    (void)state;
}

static void test_reader__time_goes_back__damaged(void **state)
{
    uint8_t p[256];
    struct spool_reader *r = NULL;
    int rc = 0;
    spool_header_pack(TEST_ID, 5, p);
    spool_record_pack(10, 'o', 0, NULL, 0, p + 64);
    spool_record_pack(9, 'o', 0, NULL, 0, p + 84);
    int fd = temporary_file(p, 104);
    assert_int_equal(spool_reader_new(fd, NULL, 0, &r), 0);
    assert_int_equal(drain(r, &rc), 1);
    assert_int_equal(rc, -EBADMSG);
    spool_reader_free(r);
    close(fd);
    (void)state;
}

static void test_reader_new__refusals__named(void **state)
{
    uint8_t p[512];
    size_t n = sample(p);
    struct spool_reader *r = NULL;
    int fd = temporary_file(p, n);
    assert_int_equal(spool_reader_new(fd, "ffffffffffffffffffffffffffffffff", 0, &r), -EBADMSG);
    assert_int_equal(spool_reader_new(fd, TEST_ID, 63, &r), -EBADMSG);
    malloc_fails = true;
    assert_int_equal(spool_reader_new(fd, TEST_ID, 0, &r), -ENOMEM);
    malloc_fails = false;
    pread_error = EIO;
    assert_int_equal(spool_reader_new(fd, TEST_ID, 0, &r), -EIO);
    close(fd);
    p[0] = 'X';
    fd = temporary_file(p, n);
    assert_int_equal(spool_reader_new(fd, TEST_ID, 0, &r), -EBADMSG);
    close(fd);
    (void)state;
}

static void test_reader__read_error__reported_then_goes_on(void **state)
{
    uint8_t p[512];
    size_t n = sample(p);
    struct spool_reader *r = NULL;
    int rc = 0;
    int fd = temporary_file(p, n);
    assert_int_equal(spool_reader_new(fd, TEST_ID, SPOOL_HEADER_LEN + 24, &r), 0);
    pread_error = EIO;
    assert_int_equal(drain(r, &rc), 0);
    assert_int_equal(rc, -EIO);
    pread_error = EINTR;
    assert_int_equal(drain(r, &rc), 4);
    spool_reader_seek(r, UINT64_MAX - 4);
    assert_int_equal(drain(r, &rc), 0);
    assert_int_equal(rc, -EOVERFLOW);
    spool_reader_free(r);
    close(fd);
    (void)state;
}

/* Largest records, so that each buffer ends inside one. */
static void test_reader__larger_than_buffer__all_records(void **state)
{
    static uint8_t p[SPOOL_LINE_MAX];
    uint8_t h[SPOOL_HEADER_LEN];
    struct spool_writer *w = NULL;
    struct spool_reader *r = NULL;
    int rc = 0;
    spool_header_pack(TEST_ID, 5, h);
    int fd = temporary_file(h, sizeof(h));
    assert_int_equal(spool_writer_new(fd, &w), 0);
    memset(p, 'x', sizeof(p));
    for (int i = 0; i < 40; i++) {
        assert_int_equal(spool_writer_append(w, i, 'o', 0, p, SPOOL_LINE_MAX), 0);
        assert_int_equal(spool_writer_flush(w), 0);
    }
    spool_writer_free(w);
    assert_int_equal(spool_reader_new(fd, TEST_ID, 0, &r), 0);
    assert_int_equal(drain(r, &rc), 40);
    assert_int_equal(rc, -EAGAIN);
    spool_reader_free(r);
    close(fd);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader__whole_file__golden),
        cmocka_unit_test(test_reader__torn_anywhere__prefix_then_again),
        cmocka_unit_test(test_reader__torn_record_replaced__reads_the_new_one),
        cmocka_unit_test(test_reader__damaged_anywhere__never_more_than_the_prefix),
        cmocka_unit_test(test_reader__time_goes_back__damaged),
        cmocka_unit_test(test_reader_new__refusals__named),
        cmocka_unit_test(test_reader__read_error__reported_then_goes_on),
        cmocka_unit_test(test_reader__larger_than_buffer__all_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
