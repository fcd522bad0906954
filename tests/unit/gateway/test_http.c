#include "server_rig.h"

#define RUN "POST /api/v1/run HTTP/1.1\r\nHost: x\r\nX-API-Key: tg_good\r\n"

static int exchange(int fd, const char *text, struct answer *a)
{
    rig_send(fd, text, strlen(text));
    rig_receive(fd, a, true);
    return a->status;
}

static void test_http__keep_alive__bodies_of_any_method(void **state)
{
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 200},
        {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 200},
        {"DELETE /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 405},
        {"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405},
        {"PUT /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405},
        {RUN "Content-Length: 15\r\n\r\n{\"command\":\"x\"}", 202},
        {"DELETE /api/v1/executions/" RIG_ID " HTTP/1.1\r\nX-API-Key: tg_good\r\n\r\n", 204},
        {"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 200},
    };
    (void)state;
    int fd = rig_connect();
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            struct answer a;
            assert_int_equal(exchange(fd, rows[i].request, &a), rows[i].status);
            assert_null(answer_header(&a, "Connection"));
            answer_done(&a);
        }
    }
    assert_int_equal(rig.server->connections_count, 1);
    (void)close(fd);
}

static void test_http__pipelined__answered_in_order(void **state)
{
    static const char text[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
                               "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
                               "DELETE /livez HTTP/1.1\r\nHost: x\r\n\r\n"
                               "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    static const int wanted[] = {200, 404, 405, 200};
    (void)state;
    int fd = rig_connect();
    rig_send(fd, text, sizeof(text) - 1);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        struct answer a;
        rig_receive(fd, &a, true);
        assert_int_equal(a.status, wanted[i]);
        answer_done(&a);
    }
    (void)close(fd);
}

static void test_http__pipelined_body__refused_and_the_server_lives(void **state)
{
    static const char *const second[] = {
        RUN "Content-Length: 15\r\n\r\n{\"command\":\"x\"}",
        RUN "Transfer-Encoding: chunked\r\n\r\nf\r\n{\"command\":\"x\"}\r\n0\r\n\r\n",
        RUN "\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        "PATCH /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(second); i++) {
        struct buf text CLEANUP_BUF = {.max = 4096};
        struct answer a;
        int fd = rig_connect();
        assert_int_equal(buf_printf(&text, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n%s", second[i]),
                         0);
        rig_send(fd, text.data, text.len);
        rig_receive(fd, &a, true);
        assert_int_equal(a.status, 200);
        answer_done(&a);
        rig_receive(fd, &a, true);
        assert_int_equal(a.status, 400);
        assert_non_null(strstr(a.body.data, "must wait for the answer"));
        answer_done(&a);
        rig_expect_eof(fd);
        (void)close(fd);
    }
    assert_int_equal(rig.world.runs, 0);
    rig_expect("GET /livez", "!", NULL, 200, "ok");
}

static void test_http__body_byte_by_byte__both_codings(void **state)
{
    static const char *const requests[] = {
        RUN "Content-Length: 15\r\n\r\n{\"command\":\"x\"}",
        RUN "Transfer-Encoding: chunked\r\n\r\nf\r\n{\"command\":\"x\"}\r\n0\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        struct answer a;
        int fd = rig_connect();
        for (const char *c = requests[i]; *c; c++)
            rig_send(fd, c, 1);
        rig_receive(fd, &a, true);
        assert_int_equal(a.status, 202);
        answer_done(&a);
        (void)close(fd);
    }
    assert_int_equal(rig.world.runs, 2);
}

static void test_http__expect_continue__asked_for(void **state)
{
    struct answer a;
    (void)state;
    int fd = rig_connect();
    assert_int_equal(exchange(fd, RUN "Expect: 100-continue\r\nContent-Length: 15\r\n\r\n", &a),
                     100);
    answer_done(&a);
    assert_int_equal(exchange(fd, "{\"command\":\"x\"}", &a), 202);
    answer_done(&a);
    (void)close(fd);
}

static void test_http__refused__table(void **state)
{
    static const struct {
        const char *headers;
        int status;
        const char *text;
    } rows[] = {
        {"Content-Length: 2000000\r\n", 413, "PAYLOAD_TOO_LARGE"},
        {"Content-Length: x\r\n", 400, "Content-Length must be a number"},
        {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400, "both Content-Length"},
        {"Transfer-Encoding: gzip\r\n", 400, "must be chunked"},
        {"", 400, "invalid request body"}, /* neither: an empty body */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf text CLEANUP_BUF = {.max = 4096};
        struct answer a;
        int fd = rig_connect();
        assert_int_equal(buf_printf(&text, RUN "%s\r\n", rows[i].headers), 0);
        assert_int_equal(exchange(fd, text.data, &a), rows[i].status);
        assert_non_null(strstr(a.body.data, rows[i].text));
        assert_string_equal(answer_header(&a, "Connection"), "close");
        answer_done(&a);
        rig_expect_eof(fd);
        (void)close(fd);
    }
    assert_int_equal(rig.world.runs, 0);
}

static void test_http__too_large_body_is_sent_anyway__answer_arrives(void **state)
{
    struct answer a;
    char *body = malloc(3000000);
    (void)state;
    assert_non_null(body);
    memset(body, 'x', 3000000);
    int fd = rig_connect();
    static const char head[] = RUN "Content-Length: 3000000\r\n\r\n";
    rig_send(fd, head, sizeof(head) - 1);
    rig_send(fd, body, 3000000);
    rig_receive(fd, &a, true);
    assert_int_equal(a.status, 413);
    answer_done(&a);
    rig_expect_eof(fd); /* the whole body came, so nothing more is awaited */
    (void)close(fd);
    fd = rig_connect(); /* and in chunks */
    static const char chunked[] = RUN "Transfer-Encoding: chunked\r\n\r\n80000\r\n";
    rig_send(fd, chunked, sizeof(chunked) - 1);
    rig_send(fd, body, 0x80000);
    rig_send(fd, "\r\n90000\r\n", 9);
    rig_send(fd, body, 0x90000);
    rig_receive(fd, &a, true);
    assert_int_equal(a.status, 413);
    answer_done(&a);
    (void)close(fd);
    free(body);
}

static void test_http__broken_chunks__400(void **state)
{
    struct answer a;
    (void)state;
    int fd = rig_connect();
    assert_int_equal(exchange(fd, RUN "Transfer-Encoding: chunked\r\n\r\nzz\r\n", &a), 400);
    assert_non_null(strstr(a.body.data, "chunked transfer coding is broken"));
    answer_done(&a);
    (void)close(fd);
}

static void test_http__client_leaves_in_the_body__nothing_is_run(void **state)
{
    static const char head[] = RUN "Content-Length: 100\r\n\r\n{";
    (void)state;
    int fd = rig_connect();
    rig_send(fd, head, sizeof(head) - 1);
    rig_turns(5);
    (void)close(fd);
    int64_t end_ms = clock_mono_ms() + 60000;
    while (rig.server->connections_count > 0) {
        assert_true(clock_mono_ms() < end_ms);
        rig_turns(1);
    }
    assert_int_equal(rig.world.runs + rig.world.authentications, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_http__keep_alive__bodies_of_any_method, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_http__pipelined__answered_in_order, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_http__pipelined_body__refused_and_the_server_lives,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_http__body_byte_by_byte__both_codings, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_http__expect_continue__asked_for, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_http__refused__table, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_http__too_large_body_is_sent_anyway__answer_arrives,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_http__broken_chunks__400, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_http__client_leaves_in_the_body__nothing_is_run,
                                        rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
