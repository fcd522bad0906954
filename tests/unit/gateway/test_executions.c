#include "server_rig.h"

static void test_post_run__whole_request__passed_on_and_answered_202(void **state)
{
    struct answer a;
    (void)state;
    rig_request("POST /api/v1/run", "",
                "{\"command\":\"echo hi\",\"image\":\"host\",\"env\":{\"A\":\"1\",\"B\":\"2\"},"
                "\"timeout\":9,\"grace\":3,\"tty\":true}",
                &a);
    assert_int_equal(a.status, 202);
    assert_string_equal(rig.world.command, "echo hi");
    assert_string_equal(rig.world.image, "host");
    assert_int_equal(rig.world.env_count, 2);
    assert_int_equal(rig.world.timeout_s, 9);
    assert_int_equal(rig.world.grace_s, 3);
    assert_true(rig.world.tty);
    assert_string_equal(rig.world.request_id, answer_header(&a, "X-Request-ID"));
    assert_non_null(strstr(a.body.data, "\"execution_id\":\"" RIG_ID "\""));
    assert_non_null(strstr(a.body.data, "\"websocket_url\":\"ws://gate.example/api/v1/"
                                        "stream?execution_id=" RIG_ID "&token=TOKEN\""));
    assert_non_null(
        strstr(a.body.data, "\"log_url\":\"http://gate.example/executions/" RIG_ID "\""));
    assert_null(answer_header(&a, "Location"));
    answer_done(&a);
}

static void test_post_executions__201_with_location(void **state)
{
    struct answer a;
    (void)state;
    rig_request("POST /api/v1/executions/", "", "{\"command\":\"x\"}", &a);
    assert_int_equal(a.status, 201);
    assert_string_equal(answer_header(&a, "Location"), "/api/v1/executions/" RIG_ID);
    assert_int_equal(rig.world.timeout_s, -1);
    answer_done(&a);
}

static void test_post_run__all_fields__handed_on(void **state)
{
    struct answer a;
    (void)state;
    rig_request("POST /api/v1/run", "",
                "{\"command\":\"x\",\"secrets\":[\"db\",\"api\"],\"git_repo\":\"https://h/r\","
                "\"git_ref\":\"v1\",\"git_path\":\"src\",\"idempotency_key\":\"k1\"}",
                &a);
    assert_int_equal(a.status, 202);
    assert_string_equal(rig.world.secret, "db");
    assert_string_equal(rig.world.git, "https://h/r v1 src");
    assert_string_equal(rig.world.key, "k1");
    assert_null(answer_header(&a, "Idempotent-Replayed"));
    answer_done(&a);
}

static void test_post_run__replayed__says_so(void **state)
{
    struct answer a;
    (void)state;
    rig.world.is_replayed = true;
    rig_request("POST /api/v1/executions", "Idempotency-Key: k2\r\n",
                "{\"command\":\"x\",\"idempotency_key\":\"k2\"}", &a);
    assert_int_equal(a.status, 201);
    assert_string_equal(rig.world.key, "k2");
    assert_string_equal(answer_header(&a, "Idempotent-Replayed"), "true");
    assert_string_equal(answer_header(&a, "Location"), "/api/v1/executions/" RIG_ID);
    answer_done(&a);
}

static void test_post_run__refused__table(void **state)
{
    static const struct {
        const char *headers, *body, *text;
    } rows[] = {
        {"", "", "invalid request body"},
        {"", "{", "invalid request body"},
        {"", "{}", "command is required"},
        {"", "{\"command\":7}", "command"},
        {"Idempotency-Key: k\r\n", "{\"command\":\"x\",\"idempotency_key\":\"other\"}",
         "must not differ"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        rig_expect("POST /api/v1/run", rows[i].headers, rows[i].body, 400, rows[i].text);
    assert_int_equal(rig.world.runs, 0);
}

struct call {
    const char *line, *body, *named; /* error of a NOT_FOUND */
};
static const struct call calls[] = {
    {"POST /api/v1/run", "{\"command\":\"x\"}", "not here"},
    {"GET /api/v1/executions/" RIG_ID, NULL, "failed to get execution"},
    {"GET /api/v1/executions/" RIG_ID "/status", NULL, "failed to get execution status"},
    {"DELETE /api/v1/executions/" RIG_ID, NULL, "failed to kill execution"},
};

static void test_handlers__problems__by_their_status(void **state)
{
    static const struct {
        int err, status;
        const char *code;
    } rows[] = {
        {ERR_NOT_FOUND, 404, "\"code\":\"NOT_FOUND\""},
        {ERR_FORBIDDEN, 403, "\"code\":\"FORBIDDEN\""},
        {ERR_DB_AWAY, 503, "\"code\":\"DATABASE_ERROR\""},
        {ERR_TIMEOUT, 503, "\"code\":\"DATABASE_ERROR\""},
        {ERR_LIMIT, 429, "\"code\":\"LIMIT_EXCEEDED\""},
        {ERR_CLOSED, 503, "\"code\":\"SERVICE_UNAVAILABLE\""},
        {ERR_INTERNAL, 500, "\"code\":\"INTERNAL_ERROR\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (size_t k = 0; k < 2 * ARRAY_SIZE(calls); k++) {
            const struct call *c = &calls[k / 2];
            (void)problem_set(&rig.world.problem, rows[i].err, "not here", "%s",
                              rows[i].err == ERR_NOT_FOUND ? "" : "because");
            rig.world.refuses = k % 2; /* at once, or through the callback */
            rig_expect(c->line, "", c->body, rows[i].status, rows[i].code);
            if (rows[i].err == ERR_NOT_FOUND)
                rig_expect(c->line, "", c->body, rows[i].status, c->named);
        }
    }
}

static void test_handlers__limit__says_when_to_come_back(void **state)
{
    struct answer a;
    (void)state;
    (void)problem_set(&rig.world.problem, ERR_LIMIT, "failed to run command", "too many");
    rig_request(calls[0].line, "", calls[0].body, &a);
    assert_int_equal(a.status, 429);
    assert_non_null(answer_header(&a, "Retry-After"));
    answer_done(&a);
}

static void test_get__ill_formed_id__404_without_asking(void **state)
{
    (void)state;
    rig_expect("GET /api/v1/executions/nope", "", NULL, 404, "execution not found");
    rig_expect("GET /api/v1/executions/nope/status", "", NULL, 404, "execution not found");
    rig_expect("DELETE /api/v1/executions/nope", "", NULL, 404, "execution not found");
    assert_int_equal(rig.world.gets + rig.world.kills, 0);
}

static void test_get__row__in_both_forms(void **state)
{
    (void)state;
    rig_expect("GET /api/v1/executions/" RIG_ID, "", NULL, 200, "\"cloud\":\"tailgate\"");
    rig_expect("GET /api/v1/executions/" RIG_ID "/status", "", NULL, 200, "\"exit_code\":null");
}

static void test_delete__stopped_now_or_before(void **state)
{
    (void)state;
    rig.world.stopped_now = true;
    rig_expect("DELETE /api/v1/executions/" RIG_ID, "", NULL, 200, "\"message\":");
    rig.world.stopped_now = false;
    rig_expect("DELETE /api/v1/executions/" RIG_ID, "", NULL, 204, NULL);
}

static void test_handlers__client_leaves_first__no_harm(void **state)
{
    (void)state;
    rig.world.holds = true;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        struct buf text CLEANUP_BUF = {.max = 4096};
        int fd = rig_connect();
        assert_int_equal(buf_printf(&text,
                                    "%s HTTP/1.1\r\nX-API-Key: tg_good\r\n"
                                    "Content-Length: %zu\r\n\r\n%s",
                                    calls[i].line, calls[i].body ? strlen(calls[i].body) : 0,
                                    calls[i].body ? calls[i].body : ""),
                         0);
        rig_send(fd, text.data, text.len);
        while (rig.world.held == 0)
            rig_turns(1);
        rig_release(); /* who it is; now the handler asks */
        while (rig.world.held == 0)
            rig_turns(1);
        connection_kill(LIST_ENTRY(rig.server->connections.next, struct connection, link));
        while (rig.server->connections_count > 0)
            rig_turns(1);
        rig_release();
        (void)close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_post_run__whole_request__passed_on_and_answered_202,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_post_executions__201_with_location, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_post_run__all_fields__handed_on, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_post_run__replayed__says_so, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_post_run__refused__table, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_handlers__problems__by_their_status, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_handlers__limit__says_when_to_come_back, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_get__ill_formed_id__404_without_asking, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_get__row__in_both_forms, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_delete__stopped_now_or_before, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_handlers__client_leaves_first__no_harm, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
