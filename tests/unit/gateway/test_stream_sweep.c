/* Deadlines, with a clock that only the test moves. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

static struct lws wsi;

static void open_session(const char *key)
{
    rig_session_socket(&wsi);
    wsi.key = key;
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    (void)rig_take(&wsi);
}

static void sweep_after(int64_t ms)
{
    rig.now_ms += ms;
    stream_sweep(rig.st);
    rig_run(&wsi);
}

static void test_sweep__no_authentication_in_time__4408(void **state)
{
    (void)state;
    open_session(NULL);
    sweep_after(9999);
    assert_false(wsi.closed);
    sweep_after(1);
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 4408);
    assert_string_equal(wsi.close_reason, "no authentication in time");
    rig_close(&wsi);
}

static void test_sweep__authenticated_or_asked__no_auth_deadline(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    sweep_after(20000);
    assert_false(wsi.closed);
    rig_close(&wsi);
    rig_session_socket(&wsi); /* the answer takes its time */
    assert_true(rig_open(&wsi));
    sweep_after(40000);
    assert_false(wsi.closed);
    assert_string_equal(rig_take(&wsi), "");
    rig_answer();
    rig_run(&wsi);
    assert_non_null(strstr(rig_take(&wsi), "hello"));
    rig_close(&wsi);
}

static void test_sweep__pings__answered_in_time_go_on(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    for (int i = 0; i < 3; i++) {
        sweep_after(24999);
        assert_string_equal(rig_take(&wsi), "");
        sweep_after(1);
        assert_string_equal(rig_take(&wsi), "(ping)\n");
        sweep_after(9999);
        assert_false(wsi.closed);
        assert_int_equal(stream_pong(wsi.session), 0);
        assert_int_equal(stream_pong(wsi.session), 0); /* unasked for */
    }
    rig_close(&wsi);
}

static void test_sweep__no_pong__closes_1001(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    sweep_after(25000);
    sweep_after(10000); /* hello's bytes give it a millisecond more */
    assert_false(wsi.closed);
    sweep_after(1);
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 1001);
    assert_string_equal(wsi.close_reason, "no pong in time, reconnect");
    rig_close(&wsi);
}

/* A ping waits for the answer; then, for many minutes, more is unsent than the socket takes. */
static void test_sweep__something_unsent__pong_clock_stands(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    sweep_after(25000);
    assert_string_equal(rig_take(&wsi), "(ping)\n");
    wsi.unsent = 10;
    for (int i = 0; i < 100; i++, rig.taken++)
        sweep_after(5000);
    assert_false(wsi.closed);
    assert_string_equal(rig_take(&wsi), ""); /* nor another ping behind it */
    wsi.unsent = 0;
    sweep_after(10000);
    assert_false(wsi.closed);
    sweep_after(1);
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 1001);
    rig_close(&wsi);
}

static void test_sweep__nothing_taken__1008_after_the_timeout(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    wsi.unsent = 1;
    sweep_after(299999);
    sweep_after(0);
    assert_false(wsi.closed);
    sweep_after(1);
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 1008);
    assert_string_equal(wsi.close_reason, "the reader took nothing for 300 s");
    assert_true(rig.sndbuf >= 2 * (int)STREAM_WRITE_MAX); /* room for the reason */
    rig_close(&wsi);
}

static void test_sweep__libwebsockets_holds_the_rest__counts_as_unsent(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    wsi.partial = true;
    sweep_after(300000);
    assert_int_equal(rig_stream(&wsi)->state, STREAM_CLOSING);
    assert_false(wsi.closed); /* the close frame stands behind the rest */
    wsi.partial = false;
    sweep_after(0);
    assert_int_equal(stream_writeable(wsi.session), 0);
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1008);
    rig_close(&wsi);
}

static void test_sweep__a_byte_now_and_then__never_cut(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    wsi.unsent = 1000;
    for (int i = 0; i < 50; i++, rig.taken++)
        sweep_after(299999);
    sweep_after(299999); /* here the last one is seen */
    sweep_after(299999);
    assert_false(wsi.closed);
    sweep_after(1);
    assert_true(wsi.closed);
    rig_close(&wsi);
}

static void test_sweep__idle_timeout_begins_with_what_is_unsent(void **state)
{
    (void)state;
    rig.options.ping_interval_ms = 0;
    open_session(RIG_KEY);
    sweep_after(1000000); /* a quiet execution */
    wsi.unsent = 1;
    sweep_after(299999);
    assert_false(wsi.closed);
    wsi.unsent = 0;
    sweep_after(1);
    wsi.unsent = 1;
    sweep_after(299999);
    assert_false(wsi.closed);
    sweep_after(1);
    assert_true(wsi.closed);
    rig_close(&wsi);
}

static void test_sweep__runvoy_reader_takes_nothing__1008(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_runvoy_socket(&wsi, t);
    rig_add(t, 10);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    wsi.unsent = 1;
    sweep_after(300000);
    assert_int_equal(wsi.close_code, 1008);
    rig_close(&wsi);
}

static void test_sweep__short_timeout__named_in_ms(void **state)
{
    (void)state;
    rig.options.reader_idle_timeout_ms = 40;
    stream_sweep_init(rig.st);
    open_session(RIG_KEY);
    wsi.unsent = 1;
    sweep_after(40);
    assert_string_equal(wsi.close_reason, "the reader took nothing for 40 ms");
    rig_close(&wsi);
}

static void test_sweep__reader_with_much_to_digest__gets_longer(void **state)
{
    struct topic *t = rig_topic(1);
    uint64_t bytes;

    (void)state;
    rig_runvoy_socket(&wsi, t);
    for (int i = 0; i < 10; i++)
        rig_add(t, 5000);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    bytes = rig_stream(&wsi)->sent_bytes;
    assert_true(bytes > 5000000);
    sweep_after(25000);
    sweep_after(10000 + (int64_t)(bytes / STREAM_DIGEST_BYTES_PER_MS) - 1);
    assert_false(wsi.closed);
    assert_int_equal(stream_pong(wsi.session), 0);
    sweep_after(25000); /* nothing was written since: the usual patience */
    sweep_after(10000);
    assert_true(wsi.closed);
    rig_close(&wsi);
}

static void test_sweep__gigabytes_sent__patience_has_an_end(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    rig_stream(&wsi)->sent_bytes = (uint64_t)25 << 30;
    sweep_after(25000);
    sweep_after(10000 + STREAM_DIGEST_BYTES_MAX / STREAM_DIGEST_BYTES_PER_MS - 1);
    assert_false(wsi.closed);
    sweep_after(1);
    assert_true(wsi.closed);
    rig_close(&wsi);
}

static void test_sweep__pings_off_or_no_memory__none_sent(void **state)
{
    (void)state;
    rig.options.ping_interval_ms = 0;
    open_session(RIG_KEY);
    sweep_after(1000000);
    assert_string_equal(rig_take(&wsi), "");
    rig.options.ping_interval_ms = 25000;
    assert_true(fail_alloc_at(1));
    sweep_after(1000);
    assert_true(fail_alloc_off());
    assert_string_equal(rig_take(&wsi), "");
    sweep_after(24999);
    assert_string_equal(rig_take(&wsi), ""); /* the next try is an interval later */
    sweep_after(1);
    assert_string_equal(rig_take(&wsi), "(ping)\n");
    rig_close(&wsi);
}

static void test_sweep__close_that_the_socket_does_not_take__killed(void **state)
{
    (void)state;
    open_session(RIG_KEY);
    wsi.partial = true;
    stream_close(rig_stream(&wsi), 1001, "bye");
    sweep_after(STREAM_CLOSE_WAIT_MS - 1);
    assert_false(wsi.is_killed);
    sweep_after(1);
    assert_true(wsi.is_killed);
    wsi.is_killed = false;
    sweep_after(STREAM_CLOSE_WAIT_MS);
    assert_true(wsi.is_killed);
    rig_close(&wsi);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sweep__no_authentication_in_time__4408),
        TEST(test_sweep__authenticated_or_asked__no_auth_deadline),
        TEST(test_sweep__pings__answered_in_time_go_on),
        TEST(test_sweep__no_pong__closes_1001),
        TEST(test_sweep__something_unsent__pong_clock_stands),
        TEST(test_sweep__nothing_taken__1008_after_the_timeout),
        TEST(test_sweep__libwebsockets_holds_the_rest__counts_as_unsent),
        TEST(test_sweep__a_byte_now_and_then__never_cut),
        TEST(test_sweep__idle_timeout_begins_with_what_is_unsent),
        TEST(test_sweep__runvoy_reader_takes_nothing__1008),
        TEST(test_sweep__short_timeout__named_in_ms),
        TEST(test_sweep__reader_with_much_to_digest__gets_longer),
        TEST(test_sweep__gigabytes_sent__patience_has_an_end),
        TEST(test_sweep__pings_off_or_no_memory__none_sent),
        TEST(test_sweep__close_that_the_socket_does_not_take__killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
