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

/* Everything a chunk goes through. */
static int whole_way(void)
{
    static char big[5000];
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL, *back = NULL;
    struct buf out CLEANUP_BUF = {0};
    buf_init(&out, 1 << 20);
    int rc = chunk_builder_new(&b);
    for (int i = 0; rc == 0 && i < 100; i++)
        rc = chunk_builder_add(b, i, 'o', 0, big, i == 50 ? sizeof big : 3);
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
    int n = 0;
    for (int rc = ERR_NOMEM; rc != 0; n++) {
        fail_at = n;
        rc = whole_way();
        fail_at = -1;
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_true(n < 100);
    }
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunk_builder__lines__chunk_has_them),
        cmocka_unit_test(test_chunk_builder_add__full__too_large),
        cmocka_unit_test(test_chunk_new__out_of_bounds__too_large),
        cmocka_unit_test(test_chunk__each_allocation_fails__nomem_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
