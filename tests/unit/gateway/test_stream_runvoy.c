/* Runvoy's stream: lines as messages, resuming, the pause before disconnect, close 1000. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

#include <stdio.h>

#define DISCONNECT "{\"type\":\"disconnect\",\"reason\":\"execution_completed\"}\n"

static struct lws wsi;

/* The seqs of the messages since the last call, and whether a disconnect is among them. */
static size_t take_seqs(uint64_t *ret_first, bool *ret_disconnect)
{
    size_t n = 0;

    *ret_disconnect = false;
    for (const char *line = rig_take(&wsi); *line; line = strchr(line, '\n') + 1) {
        uint64_t seq;
        if (strncmp(line, DISCONNECT, sizeof DISCONNECT - 1) == 0) {
            *ret_disconnect = true;
            continue;
        }
        assert_memory_equal(line, "{\"event_id\":\"", 13);
        seq = strtoull(line + 13 + EXECUTION_ID_LEN + 1, NULL, 10);
        if (n == 0)
            *ret_first = seq;
        assert_int_equal(seq, *ret_first + n);
        assert_false(*ret_disconnect);
        n++;
    }
    return n;
}

static void open_stream(const struct topic *t, const char *arg)
{
    rig_runvoy_socket(&wsi, t);
    wsi.args[2] = arg;
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
}

static void tick(int64_t ms)
{
    rig.now_ms += ms;
    rig.timer_active = 0;
    runvoy_linger_tick(rig.st);
    rig_run(&wsi);
}

static void test_runvoy__whole_life__lines_then_pause_then_disconnect(void **state)
{
    struct topic *t = rig_topic(1);
    uint64_t first = 0;
    bool bye;

    (void)state;
    rig_add(t, 3);
    open_stream(t, NULL);
    assert_int_equal(take_seqs(&first, &bye), 3);
    assert_int_equal(first, 1);
    rig_state(t, EXEC_TERMINATING);
    rig_add(t, 2);
    rig_wake();
    rig_run(&wsi);
    assert_int_equal(take_seqs(&first, &bye), 2);
    assert_int_equal(first, 4);
    rig_state(t, EXEC_STOPPED);
    rig_wake();
    rig_run(&wsi);
    assert_string_equal(rig_take(&wsi), "");
    assert_true(rig.timer_active);
    assert_int_equal(rig.timer_delay, STREAM_LINGER_MS);
    tick(STREAM_LINGER_MS - 1);
    assert_string_equal(rig_take(&wsi), "");
    assert_int_equal(rig.timer_delay, 1);
    assert_false(wsi.closed);
    tick(1);
    assert_string_equal(rig_take(&wsi), DISCONNECT);
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 1000);
    assert_string_equal(wsi.close_reason, "execution completed");
    rig_close(&wsi);
}

static void test_runvoy__peer_has_not_taken_the_last_line__pause_begins_later(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 3);
    rig_state(t, EXEC_SUCCEEDED);
    open_stream(t, NULL);
    wsi.unsent = 100;
    for (int i = 0; i < 5; i++)
        tick(STREAM_LINGER_MS);
    wsi.unsent = 0;
    tick(STREAM_LINGER_MS - 1);
    assert_null(strstr(rig_take(&wsi), "disconnect"));
    tick(1);
    assert_string_equal(rig_take(&wsi), DISCONNECT);
    rig_close(&wsi);
}

static void test_runvoy__several_linger__each_in_its_time(void **state)
{
    static struct lws other;
    struct topic *t = rig_topic(1);

    (void)state;
    rig_state(t, EXEC_SUCCEEDED);
    rig_runvoy_socket(&other, t);
    assert_true(rig_open(&other));
    rig_answer();
    rig_run(&other);
    rig.now_ms += 100;
    open_stream(t, NULL);
    tick(STREAM_LINGER_MS - 100);
    rig_run(&other);
    assert_true(other.closed);
    assert_false(wsi.closed);
    assert_int_equal(rig.timer_delay, 100);
    rig_close(&other);
    rig_close(&wsi); /* while it lingers */
    tick(100);
    rig_session_socket(&wsi);
    buf_done(&wsi.sent);
}

static void test_runvoy__resumed__goes_on_behind_the_last_event(void **state)
{
    static const char *const args[] = {
        NULL,
        "after=",
        "after=0",
        "after=7",
        "last_event_id=00004e2000000001abcdef0123456789-00000000000000000007",
        "last_event_id=7",
    };
    static const uint64_t expected[] = {1, 1, 1, 8, 8, 8};
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 5);
    rig_add(t, 5);
    for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
        uint64_t first = 0;
        bool bye;
        open_stream(t, args[i]);
        assert_int_equal(take_seqs(&first, &bye), 11 - expected[i]);
        assert_int_equal(first, expected[i]);
        rig_close(&wsi);
    }
}

static void test_runvoy__what_the_client_says__is_ignored(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 1);
    open_stream(t, NULL);
    (void)rig_take(&wsi);
    rig_say(&wsi, "{\"type\":\"subscribe\"}");
    assert_string_equal(rig_take(&wsi), "");
    assert_false(wsi.closed);
    rig_close(&wsi);
}

static void test_runvoy__gap__goes_on_silently(void **state)
{
    struct topic *t = rig_topic(1);
    uint64_t first = 0;
    bool bye;

    (void)state;
    rig_add(t, 5);
    rig_add(t, 5);
    t->gap_to = 5;
    open_stream(t, NULL);
    assert_int_equal(take_seqs(&first, &bye), 5);
    assert_int_equal(first, 6);
    rig_close(&wsi);
}

static void test_runvoy__refusals_after_the_upgrade__readable_close(void **state)
{
    static const struct {
        int sync, answer, open, cursor;
        bool forbidden;
        unsigned code;
        const char *reason;
    } rows[] = {
        {0, ERR_REVOKED, 0, 0, 0, 4401, "the key or its user was revoked"},
        {0, ERR_DB_AWAY, 0, 0, 0, 1013, "the database is away, try again later"},
        {ERR_CLOSED, 0, 0, 0, 0, 1001, "the server is leaving, reconnect"},
        {0, 0, 0, 0, 1, 1008, "not allowed to read this execution"},
        {0, 0, ERR_NOMEM, 0, 0, 1011, "internal error"},
        {0, 0, 0, ERR_NOMEM, 0, 1011, "internal error"},
    };
    struct topic *t = rig_topic(1);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rig.sync_error = rows[i].sync;
        rig.answer_error = rows[i].answer;
        rig.open_error = rows[i].open;
        rig.cursor_error = rows[i].cursor;
        t->forbidden = rows[i].forbidden;
        open_stream(t, NULL);
        assert_true(wsi.closed);
        assert_int_equal(wsi.close_code, rows[i].code);
        assert_string_equal(wsi.close_reason, rows[i].reason);
        assert_string_equal(rig_take(&wsi), "");
        rig_close(&wsi);
    }
    rig.sync_error = rig.answer_error = rig.open_error = rig.cursor_error = 0;
    rig_runvoy_socket(&wsi, t);
    wsi.args[0] = "execution_id=00004e2000000009abcdef0123456789";
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    assert_string_equal(wsi.close_reason, "execution not found");
    rig_close(&wsi);
    rig_runvoy_socket(&wsi, t);
    wsi.args[1] = "token=expired"; /* between the filter and the upgrade */
    assert_int_equal(stream_established(rig.st, &wsi, RIG_CLIENT, &wsi.session), 0);
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1008);
    rig_close(&wsi);
}

static void test_runvoy__each_allocation_fails__close_but_no_harm(void **state)
{
    struct topic *t = rig_topic(1);
    uint64_t first = 0;
    bool bye;

    (void)state;
    rig_add(t, 5);
    for (unsigned n = 1;; n++) {
        bool failed;
        rig_runvoy_socket(&wsi, t);
        (void)fail_alloc_at(n);
        if (stream_established(rig.st, &wsi, RIG_CLIENT, &wsi.session) == 0) {
            rig_answer();
            rig_run(&wsi);
        }
        failed = fail_alloc_off();
        if (!wsi.closed && wsi.session)
            assert_int_equal(take_seqs(&first, &bye), 5);
        else
            assert_true(!wsi.session || wsi.close_code == 1011);
        rig_close(&wsi);
        if (!failed)
            break;
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_runvoy__whole_life__lines_then_pause_then_disconnect),
        TEST(test_runvoy__peer_has_not_taken_the_last_line__pause_begins_later),
        TEST(test_runvoy__several_linger__each_in_its_time),
        TEST(test_runvoy__resumed__goes_on_behind_the_last_event),
        TEST(test_runvoy__what_the_client_says__is_ignored),
        TEST(test_runvoy__gap__goes_on_silently),
        TEST(test_runvoy__refusals_after_the_upgrade__readable_close),
        TEST(test_runvoy__each_allocation_fails__close_but_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
