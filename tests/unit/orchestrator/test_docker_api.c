/* What each call asks of the daemon and what its answers become. */
#include "orchestrator/engines/docker_api.h"

#include "scripted_server.h"

#include "../base/loop_wait.h"
#include "../base/unit.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define VERSION scripted_json(200, "{\"ApiVersion\":\"1.41\"}")

struct place {
    struct loop *loop;
    struct scripted_server *server;
    struct docker_api *api;
    int done, err;
    char details[512], json[512], progress[1024];
};

static void on_done(void *user, int err, const struct problem *problem, const json_t *json)
{
    struct place *p = user;
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    p->done++;
    p->err = err;
    (void)snprintf(p->details, sizeof(p->details), "%s", err ? problem->details : "");
    (void)snprintf(p->json, sizeof(p->json), "%s", text ? text : "");
    free(text);
}

static void on_progress(void *user, const char *layer, const char *status)
{
    struct place *p = user;
    size_t n = strlen(p->progress);
    (void)snprintf(p->progress + n, sizeof(p->progress) - n, "[%s] %s\n", layer, status);
}

static void begin(struct place *p, const char *const *answers, size_t n)
{
    char host[80];
    log_setup(LOG_ERROR, LOG_LOGFMT);
    memset(p, 0, sizeof(*p));
    assert_int_equal(loop_new(&p->loop), 0);
    scripted_server_new(p->loop, answers, n, &p->server);
    (void)snprintf(host, sizeof(host), "unix://%s", scripted_server_path(p->server));
    assert_int_equal(docker_api_new(p->loop, host, &p->api), 0);
    assert_string_equal(docker_api_socket(p->api), scripted_server_path(p->server));
}

static void end(struct place *p)
{
    docker_api_free(p->api);
    scripted_server_free(p->server);
    loop_free(p->loop);
}

/* ---- each call's request ---- */

static int call_info(struct place *p)
{
    return docker_info(p->api, on_done, p);
}
static int call_image(struct place *p)
{
    return docker_image_inspect(p->api, "registry:5000/a b:1", on_done, p);
}
static int call_pull(struct place *p)
{
    const struct docker_pull_opts opts = {.ref = "a/b:1",
                                          .platform = "linux/arm64",
                                          .auth = "e30=",
                                          .idle_timeout_ms = 60000,
                                          .on_progress = on_progress};
    return docker_pull(p->api, &opts, on_done, p);
}
static int call_create(struct place *p)
{
    json_t *config = json_pack("{s:s}", "Image", "x");
    int err = docker_create(p->api, "tailgate-1", "linux/amd64", config, on_done, p);
    json_decref(config);
    return err;
}
static int call_start(struct place *p)
{
    return docker_start(p->api, "c1", on_done, p);
}
static int call_kill(struct place *p)
{
    return docker_kill(p->api, "c1", "SIGTERM", on_done, p);
}
static int call_wait(struct place *p)
{
    return docker_wait(p->api, "c1", on_done, p);
}
static int call_inspect(struct place *p)
{
    return docker_inspect(p->api, "c1", on_done, p);
}
static int call_remove(struct place *p)
{
    return docker_remove(p->api, "c1", on_done, p);
}
static int call_list(struct place *p)
{
    return docker_list(p->api, "tailgate.gateway=g\"1", on_done, p);
}

static const struct {
    int (*call)(struct place *p);
    const char *line;    /* of the request */
    const char *further; /* in it as well; NULL = nothing */
} calls[] = {
    {call_info, "GET /v1.41/info HTTP/1.1\r\n", NULL},
    {call_image, "GET /v1.41/images/registry:5000/a%20b:1/json HTTP/1.1\r\n", NULL},
    {call_pull, "POST /v1.41/images/create?fromImage=a%2Fb%3A1&platform=linux%2Farm64 HTTP/1.1\r\n",
     "X-Registry-Auth: e30=\r\n"},
    {call_create,
     "POST /v1.41/containers/create?name=tailgate-1&platform=linux%2Famd64 HTTP/1.1\r\n",
     "\r\n\r\n{\"Image\":\"x\"}"},
    {call_start, "POST /v1.41/containers/c1/start HTTP/1.1\r\n", NULL},
    {call_kill, "POST /v1.41/containers/c1/kill?signal=SIGTERM HTTP/1.1\r\n", NULL},
    {call_wait, "POST /v1.41/containers/c1/wait?condition=not-running HTTP/1.1\r\n", NULL},
    {call_inspect, "GET /v1.41/containers/c1/json HTTP/1.1\r\n", NULL},
    {call_remove, "DELETE /v1.41/containers/c1?force=true&v=true HTTP/1.1\r\n", NULL},
    {call_list,
     "GET /v1.41/containers/json?all=true&filters="
     "%7B%22label%22%3A%5B%22tailgate.gateway%3Dg%5C%221%22%5D%7D HTTP/1.1\r\n",
     NULL},
};

static void test_docker__each_call__its_request_behind_the_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        struct place p;
        const char *const answers[] = {VERSION, scripted_json(200, "{\"status\":\"ok\"}")};
        begin(&p, answers, 2);
        assert_int_equal(calls[i].call(&p), 0);
        assert_true(loop_wait(p.loop, &p.done, 1));
        assert_int_equal(p.err, 0);
        assert_non_null(strstr(scripted_server_request(p.server, 0), "GET /version HTTP/1.1\r\n"));
        const char *request = scripted_server_request(p.server, 1);
        print_message("%.100s\n", request);
        assert_int_equal(strncmp(request, calls[i].line, strlen(calls[i].line)), 0);
        if (calls[i].further)
            assert_non_null(strstr(request, calls[i].further));
        end(&p);
    }
}

/* ---- what answers become ---- */

static void test_docker__answers__errors_with_the_daemons_words(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        int err;
        const char *details, *json;
    } rows[] = {
        {200, "{\"Id\":\"1\"}", 0, "", "{\"Id\":\"1\"}"},
        {304, "", 0, "", ""},
        {204, "", 0, "", ""},
        {200, "no json", ERR_INTERNAL, "the engine's answer is no JSON", ""},
        {404, "{\"message\":\"No such image: x\"}", ERR_NOT_FOUND, "No such image: x", ""},
        {409, "{\"message\":\"in use\"}", ERR_CONFLICT, "in use", ""},
        {400, "{\"message\":\"bad\"}", ERR_INVALID, "bad", ""},
        {500, "{\"cause\":\"x\",\"message\":\"broke\"}", ERR_INTERNAL, "broke", ""},
        {500, "oops", ERR_INTERNAL, "the engine gave no reason", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct place p;
        const char *const answers[] = {VERSION, scripted_json(rows[i].status, rows[i].body)};
        begin(&p, answers, 2);
        assert_int_equal(call_start(&p), 0);
        assert_true(loop_wait(p.loop, &p.done, 1));
        assert_int_equal(p.err, rows[i].err);
        assert_string_equal(p.details, rows[i].details);
        assert_string_equal(p.json, rows[i].json);
        end(&p);
    }
}

static void test_docker_pull__stream__progress_then_its_end(void **state)
{
    (void)state;
    static const struct {
        const char *body, *progress;
        int err;
        const char *details;
    } rows[] = {
        {"{\"status\":\"Pulling\",\"id\":\"1\"}\r\n{\"status\":\"Downloading\",\"progress\":\"[> ] "
         "1MB\",\"id\":\"a\"}\r\n\r\nnoise\n{\"other\":1}\n",
         "[1] Pulling\n[a] Downloading [> ] 1MB\n", 0, ""},
        {"{\"status\":\"Pulling\"}\n{\"error\":\"manifest for x not found\"}\n", "[] Pulling\n",
         ERR_NOT_FOUND, "manifest for x not found"},
        {"{\"error\":\"disk full\"}\n", "", ERR_INTERNAL, "disk full"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct place p;
        const char *const answers[] = {VERSION, scripted_json(200, rows[i].body)};
        begin(&p, answers, 2);
        assert_int_equal(call_pull(&p), 0);
        assert_true(loop_wait(p.loop, &p.done, 1));
        assert_string_equal(p.progress, rows[i].progress);
        assert_int_equal(p.err, rows[i].err);
        assert_string_equal(p.details, rows[i].details);
        end(&p);
    }
}

/* ---- the version ---- */

static void test_docker__version__newest_that_both_speak(void **state)
{
    (void)state;
    static const struct {
        const char *body, *line; /* line NULL: refused */
    } rows[] = {
        {"{\"ApiVersion\":\"1.40\"}", "GET /v1.40/info"},
        {"{\"ApiVersion\":\"1.50\"}", "GET /v1.43/info"},
        {"{\"ApiVersion\":\"1.39\"}", NULL},
        {"{\"ApiVersion\":\"2.0\"}", NULL},
        {"{}", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct place p;
        const char *const answers[] = {scripted_json(200, rows[i].body), scripted_json(200, "{}")};
        begin(&p, answers, 2);
        assert_int_equal(call_info(&p), 0);
        assert_true(loop_wait(p.loop, &p.done, 1));
        if (rows[i].line) {
            assert_int_equal(p.err, 0);
            assert_int_equal(
                strncmp(scripted_server_request(p.server, 1), rows[i].line, strlen(rows[i].line)),
                0);
        } else {
            assert_int_equal(p.err, ERR_INTERNAL);
            assert_string_equal(p.details, "the engine must speak API version 1.40 or newer");
        }
        end(&p);
    }
}

static void test_docker__version__asked_once_for_all_that_wait(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, scripted_json(200, "{}"), scripted_json(200, "{}"),
                                   scripted_json(200, "{}")};
    begin(&p, answers, 4);
    assert_int_equal(call_info(&p), 0);
    assert_int_equal(call_start(&p), 0);
    assert_true(loop_wait(p.loop, &p.done, 2));
    assert_int_equal(call_wait(&p), 0);
    assert_true(loop_wait(p.loop, &p.done, 3));
    assert_int_equal(scripted_server_count(p.server), 4);
    end(&p);
}

static void
test_docker__version_fails__each_waiting_call_is_told_and_the_next_asks_again(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {scripted_json(503, "{\"message\":\"starting\"}"), VERSION,
                                   scripted_json(200, "{}")};
    begin(&p, answers, 3);
    assert_int_equal(call_info(&p), 0);
    assert_int_equal(call_start(&p), 0);
    assert_true(loop_wait(p.loop, &p.done, 2));
    assert_int_equal(p.err, ERR_INTERNAL);
    assert_string_equal(p.details, "starting");
    assert_int_equal(call_info(&p), 0);
    assert_true(loop_wait(p.loop, &p.done, 3));
    assert_int_equal(p.err, 0);
    end(&p);
}

static void test_docker_forget__in_flight__no_callback(void **state)
{
    (void)state;
    struct place p;
    int other = 0;
    const char *const answers[] = {VERSION, scripted_json(200, "{}")};
    begin(&p, answers, 2);
    assert_int_equal(docker_info(p.api, on_done, &other), 0);
    assert_int_equal(call_info(&p), 0);
    docker_forget(p.api, &other);
    assert_true(loop_wait(p.loop, &p.done, 1));
    assert_int_equal(scripted_server_count(p.server), 2);
    end(&p);
}

static void test_docker_api_new__not_a_unix_socket__refused(void **state)
{
    (void)state;
    struct docker_api *api;
    assert_int_equal(docker_api_new(NULL, "tcp://127.0.0.1:2375", &api), ERR_INVALID);
    assert_int_equal(docker_api_new(NULL, "unix://relative", &api), ERR_INVALID);
    docker_api_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_docker__each_call__its_request_behind_the_version),
        cmocka_unit_test(test_docker__answers__errors_with_the_daemons_words),
        cmocka_unit_test(test_docker_pull__stream__progress_then_its_end),
        cmocka_unit_test(test_docker__version__newest_that_both_speak),
        cmocka_unit_test(test_docker__version__asked_once_for_all_that_wait),
        cmocka_unit_test(
            test_docker__version_fails__each_waiting_call_is_told_and_the_next_asks_again),
        cmocka_unit_test(test_docker_forget__in_flight__no_callback),
        cmocka_unit_test(test_docker_api_new__not_a_unix_socket__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
