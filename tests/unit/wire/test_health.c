/* A reconcile's report in JSON. */
#include "wire/health.h"

#include "base/err.h"
#include "golden.h"
#include "tests/unit/base/unit.h"

#define CODEC "wire-health"

static struct buf names(const char *text, size_t len)
{
    return (struct buf){.data = (char *)text, .len = len};
}

static struct health_issue issues[] = {
    {HEALTH_ERROR, "secret", "db", "it has no value", "set it"},
    {HEALTH_WARNING, "container", "\"c\"", "nobody's", "removed"},
};

static struct health_report report(void)
{
    struct health_report r = {.at_us = 1700000000000000,
                              .issues = issues,
                              .issue_count = 2,
                              .reconciled = 1,
                              .errors = 1,
                              .warnings = 1};
    r.compute.total = 3;
    r.compute.verified = 2;
    r.compute.recreated = 1;
    r.compute.orphaned = 2;
    r.compute.orphans = names("a\0b", 4);
    r.secrets.total = 5;
    r.secrets.missing = 1;
    r.identity.default_roles_verified = true;
    r.identity.custom_total = 7;
    r.authorizer.invalid_roles = names("u@x", 4);
    r.authorizer.users = 9;
    return r;
}

static void test_wire_reconcile__report__golden(void **state UNUSED)
{
    const struct health_report r = report(), none = {0};
    struct buf out CLEANUP_BUF = {.max = 8192}, empty CLEANUP_BUF = {.max = 8192};
    assert_int_equal(wire_reconcile(&out, &r), 0);
    golden_check(CODEC, "report", "out.json", out.data);
    assert_int_equal(wire_reconcile(&empty, &none), 0);
    golden_check(CODEC, "empty", "out.json", empty.data);
    for (size_t max = 0; max < out.len; max++) {
        struct buf small CLEANUP_BUF = {.max = max};
        assert_int_equal(wire_reconcile(&small, &r), ERR_TOO_LARGE);
        assert_int_equal(small.len, 0);
    }
}

static void test_wire_health_checks__lines__golden(void **state UNUSED)
{
    const struct health_line lines[] = {{"database", true, ""}, {"engine", false, "it is away"}};
    struct buf out CLEANUP_BUF = {.max = 8192};
    assert_int_equal(wire_health_checks(&out, "1.2", "tailgate", false, lines, 2), 0);
    golden_check(CODEC, "checks", "out.json", out.data);
    for (size_t max = 0; max < out.len; max++) {
        struct buf small CLEANUP_BUF = {.max = max};
        assert_int_equal(wire_health_checks(&small, "1.2", "tailgate", false, lines, 2),
                         ERR_TOO_LARGE);
    }
}

static void test_health_status__rows(void **state UNUSED)
{
    const struct {
        int64_t errors, warnings;
        const char *status;
    } rows[] = {{0, 0, "healthy"}, {0, 2, "degraded"}, {1, 0, "unhealthy"}, {1, 2, "unhealthy"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct health_report r = {.errors = rows[i].errors, .warnings = rows[i].warnings};
        assert_string_equal(health_status(&r), rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_reconcile__report__golden),
        cmocka_unit_test(test_wire_health_checks__lines__golden),
        cmocka_unit_test(test_health_status__rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
