#include "rig_team.h"

static void test_trace__found__logs_and_resources(void **state UNUSED)
{
    rig_expect("GET /api/v1/trace/r1", "", NULL, 200,
               "{\"logs\":[{\"event_id\":\"trace-00000000000000000005\","
               "\"timestamp\":1700000000000,\"message\":\"{\\\"msg\\\":\\\"http\\\"}\"}],"
               "\"related_resources\":{\"images\":[{\"image\":\"app\"}]}}");
    assert_string_equal(rig_team.text, "r1");
}

static void test_trace__problems__answered(void **state UNUSED)
{
    rig_expect("GET /api/v1/trace/r1", "!", NULL, 401, "API key is required");
    (void)problem_set(&rig.world.problem, ERR_DB_AWAY, "failed", "away");
    rig_expect("GET /api/v1/trace/r1", "", NULL, 503, "DATABASE_ERROR");
    rig.world.refuses = true;
    rig_expect("GET /api/v1/trace/r1", "", NULL, 503, "DATABASE_ERROR");
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, rig_team_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_trace__found__logs_and_resources),
        ROW(test_trace__problems__answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
