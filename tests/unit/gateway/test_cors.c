#include "gateway/cors.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_cors_parse__table(void **state)
{
    static const struct {
        const char *origins, *public_url;
        int err;
    } rows[] = {
        {NULL, NULL, 0},
        {"https://a.example, http://b.example:8080", NULL, 0},
        {"*", "https://gate.example", 0},
        {"a.example", NULL, ERR_INVALID},
        {"https://", NULL, ERR_INVALID},
        {"https:///x", NULL, ERR_INVALID},
        {"https://\xc3\xa4", NULL, ERR_INVALID},
        {NULL, "gate.example", ERR_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cors c;
        assert_int_equal(cors_parse(rows[i].origins, rows[i].public_url, &c), rows[i].err);
    }
}

static void test_cors_allows__table(void **state)
{
    static const struct {
        const char *origins, *public_url, *origin, *host;
        bool allowed;
    } rows[] = {
        {NULL, NULL, NULL, "a", true},
        {NULL, NULL, "", "a", true},
        {NULL, NULL, "https://a.example", "a.example", true}, /* the same origin */
        {NULL, NULL, "https://A.example:443", "a.example", true},
        {NULL, NULL, "http://a.example", "a.example:80", true},
        {NULL, NULL, "http://a.example:8080", "a.example:8080", true},
        {NULL, NULL, "http://a.example:8080", "a.example", false},
        {NULL, NULL, "https://a.example", "b.example", false},
        {NULL, NULL, "https://a.example", NULL, false},
        {NULL, NULL, "null", "a.example", false},
        {"https://a.example", NULL, "https://a.example", "b", true},
        {"https://a.example/", NULL, "https://a.example", "b", true},
        {"https://a.example", NULL, "http://a.example", "b", false},
        {"https://a.example", NULL, "https://a.example.evil", "b", false},
        {NULL, "https://gate.example/", "https://gate.example", "internal:8080", true},
        {"*", NULL, "null", "b", true},
        {"*", NULL, "https://any.example", NULL, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cors c;
        assert_int_equal(cors_parse(rows[i].origins, rows[i].public_url, &c), 0);
        if (cors_allows(&c, rows[i].origin, rows[i].host) != rows[i].allowed)
            fail_msg("row %zu", i);
    }
}

static void test_cors_allows__long_names__refused(void **state)
{
    char origin[CORS_ORIGIN_SIZE + 20], host[CORS_ORIGIN_SIZE + 20];
    struct cors c;
    (void)state;
    memset(origin, 'a', sizeof(origin) - 1);
    memcpy(origin, "https://", 8);
    origin[sizeof(origin) - 1] = '\0';
    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    assert_int_equal(cors_parse(NULL, NULL, &c), 0);
    assert_false(cors_allows(&c, origin, "a"));
    assert_false(cors_allows(&c, "https://a", host));
}

static void test_cors_headers__echo_origin(void **state)
{
    struct buf out CLEANUP_BUF = {.max = 2048};
    (void)state;
    assert_int_equal(cors_append_headers(&out, NULL), 0);
    assert_int_equal(out.len, 0);
    assert_int_equal(cors_append_headers(&out, "https://a"), 0);
    assert_non_null(strstr(out.data, "Access-Control-Allow-Origin: https://a\r\nVary: Origin\r\n"));
    assert_non_null(strstr(out.data, "Expose-Headers: X-Request-ID, Link, Location, Retry-After"));
    assert_int_equal(cors_append_preflight(&out), 0);
    assert_non_null(strstr(out.data, "GET, POST, PUT, DELETE, OPTIONS"));
    assert_non_null(strstr(out.data, "Content-Type, X-API-Key, Authorization, Idempotency-Key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cors_parse__table),
        cmocka_unit_test(test_cors_allows__table),
        cmocka_unit_test(test_cors_allows__long_names__refused),
        cmocka_unit_test(test_cors_headers__echo_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
