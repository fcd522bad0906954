#include "server_rig.h"

/* Long enough that a busy machine sends what it means to send before it. */
#define TIMEOUT_MS 2000

static void test_connections_sweep_interval__table(void **state)
{
    (void)state;
    assert_int_equal(connections_sweep_interval_ms(10), 20);
    assert_int_equal(connections_sweep_interval_ms(400), 100);
    assert_int_equal(connections_sweep_interval_ms(3600000), 1000);
}

static void expect_timeout(int fd)
{
    struct answer a;
    rig_receive(fd, &a, true);
    assert_int_equal(a.status, 408);
    assert_non_null(strstr(a.body.data, "\"code\":\"REQUEST_TIMEOUT\""));
    assert_non_null(answer_header(&a, "X-Request-ID"));
    assert_string_equal(answer_header(&a, "Connection"), "close");
    answer_done(&a);
    rig_expect_eof(fd);
    (void)close(fd);
}

static void test_sweep__half_a_body__408(void **state)
{
    static const char half[] = "POST /api/v1/run HTTP/1.1\r\nContent-Length: 9\r\n\r\n{";
    (void)state;
    int fd = rig_connect();
    rig_send(fd, half, sizeof(half) - 1);
    expect_timeout(fd);
}

static void test_sweep__half_a_head__408(void **state)
{
    (void)state;
    int fd = rig_connect();
    rig_send(fd, "GET /livez HT", 13);
    expect_timeout(fd);
}

static void test_sweep__half_a_second_head__408(void **state)
{
    static const char whole[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    struct answer a;
    (void)state;
    int fd = rig_connect();
    rig_send(fd, whole, sizeof(whole) - 1);
    rig_receive(fd, &a, true);
    answer_done(&a);
    rig_send(fd, "GET", 3);
    expect_timeout(fd);
}

static void test_sweep__silent__closed_without_a_word(void **state)
{
    (void)state;
    int fd = rig_connect();
    rig_expect_eof(fd);
    (void)close(fd);
}

static void test_sweep__idle_after_a_request__stays(void **state)
{
    static const char whole[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    struct answer a;
    (void)state;
    int fd = rig_connect();
    for (int i = 0; i < 2; i++) {
        rig_send(fd, whole, sizeof(whole) - 1);
        rig_receive(fd, &a, true);
        assert_int_equal(a.status, 200);
        answer_done(&a);
        int64_t end_ms = clock_mono_ms() + TIMEOUT_MS + 500;
        while (clock_mono_ms() < end_ms)
            rig_turns(1);
    }
    (void)close(fd);
}

static void test_sweep__refused_body_not_sent__closed_in_the_end(void **state)
{
    static const char head[] = "POST /api/v1/run HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n";
    struct answer a;
    (void)state;
    int fd = rig_connect();
    rig_send(fd, head, sizeof(head) - 1);
    rig_receive(fd, &a, true);
    assert_int_equal(a.status, 413);
    answer_done(&a);
    rig_expect_eof(fd);
    (void)close(fd);
}

static void test_kill__nothing_there__no_harm(void **state)
{
    struct connection c = {0};
    (void)state;
    connection_kill(NULL);
    connection_kill(&c);
}

static int setup_fast(void **state)
{
    (void)state;
    char *flags[] = {(char *)"--request-timeout", (char *)"2s", NULL};
    rig_start(flags);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connections_sweep_interval__table, setup_fast,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_sweep__half_a_body__408, setup_fast, rig_teardown),
        cmocka_unit_test_setup_teardown(test_sweep__half_a_head__408, setup_fast, rig_teardown),
        cmocka_unit_test_setup_teardown(test_sweep__half_a_second_head__408, setup_fast,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_sweep__silent__closed_without_a_word, setup_fast,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_sweep__idle_after_a_request__stays, setup_fast,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_sweep__refused_body_not_sent__closed_in_the_end,
                                        setup_fast, rig_teardown),
        cmocka_unit_test_setup_teardown(test_kill__nothing_there__no_harm, setup_fast,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
