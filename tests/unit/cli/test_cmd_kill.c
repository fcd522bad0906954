/* tailgate kill */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <string.h>

static struct cli_result r;
#define NOT_FOUND_BODY "{\"error\":\"no\",\"code\":\"NOT_FOUND\",\"details\":\"d\"}"

static void test_kill__several__each_told(void **state UNUSED)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "{}"}, {.status = 204}};
    struct cli_run run = {ANSWERS(answers)};
    run_cli("kill " ID " " ID2, &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.err, "tailgate: " ID " is being stopped\n"
                                    "tailgate: " ID2 " has ended or is being stopped already\n");
    assert_string_equal(fake_curl.requests[0].url, "http://server:8080/api/v1/executions/" ID);
}

static void test_kill__one_fails__others_are_tried(void **state UNUSED)
{
    static const struct fake_answer answers[] = {{.status = 404, .body = NOT_FOUND_BODY},
                                                 {.status = 200, .body = "{}"}};
    struct cli_run run = {ANSWERS(answers)};
    run_cli("kill " ID " nonsense " ID2, &run, &r);
    assert_int_equal(r.code, 3);
    assert_int_equal(fake_curl.calls, 2);
    assert_non_null(strstr(r.text.err, "\"nonsense\" is no execution id"));
}

static void test_kill__no_id__exit_2(void **state UNUSED)
{
    run_cli("kill x", NULL, &r);
    assert_int_equal(r.code, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill__several__each_told),
        cmocka_unit_test(test_kill__one_fails__others_are_tried),
        cmocka_unit_test(test_kill__no_id__exit_2),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
