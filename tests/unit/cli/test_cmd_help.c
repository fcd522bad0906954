/* tailgate help */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <string.h>

static struct cli_result r;

static void test_help__of_a_command__same_as_its_option(void **state UNUSED)
{
    static char by_option[CAPTURE_MAX];
    run_cli("run --help", NULL, &r);
    assert_int_equal(r.code, 0);
    memcpy(by_option, r.text.out, sizeof by_option);
    run_cli("help run", NULL, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, by_option);
}

static void test_help__of_no_command__exit_2(void **state UNUSED)
{
    run_cli("help dance", NULL, &r);
    assert_int_equal(r.code, 2);
    assert_string_equal(r.text.err,
                        "tailgate: wrong usage: \"dance\" is no command; see tailgate --help\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help__of_a_command__same_as_its_option),
        cmocka_unit_test(test_help__of_no_command__exit_2),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
