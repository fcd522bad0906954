/* tailgate version */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

static struct cli_result r;

static void test_version__any_place__the_version(void **state UNUSED)
{
    run_cli("version", NULL, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, "tailgate " TAILGATE_VERSION "\n");
    assert_string_equal(r.text.err, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version__any_place__the_version),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
