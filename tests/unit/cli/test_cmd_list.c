/* tailgate list */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <stdio.h>
#include <string.h>

static struct cli_result r;
#define ONE "{\"execution_id\":\"" ID "\",\"status\":\"RUNNING\",\"command\":\"ls\"}"

static void test_list__table_and_json__printed(void **state UNUSED)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "[" ONE "," ONE "]"}};
    struct cli_run run = {ANSWERS(answers)};
    run_cli("list", &run, &r);
    assert_int_equal(r.code, 0);
    assert_true(strncmp(r.text.out, "ID   ", 5) == 0);
    assert_non_null(strstr(r.text.out, ID "  RUNNING "));
    run_cli("list -o json --limit 0 --status RUNNING,FAILED", &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, ONE "\n" ONE "\n");
    assert_string_equal(fake_curl.requests[0].url,
                        "http://server:8080/api/v1/executions?limit=500&status=RUNNING,FAILED");
}

static void test_list__terminal__cut_at_its_width(void **state UNUSED)
{
    static char body[2000];
    char command[1001] = {0};
    memset(command, 'x', 1000);
    (void)snprintf(body, sizeof body,
                   "[{\"execution_id\":\"" ID "\",\"status\":\"RUNNING\",\"command\":\"%s\"}]",
                   command);
    const struct fake_answer answers[] = {{.status = 200, .body = body}};
    struct cli_run run = {ANSWERS(answers)};
    run_cli_terminal(1);
    run_cli("list", &run, &r);
    run_cli_terminal(-1);
    assert_int_equal(r.code, 0);
    assert_null(strstr(r.text.out, command));
    run_cli("list", &run, &r);
    assert_non_null(strstr(r.text.out, command));
}

static void test_list__long__written_in_pieces(void **state UNUSED)
{
    static char body[1 << 18];
    size_t len = 1;
    body[0] = '[';
    for (int i = 0; i < 2000; i++)
        len += (size_t)snprintf(body + len, sizeof body - len, "%s" ONE, i > 0 ? "," : "");
    body[len] = ']';
    const struct fake_answer answers[] = {{.status = 200, .body = body}};
    struct cli_run run = {ANSWERS(answers)};
    unsigned lines = 0;
    run_cli("list --limit 0 -o json", &run, &r);
    assert_int_equal(r.code, 0);
    for (const char *c = r.text.out; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 2000);
}

static void test_list__failures__own_exit_codes(void **state UNUSED)
{
    static const struct fake_answer broken[] = {
        {.status = 200, .body = "[{\"execution_id\":\"" ID "\",\"status\":\"DANCING\"}]"}};
    static const struct fake_answer refused[] = {{.status = 403}};
    struct cli_run run = {ANSWERS(broken)};
    run_cli("list", &run, &r);
    assert_int_equal(r.code, 6);
    run = (struct cli_run){ANSWERS(refused)};
    run_cli("list", &run, &r);
    assert_int_equal(r.code, 4);
    static const char *const bad[] = {"list --status running",
                                      "list --status=", "list --status A&b", "list --limit x"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        run_cli(bad[i], NULL, &r);
        assert_int_equal(r.code, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list__table_and_json__printed),
        cmocka_unit_test(test_list__terminal__cut_at_its_width),
        cmocka_unit_test(test_list__long__written_in_pieces),
        cmocka_unit_test(test_list__failures__own_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
