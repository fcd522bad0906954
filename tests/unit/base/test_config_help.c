/* The help text against its golden file, and that no secret is in it. */
#include "base/config.h"
#include "base/err.h"
#include "config_table.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void test_config_help__table__as_golden(void **state UNUSED)
{
    static char want[8192];
    struct buf out CLEANUP_BUF = {.max = 8192};
    FILE *f = fopen("tests/golden/base-help/all-types/help.txt", "re");

    assert_non_null(f);
    want[fread(want, 1, sizeof(want) - 1, f)] = '\0';
    assert_int_equal(fclose(f), 0);
    assert_int_equal(config_help(&test_table, &out), 0);
    assert_string_equal(out.data, want);
    assert_null(strstr(out.data, "default-secret"));
}

static void test_config_help__no_room__too_large_at_each_size(void **state UNUSED)
{
    struct buf whole CLEANUP_BUF = {.max = 8192};

    assert_int_equal(config_help(&test_table, &whole), 0);
    for (size_t max = 0; max < whole.len; max++) {
        struct buf out CLEANUP_BUF = {.max = max};
        assert_int_equal(config_help(&test_table, &out), ERR_TOO_LARGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_help__table__as_golden),
        cmocka_unit_test(test_config_help__no_room__too_large_at_each_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
