#include "server_rig.h"

static void test_dispatch__unknown_path_and_method(void **state)
{
    struct answer a;
    (void)state;
    rig_expect("GET /api/v1/nothing", "!", NULL, 404, "\"code\":\"NOT_FOUND\"");
    rig_expect("PATCH /nothing", "!", NULL, 404, "NOT_FOUND");
    rig_request("PUT /api/v1/executions", "!", "{}", &a);
    assert_int_equal(a.status, 405);
    assert_string_equal(answer_header(&a, "Allow"), "GET, HEAD, POST");
    assert_non_null(strstr(a.body.data, "INVALID_REQUEST"));
    answer_done(&a);
    rig_expect("PATCH /livez", "!", NULL, 405, "method not allowed");
}

static void test_dispatch__head__as_get_without_a_body(void **state)
{
    struct answer a;
    (void)state;
    rig_request("HEAD /livez", "!", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Content-Length"), "15");
    assert_int_equal(a.body.len, 0);
    answer_done(&a);
    rig_request("HEAD /api/v1/executions?limit=0", "", NULL, &a);
    assert_string_equal(answer_header(&a, "Transfer-Encoding"), "chunked");
    answer_done(&a);
}

static void test_dispatch__origin_not_listed__no_cors_headers(void **state)
{
    struct answer a;
    (void)state;
    rig_request("GET /livez", "!Origin: https://evil.example\r\n", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_null(answer_header(&a, "Access-Control-Allow-Origin"));
    answer_done(&a);
    rig_request("OPTIONS /api/v1/run", "!Origin: https://evil.example\r\n", NULL, &a);
    assert_int_equal(a.status, 204);
    assert_null(answer_header(&a, "Access-Control-Allow-Methods"));
    answer_done(&a);
}

static void test_dispatch__cors__on_every_answer(void **state)
{
    static const struct {
        const char *line;
        int status;
    } rows[] = {{"GET /livez", 200}, {"GET /api/v1/executions", 401}, {"GET /nothing", 404},
                {"PUT /livez", 405}, {"OPTIONS /api/v1/run", 204},    {"OPTIONS /nothing", 204}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a;
        rig_request(rows[i].line, "!Origin: https://viewer.example\r\n", NULL, &a);
        assert_int_equal(a.status, rows[i].status);
        assert_string_equal(answer_header(&a, "Access-Control-Allow-Origin"),
                            "https://viewer.example");
        assert_non_null(strstr(answer_header(&a, "Access-Control-Expose-Headers"), "Retry-After"));
        assert_null(answer_header(&a, "Access-Control-Allow-Credentials"));
        if (a.status == 204)
            assert_string_equal(answer_header(&a, "Access-Control-Allow-Headers"),
                                "Content-Type, X-API-Key, Authorization, Idempotency-Key");
        answer_done(&a);
    }
}

static void expect_base(const char *headers, const char *base)
{
    char text[300];
    (void)snprintf(text, sizeof(text), "\"log_url\":\"%s/executions/", base);
    rig_expect("POST /api/v1/run", headers, "{\"command\":\"x\"}", 202, text);
}

static void test_public_base__from_the_request(void **state)
{
    (void)state;
    expect_base("", "http://gate.example");
    /* 127.0.0.1 is not trusted here */
    expect_base("X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n", "http://gate.example");
}

static void test_public_base__trusted_proxy(void **state)
{
    (void)state;
    expect_base("X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example:8443\r\n",
                "https://a.example:8443");
    expect_base("X-Forwarded-Proto: https, http\r\n", "https://gate.example");
    expect_base("X-Forwarded-Proto: http\r\nX-Forwarded-Host: b, c\r\n", "http://b");
    expect_base("X-Forwarded-Host: a<b\r\n", rig.url); /* no host's text: as it was bound */
    expect_base("X-Forwarded-Host: , b\r\nX-Forwarded-Proto: abcdefghijklmnopq\r\n",
                "http://gate.example");
}

static void test_public_base__configured(void **state)
{
    (void)state;
    expect_base("", "https://gate.test");
}

static int setup_cors(void **state)
{
    (void)state;
    char *flags[] = {(char *)"--cors-origins", (char *)"https://viewer.example", NULL};
    rig_start(flags);
    return 0;
}

static int setup_trusted(void **state)
{
    (void)state;
    char *flags[] = {(char *)"--trusted-proxies", (char *)"127.0.0.0/8", NULL};
    rig_start(flags);
    return 0;
}

static int setup_public(void **state)
{
    (void)state;
    char *flags[] = {(char *)"--public-url", (char *)"https://gate.test/", NULL};
    rig_start(flags);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dispatch__unknown_path_and_method, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_dispatch__head__as_get_without_a_body, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_dispatch__origin_not_listed__no_cors_headers,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_public_base__from_the_request, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_dispatch__cors__on_every_answer, setup_cors,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_public_base__trusted_proxy, setup_trusted,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_public_base__configured, setup_public, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
