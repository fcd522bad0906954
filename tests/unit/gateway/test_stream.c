/* Upgrades let in and refused, birth and end of streams, leaving. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

static struct lws wsi;

static void drop(void)
{
    if (wsi.session)
        rig_close(&wsi);
    buf_done(&wsi.sent);
}

static void test_filter_upgrade__each_refusal__status_and_reason(void **state)
{
    static const char *const good[] = {"execution_id=00004e2000000001abcdef0123456789",
                                       "token=good"};
    static const struct {
        const char *path, *origin, *protocol, *args[2];
        bool origin_refused, leaving, full;
        const char *status, *part;
    } rows[] = {
        {"/", NULL, "http", {0}, 0, 0, 0, "HTTP/1.1 404 Not Found\r\n", "\"NOT_FOUND\""},
        {"/api/v1/stream/x", NULL, "http", {0}, 0, 0, 0, "HTTP/1.1 404 Not Found\r\n", "no stream"},
        {"/api/v1/a/very/long/path/that/is/no/stream",
         NULL,
         "http",
         {0},
         0,
         0,
         0,
         "HTTP/1.1 404 Not Found\r\n",
         "no stream"},
        {"/api/v1/ws", NULL, "http", {0}, 0, 0, 0, "HTTP/1.1 400 Bad Request\r\n", "tailgate.v1"},
        {"/api/v1/ws", NULL, NULL, {0}, 0, 0, 0, "HTTP/1.1 400 Bad Request\r\n", "tailgate.v1"},
        {"/api/v1/ws",
         "http://evil",
         STREAM_SUBPROTOCOL,
         {0},
         1,
         0,
         0,
         "HTTP/1.1 403 Forbidden\r\n",
         "Origin"},
        {"/api/v1/ws",
         NULL,
         STREAM_SUBPROTOCOL,
         {0},
         0,
         1,
         0,
         "HTTP/1.1 503 Service Unavailable\r\n",
         "Retry-After: 5\r\n"},
        {"/api/v1/ws",
         NULL,
         STREAM_SUBPROTOCOL,
         {0},
         0,
         0,
         1,
         "HTTP/1.1 503 Service Unavailable\r\n",
         "too many connections"},
        {"/api/v1/stream",
         NULL,
         "http",
         {0},
         0,
         0,
         0,
         "HTTP/1.1 400 Bad Request\r\n",
         "execution_id is required"},
        {"/api/v1/stream",
         NULL,
         "http",
         {"execution_id=00004e2000000001abcdef0123456789"},
         0,
         0,
         0,
         "HTTP/1.1 401 Unauthorized\r\n",
         "token is required"},
        {"/api/v1/stream",
         NULL,
         "http",
         {good[0], "token=bad"},
         0,
         0,
         0,
         "HTTP/1.1 403 Forbidden\r\n",
         "not valid"},
        {"/api/v1/stream",
         NULL,
         "http",
         {good[0], "token=other"},
         0,
         0,
         0,
         "HTTP/1.1 403 Forbidden\r\n",
         "another execution"},
        {"/api/v1/stream",
         "http://evil",
         "http",
         {good[0], good[1]},
         1,
         0,
         0,
         "HTTP/1.1 403 Forbidden\r\n",
         "Origin"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rig_session_socket(&wsi);
        wsi.path = rows[i].path;
        wsi.origin = rows[i].origin;
        wsi.protocol = rows[i].protocol;
        memcpy(wsi.args, rows[i].args, sizeof rows[i].args);
        rig.origin_refused = rows[i].origin_refused;
        rig.leaving = rows[i].leaving;
        rig.options.max_connections = rows[i].full ? 0 : 100;
        assert_false(rig_open(&wsi));
        assert_non_null(wsi.sent.data);
        assert_memory_equal(wsi.sent.data, rows[i].status, strlen(rows[i].status));
        assert_non_null(strstr(wsi.sent.data, rows[i].part));
        assert_non_null(strstr(wsi.sent.data, "X-Request-ID: 5a5a5a5a5a5a5a5a\r\n"));
        assert_null(strstr(wsi.sent.data, "token=bad"));
        drop();
    }
    rig.leaving = rig.origin_refused = false;
}

static void test_filter_upgrade__good_requests__pass(void **state)
{
    struct topic *t = rig_topic(1);
    static const char *const paths[] = {"/api/v1/ws", "/api/v1/ws/", "/api/v1/stream",
                                        "/api/v1/stream//"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        if (i < 2)
            rig_session_socket(&wsi);
        else
            rig_runvoy_socket(&wsi, t);
        wsi.path = paths[i];
        wsi.origin = i % 2 ? "http://localhost:8080" : NULL;
        assert_int_equal(stream_filter_upgrade(rig.st, &wsi), 0);
        assert_int_equal(wsi.sent.len, 0);
        drop();
    }
}

static void test_filter_upgrade__refusal_not_taken_or_no_memory__still_refused(void **state)
{
    (void)state;
    rig_session_socket(&wsi);
    wsi.path = "/nowhere";
    wsi.write_fails = true;
    assert_false(rig_open(&wsi));
    wsi.write_fails = false;
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        int r = stream_filter_upgrade(rig.st, &wsi);
        (void)fail_alloc_off();
        assert_int_equal(r, 1);
    }
    (void)fail_alloc_off();
    drop();
}

static void test_established__socket__greeted_and_counted(void **state)
{
    (void)state;
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    assert_int_equal(streams_count(rig.st), 1);
    rig_answer();
    rig_run(&wsi);
    assert_string_equal(rig_take(&wsi),
                        "{\"type\":\"hello\",\"version\":\"" TAILGATE_VERSION
                        "\",\"user\":\"dev@example.org\",\"session\":\"5a5a5a5a5a5a5a5a\"}\n");
    rig_close(&wsi);
    assert_int_equal(streams_count(rig.st), 0);
}

static void test_established__no_random_bytes__goes_on(void **state)
{
    (void)state;
    rig.random_error = 1;
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    assert_non_null(strstr(rig_take(&wsi), "hello"));
    rig_close(&wsi);
}

static void test_established__no_memory__socket_closes(void **state)
{
    (void)state;
    rig_session_socket(&wsi);
    assert_true(fail_alloc_at(1));
    assert_int_equal(stream_established(rig.st, &wsi, RIG_CLIENT, &wsi.session), -1);
    assert_true(fail_alloc_off());
    assert_null(wsi.session);
    stream_closed(NULL);
    drop();
}

static void test_leave__open_streams__close_1001_and_no_more(void **state)
{
    static struct lws late;

    (void)state;
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    rig_session_socket(&late);
    assert_int_equal(stream_filter_upgrade(rig.st, &late), 0);
    streams_leave(rig.st);
    rig_run(&wsi);
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 1001);
    assert_string_equal(wsi.close_reason, "the server is leaving, reconnect");
    /* what passed the filter before is told so too */
    assert_int_equal(stream_established(rig.st, &late, RIG_CLIENT, &late.session), 0);
    rig_run(&late);
    assert_int_equal(late.close_code, 1001);
    rig_close(&wsi);
    rig_close(&late);
    rig_session_socket(&wsi);
    assert_false(rig_open(&wsi));
    drop();
}

static void test_received__binary__closes_1003(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    for (int runvoy = 0; runvoy < 2; runvoy++) {
        if (runvoy)
            rig_runvoy_socket(&wsi, t);
        else
            rig_session_socket(&wsi);
        assert_true(rig_open(&wsi));
        wsi.is_binary = true;
        assert_int_equal(stream_received(wsi.session, "\0\1", 2), 0);
        assert_int_equal(stream_received(wsi.session, "\0\1", 2), 0); /* closing: ignored */
        rig_run(&wsi);
        assert_true(wsi.closed);
        assert_int_equal(wsi.close_code, 1003);
        rig_close(&wsi);
    }
}

static void test_streams_new__failures__nothing_stays(void **state)
{
    struct streams *st = NULL;

    (void)state;
    rig.encoder_error = ERR_LIMIT;
    assert_int_equal(streams_new(NULL, &st), ERR_LIMIT);
    rig.encoder_error = 0;
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        rig.n_encoders = 0;
        int r = streams_new(NULL, &st);
        if (fail_alloc_off()) {
            assert_int_equal(r, ERR_NOMEM);
            assert_int_equal(rig.timers, 3); /* the rig's own */
        } else {
            assert_int_equal(r, 0);
            streams_free(st);
        }
    }
    (void)fail_alloc_off();
    streams_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_filter_upgrade__each_refusal__status_and_reason,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_filter_upgrade__good_requests__pass, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(
            test_filter_upgrade__refusal_not_taken_or_no_memory__still_refused, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(test_established__socket__greeted_and_counted, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_established__no_random_bytes__goes_on, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_established__no_memory__socket_closes, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_leave__open_streams__close_1001_and_no_more, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_received__binary__closes_1003, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_streams_new__failures__nothing_stays, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
