/* tailgate status */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <string.h>

static struct cli_result r;
#define BODY "{\"execution_id\": \"" ID "\", \"status\": \"RUNNING\"}"

static void test_status__text_and_json__printed(void **state UNUSED)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = BODY}};
    struct cli_run run = {ANSWERS(answers)};
    run_cli("status " ID, &run, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.text.out, "status       RUNNING\n"));
    run_cli("status -o json " ID, &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, "{\"execution_id\":\"" ID "\",\"status\":\"RUNNING\"}\n");
}

static void test_status__failures__own_exit_codes(void **state UNUSED)
{
    static const struct {
        struct fake_answer answer;
        int code;
    } rows[] = {
        {{.status = 404, .body = "{\"error\":\"e\",\"code\":\"NOT_FOUND\",\"details\":\"d\"}"}, 3},
        {{.status = 401,
          .body = "{\"error\":\"e\",\"code\":\"INVALID_API_KEY\",\"details\":\"d\"}"},
         4},
        {{.status = 403, .body = "{\"error\":\"e\",\"code\":\"FORBIDDEN\",\"details\":\"d\"}"}, 4},
        {{.code = CURLE_COULDNT_CONNECT}, 5},
        {{.status = 503, .body = "{\"error\":\"e\",\"code\":\"DATABASE_ERROR\",\"details\":\"d\"}"},
         6},
        {{.status = 200, .body = "no json"}, 6},
        {{.status = 200, .body = "{\"execution_id\":\"" ID "\",\"status\":\"DANCING\"}"}, 6},
        {{.code = CURLE_OUT_OF_MEMORY}, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cli_run run = {.answers = &rows[i].answer, .answers_count = 1};
        run_cli("status " ID, &run, &r);
        assert_int_equal(r.code, rows[i].code);
        assert_string_equal(r.text.out, "");
        assert_non_null(strstr(r.text.err, "tailgate: "));
    }
    run_cli("status xyz", NULL, &r);
    assert_int_equal(r.code, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status__text_and_json__printed),
        cmocka_unit_test(test_status__failures__own_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
