/* Role × action × owner, each cell of api.md's table. */
#include "orchestrator/policy.h"

#include "../base/unit.h"

#include <stdio.h>
#include <string.h>

/* What admin, operator, developer and viewer may, as letters: a all, o own, - nothing; then whether
 * owning is enough by itself. */
static const struct {
    enum policy_action action;
    const char *roles;
    bool owner;
} rows[] = {
    {POLICY_PUBLIC, "aaaa", false},        {POLICY_ANYONE, "aaaa", false},
    {POLICY_RUN, "aaa-", false},           {POLICY_LIST, "aaoa", false},
    {POLICY_READ, "aaoa", true},           {POLICY_STOP, "aao-", true},
    {POLICY_IMAGE_USE, "aaa-", false},     {POLICY_IMAGE_READ, "aaaa", false},
    {POLICY_IMAGE_CREATE, "aa--", false},  {POLICY_IMAGE_DELETE, "aa--", true},
    {POLICY_SECRET_USE, "aaa-", false},    {POLICY_SECRET_LIST, "aao-", false},
    {POLICY_SECRET_CREATE, "aaa-", false}, {POLICY_SECRET_READ, "aao-", true},
    {POLICY_SECRET_UPDATE, "aao-", true},  {POLICY_SECRET_DELETE, "aao-", true},
    {POLICY_KEYS, "oooo", false},          {POLICY_USER_LIST, "aa--", false},
    {POLICY_USER_CREATE, "a---", false},   {POLICY_USER_REVOKE, "a---", false},
    {POLICY_RECONCILE, "aa--", false},     {POLICY_AUDIT, "a---", false},
    {POLICY_TRACE, "a---", false},
};

static void test_policy__role_action_owner__table(void **state)
{
    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], POLICY_ACTION_COUNT);
    for (size_t i = 0; i < POLICY_ACTION_COUNT; i++) {
        enum policy_action action = rows[i].action;
        assert_int_equal(action, i);
        for (int role = 0; role < POLICY_ROLE_COUNT; role++) {
            struct principal who = {.role = (enum role)role};
            char may = rows[i].roles[role];
            (void)snprintf(who.email, sizeof who.email, "me@x");
            print_message("role %d action %zu\n", role, i);
            assert_int_equal(policy_scope(who.role, action), may == 'a'   ? POLICY_ALL
                                                             : may == 'o' ? POLICY_OWN
                                                                          : POLICY_NONE);
            assert_int_equal(policy_may_try(&who, action), may != '-' || rows[i].owner);
            assert_int_equal(policy_allows(&who, action, "me@x"), may != '-' || rows[i].owner);
            assert_int_equal(policy_allows(&who, action, "you@x"), may == 'a');
            assert_int_equal(policy_allows(&who, action, NULL), may == 'a');
        }
    }
}

static void test_policy__unknown_role__only_what_the_owner_may(void **state)
{
    (void)state;
    const struct principal who = {.role = (enum role)9, .email = "me@x"};
    for (size_t i = 0; i < POLICY_ACTION_COUNT; i++) {
        assert_int_equal(policy_scope(who.role, rows[i].action), POLICY_NONE);
        assert_int_equal(policy_allows(&who, rows[i].action, "me@x"), rows[i].owner);
        assert_false(policy_allows(&who, rows[i].action, "you@x"));
    }
}

static void test_policy__unknown_action__refused(void **state)
{
    (void)state;
    const struct principal who = {.role = ROLE_ADMIN, .email = "me@x"};
    struct problem p;
    enum policy_action unknown = (enum policy_action)77;
    assert_null(policy_rule(unknown));
    assert_int_equal(policy_scope(ROLE_ADMIN, unknown), POLICY_NONE);
    assert_false(policy_may_try(&who, unknown));
    assert_false(policy_allows(&who, unknown, "me@x"));
    assert_int_equal(policy_refuse(&p, unknown), ERR_FORBIDDEN);
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
    (void)policy_refuse(&p, POLICY_LIST);
    assert_string_equal(p.details, "you do not have permission to read this resource");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy__role_action_owner__table),
        cmocka_unit_test(test_policy__unknown_role__only_what_the_owner_may),
        cmocka_unit_test(test_policy__unknown_action__refused),
        cmocka_unit_test(test_policy_allows__no_email__owns_nothing),
        cmocka_unit_test(test_policy_refuse__texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
