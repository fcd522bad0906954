#include "gateway/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID "0000512b00000001aabbccddeeff0011"

static void test_routes_all__contract__each_is_there(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
        enum policy_action action;
    } rows[] = {
        {HTTP_GET, "/api/v1/health", POLICY_PUBLIC},
        {HTTP_GET, "/livez", POLICY_PUBLIC},
        {HTTP_GET, "/readyz", POLICY_PUBLIC},
        {HTTP_GET, "/", POLICY_PUBLIC},
        {HTTP_POST, "/api/v1/run", POLICY_RUN},
        {HTTP_POST, "/api/v1/executions", POLICY_RUN},
        {HTTP_GET, "/api/v1/executions", POLICY_LIST},
        {HTTP_GET, "/api/v1/executions/" ID, POLICY_READ},
        {HTTP_GET, "/api/v1/executions/" ID "/status", POLICY_READ},
        {HTTP_GET, "/api/v1/executions/" ID "/logs", POLICY_READ},
        {HTTP_GET, "/api/v1/executions/" ID "/logs.txt", POLICY_READ},
        {HTTP_GET, "/api/v1/executions/" ID "/logs/stream", POLICY_READ},
        {HTTP_POST, "/api/v1/tickets", POLICY_ANYONE},
        {HTTP_DELETE, "/api/v1/executions/" ID, POLICY_STOP},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct router_match m;
        unsigned allowed;
        assert_int_equal(
            router_find(routes_all, routes_all_count, rows[i].method, rows[i].path, &m, &allowed),
            0);
        assert_int_equal(m.route->action, rows[i].action);
        assert_non_null(m.route->handler);
    }
}

static void test_routes_all__patterns__begin_with_a_slash_and_are_unique(void **state)
{
    (void)state;
    for (size_t t = 0; t < routes_all_count; t++) {
        for (size_t i = 0; i < *routes_all[t].count; i++) {
            const struct route *a = &routes_all[t].routes[i];
            assert_int_equal(a->pattern[0], '/');
            for (size_t u = 0; u < routes_all_count; u++) {
                for (size_t k = 0; k < *routes_all[u].count; k++) {
                    const struct route *b = &routes_all[u].routes[k];
                    assert_true(a == b || a->method != b->method ||
                                strcmp(a->pattern, b->pattern) != 0);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes_all__contract__each_is_there),
        cmocka_unit_test(test_routes_all__patterns__begin_with_a_slash_and_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
