#include "rig_team.h"

static void test_health__public__status_and_version(void **state)
{
    (void)state;
    rig_expect("GET /api/v1/health", "!", NULL, 200, "\"status\":\"ok\",\"version\":\"");
    rig_expect("GET /api/v1/health/", "!X-API-Key: \r\n", NULL, 200, "\"provider\":\"tailgate\"");
    rig_expect("GET /livez", "!", NULL, 200, "ok");
    assert_int_equal(rig.world.authentications, 0);
}

static bool has_no_memory;

int __real_wire_health(struct buf *b, const char *version, const char *provider);
int __wrap_wire_health(struct buf *b, const char *version, const char *provider);
int __wrap_wire_health(struct buf *b, const char *version, const char *provider)
{
    return has_no_memory ? ERR_NOMEM : __real_wire_health(b, version, provider);
}

static void test_health__no_memory__500(void **state)
{
    (void)state;
    has_no_memory = true;
    rig_expect("GET /api/v1/health", "!", NULL, 500, "failed to report health");
    has_no_memory = false;
    rig_expect("GET /api/v1/health", "!", NULL, 200, "\"status\":\"ok\"");
}

static void test_readyz__database_away__503(void **state)
{
    (void)state;
    rig_expect("GET /readyz", "!", NULL, 200, "ready");
    rig.world.is_ready = false;
    rig_expect("GET /readyz", "!", NULL, 503, "SERVICE_UNAVAILABLE");
    rig_expect("GET /readyz", "!", NULL, 503, "the database cannot be reached");
    rig_expect("GET /livez", "!", NULL, 200, "ok");
}

static void test_readyz__verbose__lines(void **state)
{
    (void)state;
    rig_expect("GET /readyz?verbose", "!", NULL, 200, "[+]database ok\n[+]engine ok\nready\n");
    rig_expect("GET /api/v1/health?verbose", "!", NULL, 200,
               "\"ready\":true,\"checks\":[{\"name\":\"database\",\"status\":\"ok\"");
    rig.world.is_ready = false;
    rig_expect("GET /readyz?verbose", "!", NULL, 503,
               "[-]database failed: it is \"away\"\n[+]engine ok\nnot ready\n");
    rig_expect("GET /api/v1/health?verbose", "!", NULL, 200,
               "\"ready\":false,\"checks\":[{\"name\":\"database\",\"status\":\"failed\","
               "\"details\":\"it is \\\"away\\\"\"}");
    rig.world.refuses = true; /* no memory for it: the short form */
    rig_expect("GET /readyz?verbose", "!", NULL, 503, "SERVICE_UNAVAILABLE");
    rig_expect("GET /api/v1/health?verbose", "!", NULL, 200, "\"provider\"");
}

static void test_reconcile__report_or_problem(void **state)
{
    (void)state;
    rig_expect("POST /api/v1/health/reconcile", "", NULL, 200,
               "{\"status\":\"degraded\",\"report\":{\"timestamp\":");
    rig_expect("POST /api/v1/health/reconcile", "!", NULL, 401, "API key is required");
    (void)problem_set(&rig.world.problem, ERR_DB_AWAY, "failed to reconcile", "away");
    rig_expect("POST /api/v1/health/reconcile", "", NULL, 503, "DATABASE_ERROR");
    rig.world.refuses = true;
    rig_expect("POST /api/v1/health/reconcile", "", NULL, 503, "DATABASE_ERROR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_health__public__status_and_version, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_health__no_memory__500, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_readyz__verbose__lines, rig_team_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_reconcile__report_or_problem, rig_team_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_readyz__database_away__503, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
