/* Endpoints taken apart. */
#include "cli/endpoint.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static void test_endpoint_parse__good__parts(void **state UNUSED)
{
    static const struct {
        const char *url;
        bool tls;
        const char *host;
        int port;
        const char *authority, *base;
    } rows[] = {
        {"http://127.0.0.1:8080", false, "127.0.0.1", 8080, "127.0.0.1:8080", "/api/v1"},
        {"http://127.0.0.1:8080/", false, "127.0.0.1", 8080, "127.0.0.1:8080", "/api/v1"},
        {"http://h:1/api/v1", false, "h", 1, "h:1", "/api/v1"},
        {"http://h:1/api/v1//", false, "h", 1, "h:1", "/api/v1"},
        {"https://tail.example", true, "tail.example", 443, "tail.example", "/api/v1"},
        {"http://tail.example", false, "tail.example", 80, "tail.example", "/api/v1"},
        {"https://h/gate", true, "h", 443, "h", "/gate/api/v1"},
        {"https://h/gate/api/v1/", true, "h", 443, "h", "/gate/api/v1"},
        {"http://[::1]:8080", false, "::1", 8080, "[::1]:8080", "/api/v1"},
        {"http://[::1]", false, "::1", 80, "[::1]", "/api/v1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct endpoint e;
        struct problem p = {0};
        assert_int_equal(endpoint_parse(rows[i].url, &e, &p), 0);
        assert_int_equal(e.tls, rows[i].tls);
        assert_string_equal(e.host, rows[i].host);
        assert_int_equal(e.port, rows[i].port);
        assert_string_equal(e.authority, rows[i].authority);
        assert_string_equal(e.base, rows[i].base);
    }
}

static void test_endpoint_parse__bad__refused(void **state UNUSED)
{
    static const char *const urls[] = {
        "",
        "127.0.0.1:8080",
        "ws://h",
        "ftp://h",
        "http://",
        "http://:80",
        "http:///api/v1",
        "http://h:",
        "http://h:0",
        "http://h:65536",
        "http://h:80x",
        "http://[::1",
        "http://[]:80",
        "http://[::1]x",
        "http://user@h",
        "http://h/?q",
        "http://h/#f",
        "http://h\r\nX-Evil: 1",
        "http://h/ b",
        "http://h\xc3\xa9",
    };
    struct problem p = {0};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        struct endpoint e = {.port = -7};
        assert_int_equal(endpoint_parse(urls[i], &e, &p), ERR_INVALID);
        assert_string_equal(p.error, "unusable endpoint");
        assert_int_equal(e.port, -7);
    }
}

static void test_endpoint_parse__too_long__refused(void **state UNUSED)
{
    char url[900] = "http://";
    struct endpoint e;
    struct problem p = {0};
    memset(url + 7, 'h', 256);
    assert_int_equal(endpoint_parse(url, &e, &p), ERR_INVALID);
    memset(url + 7, 'h', 800);
    assert_int_equal(endpoint_parse(url, &e, &p), ERR_INVALID);
    url[8] = '/';
    assert_int_equal(endpoint_parse(url, &e, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoint_parse__good__parts),
        cmocka_unit_test(test_endpoint_parse__bad__refused),
        cmocka_unit_test(test_endpoint_parse__too_long__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
