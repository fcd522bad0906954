/* Times as text in both directions. */
#include "base/err.h"
#include "base/str.h"
#include "unit.h"

static void test_str_time__values__rfc_3339_with_milliseconds(void **state UNUSED)
{
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1767323045678901, "2026-01-02T03:04:05.678Z"},
        {951782399999999, "2000-02-28T23:59:59.999Z"},
        {951782400000000, "2000-02-29T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000000, "1969-12-31T23:59:59.000Z"},
        {253402300799999999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "294247-01-10T04:00:54.775Z"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[STR_TIME_SIZE];
        str_time(rows[i].us, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_str_parse_time__texts__microseconds(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-02T03:04:05.678Z", 1767323045678000},
        {"2026-01-02t03:04:05.678901234z", 1767323045678901},
        {"2026-01-02T03:04:05.6Z", 1767323045600000},
        {"2026-01-02T05:04:05+02:00", 1767323045000000},
        {"2026-01-01T21:34:05-05:30", 1767323045000000},
        {"2026-01-02T03:04:05-00:00", 1767323045000000},
        {"1969-12-31T23:59:59.999Z", -1000},
        {"2000-02-29T00:00:00Z", 951782400000000},
        {"2016-12-31T23:59:60Z", 1483228800000000},
        {"0000-03-01T00:00:00Z", -62162035200000000},
        {"9999-12-31T23:59:59.999999Z", 253402300799999999},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t us = 0;
        assert_int_equal(str_parse_time(rows[i].text, &us), 0);
        assert_true(us == rows[i].us);
    }
}

static void test_str_parse_time__bad_texts__invalid(void **state UNUSED)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-32T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "1900-02-29T03:04:05Z",
        "2026-04-31T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05,5Z",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+02:60",
        "2026-01-02T03:04:05+0200",
        "2026-01-02T03:04:05+02",
        "2026-01-02T03:04:05ZZ",
        "2026-01-02T03:04:05Z ",
        " 2026-01-02T03:04:05Z",
        "26-01-02T03:04:05Z",
        "2026-1-2T03:04:05Z",
        "-026-01-02T03:04:05Z",
        "2026-01-02T03:04Z",
        "12026-01-02T03:04:05Z",
    };
    int64_t us = 42;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(str_parse_time(bad[i], &us), ERR_INVALID);
    assert_int_equal(us, 42);
}

static void test_str_time__each_day_of_four_centuries__round_trips(void **state UNUSED)
{
    for (int64_t day = -70000; day < 80000; day++) {
        char text[STR_TIME_SIZE];
        int64_t us = day * 86400000000 + 45296789000;
        int64_t back;
        str_time(us, text);
        assert_int_equal(str_parse_time(text, &back), 0);
        assert_true(back == us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_time__values__rfc_3339_with_milliseconds),
        cmocka_unit_test(test_str_parse_time__texts__microseconds),
        cmocka_unit_test(test_str_parse_time__bad_texts__invalid),
        cmocka_unit_test(test_str_time__each_day_of_four_centuries__round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
