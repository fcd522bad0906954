/* The object writer: fields, and that a failure anywhere leaves the buffer as it was. */
#include "../base/unit.h"
#include "base/err.h"
#include "wire/object.h"

#include <string.h>

static int write_object(struct buf *out)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "s", "a\"b");
    wire_object_str(&o, "none", NULL);
    wire_object_int(&o, "i", -5);
    wire_object_bool(&o, "t", true);
    wire_object_bool(&o, "f", false);
    wire_object_null(&o, "n");
    wire_object_time(&o, "at", 0);
    wire_object_name(&o, "raw");
    wire_object_raw(&o, "[", 1);
    wire_object_string(&o, "x\0y", 3);
    wire_object_raw(&o, "]", 1);
    return wire_object_end(&o);
}

static void test_wire_object__fields__one_object(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = 1000};

    assert_int_equal(buf_append_str(&out, "before"), 0);
    assert_int_equal(write_object(&out), 0);
    assert_string_equal(out.data,
                        "before{\"s\":\"a\\\"b\",\"none\":\"\",\"i\":-5,\"t\":true,\"f\":false,"
                        "\"n\":null,\"at\":\"1970-01-01T00:00:00.000Z\",\"raw\":[\"x\\u0000y\"]}");
}

static void test_wire_object__no_field__empty(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = 1000};
    struct wire_object o;

    wire_object_begin(&o, &out);
    assert_int_equal(wire_object_end(&o), 0);
    assert_string_equal(out.data, "{}");
}

static void test_wire_object__each_size_too_small__buffer_as_before(void **state UNUSED)
{
    struct buf whole CLEANUP_BUF = {.max = 1000};

    assert_int_equal(write_object(&whole), 0);
    for (size_t max = 0; max < whole.len; max++) {
        struct buf empty CLEANUP_BUF = {.max = max};
        struct buf out CLEANUP_BUF = {.max = max + 1};
        assert_int_equal(write_object(&empty), ERR_TOO_LARGE);
        assert_int_equal(empty.len, 0);
        assert_int_equal(buf_append_char(&out, 'x'), 0);
        assert_int_equal(write_object(&out), ERR_TOO_LARGE);
        assert_string_equal(out.data, "x");
    }
}

static void test_wire_append_int__values__decimal(void **state UNUSED)
{
    static const struct {
        int64_t n;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {10, "10"},
        {-1, "-1"},
        {1767323045678, "1767323045678"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out CLEANUP_BUF = {.max = 30};
        assert_int_equal(wire_append_int(&out, rows[i].n), 0);
        assert_string_equal(out.data, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_object__fields__one_object),
        cmocka_unit_test(test_wire_object__no_field__empty),
        cmocka_unit_test(test_wire_object__each_size_too_small__buffer_as_before),
        cmocka_unit_test(test_wire_append_int__values__decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
