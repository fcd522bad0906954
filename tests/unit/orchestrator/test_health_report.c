/* A report being filled: counts, its bounds, lists of names. */
#include "orchestrator/health_internal.h"

#include "../base/unit.h"

#include <string.h>

static void test_issue__each_severity__counted_and_kept(void **state UNUSED)
{
    struct health_report r;
    health_report_init(&r);
    assert_string_equal(health_status(&r), "healthy");
    health_repaired(&r, "file", "runs", "it was open", "closed");
    assert_int_equal(r.reconciled, 1);
    assert_string_equal(health_status(&r), "degraded");
    health_issue(&r, HEALTH_ERROR, "secret", "s", "it has no value", "set it");
    assert_int_equal(r.errors, 1);
    assert_int_equal(r.warnings, 1);
    assert_int_equal(r.issue_count, 2);
    assert_string_equal(r.issues[0].action, "closed");
    assert_string_equal(r.issues[1].resource_id, "s");
    health_report_done(&r);
    assert_null(r.issues);
}

static void test_issue__more_than_the_bound__counted_only(void **state UNUSED)
{
    struct health_report r;
    health_report_init(&r);
    for (int i = 0; i < HEALTH_ISSUES_MAX + 3; i++)
        health_issue(&r, HEALTH_WARNING, "image", "i", "gone", "");
    assert_int_equal(r.issue_count, HEALTH_ISSUES_MAX);
    assert_int_equal(r.warnings, HEALTH_ISSUES_MAX + 3);
    health_report_done(&r);
}

static void test_name__no_room__left_out_whole(void **state UNUSED)
{
    struct buf names CLEANUP_BUF = {.max = 8};
    health_name(&names, "abc");
    health_name(&names, "defgh");
    health_name(&names, "xyz");
    assert_int_equal(names.len, 8);
    assert_memory_equal(names.data, "abc\0xyz", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_issue__each_severity__counted_and_kept),
        cmocka_unit_test(test_issue__more_than_the_bound__counted_only),
        cmocka_unit_test(test_name__no_room__left_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
