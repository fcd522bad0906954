/* What commands of one call share, seen through one of them. */
#include "cli_rows.h"

#include "cli/call.h"

static struct cli_result r;

static void test_call__answers__exit_codes(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"users list", NULL, REFUSED, 4, "GET /users", "", "", "Forbidden: not for you"},
        {"users list", NULL, ABSENT, 3, NULL, NULL, "", "not there"},
        {"users list", NULL, OK("[}"), 6, NULL, NULL, "", "unusable answer"},
        {"users list", NULL, OK("{}"), 6, NULL, NULL, "", "the list is missing"},
        {"users list", NULL, OK("{\"users\":[7]}"), 6, NULL, NULL, "", "no object"},
        {"users list", NULL, OK("{\"users\":[]}"), 0, NULL, NULL, "EMAIL  ROLE", ""},
        {"users list -o json", NULL, OK("{\"users\":[]}"), 0, NULL, NULL, "", ""},
        {"users list -o json", NULL, OK("{\"users\":[{\"a\":1},{\"a\":2}]}"), 0, NULL, NULL,
         "{\"a\":1}\n{\"a\":2}\n", ""},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

static void test_call__no_server__exit_5(void **state UNUSED)
{
    const struct fake_answer answers[] = {{.code = CURLE_COULDNT_CONNECT}};
    struct cli_run run = {ANSWERS(answers)};
    run_cli("users list", &run, &r);
    assert_int_equal(r.code, 5);
    run.no_curl = true;
    run_cli("users list", &run, &r);
    assert_int_equal(r.code, 1);
}

static void test_call_path__segment__stays_one(void **state UNUSED)
{
    char longer[5000];
    struct buf path CLEANUP_BUF = {0};
    assert_int_equal(call_path(&path, "/images", "ghcr.io/a:1 ?#%\xc3\xa9"), EXIT_DONE);
    assert_string_equal(path.data, "/images/ghcr.io%2Fa%3A1%20%3F%23%25%C3%A9");
    buf_done(&path);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(call_path(&path, "/images", longer), EXIT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call__answers__exit_codes),
        cmocka_unit_test(test_call__no_server__exit_5),
        cmocka_unit_test(test_call_path__segment__stays_one),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
