/* Whole tailings by script: lines, reconnects, ends, and people who leave. */
#include "capture.h"
#include "fake_lws.h"

#include "cli/tail.h"
#include "tests/unit/base/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ID "0000500000000001aabbccddeeff0011"
#define E "\"execution_id\":\"" ID "\""
#define HELLO                                                                                   \
    {                                                                                           \
        STEP_TEXT, "{\"type\":\"hello\",\"version\":\"1\",\"user\":\"u\",\"session\":\"s\"}", 0 \
    }
#define SUBSCRIBED                                                                            \
    {                                                                                         \
        STEP_TEXT, "{\"type\":\"subscribed\"," E ",\"status\":\"RUNNING\",\"last_seq\":0}", 0 \
    }
#define OPENING {STEP_OPEN, NULL, 0}, HELLO, {STEP_WRITE, NULL, 0}, SUBSCRIBED
#define LOGS(first, lines)                                                                   \
    {                                                                                        \
        STEP_TEXT, "{\"type\":\"logs\"," E ",\"first\":" #first ",\"lines\":[" lines "]}", 0 \
    }
#define LINE(stream, text) "[1500,\"" stream "\",\"" text "\"]"
#define LIVE(seq)                                                  \
    {                                                              \
        STEP_TEXT, "{\"type\":\"live\"," E ",\"seq\":" #seq "}", 0 \
    }
#define END(seq, status, more)                                                                    \
    {                                                                                             \
        STEP_TEXT,                                                                                \
            "{\"type\":\"end\"," E ",\"last_seq\":" #seq ",\"status\":\"" status "\"" more "}", 0 \
    }
#define ERROR(code, more)                                                                          \
    {                                                                                              \
        STEP_TEXT, "{\"type\":\"error\"," E ",\"code\":\"" code "\",\"details\":\"why\"" more "}", \
            0                                                                                      \
    }
#define LOST(code)            \
    {STEP_CLOSE, NULL, code}, \
    {                         \
        STEP_TIMER, NULL, 0   \
    }

uint32_t __wrap_arc4random_uniform(uint32_t bound);
uint32_t __wrap_arc4random_uniform(uint32_t bound)
{
    return bound - 1;
}

static struct capture caught;
static struct tail_result result;
static struct settings settings = {
    .endpoint = {.host = "h", .port = 8080, .authority = "h:8080", .base = "/api/v1"},
    .api_key = (char *)"k",
};

static void tail_with(struct tail_options opt, const struct fake_step *steps, size_t count)
{
    struct interrupt intr;
    struct printer printer;
    struct printer_options printing = {.out_fd = 1, .err_fd = 2, .intr = &intr};
    assert_int_equal(execution_id_parse(ID, &opt.id), 0);
    assert_int_equal(interrupt_init(&intr), 0);
    printer_init(&printer, &printing);
    opt.settings = &settings;
    opt.intr = &intr;
    opt.printer = &printer;
    opt.reconnect_timeout_ms = 60000;
    fake_lws_reset(steps, count);
    capture_begin(&caught, NULL);
    tail_run(&opt, &result);
    capture_end(&caught);
    printer_done(&printer);
    interrupt_done(&intr);
    assert_string_equal(fake_lws.complaint, "");
    assert_int_equal(fake_lws.next, count);
    assert_int_equal(fake_lws.contexts, fake_lws.destroyed);
}

#define TAIL(steps, ...) tail_with((struct tail_options){__VA_ARGS__}, steps, ARRAY_SIZE(steps))

static void test_tail_run__to_the_end__lines_and_exit_code(void **state UNUSED)
{
    static const struct fake_step steps[] = {
        OPENING,
        LOGS(1, LINE("o", "one") "," LINE("e", "two")),
        LIVE(2),
        {STEP_TEXT, "{\"type\":\"status\"," E ",\"status\":\"RUNNING\",\"version\":3}", 0},
        {STEP_TEXT, "{\"type\":\"something new\"}", 0},
        {STEP_TEXT, "{\"type\":\"live\",\"execution_id\":\"other\",\"seq\":9}", 0},
        LOGS(3, LINE("s", "three")),
        END(3, "FAILED", ",\"exit_code\":7,\"reason\":\"timeout\""),
    };
    TAIL(steps, .follow = true);
    assert_int_equal(result.outcome, TAIL_ENDED);
    assert_int_equal(result.last_seq, 3);
    assert_int_equal(result.exit_code, 7);
    assert_int_equal(result.status, EXEC_FAILED);
    assert_string_equal(result.reason, "timeout");
    assert_string_equal(caught.out, "one\n");
    assert_string_equal(caught.err, "two\nthree\n");
    assert_string_equal(fake_lws.sent[0],
                        "{\"type\":\"subscribe\",\"execution_id\":\"" ID "\",\"after\":0}");
}

static void test_tail_run__without_follow__what_is_stored(void **state UNUSED)
{
    static const struct fake_step to_live[] = {OPENING, LOGS(1, LINE("o", "one")), LIVE(1)};
    static const struct fake_step to_end[] = {OPENING, END(0, "SUCCEEDED", ",\"exit_code\":0")};
    TAIL(to_live, .follow = false);
    assert_int_equal(result.outcome, TAIL_CAUGHT_UP);
    assert_string_equal(caught.out, "one\n");
    assert_non_null(strstr(fake_lws.sent[0], "\"follow\":false"));
    TAIL(to_end, .follow = false);
    assert_int_equal(result.outcome, TAIL_CAUGHT_UP);
}

static void test_tail_run__after_and_tail__subscribed_so(void **state UNUSED)
{
    static const struct fake_step after[] = {OPENING, LOGS(8, LINE("o", "x")),
                                             END(8, "STOPPED", ",\"exit_code\":null")};
    static const struct fake_step tail[] = {OPENING,
                                            LOGS(90, LINE("o", "x")),
                                            LOST(0),
                                            OPENING,
                                            LOGS(90, LINE("o", "x") "," LINE("o", "y")),
                                            END(91, "SUCCEEDED", ",\"exit_code\":0")};
    TAIL(after, .follow = true, .after = 7);
    assert_non_null(strstr(fake_lws.sent[0], "\"after\":7"));
    assert_int_equal(result.exit_code, EXIT_CODE_NONE);
    TAIL(tail, .follow = true, .has_tail = true, .tail = 2);
    assert_non_null(strstr(fake_lws.sent[0], "\"tail\":2"));
    assert_null(strstr(fake_lws.sent[0], "after"));
    assert_non_null(strstr(fake_lws.sent[1], "\"after\":90"));
    assert_null(strstr(fake_lws.sent[1], "tail"));
    assert_string_equal(caught.out, "x\ny\n");
}

static void test_tail_run__lost_again_and_again__no_line_twice_or_missing(void **state UNUSED)
{
    static const int codes[] = {1001, 1013, 1006, 0, 1000, 1011};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        const struct fake_step steps[] = {
            OPENING,
            LOGS(1, LINE("o", "one") "," LINE("o", "two")),
            LOST(codes[i]),
            {STEP_REFUSE, "refused", 0},
            {STEP_TIMER, NULL, 0},
            {STEP_REFUSE, NULL, 503},
            {STEP_TIMER, NULL, 0},
            OPENING,
            LOGS(2, LINE("o", "two") "," LINE("o", "three")),
            LOST(codes[i]),
            OPENING,
            END(3, "SUCCEEDED", ",\"exit_code\":0"),
        };
        TAIL(steps, .follow = true);
        assert_int_equal(result.outcome, TAIL_ENDED);
        assert_string_equal(caught.out, "one\ntwo\nthree\n");
        assert_non_null(strstr(fake_lws.sent[1], "\"after\":2"));
        assert_non_null(strstr(fake_lws.sent[2], "\"after\":3"));
        assert_int_equal(fake_lws.connects, 5);
        assert_int_equal(fake_lws.delays_ms[0], 200);
        assert_int_equal(fake_lws.delays_ms[1], 400);
        assert_int_equal(fake_lws.delays_ms[2], 800);
        assert_int_equal(fake_lws.delays_ms[3], 200);
        assert_non_null(strstr(caught.err, "tailgate: connection lost, connecting again\n"));
        assert_non_null(strstr(caught.err, "tailgate: connected again\n"));
    }
}

static void test_tail_run__lost_for_good__gives_up(void **state UNUSED)
{
    struct fake_step steps[64] = {OPENING, LOGS(1, LINE("o", "one")), {STEP_CLOSE, "bye", 1001}};
    size_t n = 6;
    /* 0.2, 0.4, 0.8, 1.6, 3.2 s, then 5 s each: the 17th ends at 60 s */
    for (int i = 0; i < 17; i++) {
        steps[n++] = (struct fake_step){STEP_TIMER, NULL, 0};
        steps[n++] = (struct fake_step){STEP_REFUSE, "refused", 0};
    }
    steps[n - 1].type = STEP_REFUSE;
    fake_lws_reset(steps, n);
    struct tail_options opt = {.follow = true};
    /* how many attempts fit follows from the delays: feed until it gives up */
    for (size_t count = 8; count <= n; count += 2) {
        int64_t total = 0;
        for (size_t i = 0; i < (count - 6) / 2; i++)
            total += i < 5 ? 200 << i : 5000;
        if (total < 60000)
            continue;
        tail_with(opt, steps, count);
        break;
    }
    assert_int_equal(result.outcome, TAIL_FAILED);
    assert_int_equal(result.p.err, ERR_SYS);
    assert_string_equal(result.p.details, "h:8080: refused; gave up after 60 s");
    assert_int_equal(result.last_seq, 1);
    assert_int_equal(fake_lws.now_ms, 61000);
}

static void test_tail_run__first_connection__repeated_only_for_run(void **state UNUSED)
{
    static const struct fake_step once[] = {{STEP_REFUSE, "refused", 0}};
    static const struct fake_step again[] = {{STEP_REFUSE, "refused", 0},
                                             {STEP_TIMER, NULL, 0},
                                             OPENING,
                                             END(0, "SUCCEEDED", ",\"exit_code\":0")};
    TAIL(once, .follow = true);
    assert_int_equal(result.outcome, TAIL_FAILED);
    assert_string_equal(result.p.error, "cannot connect");
    TAIL(again, .follow = true, .retry_first = true);
    assert_int_equal(result.outcome, TAIL_ENDED);
}

static void test_tail_run__errors_of_the_server__final_or_passing(void **state UNUSED)
{
    static const struct {
        struct fake_step step;
        int err; /* 0 = passes */
    } rows[] = {
        {ERROR("NOT_FOUND", ""), ERR_NOT_FOUND},
        {ERROR("FORBIDDEN", ""), ERR_FORBIDDEN},
        {ERROR("UNAUTHORIZED", ",\"fatal\":true"), ERR_UNAUTHORIZED},
        {ERROR("INVALID_API_KEY", ",\"fatal\":true"), ERR_BAD_KEY},
        {ERROR("API_KEY_REVOKED", ",\"fatal\":true"), ERR_REVOKED},
        {ERROR("INVALID_REQUEST", ""), ERR_INVALID},
        {ERROR("SOMETHING_ELSE", ""), ERR_INVALID},
        {{STEP_CLOSE, "expired", 4401}, ERR_BAD_KEY},
        {{STEP_REFUSE, NULL, 401}, ERR_BAD_KEY},
        {{STEP_REFUSE, NULL, 404}, ERR_INVALID},
        {{STEP_TEXT, "{", 0}, ERR_INVALID},
        {LOGS(1, "[1]"), ERR_INVALID},
        {ERROR("DATABASE_ERROR", ""), 0},
        {ERROR("SERVICE_UNAVAILABLE", ""), 0},
        {ERROR("LIMIT_EXCEEDED", ""), 0},
        {ERROR("INTERNAL_ERROR", ""), 0},
        {ERROR("REQUEST_TIMEOUT", ""), 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct fake_step steps[] = {OPENING,
                                          rows[i].step,
                                          {STEP_TIMER, NULL, 0},
                                          OPENING,
                                          END(0, "SUCCEEDED", ",\"exit_code\":0")};
        tail_with((struct tail_options){.follow = true, .retry_first = true}, steps,
                  rows[i].err != 0 ? 5 : ARRAY_SIZE(steps));
        assert_int_equal(result.outcome, rows[i].err != 0 ? TAIL_FAILED : TAIL_ENDED);
        if (rows[i].err != 0)
            assert_int_equal(result.p.err, rows[i].err);
    }
}

static void test_tail_run__gaps__told_asked_again_or_refused(void **state UNUSED)
{
    static const struct fake_step retention[] = {
        OPENING,
        {STEP_TEXT, "{\"type\":\"gap\"," E ",\"from\":1,\"to\":50,\"reason\":\"retention\"}", 0},
        {STEP_TEXT, "{\"type\":\"gap\"," E ",\"from\":1,\"to\":50,\"reason\":\"retention\"}", 0},
        LOGS(51, LINE("o", "x")),
        END(51, "SUCCEEDED", ",\"exit_code\":0")};
    static const struct fake_step hole[] = {
        OPENING,
        LOGS(3, LINE("o", "three")),
        {STEP_TIMER, NULL, 0},
        OPENING,
        LOGS(1, LINE("o", "1") "," LINE("o", "2") "," LINE("o", "3")),
        END(3, "SUCCEEDED", ",\"exit_code\":0")};
    static const struct fake_step early[] = {OPENING, LOGS(1, LINE("o", "one")),
                                             END(5, "SUCCEEDED", ",\"exit_code\":0")};
    TAIL(retention, .follow = true);
    assert_int_equal(result.outcome, TAIL_ENDED);
    assert_string_equal(caught.out, "x\n");
    assert_string_equal(caught.err, "tailgate: no longer stored (log retention): lines 1 to 50\n");
    TAIL(hole, .follow = true, .retry_first = true);
    assert_int_equal(result.outcome, TAIL_ENDED);
    assert_string_equal(caught.out, "1\n2\n3\n");
    TAIL(early, .follow = true);
    assert_int_equal(result.outcome, TAIL_FAILED);
    assert_string_equal(result.p.error, "the log is not complete");
}

static bool second_leaves(void *user UNUSED, int signum, unsigned nth)
{
    assert_int_equal(signum, SIGINT);
    return nth == 2;
}

static void test_tail_run__signals__leave(void **state UNUSED)
{
    static const struct fake_step one[] = {
        OPENING, LOGS(1, LINE("o", "x")), {STEP_SIGNAL, NULL, SIGTERM}};
    static const struct fake_step two[] = {
        OPENING, {STEP_SIGNAL, NULL, SIGINT}, LOGS(1, LINE("o", "x")), {STEP_SIGNAL, NULL, SIGINT}};
    static const struct fake_step killed[] = {
        OPENING, {STEP_SIGNAL, NULL, SIGINT}, END(0, "STOPPED", ",\"exit_code\":130")};
    TAIL(one, .follow = true);
    assert_int_equal(result.outcome, TAIL_LEFT);
    assert_int_equal(result.signum, SIGTERM);
    assert_int_equal(result.last_seq, 1);
    TAIL(two, .follow = true, .leave = second_leaves);
    assert_int_equal(result.outcome, TAIL_LEFT);
    assert_int_equal(result.last_seq, 1);
    TAIL(killed, .follow = true, .leave = second_leaves);
    assert_int_equal(result.outcome, TAIL_ENDED);
    assert_int_equal(result.exit_code, 130);
}

static void test_tail_run__parts__finished_before_a_notice(void **state UNUSED)
{
    static const struct fake_step steps[] = {OPENING,
                                             LOGS(1, "[1500,\"e\",\"prompt: \",1]"),
                                             LOST(1001),
                                             OPENING,
                                             LOGS(2, LINE("e", "rest")),
                                             END(2, "SUCCEEDED", ",\"exit_code\":0")};
    TAIL(steps, .follow = true);
    assert_string_equal(caught.err, "prompt: \ntailgate: connection lost, connecting again\n"
                                    "tailgate: connected again\nrest\n");
}

static void test_tail_run__loop_or_library_fails__told(void **state UNUSED)
{
    static const struct fake_step broken[] = {{STEP_BREAK, NULL, 0}};
    struct interrupt intr;
    struct tail_options opt = {.settings = &settings, .intr = &intr};
    TAIL(broken, .follow = true);
    assert_int_equal(result.outcome, TAIL_FAILED);
    assert_string_equal(result.p.error, "the stream broke");
    fake_lws_reset(NULL, 0);
    fake_lws.no_context = true;
    assert_int_equal(interrupt_init(&intr), 0);
    tail_run(&opt, &result);
    interrupt_done(&intr);
    assert_int_equal(result.outcome, TAIL_FAILED);
    assert_string_equal(result.p.error, "cannot open a stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail_run__to_the_end__lines_and_exit_code),
        cmocka_unit_test(test_tail_run__without_follow__what_is_stored),
        cmocka_unit_test(test_tail_run__after_and_tail__subscribed_so),
        cmocka_unit_test(test_tail_run__lost_again_and_again__no_line_twice_or_missing),
        cmocka_unit_test(test_tail_run__lost_for_good__gives_up),
        cmocka_unit_test(test_tail_run__first_connection__repeated_only_for_run),
        cmocka_unit_test(test_tail_run__errors_of_the_server__final_or_passing),
        cmocka_unit_test(test_tail_run__gaps__told_asked_again_or_refused),
        cmocka_unit_test(test_tail_run__signals__leave),
        cmocka_unit_test(test_tail_run__parts__finished_before_a_notice),
        cmocka_unit_test(test_tail_run__loop_or_library_fails__told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
