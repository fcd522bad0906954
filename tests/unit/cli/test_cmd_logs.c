/* tailgate logs */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <signal.h>
#include <string.h>

static struct cli_result r;
#define E "\"execution_id\":\"" ID "\""
#define BEGIN                                                                 \
    {.type = STEP_OPEN}, {.type = STEP_TEXT, .text = "{\"type\":\"hello\"}"}, \
    {                                                                         \
        .type = STEP_WRITE                                                    \
    }
#define TWO                                                                                 \
    {                                                                                       \
        .type = STEP_TEXT, .text = "{\"type\":\"logs\"," E ",\"first\":1,\"lines\":[[1500," \
                                   "\"o\",\"out\"],[1500,\"e\",\"err\"]]}"                  \
    }
#define LIVE                                                             \
    {                                                                    \
        .type = STEP_TEXT, .text = "{\"type\":\"live\"," E ",\"seq\":2}" \
    }
#define FAILED_7                                                                        \
    {                                                                                   \
        .type = STEP_TEXT, .text = "{\"type\":\"end\"," E ",\"last_seq\":2,\"status\":" \
                                   "\"FAILED\",\"exit_code\":7}"                        \
    }

static const struct fake_step stored[] = {BEGIN, TWO, LIVE};
static const struct fake_step whole[] = {BEGIN, TWO, LIVE, FAILED_7};

static void test_logs__stored__streams_apart_and_exit_0(void **state UNUSED)
{
    struct cli_run run = {STEPS(stored)};
    run_cli("logs " ID, &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, "out\n");
    assert_string_equal(r.text.err, "err\n");
    assert_string_equal(fake_lws.sent[0],
                        "{\"type\":\"subscribe\"," E ",\"after\":0,\"follow\":false}");
    run_cli("logs --tail 2 -t -o json " ID, &run, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.text.out, "{\"seq\":2,\"timestamp\":1500,\"stream\":\"stderr\""));
    assert_non_null(strstr(fake_lws.sent[0], "\"tail\":2"));
}

static void test_logs__follow__exit_code_only_when_asked_for(void **state UNUSED)
{
    struct cli_run run = {STEPS(whole)};
    run_cli("logs -f " ID, &run, &r);
    assert_int_equal(r.code, 0);
    run_cli("logs -f --exit-code --after 0 " ID, &run, &r);
    assert_int_equal(r.code, 7);
}

static void test_logs__failures__own_exit_codes(void **state UNUSED)
{
    static const struct {
        struct fake_step step;
        int code;
    } rows[] = {
        {{STEP_TEXT, "{\"type\":\"error\"," E ",\"code\":\"NOT_FOUND\",\"details\":\"d\"}", 0}, 3},
        {{STEP_TEXT, "{\"type\":\"error\"," E ",\"code\":\"FORBIDDEN\",\"details\":\"d\"}", 0}, 4},
        {{STEP_CLOSE, NULL, 4401}, 4},
        {{STEP_CLOSE, NULL, 1009}, 6},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct fake_step steps[] = {BEGIN, rows[i].step};
        struct cli_run run = {STEPS(steps)};
        run_cli("logs -f " ID, &run, &r);
        assert_int_equal(r.code, rows[i].code);
    }
    static const struct fake_step refused[] = {{.type = STEP_REFUSE, .text = "refused"}};
    struct cli_run run = {STEPS(refused)};
    run_cli("logs " ID, &run, &r);
    assert_int_equal(r.code, 5);
    static const struct fake_step gone[] = {BEGIN,
                                            TWO,
                                            {.type = STEP_CLOSE, .code = 1001},
                                            {.type = STEP_TIMER},
                                            {.type = STEP_REFUSE, .text = "refused"}};
    run = (struct cli_run){STEPS(gone)};
    run_cli("logs -f --reconnect-timeout 1ms " ID, &run, &r);
    assert_int_equal(r.code, 5);
    assert_non_null(strstr(r.text.err, "come back with: tailgate logs -f " ID " --after 2"));
}

static void test_logs__ctrl_c__how_to_come_back(void **state UNUSED)
{
    static const struct fake_step steps[] = {BEGIN, TWO, {.type = STEP_SIGNAL, .code = SIGINT}};
    struct cli_run run = {STEPS(steps)};
    run_cli("logs -f " ID, &run, &r);
    assert_int_equal(r.code, 130);
    assert_non_null(strstr(r.text.err, "tailgate logs -f " ID " --after 2"));
}

static void press_ctrl_c(void)
{
    assert_int_equal(raise(SIGINT), 0);
}

static void test_logs__raw__the_bytes(void **state UNUSED)
{
    static const struct fake_answer good[] = {
        {.status = 200, .body = "a\tb\r\n\377\376", .repeat = 2}};
    static const struct fake_answer bad[] = {
        {.status = 404, .body = "{\"error\":\"e\",\"code\":\"NOT_FOUND\",\"details\":\"d\"}"}};
    static const struct fake_answer left[] = {{.before = press_ctrl_c}};
    struct cli_run run = {ANSWERS(good)};
    run_cli("logs --raw " ID, &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, "a\tb\r\n\377\376a\tb\r\n\377\376");
    assert_non_null(strstr(fake_curl.requests[0].url, "/executions/" ID "/logs.txt"));
    run_cli("logs -f --raw " ID, &run, &r);
    assert_non_null(strstr(fake_curl.requests[0].url, "logs.txt?follow=1"));
    run = (struct cli_run){ANSWERS(bad)};
    run_cli("logs --raw " ID, &run, &r);
    assert_int_equal(r.code, 3);
    run = (struct cli_run){ANSWERS(left)};
    run_cli("logs --raw " ID, &run, &r);
    assert_int_equal(r.code, 130);
}

static void test_logs__wrong_usage__exit_2(void **state UNUSED)
{
    static const char *const lines[] = {
        "logs nonsense",
        "logs --tail 1 --after 2 " ID,
        "logs --exit-code " ID,
        "logs --raw --tail 1 " ID,
        "logs --raw -o json " ID,
        "logs --raw -t " ID,
        "logs --raw --after 1 " ID,
        "logs -f --raw --exit-code " ID,
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        run_cli(lines[i], NULL, &r);
        assert_int_equal(r.code, 2);
        assert_non_null(strstr(r.text.err, "wrong usage"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logs__stored__streams_apart_and_exit_0),
        cmocka_unit_test(test_logs__follow__exit_code_only_when_asked_for),
        cmocka_unit_test(test_logs__failures__own_exit_codes),
        cmocka_unit_test(test_logs__ctrl_c__how_to_come_back),
        cmocka_unit_test(test_logs__raw__the_bytes),
        cmocka_unit_test(test_logs__wrong_usage__exit_2),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
