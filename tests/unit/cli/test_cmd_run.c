/* tailgate run */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <signal.h>
#include <string.h>

static struct cli_result r;
#define E "\"execution_id\":\"" ID "\""
#define STARTED "{" E ",\"status\":\"STARTING\"}"
#define BEGIN                                                                 \
    {.type = STEP_OPEN}, {.type = STEP_TEXT, .text = "{\"type\":\"hello\"}"}, \
    {                                                                         \
        .type = STEP_WRITE                                                    \
    }
#define ONE_LINE                                                                         \
    {                                                                                    \
        .type = STEP_TEXT,                                                               \
        .text = "{\"type\":\"logs\"," E ",\"first\":1,\"lines\":[[1500,\"o\",\"out\"]]}" \
    }
#define END(status, code)                                                                        \
    {                                                                                            \
        .type = STEP_TEXT, .text = "{\"type\":\"end\"," E ",\"last_seq\":1,\"status\":\"" status \
                                   "\",\"exit_code\":" code "}"                                  \
    }

static const struct fake_answer started[] = {{.status = 202, .body = STARTED}};

static void test_run__to_the_end__its_exit_code(void **state UNUSED)
{
    static const struct fake_step steps[] = {BEGIN, ONE_LINE, END("FAILED", "7")};
    struct cli_run run = {ANSWERS(started), STEPS(steps)};
    run_cli("run --image debian -e A=1 --timeout 5m --tty -- sh -c exit|7", &run, &r);
    assert_int_equal(r.code, 7);
    assert_string_equal(r.text.out, "out\n");
    assert_string_equal(r.text.err, "tailgate: execution " ID "\n");
    const char *body = fake_curl.requests[0].body;
    assert_non_null(strstr(body, "\"command\":\"sh -c 'exit 7'\""));
    assert_non_null(strstr(body, "\"image\":\"debian\""));
    assert_non_null(strstr(body, "\"env\":{\"A\":\"1\"}"));
    assert_non_null(strstr(body, "\"timeout\":300"));
    assert_non_null(strstr(body, "\"tty\":true"));
}

static void test_run__no_exit_code__125(void **state UNUSED)
{
    static const struct fake_step steps[] = {BEGIN, ONE_LINE, END("FAILED", "null")};
    struct cli_run run = {ANSWERS(started), STEPS(steps)};
    run_cli("run true", &run, &r);
    assert_int_equal(r.code, 125);
}

static void test_run__detach__only_the_id(void **state UNUSED)
{
    struct cli_run run = {ANSWERS(started)};
    run_cli("run --detach ls -f", &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, ID "\n");
    assert_string_equal(r.text.err, "");
    assert_non_null(strstr(fake_curl.requests[0].body, "\"ls -f\""));
    run_cli("run -d -o json ls", &run, &r);
    assert_string_equal(r.text.out, STARTED "\n");
    assert_int_equal(fake_lws.contexts, 0);
}

static void test_run__cannot_start__125(void **state UNUSED)
{
    static const struct fake_answer rows[] = {
        {.status = 400, .body = "{\"error\":\"e\",\"code\":\"INVALID_REQUEST\",\"details\":\"d\"}"},
        {.status = 401, .body = "{\"error\":\"e\",\"code\":\"INVALID_API_KEY\",\"details\":\"d\"}"},
        {.code = CURLE_COULDNT_CONNECT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cli_run run = {.answers = &rows[i], .answers_count = 1};
        run_cli("run ls", &run, &r);
        assert_int_equal(r.code, 125);
        assert_int_equal(fake_lws.contexts, 0);
    }
    run_cli("run -e TG_NOT_SET_ANYWHERE ls", NULL, &r);
    assert_int_equal(r.code, 125);
}

static void press_ctrl_c(void)
{
    assert_int_equal(raise(SIGINT), 0);
}

static void test_run__ctrl_c_before_it_started__told(void **state UNUSED)
{
    static const struct fake_answer answers[] = {{.before = press_ctrl_c}};
    struct cli_run run = {ANSWERS(answers)};
    run_cli("run ls", &run, &r);
    assert_int_equal(r.code, 130);
    assert_non_null(strstr(r.text.err, "it may have been started"));
}

static void test_run__ctrl_c__leaves(void **state UNUSED)
{
    static const struct fake_step steps[] = {
        BEGIN, ONE_LINE, {.type = STEP_SIGNAL, .code = SIGINT}};
    struct cli_run run = {ANSWERS(started), STEPS(steps)};
    run_cli("run ls", &run, &r);
    assert_int_equal(r.code, 130);
    assert_non_null(strstr(r.text.err, "tailgate logs -f " ID " --after 1"));
    assert_int_equal(fake_curl.calls, 1);
}

static void test_run__kill_on_interrupt__stops_then_leaves(void **state UNUSED)
{
    static const struct fake_answer answers[] = {{.status = 202, .body = STARTED},
                                                 {.status = 200, .body = "{}"}};
    static const struct fake_answer refused[] = {{.status = 202, .body = STARTED}, {.status = 500}};
    static const struct fake_step waits[] = {
        BEGIN, {.type = STEP_SIGNAL, .code = SIGINT}, ONE_LINE, END("STOPPED", "130")};
    static const struct fake_step twice[] = {
        BEGIN, {.type = STEP_SIGNAL, .code = SIGINT}, {.type = STEP_SIGNAL, .code = SIGINT}};
    struct cli_run run = {ANSWERS(answers), STEPS(waits)};
    run_cli("run --kill-on-interrupt ls", &run, &r);
    assert_int_equal(r.code, 130);
    assert_string_equal(r.text.out, "out\n");
    assert_string_equal(fake_curl.requests[1].method, "DELETE");
    assert_non_null(strstr(r.text.err, "stopping " ID));
    assert_non_null(strstr(r.text.err, ID " was stopped"));
    run = (struct cli_run){ANSWERS(refused), STEPS(twice)};
    run_cli("run --kill-on-interrupt ls", &run, &r);
    assert_int_equal(r.code, 130);
    assert_non_null(strstr(r.text.err, "Come back with"));
}

static void test_run__connection_lost_for_good__125(void **state UNUSED)
{
    static const struct fake_step steps[] = {{.type = STEP_REFUSE, .text = "refused"},
                                             {.type = STEP_TIMER},
                                             {.type = STEP_REFUSE, .text = "refused"}};
    struct cli_run run = {ANSWERS(started), STEPS(steps)};
    run_cli("run --reconnect-timeout 1ms ls", &run, &r);
    assert_int_equal(r.code, 125);
    assert_non_null(strstr(r.text.err, "come back with: tailgate logs -f " ID " --after 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run__to_the_end__its_exit_code),
        cmocka_unit_test(test_run__no_exit_code__125),
        cmocka_unit_test(test_run__detach__only_the_id),
        cmocka_unit_test(test_run__cannot_start__125),
        cmocka_unit_test(test_run__ctrl_c_before_it_started__told),
        cmocka_unit_test(test_run__ctrl_c__leaves),
        cmocka_unit_test(test_run__kill_on_interrupt__stops_then_leaves),
        cmocka_unit_test(test_run__connection_lost_for_good__125),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
