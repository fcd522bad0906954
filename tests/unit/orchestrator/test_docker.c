/* Engine `docker` against a scripted daemon, on the real loop and real run directories. */
#include "orchestrator/engines/docker.h"

#include "scripted_server.h"

#include "../base/loop_wait.h"
#include "../base/unit.h"

#include "base/json.h"
#include "base/log.h"
#include "spool/rundir.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "00004fe60000000100000000000000aa"
#define NAME "tailgate-" ID
#define VERSION scripted_json(200, "{\"ApiVersion\":\"1.41\"}")
#define OK scripted_json(200, "{}")
#define CREATED scripted_json(201, "{\"Id\":\"c\",\"Warnings\":[\"no swap\"]}")
#define GONE scripted_json(404, "{\"message\":\"No such container\"}")

struct place {
    char dir[64], run_dir[128], workspace[128];
    struct loop *loop;
    struct scripted_server *server;
    struct engine *e;
    struct execution row;
    int started, err, gone, lines, verdicts;
    struct problem p;
    char line[640], reason[64], words[640];
};

static void on_started(void *user, int err, const struct problem *p)
{
    struct place *pl = user;
    pl->started++;
    pl->err = err;
    if (p)
        pl->p = *p;
}

static void on_line(void *user, const char *line)
{
    struct place *pl = user;
    pl->lines++;
    (void)snprintf(pl->line, sizeof(pl->line), "%s", line);
}

static void on_gone(void *user)
{
    struct place *pl = user;
    pl->gone++;
}

static void on_verdict(void *user, const char *reason, const char *line)
{
    struct place *pl = user;
    pl->verdicts++;
    (void)snprintf(pl->reason, sizeof(pl->reason), "%s", reason);
    (void)snprintf(pl->words, sizeof(pl->words), "%s", line);
}

static struct docker_opts opts_of(const struct place *p, char host[96])
{
    (void)snprintf(host, 96, "unix://%s", scripted_server_path(p->server));
    return (struct docker_opts){
        .host = host,
        .gateway_id = "g1",
        .runner_path = "/usr/lib/tailgate-runner",
        .state_dir = p->dir,
        .network = "none",
        .pull = DOCKER_PULL_MISSING,
        .pull_idle_timeout_ms = 60000,
        .pids_max = 512,
        .memory_bytes = 1 << 30,
    };
}

/* opts NULL: the usual ones. */
static void begin(struct place *p, const char *const *answers, size_t n,
                  const struct docker_opts *opts)
{
    char host[96];
    log_setup(LOG_ERROR, LOG_LOGFMT);
    memset(p, 0, sizeof(*p));
    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/docker.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->run_dir, sizeof(p->run_dir), "%s/" ID, p->dir);
    (void)snprintf(p->workspace, sizeof(p->workspace), "%s/work", p->dir);
    assert_int_equal(rundir_create(p->run_dir, ID, 1), 0);
    (void)snprintf(p->row.id.hex, sizeof(p->row.id.hex), "%s", ID);
    assert_int_equal(loop_new(&p->loop), 0);
    scripted_server_new(p->loop, answers, n, &p->server);
    struct docker_opts o = opts ? *opts : opts_of(p, host);
    if (opts) {
        struct docker_opts usual = opts_of(p, host);
        o.host = usual.host;
        o.state_dir = usual.state_dir;
    }
    assert_int_equal(engine_docker_new(p->loop, &o, &p->e), 0);
}

static void end(struct place *p)
{
    p->e->ops->free(p->e);
    scripted_server_free(p->server);
    loop_free(p->loop);
    assert_int_equal(rundir_remove(p->run_dir), 0);
    assert_int_equal(rmdir(p->dir), 0);
}

static int start(struct place *p)
{
    static const struct engine_start fns = {on_started, on_line, on_gone};
    const struct engine_run run = {
        .run_dir = p->run_dir,
        .workspace = p->workspace,
        .row = &p->row,
        .image = "busybox:1.36",
        .platform = "linux/amd64",
        .cpu = 512,
        .memory = 64,
    };
    return p->e->ops->start(p->e, &run, &fns, p);
}

static void assert_request(const struct place *p, size_t n, const char *line)
{
    const char *request = scripted_server_request(p->server, n);
    print_message("%.90s\n", request);
    assert_int_equal(strncmp(request, line, strlen(line)), 0);
}

/* Turns the loop until that many requests came. */
static void await_requests(struct place *p, size_t n)
{
    int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;
    while (scripted_server_count(p->server) < n && clock_mono_ms() < deadline)
        assert_int_equal(loop_turn(p->loop, 50), 0);
    assert_int_equal(scripted_server_count(p->server), n);
}

/* ---- start ---- */

static void test_start__image_there__created_started_then_gone(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, OK, CREATED, scripted_json(204, ""),
                                   scripted_json(200, "{\"StatusCode\":0}")};
    begin(&p, answers, 5, NULL);
    assert_int_equal(start(&p), 0);
    assert_int_equal(p.started, 0);
    assert_true(loop_wait(p.loop, &p.started, 1));
    assert_int_equal(p.err, 0);
    assert_true(loop_wait(p.loop, &p.gone, 1));
    assert_int_equal(p.lines, 0);
    assert_request(&p, 1, "GET /v1.41/images/busybox:1.36/json ");
    assert_request(&p, 2, "POST /v1.41/containers/create?name=" NAME "&platform=linux%2Famd64 ");
    assert_request(&p, 3, "POST /v1.41/containers/" NAME "/start ");
    assert_request(&p, 4, "POST /v1.41/containers/" NAME "/wait?condition=not-running ");
    end(&p);
}

static void test_start__files__mounted_one_by_one_and_not_the_containers(void **state)
{
    (void)state;
    struct place p;
    char path[256];
    struct stat st;
    const char *const answers[] = {VERSION, OK, NULL};
    begin(&p, answers, 3, NULL);
    assert_int_equal(start(&p), 0);
    await_requests(&p, 3);
    json_t *config = json_loads(strstr(scripted_server_request(p.server, 2), "\r\n\r\n"), 0, NULL);
    assert_non_null(config);
    const json_t *host = json_object_get(config, "HostConfig");
    assert_string_equal(json_string_value(json_object_get(config, "Image")), "busybox:1.36");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(config, "Labels"), "tailgate.execution")),
        ID);
    assert_int_equal(json_integer_value(json_object_get(host, "Memory")), 64 << 20);
    assert_int_equal(json_integer_value(json_object_get(host, "NanoCpus")), 499999744);
    assert_string_equal(json_string_value(json_array_get(json_object_get(host, "CapDrop"), 0)),
                        "ALL");
    const json_t *mounts = json_object_get(host, "Mounts");
    assert_int_equal(json_array_size(mounts), 6);
    static const struct {
        const char *target;
        bool read_only;
    } rows[] = {{"/.tailgate/runner", true}, {"/.tailgate/spec", false},
                {"/.tailgate/spool", false}, {"/.tailgate/ack", true},
                {"/.tailgate/lock", false},  {"/workspace", false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const json_t *m = json_array_get(mounts, i);
        assert_string_equal(json_string_value(json_object_get(m, "Target")), rows[i].target);
        assert_int_equal(json_is_true(json_object_get(m, "ReadOnly")), rows[i].read_only);
    }
    json_decref(config);
    (void)snprintf(path, sizeof(path), "%s/spool", p.run_dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(geteuid() != 0 || st.st_uid == 65519);
    end(&p);
}

static void test_start__gateway_in_a_container__paths_as_the_host_sees_them(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, OK, NULL};
    const struct docker_opts opts = {.gateway_id = "g",
                                     .runner_path = "/opt/runner",
                                     .host_state_dir = "/srv/tailgate",
                                     .network = "none",
                                     .pids_max = 1};
    begin(&p, answers, 3, &opts);
    /* The runner is not in the state directory, so the host cannot see it. */
    assert_int_equal(start(&p), ERR_INVALID);
    p.e->ops->free(p.e);
    char host[96], runner[128];
    struct docker_opts o = opts_of(&p, host);
    (void)snprintf(runner, sizeof(runner), "%s/bin/runner", p.dir);
    o.runner_path = runner;
    o.host_state_dir = "/srv/tailgate";
    assert_int_equal(engine_docker_new(p.loop, &o, &p.e), 0);
    assert_int_equal(start(&p), 0);
    await_requests(&p, 3);
    const char *request = scripted_server_request(p.server, 2);
    assert_non_null(strstr(request, "\"Source\":\"/srv/tailgate/bin/runner\""));
    assert_non_null(strstr(request, "\"Source\":\"/srv/tailgate/" ID "/spool\""));
    assert_non_null(strstr(request, "\"Source\":\"/srv/tailgate/work\""));
    assert_null(strstr(request, p.dir));
    end(&p);
}

static void test_start__image_absent__pulled_with_its_progress(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {
        VERSION,
        scripted_json(404, "{\"message\":\"No such image\"}"),
        scripted_json(200, "{\"status\":\"Pulling\",\"id\":\"a\"}\n{\"status\":\"Extracting\","
                           "\"id\":\"a\"}\n{\"status\":\"Pulling\",\"id\":\"b\"}\n"),
        scripted_json(200, "{\"Config\":{\"User\":\"node\"}}"),
        CREATED,
        scripted_json(204, ""),
        NULL,
    };
    begin(&p, answers, 7, NULL);
    assert_int_equal(start(&p), 0);
    assert_true(loop_wait(p.loop, &p.started, 1));
    assert_int_equal(p.err, 0);
    assert_non_null(strstr(scripted_server_request(p.server, 4), "TAILGATE_IMAGE_USER=node"));
    assert_int_equal(p.lines, 3); /* "pulling", then one a second and layer */
    assert_string_equal(p.line, "tailgate: b: Pulling");
    assert_request(&p, 2,
                   "POST /v1.41/images/create?fromImage=busybox%3A1.36&platform=linux%2Famd64 ");
    end(&p);
}

static void test_start__fails__says_what_and_the_daemons_words(void **state)
{
    (void)state;
    static const struct {
        enum docker_pull_policy pull;
        const char *image, *pulled, *created, *started; /* bodies; NULL = fine */
        int status, err;
        const char *details;
    } rows[] = {
        {DOCKER_PULL_NEVER, "No such image", NULL, NULL, NULL, 404, ERR_NOT_FOUND,
         "the image is not to be had: No such image"},
        {DOCKER_PULL_ALWAYS, NULL, "manifest unknown", NULL, NULL, 404, ERR_NOT_FOUND,
         "image busybox:1.36 could not be pulled: manifest unknown"},
        {DOCKER_PULL_MISSING, NULL, NULL, "invalid mount", NULL, 400, ERR_INVALID,
         "the container could not be created: invalid mount"},
        {DOCKER_PULL_MISSING, NULL, NULL, NULL, "exec format error", 400, ERR_INVALID,
         "the container could not be started: exec format error"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct place p;
        char message[128];
        const char *answers[5] = {VERSION};
        size_t n = 1;
        const char *steps[] = {rows[i].pull == DOCKER_PULL_ALWAYS ? rows[i].pulled : rows[i].image,
                               rows[i].created, rows[i].started};
        for (size_t s = 0; s < ARRAY_SIZE(steps); s++) {
            (void)snprintf(message, sizeof(message), "{\"message\":\"%s\"}",
                           steps[s] ? steps[s] : "");
            answers[n++] = steps[s] ? scripted_json(rows[i].status, message) : OK;
        }
        const struct docker_opts opts = {.gateway_id = "g",
                                         .runner_path = "/r",
                                         .network = "none",
                                         .pids_max = 1,
                                         .pull = rows[i].pull};
        begin(&p, answers, n, &opts);
        assert_int_equal(start(&p), 0);
        assert_true(loop_wait(p.loop, &p.started, 1));
        assert_int_equal(p.err, rows[i].err);
        assert_string_equal(p.p.details, rows[i].details);
        end(&p);
    }
}

static void test_start__container_of_an_earlier_try__gone_on_with(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, OK, scripted_json(409, "{\"message\":\"in use\"}"),
                                   scripted_json(304, ""), NULL};
    begin(&p, answers, 5, NULL);
    assert_int_equal(start(&p), 0);
    assert_true(loop_wait(p.loop, &p.started, 1));
    assert_int_equal(p.err, 0);
    end(&p);
}

static void test_start__no_image__refused(void **state)
{
    (void)state;
    struct place p;
    static const struct engine_start fns = {on_started, on_line, on_gone};
    begin(&p, NULL, 0, NULL);
    const struct engine_run run = {.run_dir = p.run_dir, .workspace = "/w", .row = &p.row};
    assert_int_equal(p.e->ops->start(p.e, &run, &fns, &p), ERR_INVALID);
    end(&p);
}

static void test_start__no_run_directory__refused(void **state)
{
    (void)state;
    struct place p;
    begin(&p, NULL, 0, NULL);
    assert_int_equal(rundir_remove(p.run_dir), 0);
    assert_int_equal(start(&p), ERR_NOT_FOUND);
    end(&p);
}

static void test_wait__daemon_goes_away__asked_again(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, OK, CREATED, scripted_json(204, ""), "garbage", GONE};
    begin(&p, answers, 6, NULL);
    assert_int_equal(start(&p), 0);
    assert_true(loop_wait(p.loop, &p.gone, 1));
    assert_int_equal(scripted_server_count(p.server), 6);
    end(&p);
}

/* ---- stop ---- */

static void test_stop__while_pulling__told_and_nothing_is_created(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, scripted_json(404, "{}"), NULL};
    begin(&p, answers, 3, NULL);
    assert_int_equal(start(&p), 0);
    await_requests(&p, 3);
    assert_int_equal(p.e->ops->stop(p.e, p.run_dir), 0);
    assert_int_equal(p.started, 0);
    assert_int_equal(p.e->ops->stop(p.e, p.run_dir), 0);
    assert_true(loop_wait(p.loop, &p.started, 1));
    assert_int_equal(p.err, ERR_CLOSED);
    assert_int_equal(scripted_server_count(p.server), 3);
    end(&p);
}

static void test_stop__running__sigterm(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, scripted_json(409, "{\"message\":\"not running\"}")};
    begin(&p, answers, 2, NULL);
    assert_int_equal(p.e->ops->stop(p.e, p.run_dir), 0);
    await_requests(&p, 2);
    assert_request(&p, 1, "POST /v1.41/containers/" NAME "/kill?signal=SIGTERM ");
    end(&p);
}

static void test_forget__no_callback(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, NULL};
    begin(&p, answers, 2, NULL);
    assert_int_equal(start(&p), 0);
    await_requests(&p, 2);
    assert_int_equal(p.e->ops->explain(p.e, p.run_dir, on_verdict, &p), 0);
    p.e->ops->forget(p.e, &p);
    assert_int_equal(loop_turn(p.loop, 0), 0);
    assert_int_equal(p.started + p.gone + p.verdicts, 0);
    end(&p);
}

static void test_inspect__by_the_lock(void **state)
{
    (void)state;
    struct place p;
    enum rundir_liveness live = RUNDIR_ALIVE;
    begin(&p, NULL, 0, NULL);
    assert_int_equal(p.e->ops->inspect(p.e, p.run_dir, &live), 0);
    assert_int_equal(live, RUNDIR_NOT_STARTED);
    assert_int_equal(p.e->ops->inspect(p.e, "/nonexistent", &live), ERR_NOT_FOUND);
    end(&p);
}

/* ---- the end ---- */

static void test_explain__rows(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body, *reason, *words;
    } rows[] = {
        {404, "{\"message\":\"No such container\"}", "container_lost",
         "tailgate: the container was removed"},
        {200,
         "{\"State\":{\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137},"
         "\"HostConfig\":{\"Memory\":67108864}}",
         "out_of_memory", "tailgate: out of memory: the limit is 64 MiB"},
        {200, "{\"State\":{\"Running\":false,\"OOMKilled\":false,\"ExitCode\":137,\"Error\":\"\"}}",
         "container_lost", "tailgate: the container has ended with status 137"},
        {200, "{\"State\":{\"Running\":false,\"ExitCode\":128,\"Error\":\"no such file\"}}",
         "container_lost", "tailgate: the container has ended with status 128: no such file"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct place p;
        const char *const answers[] = {VERSION,
                                       scripted_json(200, "{\"State\":{\"Running\":true}}"),
                                       scripted_json(500, "{\"message\":\"busy\"}"),
                                       scripted_json(rows[i].status, rows[i].body)};
        begin(&p, answers, 4, NULL);
        assert_int_equal(p.e->ops->explain(p.e, p.run_dir, on_verdict, &p), 0);
        assert_true(loop_wait(p.loop, &p.verdicts, 1));
        assert_string_equal(p.reason, rows[i].reason);
        assert_string_equal(p.words, rows[i].words);
        end(&p);
    }
}

static void test_clean__until_nothing_is_left(void **state)
{
    (void)state;
    struct place p;
    const char *const answers[] = {VERSION, scripted_json(500, "{\"message\":\"device busy\"}"),
                                   scripted_json(204, "")};
    begin(&p, answers, 3, NULL);
    int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;
    bool is_clean = false;
    while (!is_clean && clock_mono_ms() < deadline) {
        is_clean = p.e->ops->clean(p.e, p.run_dir);
        assert_int_equal(loop_turn(p.loop, 20), 0);
    }
    assert_true(is_clean);
    assert_int_equal(scripted_server_count(p.server), 3);
    assert_request(&p, 2, "DELETE /v1.41/containers/" NAME "?force=true&v=true ");
    end(&p);
}

static void test_new__no_unix_socket__refused(void **state)
{
    (void)state;
    struct engine *e;
    const struct docker_opts opts = {.host = "tcp://127.0.0.1:1"};
    assert_int_equal(engine_docker_new(NULL, &opts, &e), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start__image_there__created_started_then_gone),
        cmocka_unit_test(test_start__files__mounted_one_by_one_and_not_the_containers),
        cmocka_unit_test(test_start__gateway_in_a_container__paths_as_the_host_sees_them),
        cmocka_unit_test(test_start__image_absent__pulled_with_its_progress),
        cmocka_unit_test(test_start__fails__says_what_and_the_daemons_words),
        cmocka_unit_test(test_start__container_of_an_earlier_try__gone_on_with),
        cmocka_unit_test(test_start__no_image__refused),
        cmocka_unit_test(test_start__no_run_directory__refused),
        cmocka_unit_test(test_wait__daemon_goes_away__asked_again),
        cmocka_unit_test(test_stop__while_pulling__told_and_nothing_is_created),
        cmocka_unit_test(test_stop__running__sigterm),
        cmocka_unit_test(test_forget__no_callback),
        cmocka_unit_test(test_inspect__by_the_lock),
        cmocka_unit_test(test_explain__rows),
        cmocka_unit_test(test_clean__until_nothing_is_left),
        cmocka_unit_test(test_new__no_unix_socket__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
