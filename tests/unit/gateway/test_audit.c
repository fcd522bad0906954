#include "rig_team.h"

#define AUDIT "GET /api/v1/audit"

static void test_audit__page__link_to_the_next(void **state UNUSED)
{
    struct answer a;
    rig_team.rows = 3;
    rig_request(AUDIT "?limit=2&action=secrets&email=a%40b%20c", "", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body.data, "{\"entries\":[{\"audit_id\":100,"));
    assert_non_null(strstr(a.body.data, "\"count\":3},{\"audit_id\":99,"));
    assert_null(strstr(a.body.data, "\"audit_id\":98"));
    assert_string_equal(answer_header(&a, "Link"),
                        "</api/v1/audit?limit=2&email=a%40b%20c&action=secrets&cursor=99>; "
                        "rel=\"next\"");
    assert_int_equal(rig_team.filter.limit, 3); /* one more tells whether there is a next page */
    assert_string_equal(rig_team.email, "a@b c");
    answer_done(&a);
    rig_team.rows = 2;
    rig_request(AUDIT "?limit=2", "", NULL, &a);
    assert_null(answer_header(&a, "Link"));
    answer_done(&a);
    rig_team.rows = 0;
    rig_expect(AUDIT, "", NULL, 200, "{\"entries\":[]}");
    assert_int_equal(rig_team.filter.limit, 101);
}

static void test_audit__filters__handed_on(void **state UNUSED)
{
    rig_expect(AUDIT "?resource=secret/&result=ok&request_id=r1&cursor=7"
                     "&since=2023-11-14T22:13:20Z&until=2023-11-14T22:13:21Z",
               "", NULL, 200, "entries");
    assert_string_equal(rig_team.resource, "secret/");
    assert_string_equal(rig_team.result, "ok");
    assert_string_equal(rig_team.request_id, "r1");
    assert_int_equal(rig_team.filter.before_id, 7);
    assert_int_equal(rig_team.filter.since_us, 1700000000000000);
    assert_int_equal(rig_team.filter.until_us, 1700000001000000);
    rig_expect(AUDIT "?email=&action=&since=", "", NULL, 200, "entries");
    assert_null(rig_team.filter.email);
}

static void test_audit__bad_query_or_problem__answered(void **state UNUSED)
{
    static const char *const bad[] = {"limit=0", "limit=1001", "cursor=-1", "since=x", "until=x"};
    char line[100];
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        (void)snprintf(line, sizeof(line), AUDIT "?%s", bad[i]);
        rig_expect(line, "", NULL, 400, "invalid ");
    }
    (void)problem_set(&rig.world.problem, ERR_DB_AWAY, "failed", "away");
    rig_expect(AUDIT, "", NULL, 503, "DATABASE_ERROR");
    rig.world.refuses = true;
    rig_expect(AUDIT, "", NULL, 503, "DATABASE_ERROR");
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, rig_team_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_audit__page__link_to_the_next),
        ROW(test_audit__filters__handed_on),
        ROW(test_audit__bad_query_or_problem__answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
