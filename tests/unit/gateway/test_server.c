#include "server_rig.h"

#include "gateway/stream.h"

static bool has_left;

static void on_left(void *user)
{
    (void)user;
    has_left = true;
}

static bool left(void *user)
{
    (void)user;
    return has_left;
}

static void test_server__accessors(void **state)
{
    (void)state;
    assert_ptr_equal(server_loop(rig.server), rig.loop);
    assert_ptr_equal(server_options(rig.server), &rig.options);
    assert_ptr_equal(server_hub(rig.server), &rig);
    assert_ptr_equal(server_orchestrator(rig.server), &rig);
    assert_true(server_is_ready(rig.server));
    assert_true(server_origin_allowed(rig.server, "http://a", "a"));
    assert_false(server_origin_allowed(rig.server, "http://b", "a"));
}

static void test_server_leave__nobody_there__at_once(void **state)
{
    (void)state;
    has_left = false;
    server_leave(rig.server, on_left, NULL);
    assert_false(has_left); /* not inside the call */
    rig_until(left, NULL);
    assert_false(server_is_ready(rig.server));
    assert_int_equal(rig.left, 1);
}

static void test_server_leave__idle_closed_and_request_finished(void **state)
{
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char run[] = "POST /api/v1/run HTTP/1.1\r\nX-API-Key: tg_good\r\n"
                              "Content-Length: 15\r\n\r\n{\"command\":\"x\"}";
    struct answer a;
    (void)state;
    has_left = false;
    int idle = rig_connect();
    rig_send(idle, request, sizeof(request) - 1);
    rig_receive(idle, &a, true);
    answer_done(&a);
    rig.world.holds = true;
    int busy = rig_connect();
    rig_send(busy, run, sizeof(run) - 1);
    while (rig.world.held == 0)
        rig_turns(1);
    server_leave(rig.server, on_left, NULL);
    rig_expect_eof(idle);
    assert_false(has_left);
    rig.world.holds = false;
    rig_release();
    rig_receive(busy, &a, true);
    assert_int_equal(a.status, 202);
    assert_string_equal(answer_header(&a, "Connection"), "close");
    answer_done(&a);
    rig_until(left, NULL);
    assert_int_equal(rig.server->connections_count, 0);
    (void)close(idle);
    (void)close(busy);
}

static void test_server_leave__request_hangs__goes_after_the_timeout(void **state)
{
    static const char request[] = "GET /api/v1/executions HTTP/1.1\r\nX-API-Key: tg_good\r\n\r\n";
    (void)state;
    has_left = false;
    rig.world.holds = true;
    int fd = rig_connect();
    rig_send(fd, request, sizeof(request) - 1);
    while (rig.world.held == 0)
        rig_turns(1);
    server_leave(rig.server, on_left, NULL);
    rig_until(left, NULL);
    assert_int_equal(rig.server->connections_count, 1);
    (void)close(fd);
}

static void test_server_new__bad_parts__nothing_left(void **state)
{
    struct server *s = NULL;
    struct options o = rig.options;
    (void)state;
    o.trusted_proxies = (char *)"x";
    assert_int_equal(server_new(rig.loop, &o, NULL, NULL, &s), ERR_INVALID);
    o = rig.options;
    o.cors_origins = (char *)"x";
    assert_int_equal(server_new(rig.loop, &o, NULL, NULL, &s), ERR_INVALID);
    o = rig.options;
    o.tls_cert = (char *)"/nonexistent";
    o.tls_key = (char *)"/nonexistent";
    assert_int_equal(server_new(rig.loop, &o, NULL, NULL, &s), ERR_SYS);
    assert_null(s);
    server_free(NULL);
    rig_expect("GET /livez", "!", NULL, 200, "ok"); /* the other one is not touched */
}

static int setup_hasty(void **state)
{
    (void)state;
    char *flags[] = {(char *)"--leave-timeout", (char *)"300ms", NULL};
    rig_start(flags);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_server__accessors, setup_hasty, rig_teardown),
        cmocka_unit_test_setup_teardown(test_server_leave__nobody_there__at_once, setup_hasty,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_server_leave__idle_closed_and_request_finished,
                                        setup_hasty, rig_teardown),
        cmocka_unit_test_setup_teardown(test_server_leave__request_hangs__goes_after_the_timeout,
                                        setup_hasty, rig_teardown),
        cmocka_unit_test_setup_teardown(test_server_new__bad_parts__nothing_left, setup_hasty,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
