#include "gateway/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void handler(struct http_request *r)
{
    (void)r;
}

static const struct route routes[] = {
    {HTTP_GET, POLICY_PUBLIC, "/", handler},
    {HTTP_GET, POLICY_ANYONE, "/a", handler},
    {HTTP_POST, POLICY_ANYONE, "/a", handler},
    {HTTP_GET, POLICY_ANYONE, "/a/{id}", handler},
    {HTTP_GET, POLICY_ANYONE, "/a/{id}/b", handler},
    {HTTP_DELETE, POLICY_ANYONE, "/images/{name...}", handler},
    {HTTP_GET, POLICY_ANYONE, "/x/{a}/{b}/{c}/{d}/{e}", handler},
};
static const size_t routes_count = sizeof(routes) / sizeof(routes[0]);
static const struct route_table table = {routes, &routes_count};

static void test_router_find__table(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
        int err;
        size_t route;
        const char *name, *value;
        unsigned allowed;
    } rows[] = {
        {HTTP_GET, "/", 0, 0, NULL, NULL, 0},
        {HTTP_GET, "/a", 0, 1, NULL, NULL, 0},
        {HTTP_GET, "/a/", 0, 1, NULL, NULL, 0},
        {HTTP_GET, "/a//", 0, 1, NULL, NULL, 0},
        {HTTP_POST, "/a", 0, 2, NULL, NULL, 0},
        {HTTP_PUT, "/a", ERR_INVALID, 0, NULL, NULL, 1u << HTTP_GET | 1u << HTTP_POST},
        {HTTP_GET, "/a/7", 0, 3, "id", "7", 0},
        {HTTP_GET, "/a/7/b/", 0, 4, "id", "7", 0},
        {HTTP_GET, "/a/7/c", ERR_NOT_FOUND, 0, NULL, NULL, 0},
        {HTTP_GET, "/a/7/b/c", ERR_NOT_FOUND, 0, NULL, NULL, 0},
        {HTTP_GET, "/ab", ERR_NOT_FOUND, 0, NULL, NULL, 0},
        {HTTP_DELETE, "/images/reg/x:1", 0, 5, "name", "reg/x:1", 0},
        {HTTP_DELETE, "/images", ERR_NOT_FOUND, 0, NULL, NULL, 0},
        {HTTP_GET, "/x/1/2/3/4/5", ERR_NOT_FOUND, 0, NULL, NULL, 0}, /* more than it can hold */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct router_match m;
        unsigned allowed = 0;
        int err = router_find(&table, 1, rows[i].method, rows[i].path, &m, &allowed);
        assert_int_equal(err, rows[i].err);
        assert_int_equal(allowed, rows[i].allowed);
        if (err)
            continue;
        assert_ptr_equal(m.route, &routes[rows[i].route]);
        assert_int_equal(m.params_count, rows[i].name ? 1 : 0);
        if (rows[i].name) {
            assert_int_equal(m.names[0].len, strlen(rows[i].name));
            assert_memory_equal(m.names[0].at, rows[i].name, m.names[0].len);
            assert_int_equal(m.values[0].len, strlen(rows[i].value));
            assert_memory_equal(m.values[0].at, rows[i].value, m.values[0].len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_router_find__table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
