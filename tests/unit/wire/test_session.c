/* The session's JSON. */
#include "../base/unit.h"
#include "wire/session.h"

#include <string.h>

static const struct wire_permission MAY[] = {
    {"executions", "list", "own"},
    {"executions", "read", "all"},
    {"images", "read", "all"},
};
static const struct wire_session SESSION = {.email = "a\"b@example.org",
                                            .role = "viewer",
                                            .version = "1.2",
                                            .may = MAY,
                                            .may_count = ARRAY_SIZE(MAY)};
static const char TEXT[] =
    "{\"email\":\"a\\\"b@example.org\",\"role\":\"viewer\",\"version\":\"1.2\","
    "\"may\":{\"executions\":{\"list\":\"own\",\"read\":\"all\"},\"images\":{\"read\":\"all\"}}}";

static void test_wire_session__rows__by_resource(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = 1024};
    assert_int_equal(wire_session(&out, &SESSION), 0);
    assert_string_equal(out.data, TEXT);
}

static void test_wire_session__nothing_allowed__empty_object(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = 1024};
    struct wire_session s = SESSION;
    s.may_count = 0;
    assert_int_equal(wire_session(&out, &s), 0);
    assert_non_null(strstr(out.data, "\"may\":{}}"));
}

static void test_wire_session__each_size_too_small__nothing_written(void **state UNUSED)
{
    for (size_t max = 1; max < sizeof(TEXT) - 1; max++) {
        struct buf out CLEANUP_BUF = {.max = max};
        assert_int_equal(wire_session(&out, &SESSION), ERR_TOO_LARGE);
        assert_int_equal(out.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_session__rows__by_resource),
        cmocka_unit_test(test_wire_session__nothing_allowed__empty_object),
        cmocka_unit_test(test_wire_session__each_size_too_small__nothing_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
