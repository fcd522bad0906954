/* String helpers, by tables of what they take and refuse. */
#include "base/err.h"
#include "base/str.h"
#include "fail_alloc.h"
#include "unit.h"

#include <string.h>

static void test_str_copy__fits_or_not__whole_or_not_at_all(void **state UNUSED)
{
    char dst[4] = "old";

    assert_int_equal(str_copy(dst, sizeof(dst), "abcd"), ERR_TOO_LARGE);
    assert_string_equal(dst, "old");
    assert_int_equal(str_copy(dst, sizeof(dst), "abc"), 0);
    assert_string_equal(dst, "abc");
    assert_int_equal(str_copy(dst, 0, ""), ERR_TOO_LARGE);
}

static void test_str_set__values__replaced_and_freed(void **state UNUSED)
{
    char *s = NULL;

    assert_int_equal(str_set(&s, "one"), 0);
    assert_string_equal(s, "one");
    assert_int_equal(str_set(&s, s + 1), 0);
    assert_string_equal(s, "ne");
    assert_true(fail_alloc_at(1));
    assert_int_equal(str_set(&s, "two"), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_string_equal(s, "ne");
    assert_int_equal(str_set(&s, NULL), 0);
    assert_null(s);
}

static void test_str_eq__pairs__null_equals_null_only(void **state UNUSED)
{
    assert_true(str_eq(NULL, NULL));
    assert_false(str_eq(NULL, ""));
    assert_false(str_eq("", NULL));
    assert_true(str_eq("a", "a"));
    assert_false(str_eq("a", "b"));
    assert_true(str_is_empty(NULL));
    assert_true(str_is_empty(""));
    assert_false(str_is_empty("x"));
}

static void test_str_starts_ends__pairs__as_expected(void **state UNUSED)
{
    static const struct {
        const char *s, *part;
        bool starts, ends;
    } rows[] = {
        {"abc", "", true, true},    {"abc", "abc", true, true},    {"abc", "ab", true, false},
        {"abc", "bc", false, true}, {"abc", "abcd", false, false}, {"", "", true, true},
        {"", "a", false, false},    {"aba", "a", true, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(str_starts_with(rows[i].s, rows[i].part), rows[i].starts);
        assert_int_equal(str_ends_with(rows[i].s, rows[i].part), rows[i].ends);
    }
}

static void test_str_to_i64__texts__value_or_invalid(void **state UNUSED)
{
    static const struct {
        const char *s;
        int64_t min, max;
        int r;
        int64_t value;
    } rows[] = {
        {"0", INT64_MIN, INT64_MAX, 0, 0},
        {"-0", INT64_MIN, INT64_MAX, 0, 0},
        {"007", INT64_MIN, INT64_MAX, 0, 7},
        {"9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX},
        {"9223372036854775808", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"99999999999999999999999", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"5", 1, 5, 0, 5},
        {"6", 1, 5, ERR_INVALID, 0},
        {"0", 1, 5, ERR_INVALID, 0},
        {"-1", 0, 5, ERR_INVALID, 0},
        {"", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"-", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"+1", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {" 1", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"1 ", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"1x", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"--1", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
        {"0x10", INT64_MIN, INT64_MAX, ERR_INVALID, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t value = 0;
        assert_int_equal(str_to_i64(rows[i].s, rows[i].min, rows[i].max, &value), rows[i].r);
        assert_true(value == rows[i].value);
    }
}

static void test_str_to_bytes__texts__value_or_invalid(void **state UNUSED)
{
    static const struct {
        const char *s;
        int r;
        uint64_t value;
    } rows[] = {
        {"0", 0, 0},
        {"4096", 0, 4096},
        {"1B", 0, 1},
        {"64KiB", 0, 65536},
        {"64K", 0, 65536},
        {"10MiB", 0, 10485760},
        {"1M", 0, 1048576},
        {"1GiB", 0, 1073741824},
        {"2G", 0, 2147483648},
        {"1TiB", 0, 1099511627776},
        {"3T", 0, 3298534883328},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", ERR_INVALID, 0},
        {"16777216TiB", ERR_INVALID, 0},
        {"16777215TiB", 0, 18446742974197923840u},
        {"", ERR_INVALID, 0},
        {"KiB", ERR_INVALID, 0},
        {"-1", ERR_INVALID, 0},
        {"1.5GiB", ERR_INVALID, 0},
        {"1 KiB", ERR_INVALID, 0},
        {"1kib", ERR_INVALID, 0},
        {"1KB", ERR_INVALID, 0},
        {"1KiBs", ERR_INVALID, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t value = 0;
        assert_int_equal(str_to_bytes(rows[i].s, &value), rows[i].r);
        assert_true(value == rows[i].value);
    }
}

static void test_str_to_duration_ms__texts__value_or_invalid(void **state UNUSED)
{
    static const struct {
        const char *s;
        int r;
        int64_t value;
    } rows[] = {
        {"0", 0, 0},
        {"10", 0, 10000},
        {"250ms", 0, 250},
        {"10s", 0, 10000},
        {"5m", 0, 300000},
        {"24h", 0, 86400000},
        {"7d", 0, 604800000},
        {"9223372036854775807ms", 0, INT64_MAX},
        {"9223372036854775807s", ERR_INVALID, 0},
        {"9223372036854775808ms", ERR_INVALID, 0},
        {"", ERR_INVALID, 0},
        {"s", ERR_INVALID, 0},
        {"-1s", ERR_INVALID, 0},
        {"1.5s", ERR_INVALID, 0},
        {"1w", ERR_INVALID, 0},
        {"1h30m", ERR_INVALID, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t value = 0;
        assert_int_equal(str_to_duration_ms(rows[i].s, &value), rows[i].r);
        assert_true(value == rows[i].value);
    }
}

static void test_str_hex__all_bytes__round_trip(void **state UNUSED)
{
    unsigned char bytes[256], back[256];
    char text[513];

    for (int i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    str_hex(bytes, sizeof(bytes), text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102", 6);
    assert_string_equal(text + 506, "fdfeff");
    assert_int_equal(str_unhex(text, sizeof(back), back), 0);
    assert_memory_equal(bytes, back, sizeof(bytes));
    str_hex(bytes, 0, text);
    assert_string_equal(text, "");
}

static void test_str_unhex__bad_texts__invalid_and_untouched(void **state UNUSED)
{
    static const char *const bad[] = {"",     "a",    "ab",   "abc",  "abcde",
                                      "abcg", "ab d", "0x12", "abc\n"};
    unsigned char out[2] = {1, 2};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(str_unhex(bad[i], 2, out), ERR_INVALID);
    assert_int_equal(str_unhex("ab", SIZE_MAX, out), ERR_INVALID);
    assert_int_equal(out[0], 1);
    assert_int_equal(out[1], 2);
    assert_int_equal(str_unhex("aBF0", 2, out), 0);
    assert_int_equal(out[0], 0xab);
    assert_int_equal(out[1], 0xf0);
    assert_int_equal(str_unhex("", 0, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_copy__fits_or_not__whole_or_not_at_all),
        cmocka_unit_test(test_str_set__values__replaced_and_freed),
        cmocka_unit_test(test_str_eq__pairs__null_equals_null_only),
        cmocka_unit_test(test_str_starts_ends__pairs__as_expected),
        cmocka_unit_test(test_str_to_i64__texts__value_or_invalid),
        cmocka_unit_test(test_str_to_bytes__texts__value_or_invalid),
        cmocka_unit_test(test_str_to_duration_ms__texts__value_or_invalid),
        cmocka_unit_test(test_str_hex__all_bytes__round_trip),
        cmocka_unit_test(test_str_unhex__bad_texts__invalid_and_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
