/* Execution ids, the state table, roles, and copies of a row. */
#include "base/err.h"
#include "base/model.h"
#include "fail_alloc.h"
#include "unit.h"

#include <string.h>

/* The table of api.md, "Executions": a row's state may become the columns marked x. */
static const char *const table[EXEC_STATUS_COUNT] = {
    /* P S R T S F S                 */
    ". x . . . x x", /* PENDING      */
    ". . x x . x .", /* STARTING     */
    ". . . x x x x", /* RUNNING      */
    ". . . . . x x", /* TERMINATING  */
    ". . . . . . .", /* SUCCEEDED    */
    ". . . . . . .", /* FAILED       */
    ". . . . . . .", /* STOPPED      */
};

static void test_exec_status_may_become__each_pair__as_api_md(void **state UNUSED)
{
    for (int from = 0; from < EXEC_STATUS_COUNT; from++) {
        for (int to = 0; to < EXEC_STATUS_COUNT; to++)
            assert_int_equal(exec_status_may_become((enum exec_status)from, (enum exec_status)to),
                             table[from][to * 2] == 'x');
        assert_int_equal(exec_status_is_terminal((enum exec_status)from),
                         strchr(table[from], 'x') == NULL);
    }
}

static void test_exec_status_may_become__out_of_range__false(void **state UNUSED)
{
    assert_false(exec_status_may_become((enum exec_status)7, EXEC_FAILED));
    assert_false(exec_status_may_become(EXEC_PENDING, (enum exec_status)7));
    assert_false(exec_status_may_become((enum exec_status) - 1, EXEC_FAILED));
    assert_false(exec_status_is_terminal((enum exec_status)7));
    assert_string_equal(exec_status_name((enum exec_status)7), "UNKNOWN");
    assert_string_equal(exec_status_name((enum exec_status) - 1), "UNKNOWN");
}

static void test_exec_status_name__each__round_trips(void **state UNUSED)
{
    static const char *const names[] = {"PENDING",   "STARTING", "RUNNING", "TERMINATING",
                                        "SUCCEEDED", "FAILED",   "STOPPED"};
    enum exec_status s = EXEC_PENDING;

    for (int i = 0; i < EXEC_STATUS_COUNT; i++) {
        assert_string_equal(exec_status_name((enum exec_status)i), names[i]);
        assert_int_equal(exec_status_parse(names[i], &s), 0);
        assert_int_equal(s, i);
    }
    assert_int_equal(exec_status_parse("running", &s), ERR_INVALID);
    assert_int_equal(exec_status_parse("", &s), ERR_INVALID);
    assert_int_equal(exec_status_parse("UNKNOWN", &s), ERR_INVALID);
    assert_int_equal(s, EXEC_STOPPED);
}

static void test_execution_id__keys__round_trip(void **state UNUSED)
{
    static const int64_t keys[] = {0, 1, 20410ll << 32 | 7, INT64_MAX, -1, INT64_MIN};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct execution_id id, again;
        execution_id_make(keys[i], 0x0123456789abcdefu, &id);
        assert_int_equal(strlen(id.hex), EXECUTION_ID_LEN);
        assert_string_equal(id.hex + 16, "0123456789abcdef");
        assert_true(execution_id_key(&id) == keys[i]);
        assert_int_equal(execution_id_parse(id.hex, &again), 0);
        assert_string_equal(again.hex, id.hex);
    }
    struct execution_id zero = {{0}};
    assert_int_equal(execution_id_key(&zero), 0);
}

static void test_execution_id_parse__bad_texts__invalid(void **state UNUSED)
{
    static const char *const bad[] = {
        "",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0",
        "0123456789ABCDEF0123456789abcdef",
        "0123456789abcdef0123456789abcdeg",
        "01234567-9abcdef0123456789abcdef",
        "../../../../../../../../etc/passw",
        " 123456789abcdef0123456789abcdef",
    };
    struct execution_id id = {"untouched"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(execution_id_parse(bad[i], &id), ERR_INVALID);
    assert_string_equal(id.hex, "untouched");
}

static struct execution make_execution(void)
{
    return (struct execution){.key = 5,
                              .state = {.status = EXEC_RUNNING, .reason = "timeout"},
                              .command = "echo",
                              .image_id = "image",
                              .created_by = "a@b",
                              .created_by_request_id = "r1",
                              .modified_by_request_id = "r2",
                              .owner = "gw",
                              .timeout_s = 9};
}

static void test_execution_copy__strings__independent(void **state UNUSED)
{
    struct execution src = make_execution();
    struct execution dst;

    src.image_id = NULL;
    assert_int_equal(execution_copy(&dst, &src), 0);
    assert_int_equal(dst.key, 5);
    assert_int_equal(dst.timeout_s, 9);
    assert_string_equal(dst.state.reason, "timeout");
    assert_string_equal(dst.command, "echo");
    assert_ptr_not_equal(dst.command, src.command);
    assert_null(dst.image_id);
    assert_string_equal(dst.owner, "gw");
    assert_string_equal(dst.modified_by_request_id, "r2");
    execution_done(&dst);
    assert_null(dst.command);
    execution_done(&dst);
}

static void test_execution_copy__each_allocation_fails__nomem(void **state UNUSED)
{
    struct execution src = make_execution();
    unsigned failed = 0;

    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct execution dst = {.key = 77};
        int r = execution_copy(&dst, &src);
        if (fail_alloc_off()) {
            assert_int_equal(r, ERR_NOMEM);
            assert_int_equal(dst.key, 77);
            failed++;
        } else {
            assert_int_equal(r, 0);
            execution_done(&dst);
        }
    }
    assert_int_equal(failed, 6);
}

static void test_role__each__round_trips(void **state UNUSED)
{
    static const char *const names[] = {"admin", "operator", "developer", "viewer"};
    enum role r = ROLE_ADMIN;

    for (int i = 0; i < 4; i++) {
        assert_string_equal(role_name((enum role)i), names[i]);
        assert_int_equal(role_parse(names[i], &r), 0);
        assert_int_equal(r, i);
    }
    assert_int_equal(role_parse("root", &r), ERR_INVALID);
    assert_string_equal(role_name((enum role)4), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_status_may_become__each_pair__as_api_md),
        cmocka_unit_test(test_exec_status_may_become__out_of_range__false),
        cmocka_unit_test(test_exec_status_name__each__round_trips),
        cmocka_unit_test(test_execution_id__keys__round_trip),
        cmocka_unit_test(test_execution_id_parse__bad_texts__invalid),
        cmocka_unit_test(test_execution_copy__strings__independent),
        cmocka_unit_test(test_execution_copy__each_allocation_fails__nomem),
        cmocka_unit_test(test_role__each__round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
