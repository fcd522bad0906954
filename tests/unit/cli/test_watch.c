/* tailgate list --watch: rows once each, by version; coming back; ends. */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <signal.h>
#include <string.h>

static struct cli_result r;

#define ROW(id, version, status)                                                 \
    "{\"execution_id\":\"" id "\",\"version\":" #version ",\"status\":\"" status \
    "\",\"command\":\"true\",\"created_by\":\"a@b.org\",\"started_at\":\"2026-01-02T03:04:05Z\"}"
#define BEGIN                                                                 \
    {.type = STEP_OPEN}, {.type = STEP_TEXT, .text = "{\"type\":\"hello\"}"}, \
    {                                                                         \
        .type = STEP_WRITE                                                    \
    }
#define SNAPSHOT(rows, cursor)                                                                     \
    {                                                                                              \
        .type = STEP_TEXT, .text = "{\"type\":\"executions\",\"snapshot\":true,\"begin\":true,"    \
                                   "\"executions\":[" rows "],\"more\":false,\"cursor\":\"" cursor \
                                   "\"}"                                                           \
    }
#define CHANGE(rows, cursor)                                                              \
    {                                                                                     \
        .type = STEP_TEXT, .text = "{\"type\":\"executions\",\"snapshot\":false,"         \
                                   "\"executions\":[" rows "],\"cursor\":\"" cursor "\"}" \
    }
#define LEAVE                               \
    {                                       \
        .type = STEP_SIGNAL, .code = SIGINT \
    }

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        n++;
    return n;
}

static void test_watch__snapshot_and_changes__each_version_once(void **state UNUSED)
{
    static const struct fake_step steps[] = {
        BEGIN,
        SNAPSHOT(ROW(ID, 3, "RUNNING") "," ROW(ID2, 5, "FAILED"), "7/3:5:"),
        CHANGE(ROW(ID, 3, "RUNNING"), "7/3:6:"),
        CHANGE(ROW(ID, 5, "SUCCEEDED"), "7/3:7:"),
        CHANGE(ROW(ID2, 4, "RUNNING"), "7/3:8:"),
        LEAVE};
    struct cli_run run = {STEPS(steps)};
    run_cli("list --watch", &run, &r);
    assert_int_equal(r.code, 130);
    assert_string_equal(fake_lws.sent[0], "{\"type\":\"subscribe\",\"executions\":true}");
    assert_int_equal(count(r.text.out, ID), 2);
    assert_int_equal(count(r.text.out, "RUNNING"), 1);
    assert_int_equal(count(r.text.out, "SUCCEEDED"), 1);
    assert_int_equal(count(r.text.out, ID2), 0); /* had ended before */
    run_cli("list -w -o json", &run, &r);
    assert_int_equal(count(r.text.out, "\n"), 2);
    assert_int_equal(r.text.out[0], '{');
}

static void test_watch__connection_lost__goes_on_at_the_cursor(void **state UNUSED)
{
    static const struct fake_step steps[] = {BEGIN,
                                             SNAPSHOT(ROW(ID, 3, "RUNNING"), "7/3:5:"),
                                             {.type = STEP_CLOSE, .code = 1001},
                                             {.type = STEP_TIMER},
                                             BEGIN,
                                             SNAPSHOT(ROW(ID, 4, "FAILED"), "7/3:9:"),
                                             LEAVE};
    struct cli_run run = {STEPS(steps)};
    run_cli("list --watch", &run, &r);
    assert_int_equal(r.code, 130);
    assert_string_equal(fake_lws.sent[1],
                        "{\"type\":\"subscribe\",\"executions\":true,\"since\":\"7/3:5:\"}");
    assert_int_equal(count(r.text.out, "FAILED"), 1); /* it ended meanwhile */
    assert_non_null(strstr(r.text.err, "connection lost"));
    assert_non_null(strstr(r.text.err, "connected again"));
}

static void test_watch__failures__own_exit_codes(void **state UNUSED)
{
    static const struct {
        struct fake_step step;
        int code;
        const char *told;
    } rows[] = {
        {{STEP_TEXT, "{\"type\":\"error\",\"code\":\"FORBIDDEN\",\"details\":\"not you\"}", 0},
         6,
         "not you"},
        {{STEP_TEXT, "{\"type\":\"executions\"}", 0}, 6, "malformed"},
        {{STEP_TEXT, "{\"type\":\"executions\",\"executions\":[{}]}", 0}, 6, "malformed"},
        {{STEP_TEXT, "nonsense", 0}, 6, "unusable"},
        {{STEP_CLOSE, NULL, 4401}, 4, "key"},
        {{STEP_BREAK, NULL, 0}, 6, "stream broke"},
        {{STEP_SIGNAL, NULL, SIGTERM}, 143, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct fake_step steps[] = {BEGIN, rows[i].step};
        struct cli_run run = {STEPS(steps)};
        run_cli("list --watch", &run, &r);
        if (r.code != rows[i].code || strstr(r.text.err, rows[i].told) == NULL)
            fail_msg("%zu: %d %s", i, r.code, r.text.err);
    }
    static const struct fake_step refused[] = {{.type = STEP_REFUSE, .text = "refused"}};
    struct cli_run run = {STEPS(refused)};
    run_cli("list --watch", &run, &r);
    assert_int_equal(r.code, 5);
}

static void test_watch__with_filters__wrong_usage(void **state UNUSED)
{
    run_cli("list --watch --status RUNNING", NULL, &r);
    assert_int_equal(r.code, 2);
    run_cli("list --watch -n 3", NULL, &r);
    assert_int_equal(r.code, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch__snapshot_and_changes__each_version_once),
        cmocka_unit_test(test_watch__connection_lost__goes_on_at_the_cursor),
        cmocka_unit_test(test_watch__failures__own_exit_codes),
        cmocka_unit_test(test_watch__with_filters__wrong_usage),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
