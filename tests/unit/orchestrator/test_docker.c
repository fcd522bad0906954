/* The docker engine's operations that are no start and no end. */
#include "docker_rig.h"

#include "spool/rundir.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_start__no_image__refused(void **state)
{
    (void)state;
    struct place p;
    static const struct engine_start fns = {0};
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
        cmocka_unit_test(test_start__no_image__refused),
        cmocka_unit_test(test_start__no_run_directory__refused),
        cmocka_unit_test(test_stop__running__sigterm),
        cmocka_unit_test(test_forget__no_callback),
        cmocka_unit_test(test_inspect__by_the_lock),
        cmocka_unit_test(test_new__no_unix_socket__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
