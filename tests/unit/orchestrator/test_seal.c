/* Sealing: what opens and what does not, whose keys those are, rotation's steps. */
#include "orchestrator/seal.h"

#include "base/err.h"
#include "base/str.h"
#include "tests/unit/base/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LINE_A "tailgate-secrets-key aaaaaaaaaaaaaaaa " KEY "\n"
#define LINE_B "tailgate-secrets-key bbbbbbbbbbbbbbbb " KEY "\n"

static char dir[64], path[96];

static int set_up(void **state)
{
    (void)snprintf(dir, sizeof dir, "/tmp/tg-seal-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/secrets.key", dir);
    (void)state;
    return 0;
}

static int tear_down(void **state)
{
    (void)unlink(path);
    (void)rmdir(path);
    assert_int_equal(rmdir(dir), 0); /* nothing else was left */
    (void)state;
    return 0;
}

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static struct sealer *must_open(bool make)
{
    struct buf error CLEANUP_BUF = {.max = 512};
    struct sealer *s = NULL;
    int r = sealer_new(path, make, &error, &s);
    if (r < 0)
        fail_msg("%s", error.data ? error.data : err_name(r));
    return s;
}

static void must_refuse(const char *word)
{
    struct buf error CLEANUP_BUF = {.max = 512};
    struct sealer *s = NULL;
    assert_int_equal(sealer_new(path, false, &error, &s), ERR_INVALID);
    assert_null(s);
    assert_non_null(strstr(error.data, "--secrets-key-file: "));
    if (!strstr(error.data, word))
        fail_msg("%s, without %s", error.data, word);
}

/* What seal gives; opened under `context` again: err. */
static int round_trip(struct sealer *s, const char *sealed_for, const char *opened_for,
                      const char *key_id, int flip)
{
    struct buf out CLEANUP_BUF = {.max = 4096};
    char id[SEAL_KEY_ID_SIZE];
    void *plain;
    size_t len;
    assert_int_equal(seal(s, sealed_for, "hunter22", 8, &out, id), 0);
    assert_int_equal(out.len, 8 + SEAL_OVERHEAD);
    assert_string_equal(id, sealer_key_id(s));
    assert_null(memmem(out.data, out.len, "hunter", 6));
    if (flip >= 0)
        out.data[flip] ^= 1;
    int r = seal_open(s, key_id ? key_id : id, opened_for, out.data, out.len, &plain, &len);
    if (r < 0)
        return r;
    assert_int_equal(len, 8);
    assert_string_equal(plain, "hunter22");
    seal_wipe(plain);
    return 0;
}

static void test_seal_open__every_change__does_not_open(void **state)
{
    write_file("# ours\n\n" LINE_A LINE_B, 0600);
    struct sealer *s = must_open(false);
    assert_string_equal(sealer_key_id(s), "aaaaaaaaaaaaaaaa");
    assert_int_equal(sealer_count(s), 2);
    assert_true(sealer_has_key(s, "bbbbbbbbbbbbbbbb"));
    assert_int_equal(round_trip(s, "secret/a", "secret/a", NULL, -1), 0);
    assert_int_equal(round_trip(s, "secret/a", "secret/b", NULL, -1), ERR_CORRUPT);
    for (int i = 0; i < 8 + (int)SEAL_OVERHEAD; i++)
        assert_int_equal(round_trip(s, "secret/a", "secret/a", NULL, i), ERR_CORRUPT);
    assert_int_equal(round_trip(s, "secret/a", "secret/a", "cccccccccccccccc", -1), ERR_NOT_FOUND);
    void *plain;
    size_t len;
    assert_int_equal(seal_open(s, "aaaaaaaaaaaaaaaa", "", "short", 5, &plain, &len), ERR_CORRUPT);
    sealer_free(s);
    sealer_free(NULL);
    seal_wipe(NULL);
    (void)state;
}

static void test_seal__same_twice__other_bytes(void **state)
{
    struct sealer *s = must_open(true);
    struct buf a CLEANUP_BUF = {.max = 4096}, b CLEANUP_BUF = {.max = 4096};
    struct buf full CLEANUP_BUF = {.max = 10};
    char id[SEAL_KEY_ID_SIZE];
    assert_int_equal(seal(s, "", "x", 1, &a, id), 0);
    assert_int_equal(seal(s, "", "x", 1, &b, id), 0);
    assert_memory_not_equal(a.data, b.data, a.len);
    assert_int_equal(seal(s, "", "x", 1, &full, id), ERR_TOO_LARGE);
    sealer_free(s);
    (void)state;
}

static void test_sealer_new__no_file__made_for_us_alone_or_refused(void **state)
{
    struct stat st;
    must_refuse("is missing");
    struct sealer *s = must_open(true);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    char id[SEAL_KEY_ID_SIZE];
    assert_int_equal(str_copy(id, sizeof id, sealer_key_id(s)), 0);
    sealer_free(s);
    s = must_open(true); /* the same again */
    assert_string_equal(sealer_key_id(s), id);
    sealer_free(s);
    (void)state;
}

static void test_sealer_add_key__others_open_with_it_too(void **state)
{
    struct sealer *s = must_open(true), *other = must_open(false);
    struct buf out CLEANUP_BUF = {.max = 4096};
    char old[SEAL_KEY_ID_SIZE], id[SEAL_KEY_ID_SIZE];
    void *plain;
    size_t len;
    assert_int_equal(str_copy(old, sizeof old, sealer_key_id(s)), 0);
    assert_int_equal(sealer_add_key(s), 0);
    assert_int_equal(sealer_count(s), 2);
    assert_string_equal(sealer_key_id_at(s, 1), old);
    assert_int_equal(seal(s, "c", "new", 3, &out, id), 0);
    /* It meets an id that it does not know. */
    assert_false(sealer_has_key(other, id));
    assert_int_equal(seal_open(other, id, "c", out.data, out.len, &plain, &len), 0);
    seal_wipe(plain);
    /* And one that seals looks at the file before. */
    assert_int_equal(sealer_drop_key(s, old), 0);
    assert_int_equal(sealer_add_key(s), 0);
    buf_clear(&out);
    assert_int_equal(seal(other, "c", "new", 3, &out, id), 0);
    assert_string_equal(id, sealer_key_id(s));
    sealer_free(s);
    sealer_free(other);
    (void)state;
}

static void test_sealer_drop_key__only_older_ones(void **state)
{
    write_file(LINE_A LINE_B, 0600);
    struct sealer *s = must_open(false);
    assert_int_equal(sealer_drop_key(s, "cccccccccccccccc"), ERR_NOT_FOUND);
    assert_int_equal(sealer_drop_key(s, "aaaaaaaaaaaaaaaa"), ERR_INVALID);
    assert_int_equal(sealer_drop_key(s, "bbbbbbbbbbbbbbbb"), 0);
    assert_int_equal(sealer_count(s), 1);
    for (unsigned i = 1; i < SEAL_KEYS_MAX; i++)
        assert_int_equal(sealer_add_key(s), 0);
    assert_int_equal(sealer_add_key(s), ERR_LIMIT);
    sealer_free(s);
    s = must_open(false);
    assert_int_equal(sealer_count(s), SEAL_KEYS_MAX);
    sealer_free(s);
    (void)state;
}

static void test_sealer__file_gets_lost__what_is_in_memory_serves_on(void **state)
{
    struct sealer *s = must_open(true);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(round_trip(s, "a", "a", NULL, -1), 0);
    assert_int_equal(round_trip(s, "a", "a", "cccccccccccccccc", -1), ERR_NOT_FOUND);
    assert_int_equal(sealer_add_key(s), ERR_SYS);
    assert_int_equal(sealer_count(s), 1);
    write_file("broken", 0600);
    assert_int_equal(round_trip(s, "a", "a", NULL, -1), 0);
    sealer_free(s);
    (void)state;
}

static void test_sealer__no_memory__says_so(void **state)
{
    write_file(LINE_A, 0600);
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct buf error CLEANUP_BUF = {.max = 512};
        struct sealer *s = NULL;
        int r = sealer_new(path, false, &error, &s);
        bool failed = fail_alloc_off();
        assert_int_equal(r, failed ? ERR_NOMEM : 0);
        sealer_free(s);
    }
    (void)state;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_seal_open__every_change__does_not_open),
        TEST(test_seal__same_twice__other_bytes),
        TEST(test_sealer_new__no_file__made_for_us_alone_or_refused),
        TEST(test_sealer_add_key__others_open_with_it_too),
        TEST(test_sealer_drop_key__only_older_ones),
        TEST(test_sealer__file_gets_lost__what_is_in_memory_serves_on),
        TEST(test_sealer__no_memory__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
