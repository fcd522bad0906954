/* Answers of the HTTP API and Runvoy's stream messages against golden files; the clock is fixed. */
#include "../base/unit.h"
#include "base/clock.h"
#include "build.h"
#include "golden.h"
#include "wire/messages.h"

#include <string.h>

int64_t __wrap_clock_wall_us(void);

static int64_t now_us = BUILD_TIME_US + 5250000;

int64_t __wrap_clock_wall_us(void)
{
    return now_us;
}

#define CODEC "wire-response"

static void test_wire_status__each_state__golden(void **state UNUSED)
{
    static const char *const names[EXEC_STATUS_COUNT] = {
        "status-pending",   "status-starting", "status-running", "status-terminating",
        "status-succeeded", "status-failed",   "status-stopped"};

    for (int i = 0; i < EXEC_STATUS_COUNT; i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        struct execution e = build_execution((enum exec_status)i);
        assert_int_equal(wire_status(&out, &e), 0);
        golden_check(CODEC, names[i], "out.json", out.data);
    }
}

static void test_wire_status__ends__golden(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum exec_status status;
        int32_t exit_code, signal;
        const char *reason;
    } rows[] = {
        {"status-exit-7", EXEC_FAILED, 7, 0, ""},
        {"status-signal", EXEC_FAILED, 137, 9, ""},
        {"status-timeout", EXEC_FAILED, 124, 15, "timeout"},
        {"status-stopped-by-person", EXEC_STOPPED, 130, 15, "killed"},
        {"status-lost", EXEC_FAILED, EXIT_CODE_NONE, 0, "runner_lost"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        struct execution e = build_execution(rows[i].status);
        e.state.exit_code = rows[i].exit_code;
        e.state.signal = rows[i].signal;
        strncpy(e.state.reason, rows[i].reason, sizeof(e.state.reason) - 1);
        assert_int_equal(wire_status(&out, &e), 0);
        golden_check(CODEC, rows[i].name, "out.json", out.data);
    }
}

static void test_wire_status__clock_set_back__duration_zero(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct execution e = build_execution(EXEC_RUNNING);
    int64_t before = now_us;

    now_us = BUILD_TIME_US - 1000000;
    assert_int_equal(wire_status(&out, &e), 0);
    now_us = before;
    assert_non_null(strstr(out.data, "\"duration_ms\":0}"));
}

static void test_wire_execution__states__golden(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum exec_status status;
    } rows[] = {
        {"execution-pending", EXEC_PENDING},
        {"execution-running", EXEC_RUNNING},
        {"execution-succeeded", EXEC_SUCCEEDED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        struct execution e = build_execution(rows[i].status);
        assert_int_equal(wire_execution(&out, &e, "process"), 0);
        golden_check(CODEC, rows[i].name, "out.json", out.data);
    }
}

static void test_wire_execution__nothing_known__no_null_strings(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct execution e = {.id = {BUILD_ID}, .state = {.exit_code = EXIT_CODE_NONE}};

    assert_int_equal(wire_execution(&out, &e, NULL), 0);
    golden_check(CODEC, "execution-empty", "out.json", out.data);
}

static void test_wire_run_response__with_and_without_urls__golden(void **state UNUSED)
{
    struct buf bare CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct buf full CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct execution e = build_execution(EXEC_STARTING);

    assert_int_equal(wire_run_response(&bare, &e, NULL, NULL), 0);
    golden_check(CODEC, "run-bare", "out.json", bare.data);
    e.state.status = EXEC_PENDING;
    assert_int_equal(wire_run_response(&full, &e, "https://host/#" BUILD_ID,
                                       "wss://host/api/v1/stream?execution_id=" BUILD_ID
                                       "&token=t"),
                     0);
    golden_check(CODEC, "run-queued", "out.json", full.data);
}

static void test_wire_kill_response__running_and_ended__golden(void **state UNUSED)
{
    struct buf running CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct buf ended CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct execution e = build_execution(EXEC_TERMINATING);

    assert_int_equal(wire_kill_response(&running, &e), 0);
    golden_check(CODEC, "kill-terminating", "out.json", running.data);
    e.state.status = EXEC_STOPPED;
    assert_int_equal(wire_kill_response(&ended, &e), 0);
    golden_check(CODEC, "kill-stopped", "out.json", ended.data);
}

static void test_wire_health__version__golden(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};

    assert_int_equal(wire_health(&out, "0.1.0", "process"), 0);
    golden_check(CODEC, "health", "out.json", out.data);
}

static void test_wire_error__default_and_own_code__golden(void **state UNUSED)
{
    struct buf usual CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct buf own CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct problem p;

    assert_int_equal(problem_set(&p, ERR_INVALID, "failed to run command", "command is required"),
                     ERR_INVALID);
    assert_int_equal(wire_error(&usual, &p), 0);
    golden_check(CODEC, "error-invalid", "out.json", usual.data);
    assert_int_equal(problem_set(&p, ERR_NOT_FOUND, "secret not found", "say \"what\"?\n"),
                     ERR_NOT_FOUND);
    strncpy(p.code, "SECRET_NOT_FOUND", sizeof(p.code) - 1);
    assert_int_equal(wire_error(&own, &p), 0);
    golden_check(CODEC, "error-own-code", "out.json", own.data);
}

static void test_wire_event__lines__golden(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint64_t seq;
        const char *text;
        size_t len;
        bool runvoy_stream;
    } rows[] = {
        {"event-first", 1, "hello", 5, false},
        {"event-largest-seq", UINT64_MAX, "x", 1, true},
        {"event-bytes", 42, "a\tb\r\0\377\376 \033[31mred", 16, true},
        {"event-empty", 43, "", 0, false},
        {"event-empty-on-runvoys-stream", 43, "", 0, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        struct execution_id id = {BUILD_ID};
        assert_int_equal(wire_event(&out, &id, rows[i].seq, BUILD_TIME_US, rows[i].text,
                                    rows[i].len, rows[i].runvoy_stream),
                         0);
        golden_check(CODEC, rows[i].name, "out.json", out.data);
    }
}

static void test_wire_stream_event__each_stream__golden(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint8_t stream;
        bool is_part;
        const char *text;
    } rows[] = {
        {"stream-event-stdout", STREAM_STDOUT, false, "one\rtwo\n"},
        {"stream-event-stderr-part", STREAM_STDERR, true, "begin"},
        {"stream-event-system-empty", STREAM_SYSTEM, false, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        struct execution_id id = {BUILD_ID};
        assert_int_equal(wire_stream_event(&out, &id, 7, BUILD_TIME_US, rows[i].stream,
                                           rows[i].is_part, rows[i].text, strlen(rows[i].text)),
                         0);
        golden_check(CODEC, rows[i].name, "out.json", out.data);
    }
}

static void test_wire_ticket__golden(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};

    assert_int_equal(wire_ticket(&out, "abc-_123", BUILD_TIME_US), 0);
    golden_check(CODEC, "ticket", "out.json", out.data);
}

static void test_wire_disconnect__always__golden(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};

    assert_int_equal(wire_disconnect(&out), 0);
    golden_check(CODEC, "disconnect", "out.json", out.data);
}

static void parse_text(const char *codec UNUSED, const char *name, const char *text, size_t len)
{
    json_t *j CLEANUP_JSON = NULL;
    struct problem p;

    if (json_parse_nul(text, len, &j, &p) < 0)
        fail_msg("%s: %s", name, p.details);
}

static void test_golden__each_answer__is_json(void **state UNUSED)
{
    golden_each(CODEC, "out.json", parse_text);
}

static void test_encoders__no_room__too_large_and_unchanged(void **state UNUSED)
{
    struct execution e = build_execution(EXEC_PENDING);
    struct problem p = {.err = ERR_INVALID, .error = "e"};

    for (size_t max = 0; max < 24; max++) {
        struct buf out CLEANUP_BUF = {.max = max};
        assert_int_equal(wire_status(&out, &e), ERR_TOO_LARGE);
        assert_int_equal(wire_execution(&out, &e, "p"), ERR_TOO_LARGE);
        assert_int_equal(wire_run_response(&out, &e, "l", "w"), ERR_TOO_LARGE);
        assert_int_equal(wire_kill_response(&out, &e), ERR_TOO_LARGE);
        assert_int_equal(wire_health(&out, "v", "p"), ERR_TOO_LARGE);
        assert_int_equal(wire_error(&out, &p), ERR_TOO_LARGE);
        assert_int_equal(wire_event(&out, &e.id, 1, 1, "x", 1, false), ERR_TOO_LARGE);
        assert_int_equal(wire_stream_event(&out, &e.id, 1, 1, 'o', true, "x", 1), ERR_TOO_LARGE);
        assert_int_equal(wire_ticket(&out, "x", 1), ERR_TOO_LARGE);
        assert_int_equal(wire_disconnect(&out), ERR_TOO_LARGE);
        assert_int_equal(out.len, 0);
    }
}

static void test_wire_found__lines__golden(void **state UNUSED)
{
    static const struct {
        const char *name;
        struct wire_found_line line;
        uint32_t spans[4];
        size_t n_spans;
    } rows[] = {
        {"found", {7, 7, BUILD_TIME_US, 'o', "a needle", 8, 1}, {2, 8}, 1},
        {"found-two", {7, 9, BUILD_TIME_US, 'e', "\"aa\" \377", 6, 2}, {1, 2, 2, 3}, 2},
        {"found-empty", {1, 1, BUILD_TIME_US, 's', "", 0, 1}, {0}, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        struct execution e = build_execution(EXEC_RUNNING);
        assert_int_equal(wire_found_begin(&out, &e.id, &rows[i].line), 0);
        for (size_t k = 0; k < rows[i].n_spans; k++)
            assert_int_equal(
                wire_found_span(&out, k == 0, rows[i].spans[2 * k], rows[i].spans[2 * k + 1]), 0);
        assert_int_equal(wire_found_end(&out), 0);
        golden_check(CODEC, rows[i].name, "out.json", out.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_found__lines__golden),
        cmocka_unit_test(test_wire_status__each_state__golden),
        cmocka_unit_test(test_wire_status__ends__golden),
        cmocka_unit_test(test_wire_status__clock_set_back__duration_zero),
        cmocka_unit_test(test_wire_execution__states__golden),
        cmocka_unit_test(test_wire_execution__nothing_known__no_null_strings),
        cmocka_unit_test(test_wire_run_response__with_and_without_urls__golden),
        cmocka_unit_test(test_wire_kill_response__running_and_ended__golden),
        cmocka_unit_test(test_wire_health__version__golden),
        cmocka_unit_test(test_wire_error__default_and_own_code__golden),
        cmocka_unit_test(test_wire_event__lines__golden),
        cmocka_unit_test(test_wire_stream_event__each_stream__golden),
        cmocka_unit_test(test_wire_ticket__golden),
        cmocka_unit_test(test_wire_disconnect__always__golden),
        cmocka_unit_test(test_golden__each_answer__is_json),
        cmocka_unit_test(test_encoders__no_room__too_large_and_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
