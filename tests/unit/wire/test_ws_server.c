/* tailgate.v1's server messages against golden files. */
#include "../base/unit.h"
#include "build.h"
#include "golden.h"
#include "wire/messages.h"

#include <string.h>

#define CODEC "wire-ws-server"

static const struct execution_id id = {BUILD_ID};

static void check(const char *name, struct buf *out, int r)
{
    assert_int_equal(r, 0);
    golden_check(CODEC, name, "out.json", out->data);
    buf_clear(out);
}

static void test_wire_ws__simple_messages__golden(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct exec_state s = build_execution(EXEC_RUNNING).state;

    check("hello", &out, wire_ws_hello(&out, "0.1.0", "ada@example.com", "s-1"));
    check("subscribed", &out, wire_ws_subscribed(&out, &id, &s));
    s.status = EXEC_PENDING;
    s.last_seq = 0;
    check("subscribed-pending", &out, wire_ws_subscribed(&out, &id, &s));
    check("live", &out, wire_ws_live(&out, &id, 12));
    check("gap", &out, wire_ws_gap(&out, &id, 1, 500));
    check("error", &out, wire_ws_error(&out, &id, "NOT_FOUND", "execution \"x\" not found", false));
    check("error-fatal", &out,
          wire_ws_error(&out, NULL, "INVALID_API_KEY", "Invalid API key", true));
}

static void test_wire_ws_status__states__golden(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
    struct exec_state s = build_execution(EXEC_PENDING).state;

    check("status-pending", &out, wire_ws_status(&out, &id, &s));
    s = build_execution(EXEC_RUNNING).state;
    check("status-running", &out, wire_ws_status(&out, &id, &s));
    s = build_execution(EXEC_FAILED).state;
    s.exit_code = 124;
    s.signal = 15;
    strncpy(s.reason, "timeout", sizeof(s.reason) - 1);
    check("status-timeout", &out, wire_ws_status(&out, &id, &s));
    check("end-timeout", &out, wire_ws_end(&out, &id, &s));
    s = build_execution(EXEC_SUCCEEDED).state;
    check("end-succeeded", &out, wire_ws_end(&out, &id, &s));
    s.exit_code = EXIT_CODE_NONE;
    s.status = EXEC_FAILED;
    check("end-without-code", &out, wire_ws_end(&out, &id, &s));
}

struct line {
    uint8_t stream, flags;
    const char *text;
    size_t len;
};

static int append_lines(struct buf *out, uint64_t first, const struct line *lines, size_t count)
{
    int r = wire_ws_logs_begin(out, &id, first);

    for (size_t i = 0; r == 0 && i < count; i++)
        r = wire_ws_logs_line(out, i == 0, BUILD_TIME_US + (int64_t)i * 1000, lines[i].stream,
                              lines[i].flags, lines[i].text, lines[i].len);
    return r < 0 ? r : wire_ws_logs_end(out);
}

static const struct line lines[] = {
    {'o', 0, "hello", 5},
    {'e', 0, "an \"error\"", 10},
    {'s', 0, "runner lost", 11},
    {'o', LINE_PART, "half a ", 7},
    {'o', LINE_NO_EOL, "line", 4},
    {'o', 0, "", 0},
    {'o', 0, "a\tb\r\0\377\376 \033[31mred", 16},
};

static void test_wire_ws_logs__lines__golden(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};

    check("logs", &out, append_lines(&out, 41, lines, ARRAY_SIZE(lines)));
    check("logs-one-line", &out, append_lines(&out, 1, lines, 1));
    check("logs-no-line", &out, append_lines(&out, 1, lines, 0));
}

static void test_wire_ws_logs_line__unknown_stream__invalid(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};

    assert_int_equal(wire_ws_logs_line(&out, true, 0, 'x', 0, "t", 1), ERR_INVALID);
    assert_int_equal(wire_ws_logs_line(&out, true, 0, '"', 0, "t", 1), ERR_INVALID);
    assert_int_equal(out.len, 0);
}

static void test_wire_ws_logs_line__no_room__unchanged(void **state UNUSED)
{
    struct buf whole CLEANUP_BUF = {.max = GOLDEN_MAX};

    assert_int_equal(wire_ws_logs_line(&whole, false, BUILD_TIME_US, 'o', LINE_PART, "text", 4), 0);
    for (size_t max = 0; max < whole.len; max++) {
        struct buf empty CLEANUP_BUF = {.max = max};
        struct buf out CLEANUP_BUF = {.max = max + 1};
        assert_int_equal(wire_ws_logs_line(&empty, false, BUILD_TIME_US, 'o', LINE_PART, "text", 4),
                         ERR_TOO_LARGE);
        assert_int_equal(empty.len, 0);
        assert_int_equal(buf_append_char(&out, 'x'), 0);
        assert_int_equal(wire_ws_logs_line(&out, false, BUILD_TIME_US, 'o', LINE_PART, "text", 4),
                         ERR_TOO_LARGE);
        assert_string_equal(out.data, "x");
    }
}

static void test_wire_ws_executions__pages__golden(void **state UNUSED)
{
    static const char rows[] = "{\"a\":1},{\"b\":2}";
    static const struct {
        const char *name;
        struct wire_ws_executions page;
    } pages[] = {
        {"executions-begin",
         {.is_snapshot = true, .begins = true, .more = true, .rows = rows, .len = 15}},
        {"executions-empty", {.is_snapshot = true, .begins = true, .rows = "", .cursor = "1/3:3:"}},
        {"executions-last", {.is_snapshot = true, .rows = rows, .len = 7, .cursor = "1/3:3:"}},
        {"executions-change", {.rows = rows, .len = 7, .cursor = "1/3:7:4,5"}},
        {"executions-change-more", {.rows = rows, .len = 15}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        struct buf out CLEANUP_BUF = {.max = GOLDEN_MAX};
        check(pages[i].name, &out, wire_ws_executions(&out, &pages[i].page));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_ws__simple_messages__golden),
        cmocka_unit_test(test_wire_ws_status__states__golden),
        cmocka_unit_test(test_wire_ws_logs__lines__golden),
        cmocka_unit_test(test_wire_ws_logs_line__unknown_stream__invalid),
        cmocka_unit_test(test_wire_ws_logs_line__no_room__unchanged),
        cmocka_unit_test(test_wire_ws_executions__pages__golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
