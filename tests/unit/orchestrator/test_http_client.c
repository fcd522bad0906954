/* The client on the real loop, against a scripted server. */
#include "orchestrator/engines/http_client.h"

#include "scripted_server.h"

#include "../base/fail_alloc.h"
#include "../base/loop_wait.h"
#include "../base/unit.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

struct place {
    struct loop *loop;
    struct scripted_server *server;
    struct http_client *client;
    struct http_call *call;
    int done, err;
    long status;
    char body[256], details[512], pieces[256];
    int piece_err;
    bool asks_again;
};

static int on_piece(void *user, const void *bytes, size_t n)
{
    struct place *p = user;
    size_t have = strlen(p->pieces);
    assert_true(have + n < sizeof(p->pieces));
    memcpy(p->pieces + have, bytes, n);
    return p->piece_err;
}

static void on_done(void *user, int err, const struct problem *problem, const struct http_answer *a)
{
    struct place *p = user;
    const struct http_call_opts again = {
        .method = "GET", .target = "/again", .answer_max = 100, .done = on_done, .user = p};
    p->done++;
    p->err = err;
    p->status = a->status;
    (void)strncpy(p->body, a->body, sizeof(p->body) - 1);
    (void)snprintf(p->details, sizeof(p->details), "%s", problem->details);
    if (p->asks_again) {
        p->asks_again = false;
        assert_int_equal(http_call(p->client, &again, &p->call), 0);
    }
}

static void begin(struct place *p, const char *const *answers, size_t n)
{
    log_setup(LOG_ERROR, LOG_LOGFMT);
    memset(p, 0, sizeof(*p));
    assert_int_equal(loop_new(&p->loop), 0);
    scripted_server_new(p->loop, answers, n, &p->server);
    assert_int_equal(http_client_new(p->loop, scripted_server_path(p->server), &p->client), 0);
}

static void end(struct place *p)
{
    http_client_free(p->client);
    scripted_server_free(p->server);
    loop_free(p->loop);
}

static struct http_call_opts call_of(struct place *p)
{
    return (struct http_call_opts){.method = "GET",
                                   .target = "/v1.41/info",
                                   .timeout_ms = 60000,
                                   .answer_max = 200,
                                   .done = on_done,
                                   .user = p};
}

static void test_http_call__get__status_and_body(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {scripted_json(200, "{\"a\":1}")};
    begin(&p, answers, 1);
    const struct http_call_opts o = call_of(&p);
    assert_int_equal(http_call(p.client, &o, &p.call), 0);
    assert_int_equal(p.done, 0);
    assert_true(loop_wait(p.loop, &p.done, 1));
    assert_int_equal(p.err, 0);
    assert_int_equal(p.status, 200);
    assert_string_equal(p.body, "{\"a\":1}");
    assert_non_null(strstr(scripted_server_request(p.server, 0), "GET /v1.41/info HTTP/1.1\r\n"));
    end(&p);
}

static void test_http_call__post__body_and_header_are_sent(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {scripted_json(404, "{\"message\":\"no\"}")};
    begin(&p, answers, 1);
    struct http_call_opts o = call_of(&p);
    o.method = "POST";
    o.body = "{\"Image\":\"x\"}";
    o.header = "X-Registry-Auth: abc";
    assert_int_equal(http_call(p.client, &o, &p.call), 0);
    assert_true(loop_wait(p.loop, &p.done, 1));
    assert_int_equal(p.err, 0);
    assert_int_equal(p.status, 404);
    const char *request = scripted_server_request(p.server, 0);
    assert_non_null(strstr(request, "POST /v1.41/info HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "X-Registry-Auth: abc\r\n"));
    assert_non_null(strstr(request, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(request, "\r\n\r\n{\"Image\":\"x\"}"));
    end(&p);
}

static void test_http_call__pieces__handed_on_unless_it_is_an_error(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {scripted_json(200, "one\ntwo\n"), scripted_json(500, "oh")};
    begin(&p, answers, 2);
    struct http_call_opts o = call_of(&p);
    o.on_piece = on_piece;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(http_call(p.client, &o, &p.call), 0);
        assert_true(loop_wait(p.loop, &p.done, i + 1));
        assert_int_equal(p.err, 0);
        assert_string_equal(p.pieces, "one\ntwo\n");
        assert_string_equal(p.body, i == 0 ? "" : "oh");
    }
    end(&p);
}

static void test_http_call__answer_not_taken__its_error(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {scripted_json(200, "1234567890"), scripted_json(200, "x")};
    begin(&p, answers, 2);
    struct http_call_opts o = call_of(&p);
    o.answer_max = 9;
    assert_int_equal(http_call(p.client, &o, &p.call), 0);
    assert_true(loop_wait(p.loop, &p.done, 1));
    assert_int_equal(p.err, ERR_TOO_LARGE);
    o.on_piece = on_piece;
    p.piece_err = ERR_CORRUPT;
    assert_int_equal(http_call(p.client, &o, &p.call), 0);
    assert_true(loop_wait(p.loop, &p.done, 2));
    assert_int_equal(p.err, ERR_CORRUPT);
    end(&p);
}

static void test_http_call__no_answer__times_out(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {NULL};
    begin(&p, answers, 1);
    struct http_call_opts o = call_of(&p);
    o.timeout_ms = 50;
    assert_int_equal(http_call(p.client, &o, &p.call), 0);
    assert_true(loop_wait(p.loop, &p.done, 1));
    assert_int_equal(p.err, ERR_TIMEOUT);
    assert_int_equal(p.status, 0);
    end(&p);
}

static void test_http_call__nobody_listens__says_where(void **state)
{
    (void)state;
    struct place p;
    begin(&p, NULL, 0);
    http_client_free(p.client);
    assert_int_equal(http_client_new(p.loop, "/nonexistent/docker.sock", &p.client), 0);
    const struct http_call_opts o = call_of(&p);
    assert_int_equal(http_call(p.client, &o, &p.call), 0);
    assert_true(loop_wait(p.loop, &p.done, 1));
    assert_int_equal(p.err, ERR_CLOSED);
    assert_non_null(strstr(p.details, "/nonexistent/docker.sock is not reachable"));
    end(&p);
}

static void test_http_call__from_done__goes_out(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {scripted_json(200, "a"), scripted_json(200, "b")};
    begin(&p, answers, 2);
    const struct http_call_opts o = call_of(&p);
    p.asks_again = true;
    assert_int_equal(http_call(p.client, &o, &p.call), 0);
    assert_true(loop_wait(p.loop, &p.done, 2));
    assert_string_equal(p.body, "b");
    end(&p);
}

static void test_http_call_cancel__no_callback(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {NULL, scripted_json(200, "b")};
    begin(&p, answers, 2);
    const struct http_call_opts o = call_of(&p);
    struct http_call *first;
    assert_int_equal(http_call(p.client, &o, &first), 0);
    while (scripted_server_count(p.server) == 0)
        assert_int_equal(loop_turn(p.loop, 50), 0);
    http_call_cancel(first);
    http_call_cancel(NULL);
    assert_int_equal(http_call(p.client, &o, &p.call), 0);
    assert_true(loop_wait(p.loop, &p.done, 1));
    assert_string_equal(p.body, "b");
    end(&p); /* frees what is in flight, too */
}

static void test_http_call__no_memory__nothing_is_called(void **state)
{
    (void)state;
    struct place p;
    begin(&p, NULL, 0);
    struct http_call_opts o = call_of(&p);
    o.body = "{}";
    o.header = "A: b";
    int failed = 0;
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        int err = http_call(p.client, &o, &p.call);
        bool reached = fail_alloc_off();
        if (err == 0)
            http_call_cancel(p.call);
        else
            failed++;
        assert_true(err == 0 || err == ERR_NOMEM || err == ERR_INTERNAL);
        if (!reached)
            break;
    }
    assert_true(failed > 0);
    assert_int_equal(p.done, 0);
    end(&p);
}

static void test_http_call__target_too_long__refused(void **state)
{
    (void)state;
    struct place p;
    char target[5000];
    begin(&p, NULL, 0);
    struct http_call_opts o = call_of(&p);
    memset(target, 'a', sizeof(target) - 1);
    target[sizeof(target) - 1] = '\0';
    o.target = target;
    assert_int_equal(http_call(p.client, &o, &p.call), ERR_INTERNAL);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_call__get__status_and_body),
        cmocka_unit_test(test_http_call__post__body_and_header_are_sent),
        cmocka_unit_test(test_http_call__pieces__handed_on_unless_it_is_an_error),
        cmocka_unit_test(test_http_call__answer_not_taken__its_error),
        cmocka_unit_test(test_http_call__no_answer__times_out),
        cmocka_unit_test(test_http_call__nobody_listens__says_where),
        cmocka_unit_test(test_http_call__from_done__goes_out),
        cmocka_unit_test(test_http_call_cancel__no_callback),
        cmocka_unit_test(test_http_call__no_memory__nothing_is_called),
        cmocka_unit_test(test_http_call__target_too_long__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
