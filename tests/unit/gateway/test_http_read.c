#include "server_rig.h"

static void test_read_head__path_and_query__decoded(void **state)
{
    (void)state;
    rig_expect("GET /api%2fv1/executions/%30000512b00000001aabbccddeeff0011", "", NULL, 200,
               RIG_ID);
    rig_expect("GET /api/v1/executions?limit=5&created_by=a%20b%26c%3dd&&x", "", NULL, 200, "[]");
    assert_string_equal(rig.world.filter_created_by, "a b&c=d");
    rig_expect("GET /api/v1/executions?limit", "", NULL, 400, "invalid limit");
    rig_expect("GET /api/v1/executions?limit=2&limit=x", "", NULL, 200,
               "[]"); /* the first counts */
}

static void test_read_head__bad_text__400(void **state)
{
    char line[8192] = "GET /?";
    (void)state;
    rig_expect("GET /%ff", "!", NULL, 400, "not UTF-8");
    rig_expect("GET /?a=%fe", "!", NULL, 400, "the query is not UTF-8");
    for (int i = 0; i < 40; i++)
        strcat(line, "a=b&");
    rig_expect(line, "!", NULL, 400, "the query is too long");
    strcpy(line, "GET /");
    memset(line + 5, 'a', HTTP_PATH_MAX);
    line[5 + HTTP_PATH_MAX] = '\0';
    rig_expect(line, "!", NULL, 400, "the path is too long");
    rig_expect("GET /livez", "!", NULL, 200, "ok"); /* and the server lives */
}

static void test_read_head__request_id__always_ours(void **state)
{
    struct answer a, b;
    (void)state;
    rig_request("GET /livez", "!X-Request-ID: mine and\tmore\r\n", NULL, &a);
    rig_request("GET /livez", "!X-Request-ID: mine\r\n", NULL, &b);
    char first[64];
    assert_int_equal(str_copy(first, sizeof(first), answer_header(&a, "X-Request-ID")), 0);
    assert_int_equal(strlen(first), 32);
    assert_int_equal(strspn(first, "0123456789abcdef"), 32);
    assert_string_not_equal(first, answer_header(&b, "X-Request-ID"));
    answer_done(&a);
    answer_done(&b);
}

static void test_read_head__versions__keep_alive_or_close(void **state)
{
    static const struct {
        const char *request;
        bool eof;
    } rows[] = {
        {"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", false},
        {"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
        {"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", false},
        {"GET /livez HTTP/1.0\r\n\r\n", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a;
        int fd = rig_connect();
        rig_send(fd, rows[i].request, strlen(rows[i].request));
        rig_receive(fd, &a, true);
        assert_int_equal(a.status, 200);
        assert_int_equal(answer_header(&a, "Connection") != NULL, rows[i].eof);
        answer_done(&a);
        if (rows[i].eof)
            rig_expect_eof(fd);
        (void)close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_head__path_and_query__decoded, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_read_head__bad_text__400, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_read_head__request_id__always_ours, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_read_head__versions__keep_alive_or_close, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
