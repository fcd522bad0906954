/* The builder, and chunks without memory. */
#include "base/err.h"
#include "logs/hub.h"
#include "tests/unit/logs/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int fail_at = -1; /* the nth allocation from now on fails */

static bool fails(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static void test_chunk_builder__lines__chunk_has_them(void **state)
{
    (void)state;
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL;
    assert_int_equal(chunk_builder_new(&b), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(chunk_builder_add(b, -5, STREAM_STDERR, LINE_PART, "ab", 2), 0);
        assert_int_equal(chunk_builder_add(b, 7, STREAM_STDOUT, LINE_NO_EOL, NULL, 0), 0);
        assert_int_equal(chunk_builder_add(b, 9, STREAM_SYSTEM, 0, "\0c", 2), 0);
        assert_int_equal(chunk_builder_lines(b), 3);
        assert_int_equal(chunk_builder_bytes(b), 4);
        assert_int_equal(chunk_builder_finish(b, 11, 100, &c), 0);
        assert_int_equal(chunk_builder_lines(b), 0);
        assert_int_equal(c->execution_key, 11);
        assert_int_equal(c->first_seq, 100);
        assert_int_equal(chunk_last_seq(c), 102);
        assert_memory_equal(c->text, "ab\0c", 4);
        assert_int_equal(c->lines[0].time_us, -5);
        assert_int_equal(c->lines[1].flags, LINE_NO_EOL);
        assert_int_equal(c->lines[2].offset, 2);
        assert_int_equal(c->lines[2].len, 2);
        assert_true(c->memory >= sizeof *c + 3 * sizeof(struct chunk_line) + 4);
        assert_ptr_equal(chunk_ref(c), c);
        chunk_unref(c);
        chunk_unref(c);
    }
    chunk_builder_free(b);
    chunk_builder_free(NULL);
    chunk_unref(NULL);
    frame_unref(NULL);
}

static void test_chunk_builder_add__full__too_large(void **state)
{
    (void)state;
    static char big[CHUNK_BYTES_MAX + 1];
    struct chunk_builder *b = NULL;
    assert_int_equal(chunk_builder_new(&b), 0);
    assert_int_equal(chunk_builder_add(b, 1, 'o', 0, big, CHUNK_BYTES_MAX + 1), ERR_TOO_LARGE);
    assert_int_equal(chunk_builder_add(b, 1, 'o', 0, big, CHUNK_BYTES_MAX), 0);
    assert_int_equal(chunk_builder_add(b, 1, 'o', 0, big, 1), ERR_TOO_LARGE);
    assert_int_equal(chunk_builder_add(b, 1, 'o', 0, big, 0), 0);
    chunk_builder_clear(b);
    for (uint32_t i = 0; i < CHUNK_LINES_MAX; i++)
        assert_int_equal(chunk_builder_add(b, 1, 'o', 0, "", 0), 0);
    assert_int_equal(chunk_builder_add(b, 1, 'o', 0, "", 0), ERR_TOO_LARGE);
    chunk_builder_free(b);
}

static void test_chunk_new__out_of_bounds__too_large(void **state)
{
    (void)state;
    struct chunk *c = NULL;
    assert_int_equal(chunk_new(1, 1, 0, 1, &c), ERR_TOO_LARGE);
    assert_int_equal(chunk_new(1, 1, CHUNK_LINES_MAX + 1, 1, &c), ERR_TOO_LARGE);
    assert_int_equal(chunk_new(1, 1, 1, CHUNK_BYTES_MAX + 1, &c), ERR_TOO_LARGE);
    assert_null(c);
}

static void test_chunk_builder_finish__nearly_full__arrays_handed_over(void **state)
{
    (void)state;
    static char text[1000];
    struct chunk_builder *b = NULL;
    struct chunk *chunks[4] = {0};
    assert_int_equal(chunk_builder_new(&b), 0);
    for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
        memset(text, 'a' + (int)i, sizeof text);
        for (int n = 0; n < (i == 2 ? 10 : 65); n++) /* the third is copied */
            assert_int_equal(chunk_builder_add(b, n, 'o', 0, text, sizeof text), 0);
        assert_int_equal(chunk_builder_finish(b, 1, 1 + 65 * i, &chunks[i]), 0);
        assert_int_equal(chunks[i]->apart, i != 2);
        assert_int_equal(chunk_builder_lines(b), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
        assert_int_equal(chunks[i]->n_lines, i == 2 ? 10 : 65);
        assert_int_equal(chunks[i]->text_len, 1000 * chunks[i]->n_lines);
        assert_true(chunks[i]->memory >= chunks[i]->text_len);
        for (uint32_t at = 0; at < chunks[i]->text_len; at++)
            assert_int_equal(chunks[i]->text[at], 'a' + (int)i);
        assert_int_equal(chunks[i]->lines[9].offset, 9000);
        chunk_unref(chunks[i]);
    }
    chunk_builder_free(b);
}

/* Everything a chunk goes through. */
static int whole_way(size_t largest)
{
    static char big[60000];
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL, *back = NULL;
    struct buf out CLEANUP_BUF = {0};
    buf_init(&out, 1 << 20);
    int rc = chunk_builder_new(&b);
    for (int i = 0; rc == 0 && i < 100; i++)
        rc = chunk_builder_add(b, i, 'o', 0, big, i == 50 ? largest : 3);
    if (rc == 0)
        rc = chunk_builder_finish(b, 1, 1, &c);
    if (rc == 0)
        rc = chunk_encode(c, &out);
    if (rc == 0)
        rc = chunk_decode(out.data, out.len, 1, 1, &back);
    if (rc == 0)
        assert_memory_equal(back->text, c->text, c->text_len);
    chunk_builder_free(b);
    chunk_unref(c);
    chunk_unref(back);
    return rc;
}

static void test_chunk__each_allocation_fails__nomem_and_nothing_leaks(void **state)
{
    (void)state;
    static const size_t LARGEST[] = {5000, 60000}; /* copied, handed over */
    for (size_t i = 0; i < ARRAY_SIZE(LARGEST); i++) {
        int n = 0;
        for (bool failed = true; failed; n++) {
            fail_at = n;
            int rc = whole_way(LARGEST[i]);
            failed = fail_at < 0;
            fail_at = -1;
            /* One that only gives memory back may fail. */
            assert_true(rc == ERR_NOMEM || (rc == 0 && (!failed || i == 1)));
            assert_true(n < 100);
        }
        assert_true(n > 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunk_builder__lines__chunk_has_them),
        cmocka_unit_test(test_chunk_builder_add__full__too_large),
        cmocka_unit_test(test_chunk_builder_finish__nearly_full__arrays_handed_over),
        cmocka_unit_test(test_chunk_new__out_of_bounds__too_large),
        cmocka_unit_test(test_chunk__each_allocation_fails__nomem_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
