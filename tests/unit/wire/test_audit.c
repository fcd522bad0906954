/* The audit and traces in JSON. */
#include "wire/audit.h"

#include "base/err.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static const struct audit_entry entries[] = {
    {7, 1700000000000000, "a@x", 3, "::1", "r1", "secrets.read", "secret/db", "FORBIDDEN", 2},
    {6, 1700000000000000, "", 0, "", "", "session.use", "", "INVALID_API_KEY", 1},
};
#define FIRST                                                                             \
    "{\"audit_id\":7,\"at\":\"2023-11-14T22:13:20.000Z\",\"email\":\"a@x\",\"key_id\":3," \
    "\"address\":\"::1\",\"request_id\":\"r1\",\"action\":\"secrets.read\","              \
    "\"resource\":\"secret/db\",\"result\":\"FORBIDDEN\",\"count\":2}"
#define SECOND                                                                             \
    "{\"audit_id\":6,\"at\":\"2023-11-14T22:13:20.000Z\",\"email\":\"\",\"address\":\"\"," \
    "\"request_id\":\"\",\"action\":\"session.use\",\"resource\":\"\","                    \
    "\"result\":\"INVALID_API_KEY\",\"count\":1}"

static void test_wire_audit__entries__objects(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 4096};
    assert_int_equal(wire_audit(&b, entries, 2), 0);
    assert_string_equal(b.data, "{\"entries\":[" FIRST "," SECOND "]}");
    for (size_t max = 0; max < 440; max++) {
        struct buf small CLEANUP_BUF = {.max = max};
        int r = wire_audit(&small, entries, 2);
        assert_true(r == 0 || (r == ERR_TOO_LARGE && small.len == 0));
    }
}

static const struct trace_record records[] = {
    {1, 1700000000000000, "{\"msg\":\"a\"}", 11},
    {2, 1700000000001000, "b", 1},
};

static void test_wire_trace__logs_and_resources__or_null(void **state UNUSED)
{
    const struct trace t = {records, 2, "[1]", NULL, "[2]", NULL};
    const struct trace empty = {0};
    struct buf b CLEANUP_BUF = {.max = 4096};
    assert_int_equal(wire_trace(&b, &t), 0);
    assert_string_equal(b.data,
                        "{\"logs\":[{\"event_id\":\"trace-00000000000000000001\","
                        "\"timestamp\":1700000000000,\"message\":\"{\\\"msg\\\":\\\"a\\\"}\"},"
                        "{\"event_id\":\"trace-00000000000000000002\",\"timestamp\":1700000000001,"
                        "\"message\":\"b\"}],\"related_resources\":{\"executions\":[1],"
                        "\"users\":[2]}}");
    size_t whole = b.len;
    for (size_t max = 0; max < whole; max++) {
        struct buf small CLEANUP_BUF = {.max = max};
        assert_int_equal(wire_trace(&small, &t), ERR_TOO_LARGE);
        assert_int_equal(small.len, 0);
    }
    buf_clear(&b);
    assert_int_equal(wire_trace(&b, &empty), 0);
    assert_string_equal(b.data, "{\"logs\":null,\"related_resources\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_audit__entries__objects),
        cmocka_unit_test(test_wire_trace__logs_and_resources__or_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
