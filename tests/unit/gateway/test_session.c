#include "server_rig.h"

#define SESSION "GET /api/v1/session"

static void test_session__admin__everything_by_resource(void **state)
{
    static const char *const wanted[] = {
        "\"email\":\"dev@example.org\",\"role\":\"admin\",\"version\":\"" TAILGATE_VERSION "\"",
        "\"executions\":{\"create\":\"all\",\"list\":\"all\",\"read\":\"all\",\"delete\":\"all\"}",
        "\"api_keys\":{\"manage\":\"own\"}",
        "\"audit\":{\"read\":\"all\"}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        rig_expect(SESSION, "", NULL, 200, wanted[i]);
}

/* What no row of the role's grants is left out; what its owner may is "own". */
static void test_session__each_role__as_the_policy_says(void **state)
{
    static const struct {
        enum role role;
        const char *has, *lacks;
    } rows[] = {
        {ROLE_OPERATOR, "\"users\":{\"list\":\"all\"}", "audit"},
        {ROLE_DEVELOPER, "\"images\":{\"use\":\"all\",\"read\":\"all\",\"delete\":\"own\"}",
         "users"},
        {ROLE_VIEWER, "\"executions\":{\"list\":\"all\",\"read\":\"all\",\"delete\":\"own\"}",
         "users"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a;
        rig.world.role = rows[i].role;
        rig_request(SESSION, "", NULL, &a);
        assert_int_equal(a.status, 200);
        assert_non_null(strstr(a.body.data, rows[i].has));
        assert_null(strstr(a.body.data, rows[i].lacks));
        assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
        answer_done(&a);
    }
}

static void test_session__without_a_key__401(void **state)
{
    (void)state;
    rig_expect(SESSION, "!", NULL, 401, "API key is required");
    rig_expect(SESSION, "!X-API-Key: tg_bad\r\n", NULL, 401, "INVALID_API_KEY");
    rig_expect("POST /api/v1/session", "", NULL, 405, "method");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_session__admin__everything_by_resource),
        TEST(test_session__each_role__as_the_policy_says),
        TEST(test_session__without_a_key__401),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
