#include "server_rig.h"

static void test_page__files__under_a_strict_policy(void **state)
{
    static const struct {
        const char *line, *type, *text;
    } rows[] = {
        {"GET /", "text/html; charset=utf-8", "<script src=\"/page.js\""},
        {"GET /page.js", "text/javascript; charset=utf-8", "tailgate.v1"},
        {"GET /page.css", "text/css; charset=utf-8", "#log"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a;
        rig_request(rows[i].line, "!", NULL, &a);
        assert_int_equal(a.status, 200);
        assert_string_equal(answer_header(&a, "Content-Type"), rows[i].type);
        assert_non_null(strstr(answer_header(&a, "Content-Security-Policy"), "default-src 'none'"));
        assert_non_null(strstr(answer_header(&a, "Content-Security-Policy"), "ws://gate.example;"));
        assert_null(strstr(answer_header(&a, "Content-Security-Policy"), "unsafe"));
        assert_string_equal(answer_header(&a, "X-Content-Type-Options"), "nosniff");
        assert_non_null(strstr(a.body.data, rows[i].text));
        assert_null(strstr(a.body.data, "innerHTML"));
        answer_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_page__files__under_a_strict_policy, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
