#include "server_rig.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_health__public__status_and_version, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_health__no_memory__500, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_readyz__database_away__503, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
