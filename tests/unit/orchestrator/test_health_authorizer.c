/* Reconciles between fakes: roles and owners. */
#include "health_rig.h"

#include <string.h>

static void test_owners__rows__issues(void **state)
{
    const struct fake_row_of found[] = {{.text = {"invalid_role", "k@x", "king"}},
                                        {.text = {"missing_role", "n@x", ""}},
                                        {.text = {"missing_owner", "image/i", ""}},
                                        {.text = {"orphaned_owner", "secret/s", "gone@x"}},
                                        {.text = {"a kind of tomorrow", "secret/t", ""}}};
    const struct fake_row_of owned[] = {{.number = {4, 9}}};
    const struct fake_result owners = {{ROWS(found), ROWS(owned)}};
    rig_results[HEALTH_OWNERS] = &owners;
    rig_ask(*state);
    rig_run(1);
    rig_assert_found("user k@x the role \"king\" is unknown");
    rig_assert_found("user n@x it has no role;");
    rig_assert_found("ownership image/i nobody owns it");
    rig_assert_found("ownership secret/s its owner \"gone@x\" is no user");
    assert_int_equal(rig_got.r.issue_count, 4);
    assert_int_equal(rig_got.r.authorizer.users, 4);
    assert_int_equal(rig_got.r.authorizer.resources, 9);
    assert_string_equal(rig_got.status, "unhealthy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_ROW(test_owners__rows__issues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
