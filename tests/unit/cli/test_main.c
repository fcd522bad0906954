/* The program's entry: everything else is command_main's. */
#include "capture.h"

#include "tests/unit/base/unit.h"

#include "base/compiler.h"

int tailgate_main(int argc, char *argv[]);

static struct capture caught;

static void test_main__version_and_nonsense__exit_codes(void **state UNUSED)
{
    char *version[] = {"tailgate", "version", NULL};
    char *nonsense[] = {"tailgate", "nonsense", NULL};
    capture_begin(&caught, NULL);
    int good = tailgate_main(2, version);
    int bad = tailgate_main(2, nonsense);
    capture_end(&caught);
    assert_int_equal(good, 0);
    assert_int_equal(bad, 2);
    assert_string_equal(caught.out, "tailgate " TAILGATE_VERSION "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_main__version_and_nonsense__exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
