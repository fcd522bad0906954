/* From an image to a started container, and starts that are given up. */
#include "docker_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start__image_there__created_started_then_gone),
        cmocka_unit_test(test_start__image_absent__pulled_with_its_progress),
        cmocka_unit_test(test_start__fails__says_what_and_the_daemons_words),
        cmocka_unit_test(test_start__container_of_an_earlier_try__gone_on_with),
        cmocka_unit_test(test_wait__daemon_goes_away__asked_again),
        cmocka_unit_test(test_stop__while_pulling__told_and_nothing_is_created),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
