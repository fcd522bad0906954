/* Which failure is which exit code. */
#include "cli/exit.h"
#include "tests/unit/base/unit.h"

#include "base/err.h"

#include <string.h>

static void test_exit_of_answer__each_code__as_documented(void **state UNUSED)
{
    static const struct {
        int err, code;
    } rows[] = {
        {0, 0},           {ERR_NOT_FOUND, 3}, {ERR_UNAUTHORIZED, 4},
        {ERR_BAD_KEY, 4}, {ERR_REVOKED, 4},   {ERR_FORBIDDEN, 4},
        {ERR_SYS, 5},     {ERR_AGAIN, 130},   {ERR_NOMEM, 1},
        {ERR_INVALID, 6}, {ERR_CONFLICT, 6},  {ERR_LIMIT, 6},
        {ERR_DB_AWAY, 6}, {ERR_INTERNAL, 6},  {-1000, 6},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(exit_of_answer(rows[i].err), rows[i].code);
}

static void test_exit_of_output__each_code__as_documented(void **state UNUSED)
{
    assert_int_equal(exit_of_output(0), 0);
    assert_int_equal(exit_of_output(ERR_CLOSED), 141);
    assert_int_equal(exit_of_output(ERR_AGAIN), 130);
    assert_int_equal(exit_of_output(ERR_SYS), 1);
}

static void test_exit_help__text__names_every_code(void **state UNUSED)
{
    static const char *const codes[] = {"  0 ", "  1 ", "  2 ", "  3 ", "  4 ",
                                        "  5 ", "  6 ", "130 ", "141 ", "125"};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        assert_non_null(strstr(exit_help(), codes[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_of_answer__each_code__as_documented),
        cmocka_unit_test(test_exit_of_output__each_code__as_documented),
        cmocka_unit_test(test_exit_help__text__names_every_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
