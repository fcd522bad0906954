/* The bounded buffer: growth, the maximum, and that a failed append changes nothing. */
#include "base/buf.h"
#include "base/err.h"
#include "fail_alloc.h"
#include "unit.h"

#include <string.h>

static void test_buf_append__pieces__joined_and_terminated(void **state UNUSED)
{
    struct buf b CLEANUP_BUF;

    buf_init(&b, 1000);
    assert_null(b.data);
    assert_int_equal(buf_append(&b, "ab\0c", 4), 0);
    assert_int_equal(buf_append_str(&b, "de"), 0);
    assert_int_equal(buf_append_char(&b, 'f'), 0);
    assert_int_equal(buf_printf(&b, "%d-%s", 42, "x"), 0);
    assert_int_equal(b.len, 11);
    assert_memory_equal(b.data, "ab\0cdef42-x", 12);
}

static void test_buf_append__nothing__still_a_string(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 0};

    assert_int_equal(buf_append(&b, NULL, 0), 0);
    assert_string_equal(b.data, "");
    assert_int_equal(buf_append_char(&b, 'x'), ERR_TOO_LARGE);
}

static void test_buf_append__past_the_maximum__unchanged(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 5};

    assert_int_equal(buf_append_str(&b, "abc"), 0);
    assert_int_equal(buf_append_str(&b, "def"), ERR_TOO_LARGE);
    assert_int_equal(buf_printf(&b, "%s", "def"), ERR_TOO_LARGE);
    assert_string_equal(b.data, "abc");
    assert_int_equal(b.len, 3);
    assert_int_equal(buf_append_str(&b, "de"), 0);
    assert_string_equal(b.data, "abcde");
    assert_int_equal(b.cap, 6);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), ERR_TOO_LARGE);
}

static void test_buf_reserve__without_a_practical_maximum__no_overflow(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = SIZE_MAX};

    assert_int_equal(buf_append_str(&b, "abc"), 0);
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 3), ERR_NOMEM);
    assert_true(fail_alloc_at(1));
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 4), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_string_equal(b.data, "abc");
}

static void test_buf_append__many__doubles(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 1 << 20};

    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf_append_char(&b, (char)('a' + i % 26)), 0);
    assert_int_equal(b.len, 100000);
    assert_int_equal(b.cap, 131072);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
}

static void test_buf_consume__from_the_front__rest_stays(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 100};

    buf_consume(&b, 0);
    assert_int_equal(buf_append_str(&b, "abcdef"), 0);
    buf_consume(&b, 2);
    assert_string_equal(b.data, "cdef");
    buf_consume(&b, 4);
    assert_string_equal(b.data, "");
    assert_int_equal(b.len, 0);
}

static void test_buf_clear__filled__empty_with_memory(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 100};

    buf_clear(&b);
    assert_int_equal(buf_append_str(&b, "abc"), 0);
    buf_clear(&b);
    assert_string_equal(b.data, "");
    assert_true(b.cap > 0);
    buf_done(&b);
    assert_null(b.data);
    assert_int_equal(b.max, 100);
    assert_int_equal(buf_append_str(&b, "again"), 0);
}

static void test_buf_take__contents__owned_by_the_caller(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 100};
    char *data;
    size_t len = 99;

    assert_int_equal(buf_take(&b, &data, &len), 0);
    assert_string_equal(data, "");
    assert_int_equal(len, 0);
    free(data);
    assert_int_equal(buf_append_str(&b, "abc"), 0);
    assert_int_equal(buf_take(&b, &data, NULL), 0);
    assert_string_equal(data, "abc");
    assert_null(b.data);
    free(data);
}

static void test_buf_append__no_memory__unchanged(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 100000};
    char *data = NULL;

    assert_true(fail_alloc_at(1));
    assert_int_equal(buf_append_str(&b, "abc"), ERR_NOMEM);
    assert_null(b.data);
    assert_true(fail_alloc_at(1));
    assert_int_equal(buf_take(&b, &data, NULL), ERR_NOMEM);
    assert_null(data);
    assert_int_equal(buf_append_str(&b, "abc"), 0);
    assert_true(fail_alloc_at(1));
    assert_int_equal(buf_printf(&b, "%1000d", 1), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_string_equal(b.data, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_append__pieces__joined_and_terminated),
        cmocka_unit_test(test_buf_append__nothing__still_a_string),
        cmocka_unit_test(test_buf_append__past_the_maximum__unchanged),
        cmocka_unit_test(test_buf_reserve__without_a_practical_maximum__no_overflow),
        cmocka_unit_test(test_buf_append__many__doubles),
        cmocka_unit_test(test_buf_consume__from_the_front__rest_stays),
        cmocka_unit_test(test_buf_clear__filled__empty_with_memory),
        cmocka_unit_test(test_buf_take__contents__owned_by_the_caller),
        cmocka_unit_test(test_buf_append__no_memory__unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
