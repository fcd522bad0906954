#include "server_rig.h"

#define STREAM "GET /api/v1/executions/" RIG_ID "/logs/stream"
#define EVENT(n, text, stream)                                            \
    "id: " #n "\ndata: {\"event_id\":\"" RIG_ID "-0000000000000000000" #n \
    "\",\"timestamp\":1700000000000,\"message\":\"" text "\",\"stream\":\"" stream "\"}\n\n"

static void set_state(enum exec_status status, int64_t version, uint64_t last_seq)
{
    struct exec_state *s = &rig.world.row.state;
    s->status = status;
    s->version = version;
    s->last_seq = last_seq;
    s->exit_code = status == EXEC_SUCCEEDED ? 0 : EXIT_CODE_NONE;
}

/* A state that the topic comes to know. */
static void add_state(enum exec_status status, int64_t version, uint64_t last_seq)
{
    set_state(status, version, last_seq);
    rig.states[rig.states_count++] = rig.world.row.state;
}

/* What stands where in the body: each text behind the one before. */
static void assert_order(const char *body, const char *const *texts)
{
    for (; *texts; texts++) {
        const char *at = strstr(body, *texts);
        if (!at)
            fail_msg("%s is not in %s", *texts, body);
        body = at + strlen(*texts);
    }
}

static void test_log_events__ended__every_line_and_the_end(void **state)
{
    struct answer a;
    (void)state;
    set_state(EXEC_SUCCEEDED, 4, 4);
    rig_step(0, rig_chunk(1, 'o', 0, "one\\r", 's', 0, "ours", 0));
    rig_step(0, rig_chunk(3, 'e', LINE_PART, "be", 'e', 0, "", 0));
    rig_step(ERR_END, NULL);
    rig_request(STREAM, "", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_true(a.chunked);
    assert_string_equal(answer_header(&a, "Content-Type"), "text/event-stream");
    assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
    assert_string_equal(answer_header(&a, "X-Accel-Buffering"), "no");
    static const char *const texts[] = {
        "retry: 1000\n\nevent: status\ndata: {\"type\":\"status\",\"execution_id\":\"" RIG_ID
        "\",\"status\":\"SUCCEEDED\",\"version\":4,",
        "}\n\n" EVENT(1, "one\\\\r", "stdout") EVENT(2, "ours", "system"),
        "\"message\":\"be\",\"stream\":\"stderr\",\"part\":true}\n\n" EVENT(4, "", "stderr"),
        "event: end\ndata: {\"type\":\"end\",\"execution_id\":\"" RIG_ID
        "\",\"last_seq\":4,\"status\":\"SUCCEEDED\",\"exit_code\":0}\n\n",
        NULL};
    assert_order(a.body.data, texts);
    answer_done(&a);
}

/* Sends the request for a stream that waits for its second line. */
static int open_waiting(void)
{
    static const char request[] = STREAM " HTTP/1.1\r\nX-API-Key: " RIG_KEY "\r\n\r\n";
    set_state(EXEC_RUNNING, 3, 1);
    rig_step(0, rig_chunk(1, 'o', 0, "one", 0));
    int fd = rig_connect();
    rig_send(fd, request, sizeof(request) - 1);
    while (rig.steps_done == 0)
        rig_turns(1);
    rig_turns(3);
    return fd;
}

static void test_log_events__live__states_stand_where_they_happened(void **state)
{
    struct answer a;
    (void)state;
    rig.auto_wake = true;
    int fd = open_waiting();
    rig.states[rig.states_count++] = rig.world.row.state;
    add_state(EXEC_TERMINATING, 4, 1);
    add_state(EXEC_STOPPED, 5, 3);
    rig_step(ERR_GAP, NULL);
    rig_step(ERR_DB_AWAY, NULL);
    rig_step(0, rig_chunk(3, 'o', 0, "three", 0));
    rig_step(ERR_END, NULL);
    rig_wake();
    rig_receive(fd, &a, true);
    static const char *const texts[] = {
        "\"RUNNING\",\"version\":3",
        "id: 1\ndata: ",
        "event: status\ndata: ",
        "\"TERMINATING\",\"version\":4",
        "id: 2\nevent: gap\ndata: {\"type\":\"gap\",\"execution_id\":\"" RIG_ID
        "\",\"from\":2,\"to\":2,\"reason\":\"retention\"}\n\n",
        "id: 3\ndata: ",
        "\"STOPPED\",\"version\":5",
        "event: end\n",
        NULL};
    assert_order(a.body.data, texts);
    answer_done(&a);
    (void)close(fd);
}

static void test_log_events__position__header_before_query(void **state)
{
    static const struct {
        const char *line, *headers;
        uint64_t after;
    } rows[] = {
        {STREAM, "", 0},
        {STREAM "?after=5", "", 5},
        {STREAM "?after=5", "Last-Event-ID: 7\r\n", 7},
        {STREAM "?after=5", "Last-Event-ID: " RIG_ID "-00000000000000000009\r\n", 9},
    };
    (void)state;
    set_state(EXEC_SUCCEEDED, 4, 9);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rig.steps_done = rig.steps_count = 0;
        rig_step(ERR_END, NULL);
        rig_expect(rows[i].line, rows[i].headers, NULL, 200, "event: end");
        assert_int_equal(rig.opened_after, rows[i].after);
    }
}

static void test_log_events__bad_request__400_or_404(void **state)
{
    (void)state;
    rig_expect(STREAM "?after=x", "", NULL, 400, "invalid after parameter");
    rig_expect(STREAM, "Last-Event-ID: -1\r\n", NULL, 400, "invalid Last-Event-ID");
    rig_expect(STREAM, "Last-Event-ID: 0000512b00000009aabbccddeeff0011-1\r\n", NULL, 400,
               "of this execution");
    rig_expect("GET /api/v1/executions/nope/logs/stream", "", NULL, 404, "execution not found");
    rig_expect(STREAM, "!", NULL, 401, "API key is required");
}

static void test_log_events__problems__answered(void **state)
{
    (void)state;
    (void)problem_set(&rig.world.problem, ERR_FORBIDDEN, "x", "not yours");
    rig_expect(STREAM, "", NULL, 403, "not yours");
    rig.world.refuses = true;
    rig_expect(STREAM, "", NULL, 403, "not yours");
    rig.world.refuses = false;
    rig.world.problem.err = 0;
    rig.hub_error = ERR_NOMEM;
    rig_expect(STREAM, "", NULL, 500, "failed to stream execution logs");
}

static void test_log_events__large_chunk__in_pieces_none_lost(void **state)
{
    char line[3001]; /* each byte is six in JSON */
    struct answer a;
    size_t n = 0;
    (void)state;
    memset(line, '\x01', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    set_state(EXEC_SUCCEEDED, 4, 8);
    rig_step(0, rig_chunk(1, 'o', 0, line, 'o', 0, line, 'o', 0, line, 'o', 0, line, 'o', 0, line,
                          'o', 0, line, 'o', 0, line, 'o', 0, line, 0));
    rig_step(ERR_END, NULL);
    rig_request(STREAM, "", NULL, &a);
    for (const char *at = a.body.data; (at = strstr(at, "\nid: ")) != NULL; at++)
        assert_int_equal(at[5], '0' + (int)++n);
    assert_int_equal(n, 8);
    answer_done(&a);
}

static void test_log_events__nothing_to_say__pings(void **state)
{
    struct answer a;
    (void)state;
    rig.options.ping_interval_ms = 10;
    int fd = open_waiting();
    for (int i = 0; i < 4; i++) { /* each time its timer is due, however late we are */
        int64_t end_ms = clock_mono_ms() + 15;
        do
            rig_turns(1);
        while (clock_mono_ms() < end_ms);
    }
    rig_step(ERR_END, NULL);
    rig_receive(fd, &a, true);
    static const char *const texts[] = {"id: 1\n", ": ping\n\n", ": ping\n\n", "event: end\n",
                                        NULL};
    assert_order(a.body.data, texts);
    answer_done(&a);
    (void)close(fd);
}

static void test_log_events__server_leaves__cut(void **state)
{
    struct answer a;
    (void)state;
    int fd = open_waiting();
    server_leave(rig.server, NULL, NULL);
    rig_receive(fd, &a, true);
    assert_true(a.eof);
    assert_non_null(strstr(a.body.data, EVENT(1, "one", "stdout")));
    assert_null(strstr(a.body.data, "event: end"));
    answer_done(&a);
    (void)close(fd);
}

static void test_log_events__reader_leaves__noticed_without_a_line(void **state)
{
    (void)state;
    int fd = open_waiting();
    (void)close(fd);
    int64_t end_ms = clock_mono_ms() + 60000;
    while (rig.cursors_open > 0 || rig.topics_open > 0) {
        assert_true(clock_mono_ms() < end_ms);
        rig_turns(1);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_log_events__ended__every_line_and_the_end),
        TEST(test_log_events__live__states_stand_where_they_happened),
        TEST(test_log_events__position__header_before_query),
        TEST(test_log_events__bad_request__400_or_404),
        TEST(test_log_events__problems__answered),
        TEST(test_log_events__large_chunk__in_pieces_none_lost),
        TEST(test_log_events__nothing_to_say__pings),
        TEST(test_log_events__server_leaves__cut),
        TEST(test_log_events__reader_leaves__noticed_without_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
