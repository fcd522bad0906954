/* Role × action × owner, each cell of api.md's table for executions. */
#include "orchestrator/policy.h"

#include "../base/unit.h"

#include <stdio.h>
#include <string.h>

struct row {
    enum role role;
    /* scope of run, list, read, stop */
    enum policy_scope scope[POLICY_ACTION_COUNT];
    /* may: own / another's, for run, list, read, stop */
    bool own[POLICY_ACTION_COUNT], other[POLICY_ACTION_COUNT];
};

static const struct row rows[] = {
    {ROLE_ADMIN, {POLICY_ALL, POLICY_ALL, POLICY_ALL, POLICY_ALL}, {1, 1, 1, 1}, {1, 1, 1, 1}},
    {ROLE_OPERATOR, {POLICY_ALL, POLICY_ALL, POLICY_ALL, POLICY_ALL}, {1, 1, 1, 1}, {1, 1, 1, 1}},
    {ROLE_DEVELOPER, {POLICY_ALL, POLICY_OWN, POLICY_OWN, POLICY_OWN}, {1, 1, 1, 1}, {1, 0, 0, 0}},
    {ROLE_VIEWER, {POLICY_NONE, POLICY_ALL, POLICY_ALL, POLICY_NONE}, {0, 1, 1, 1}, {0, 1, 1, 0}},
    {(enum role)9,
     {POLICY_NONE, POLICY_NONE, POLICY_NONE, POLICY_NONE},
     {0, 0, 1, 1},
     {0, 0, 0, 0}},
};

static void test_policy__role_action_owner__table(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct principal who = {.role = rows[r].role};
        (void)snprintf(who.email, sizeof who.email, "me@x");
        for (int a = 0; a < POLICY_ACTION_COUNT; a++) {
            enum policy_action action = (enum policy_action)a;
            print_message("role %d action %d\n", rows[r].role, a);
            assert_int_equal(policy_scope(rows[r].role, action), rows[r].scope[a]);
            assert_int_equal(policy_allows(&who, action, "me@x"), rows[r].own[a]);
            assert_int_equal(policy_allows(&who, action, "you@x"), rows[r].other[a]);
            assert_int_equal(policy_allows(&who, action, NULL), rows[r].other[a]);
        }
    }
}

static void test_policy__unknown_action__refused(void **state)
{
    (void)state;
    const struct principal who = {.role = ROLE_ADMIN, .email = "me@x"};
    struct problem p;
    assert_int_equal(policy_scope(ROLE_ADMIN, (enum policy_action)77), POLICY_NONE);
    assert_false(policy_allows(&who, (enum policy_action)77, "me@x"));
    assert_int_equal(policy_refuse(&p, (enum policy_action)77), ERR_FORBIDDEN);
}

static void test_policy_allows__no_email__owns_nothing(void **state)
{
    (void)state;
    const struct principal who = {.role = ROLE_DEVELOPER};
    assert_false(policy_allows(&who, POLICY_READ, ""));
}

static void test_policy_refuse__texts(void **state)
{
    (void)state;
    struct problem p;
    assert_int_equal(policy_refuse(&p, POLICY_RUN), ERR_FORBIDDEN);
    assert_string_equal(p.error, "Forbidden");
    assert_string_equal(p.details, "you do not have permission to create this resource");
    (void)policy_refuse(&p, POLICY_STOP);
    assert_string_equal(p.details, "you do not have permission to delete this resource");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy__role_action_owner__table),
        cmocka_unit_test(test_policy__unknown_action__refused),
        cmocka_unit_test(test_policy_allows__no_email__owns_nothing),
        cmocka_unit_test(test_policy_refuse__texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
