/* What others wrote cannot draw on the terminal. */
#include "cli/plain_text.h"

#include "base/err.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static const struct {
    const char *text;
    size_t columns;
    const char *shown;
} rows[] = {
    {"plain", 0, "plain"},
    {"", 0, ""},
    {"a\x1b[31mb\tc\x7f", 0, "a [31mb c "},
    {"\xc2\x9b"
     "31m",
     0, " 31m"}, /* CSI as one C1 character */
    {"\xc2\xa0", 0, "\xc2\xa0"},
    {"abcdef", 3, "abc"},
    {"\xc3\xa9\xc3\xa9\xc3\xa9", 2, "\xc3\xa9\xc3\xa9"},
};

static void test_plain_text_append__rows__as_shown(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf b CLEANUP_BUF = {.max = 100};
        assert_int_equal(plain_text_append(&b, rows[i].text, rows[i].columns), 0);
        assert_string_equal(b.data ? b.data : "", rows[i].shown);
    }
}

static void test_plain_text_append__no_room__error(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 3};
    assert_int_equal(plain_text_append(&b, "abcd", 0), ERR_TOO_LARGE);
}

static void test_plain_text_width__characters__counted(void **state UNUSED)
{
    assert_int_equal(plain_text_width(""), 0);
    assert_int_equal(plain_text_width("abc"), 3);
    assert_int_equal(plain_text_width("\xc3\xa9"
                                      "b"),
                     2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_text_append__rows__as_shown),
        cmocka_unit_test(test_plain_text_append__no_room__error),
        cmocka_unit_test(test_plain_text_width__characters__counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
