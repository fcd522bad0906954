/* The key file: its form and permissions, what is made, and that it is replaced whole or not. */
#include "orchestrator/seal_file.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include "../base/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LINE_A "tailgate-secrets-key aaaaaaaaaaaaaaaa " KEY "\n"
#define LINE_B "tailgate-secrets-key bbbbbbbbbbbbbbbb " KEY "\n"

static char dir[64], path[96], beside[112];

/* ---- system calls that fail when told to ---- */

static int write_err, fsync_err; /* errno of the next call, once */
static bool writes_in_bits;

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (write_err != 0) {
        errno = write_err;
        write_err = 0;
        return -1;
    }
    return __real_write(fd, p, writes_in_bits && n > 7 ? 7 : n);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    if (fsync_err != 0) {
        errno = fsync_err;
        fsync_err = 0;
        return -1;
    }
    return __real_fsync(fd);
}

/* ---- a test's world ---- */

static int set_up(void **state UNUSED)
{
    write_err = fsync_err = 0;
    writes_in_bits = false;
    log_setup(LOG_ERROR + 1, LOG_LOGFMT);
    (void)snprintf(dir, sizeof dir, "/tmp/tg-seal-file-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/secrets.key", dir);
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    (void)unlink(path);
    (void)rmdir(path);
    assert_int_equal(rmdir(dir), 0); /* nothing else was left */
    return 0;
}

static void put_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static struct seal_keys must_read(void)
{
    struct buf error CLEANUP_BUF = {.max = 512};
    struct seal_keys keys;
    if (seal_file_read(path, &keys, &error) < 0)
        fail_msg("%s", error.data);
    return keys;
}

static void must_refuse(const char *word)
{
    struct buf error CLEANUP_BUF = {.max = 512};
    struct seal_keys keys;
    assert_int_equal(seal_file_read(path, &keys, &error), ERR_INVALID);
    assert_non_null(strstr(error.data, "--secrets-key-file: "));
    assert_non_null(strstr(error.data, path));
    assert_null(strstr(error.data, KEY));
    if (!strstr(error.data, word))
        fail_msg("%s, without %s", error.data, word);
}

/* ---- reading ---- */

static void test_seal_file_read__keys_and_comments__in_their_order(void **state UNUSED)
{
    static const uint8_t FIRST[] = {0x00, 0x11, 0x22, 0x33};
    put_file("# ours\n\n" LINE_B "\n# the older one\n"
             "tailgate-secrets-key AAAAAAAAAAAAAAAA " KEY, /* no end of line; upper case */
             0400);
    struct seal_keys keys = must_read();
    assert_int_equal(keys.count, 2);
    assert_string_equal(keys.key[0].id, "bbbbbbbbbbbbbbbb");
    assert_string_equal(keys.key[1].id, "aaaaaaaaaaaaaaaa");
    assert_memory_equal(keys.key[1].bytes, FIRST, sizeof FIRST);
}

static void test_seal_file_read__bad_files__say_why(void **state UNUSED)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *word;
    } ROWS[] = {
        {LINE_A, 0640, "chmod 600"},
        {LINE_A, 0604, "chmod 600"},
        {"", 0600, "must hold"},
        {"# nothing\n", 0600, "must hold"},
        {"tailgate-secrets-key aaaaaaaaaaaaaaaa 0011\n", 0600, "must hold"},
        {"tailgate-secrets-key aaaaaaaaaaaaaaag " KEY "\n", 0600, "must hold"},
        {"tailgate-secrets-kex aaaaaaaaaaaaaaaa " KEY "\n", 0600, "must hold"},
        {"tailgate-secrets-key aaaaaaaaaaaaaaaa-" KEY "\n", 0600, "must hold"},
        {"tailgate-secrets-key aaaaaaaaaaaaaaaa " KEY "0\n", 0600, "must hold"},
        {LINE_A LINE_A, 0600, "must hold"},
        {LINE_A "tailgate-secrets-key AAAAAAAAAAAAAAAA " KEY "\n", 0600, "must hold"},
        {LINE_A "and more\n", 0600, "must hold"},
    };
    must_refuse("is missing");
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        put_file(ROWS[i].text, ROWS[i].mode);
        must_refuse(ROWS[i].word);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    must_refuse("must be a file");
}

static void test_seal_file_read__zero_byte_in_it__refused(void **state UNUSED)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(LINE_A "\0", 1, sizeof LINE_A, f), sizeof LINE_A);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
    must_refuse("must hold");
}

static void test_seal_file_read__anothers_file__refused(void **state)
{
    if (geteuid() != 0) {
        skip();
        return;
    }
    put_file(LINE_A, 0600);
    assert_int_equal(chown(path, 65534, 65534), 0);
    must_refuse("must belong to");
    (void)state;
}

static void test_seal_file_read__link_to_itself__system_says_why(void **state UNUSED)
{
    assert_int_equal(symlink("secrets.key", path), 0);
    must_refuse(strerror(ELOOP));
}

static void test_seal_file_read__too_many_or_too_long__refused(void **state UNUSED)
{
    char text[9000] = "";
    for (unsigned i = 0; i <= SEAL_KEYS_MAX; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "tailgate-secrets-key %016x " KEY "\n", i);
    put_file(text, 0600);
    must_refuse("must hold");
    memset(text, '#', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    put_file(text, 0600);
    must_refuse("must hold");
}

static void test_seal_file_has_changed__replaced_touched_gone(void **state UNUSED)
{
    put_file(LINE_A, 0600);
    struct seal_keys keys = must_read();
    assert_false(seal_file_has_changed(path, &keys));
    put_file(LINE_A LINE_B, 0600); /* another size */
    assert_true(seal_file_has_changed(path, &keys));
    keys = must_read();
    assert_int_equal(utimensat(AT_FDCWD, path, (const struct timespec[2]){{1, 0}, {1, 0}}, 0), 0);
    assert_true(seal_file_has_changed(path, &keys));
    keys = must_read();
    assert_int_equal(unlink(path), 0);
    assert_false(seal_file_has_changed(path, &keys));
}

/* ---- making ---- */

static void test_seal_file_make__none__a_fresh_key_for_us_alone(void **state UNUSED)
{
    struct buf error CLEANUP_BUF = {.max = 512};
    struct stat st;
    assert_int_equal(seal_file_make(path, &error), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    struct seal_keys first = must_read();
    assert_int_equal(first.count, 1);
    assert_int_equal(seal_file_make(path, &error), 0); /* there is one */
    assert_false(seal_file_has_changed(path, &first));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(seal_file_make(path, &error), 0);
    struct seal_keys second = must_read();
    assert_string_not_equal(second.key[0].id, first.key[0].id);
    assert_memory_not_equal(second.key[0].bytes, first.key[0].bytes, SEAL_KEY_BYTES);
    assert_int_equal(error.len, 0);
}

static void test_seal_file_make__cannot__says_so_and_leaves_nothing(void **state UNUSED)
{
    static const struct {
        int write_err, fsync_err;
    } ROWS[] = {{ENOSPC, 0}, {0, EIO}};
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct buf error CLEANUP_BUF = {.max = 512};
        write_err = ROWS[i].write_err;
        fsync_err = ROWS[i].fsync_err;
        assert_int_equal(seal_file_make(path, &error), ERR_INVALID);
        assert_non_null(strstr(error.data, strerror(ROWS[i].write_err + ROWS[i].fsync_err)));
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(access(beside, F_OK), -1);
    }
    struct buf error CLEANUP_BUF = {.max = 512};
    assert_int_equal(seal_file_make("/nonexistent/secrets.key", &error), ERR_INVALID);
    assert_non_null(strstr(error.data, "/nonexistent/secrets.key"));
}

static void test_seal_file_make__path_too_long__refused(void **state UNUSED)
{
    static char name[PATH_MAX];
    struct buf error CLEANUP_BUF = {.max = 2 * PATH_MAX};
    memset(name, 'x', sizeof name - 1);
    assert_int_equal(seal_file_make(name, &error), ERR_INVALID);
    assert_non_null(strstr(error.data, strerror(ENAMETOOLONG)));
}

static void test_seal_file_make__interrupted_one_before__goes_on(void **state UNUSED)
{
    struct buf error CLEANUP_BUF = {.max = 512};
    assert_int_equal(symlink("/nonexistent", beside), 0); /* not followed either */
    write_err = EINTR;
    writes_in_bits = true;
    assert_int_equal(seal_file_make(path, &error), 0);
    assert_int_equal(must_read().count, 1);
    assert_int_equal(access(beside, F_OK), -1);
}

/* ---- replacing ---- */

static void test_seal_file_write__all_keys__read_as_written(void **state UNUSED)
{
    put_file(LINE_A, 0600);
    struct seal_keys keys = must_read();
    while (keys.count < SEAL_KEYS_MAX)
        seal_key_make(&keys.key[keys.count++]);
    assert_int_equal(seal_file_write(path, &keys), 0);
    assert_false(seal_file_has_changed(path, &keys));
    struct seal_keys again = must_read();
    assert_int_equal(again.count, SEAL_KEYS_MAX);
    for (size_t i = 0; i < again.count; i++) {
        assert_string_equal(again.key[i].id, keys.key[i].id);
        assert_memory_equal(again.key[i].bytes, keys.key[i].bytes, SEAL_KEY_BYTES);
    }
}

static void test_seal_file_write__cannot__the_old_file_stays(void **state UNUSED)
{
    static const struct {
        int write_err, fsync_err;
    } ROWS[] = {{ENOSPC, 0}, {0, EIO}};
    put_file(LINE_A, 0600);
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct seal_keys keys = must_read();
        seal_key_make(&keys.key[keys.count++]);
        write_err = ROWS[i].write_err;
        fsync_err = ROWS[i].fsync_err;
        assert_int_equal(seal_file_write(path, &keys), ERR_SYS);
        assert_int_equal(access(beside, F_OK), -1);
        assert_int_equal(must_read().count, 1);
        assert_false(seal_file_has_changed(path, &keys));
    }
    struct seal_keys keys = must_read();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(seal_file_write(path, &keys), ERR_SYS); /* none to replace */
}

static void test_seal_file_write__symbolic_link__stays_one(void **state UNUSED)
{
    char target[128];
    struct stat st;
    (void)snprintf(target, sizeof target, "%s/target", dir);
    put_file(LINE_A, 0600);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink("target", path), 0);
    struct seal_keys keys = must_read();
    seal_key_make(&keys.key[keys.count++]);
    assert_int_equal(seal_file_write(path, &keys), 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(must_read().count, 2);
    assert_int_equal(unlink(target), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_seal_file_read__keys_and_comments__in_their_order),
        TEST(test_seal_file_read__bad_files__say_why),
        TEST(test_seal_file_read__zero_byte_in_it__refused),
        TEST(test_seal_file_read__anothers_file__refused),
        TEST(test_seal_file_read__link_to_itself__system_says_why),
        TEST(test_seal_file_read__too_many_or_too_long__refused),
        TEST(test_seal_file_has_changed__replaced_touched_gone),
        TEST(test_seal_file_make__none__a_fresh_key_for_us_alone),
        TEST(test_seal_file_make__cannot__says_so_and_leaves_nothing),
        TEST(test_seal_file_make__path_too_long__refused),
        TEST(test_seal_file_make__interrupted_one_before__goes_on),
        TEST(test_seal_file_write__all_keys__read_as_written),
        TEST(test_seal_file_write__cannot__the_old_file_stays),
        TEST(test_seal_file_write__symbolic_link__stays_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
