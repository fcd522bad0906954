#include "server_rig.h"

#define LOGS "GET /api/v1/executions/" RIG_ID "/logs"

static void end_with(enum exec_status status, uint64_t last_seq)
{
    rig.world.row.state.status = status;
    rig.world.row.state.last_seq = last_seq;
}

static void test_logs__while_it_runs__null_and_websocket_url(void **state)
{
    static const struct {
        enum exec_status status;
        const char *text;
    } rows[] = {
        {EXEC_PENDING,
         "\"status\":\"STARTING\",\"queued\":true,\"events\":null,\"websocket_url\":\"ws://"},
        {EXEC_STARTING, "\"status\":\"STARTING\",\"events\":null"},
        {EXEC_RUNNING, "\"status\":\"RUNNING\",\"events\":null,\"websocket_url\":\"ws://"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        end_with(rows[i].status, 3);
        rig_expect(LOGS, "", NULL, 200, rows[i].text);
    }
}

static void test_logs__ended__every_line(void **state)
{
    struct answer a;
    (void)state;
    end_with(EXEC_SUCCEEDED, 3);
    rig_step(0, rig_chunk(1, 'o', 0, "one", 's', 0, "system", 0));
    rig_step(ERR_AGAIN, NULL);
    rig_step(0, rig_chunk(3, 'e', 0, "", 0));
    rig_step(ERR_END, NULL);
    rig_request(LOGS, "", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(
        a.body.data, "{\"execution_id\":\"" RIG_ID "\",\"status\":\"SUCCEEDED\",\"events\":["
                     "{\"event_id\":\"" RIG_ID
                     "-00000000000000000001\",\"timestamp\":1700000000000,\"message\":\"one\"},"
                     "{\"event_id\":\"" RIG_ID
                     "-00000000000000000002\",\"timestamp\":1700000000000,\"message\":\"system\"},"
                     "{\"event_id\":\"" RIG_ID
                     "-00000000000000000003\",\"timestamp\":1700000000000,\"message\":\"\"}]}");
    answer_done(&a);
}

static void test_logs__terminating__lines_and_websocket_url(void **state)
{
    (void)state;
    end_with(EXEC_TERMINATING, 1);
    rig_step(0, rig_chunk(1, 'o', 0, "one", 0));
    rig_expect(LOGS, "", NULL, 200, "\"message\":\"one\"}],\"websocket_url\":\"ws://gate.example");
}

static void test_logs__no_lines__empty_array(void **state)
{
    (void)state;
    end_with(EXEC_FAILED, 0);
    rig_expect(LOGS, "", NULL, 200, "\"status\":\"FAILED\",\"events\":[]}");
}

static void test_logs__pages__range_and_link(void **state)
{
    static const struct {
        const char *line;
        uint64_t after, lines;
        const char *link;
    } rows[] = {
        {LOGS "?after=2&limit=3", 2, 3,
         "</api/v1/executions/" RIG_ID "/logs?after=5&limit=3>; rel=\"next\""},
        {LOGS "?after=2", 2, 4, NULL},
        {LOGS "?after=6", 6, 0, NULL},
        {LOGS "?after=60", 60, 0, NULL},
        {LOGS "?limit=6", 0, 6, NULL},
        {LOGS "?limit=0", 0, 6, NULL},
        {LOGS "?tail=2", 4, 2, NULL},
        {LOGS "?tail=99", 0, 6, NULL},
    };
    (void)state;
    end_with(EXEC_RUNNING, 6);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a;
        size_t n = 0;
        rig.steps_done = rig.steps_count = 0;
        struct chunk *all = rig_chunk(1, 'o', 0, "1", 'o', 0, "2", 'o', 0, "3", 'o', 0, "4", 'o', 0,
                                      "5", 'o', 0, "6", 0);
        if (rows[i].after < 6) {
            rig_step(0, all);
            rig.steps[0].first_line = (uint32_t)rows[i].after;
        } else {
            chunk_unref(all);
        }
        rig_request(rows[i].line, "", NULL, &a);
        assert_int_equal(a.status, 200);
        assert_int_equal(rig.opened_after, rows[i].after);
        for (const char *at = a.body.data; (at = strstr(at, "event_id")) != NULL; at++)
            n++;
        assert_int_equal(n, rows[i].lines);
        assert_true(n == 0 || strstr(a.body.data, "\"message\":\"6\",\"stream\":\"stdout\"}") ||
                    rows[i].link);
        assert_non_null(strstr(a.body.data, "],\"last_seq\":6,\"websocket_url\":"));
        const char *link = answer_header(&a, "Link");
        assert_true(rows[i].link ? str_eq(link, rows[i].link) : link == NULL);
        answer_done(&a);
    }
}

static void test_logs__bad_query__400(void **state)
{
    (void)state;
    rig_expect(LOGS "?after=x", "", NULL, 400, "invalid after parameter");
    rig_expect(LOGS "?limit=-1", "", NULL, 400, "invalid limit parameter");
    rig_expect(LOGS "?tail=x", "", NULL, 400, "invalid tail parameter");
    rig_expect(LOGS "?after=1&tail=1", "", NULL, 400, "exclude");
    rig_expect(LOGS ".txt?q=x", "", NULL, 400, "logs.txt is not searched");
    rig_expect(LOGS "?q=x&regex=x", "", NULL, 400, "q and regex exclude each other");
    rig_expect(LOGS "?q=x&before=x", "", NULL, 400, "invalid before parameter");
    rig_expect(LOGS "?q=x&after=1&before=1", "", NULL, 400, "after and before exclude");
    rig_expect(LOGS "?q=x&tail=1", "", NULL, 400, "a search has no tail");
    rig_expect(LOGS "?q=x&limit=x", "", NULL, 400, "invalid limit parameter");
    rig_expect(LOGS "?q=x&cursor=1.2", "", NULL, 400, "cursor must come from");
    rig_expect("GET /api/v1/executions/nope/logs?q=x", "", NULL, 404, "execution not found");
    rig_expect("GET /api/v1/executions/nope/logs", "", NULL, 404, "execution not found");
}

static void test_logs__problems__answered(void **state)
{
    (void)state;
    (void)problem_set(&rig.world.problem, ERR_NOT_FOUND, "x", "execution not found");
    rig_expect(LOGS, "", NULL, 404, "failed to get execution logs");
    rig.world.refuses = true;
    rig_expect(LOGS ".txt", "", NULL, 404, "failed to get execution logs");
    rig.world.refuses = false;
    rig.world.problem.err = 0;
    end_with(EXEC_FAILED, 1);
    rig.hub_error = ERR_NOMEM;
    rig_expect(LOGS, "", NULL, 500, "INTERNAL_ERROR");
}

static void test_logs_txt__raw_bytes__parts_joined_system_left_out(void **state)
{
    struct answer a;
    (void)state;
    end_with(EXEC_SUCCEEDED, 6);
    rig_step(0, rig_chunk(1, 'o', 0, "a\tb\r", 's', 0, "ours", 'o', LINE_PART, "be", 'e', 0, "err",
                          'o', 0, "gin\xff", 'o', LINE_NO_EOL, "end", 0));
    rig_request(LOGS ".txt", "", NULL, &a);
    assert_string_equal(answer_header(&a, "Content-Type"), "text/plain; charset=utf-8");
    assert_string_equal(a.body.data, "a\tb\r\nbeerr\ngin\xff\nend");
    assert_true(a.chunked);
    answer_done(&a);
}

static void test_logs_txt__follow__goes_on_until_the_end(void **state)
{
    struct answer a;
    (void)state;
    end_with(EXEC_RUNNING, 1);
    rig_step(0, rig_chunk(1, 'o', 0, "one", 0));
    rig_step(ERR_AGAIN, NULL);
    rig_step(ERR_AGAIN, NULL);
    rig_step(0, rig_chunk(2, 'o', 0, "two", 0));
    rig_step(ERR_AGAIN, NULL);
    rig_step(ERR_END, NULL);
    rig_request(LOGS ".txt?follow=1", "", NULL, &a);
    assert_string_equal(a.body.data, "one\ntwo\n");
    assert_true(a.chunked);
    answer_done(&a);
}

static void test_logs_txt__follow_when_the_server_leaves__cut(void **state)
{
    static const char request[] = LOGS ".txt?follow=true HTTP/1.1\r\nX-API-Key: tg_good\r\n\r\n";
    (void)state;
    end_with(EXEC_RUNNING, 1);
    rig_step(0, rig_chunk(1, 'o', 0, "one", 0));
    int fd = rig_connect();
    rig_send(fd, request, sizeof(request) - 1);
    while (rig.steps_done == 0)
        rig_turns(1);
    rig_turns(3);
    server_leave(rig.server, NULL, NULL);
    struct answer a;
    rig_receive(fd, &a, true);
    assert_string_equal(a.body.data, "one\n");
    assert_true(a.eof);
    answer_done(&a);
    (void)close(fd);
}

static void test_logs_txt__reader_leaves__noticed_without_a_line(void **state)
{
    static const char request[] = LOGS ".txt?follow=1 HTTP/1.1\r\nX-API-Key: tg_good\r\n\r\n";
    (void)state;
    end_with(EXEC_RUNNING, 1);
    rig_step(0, rig_chunk(1, 'o', 0, "one", 0));
    int fd = rig_connect();
    rig_send(fd, request, sizeof(request) - 1);
    while (rig.steps_done == 0)
        rig_turns(1);
    rig_turns(3);
    (void)close(fd);
    int64_t end_ms = clock_mono_ms() + 60000;
    while (rig.cursors_open > 0) {
        assert_true(clock_mono_ms() < end_ms);
        rig_turns(1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_logs__while_it_runs__null_and_websocket_url, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs__ended__every_line, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs__terminating__lines_and_websocket_url, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs__no_lines__empty_array, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs__pages__range_and_link, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs__bad_query__400, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs__problems__answered, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs_txt__raw_bytes__parts_joined_system_left_out,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs_txt__follow__goes_on_until_the_end, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs_txt__follow_when_the_server_leaves__cut,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_logs_txt__reader_leaves__noticed_without_a_line,
                                        rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
