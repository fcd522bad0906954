/* The engine that the settings name, and the rules across them. */
#include "gateway/boot_engine.h"

#include "base/loop.h"
#include "base/str.h"
#include "orchestrator/engine.h"

#include "../base/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct options docker(void)
{
    return (struct options){
        .engine = 1,
        .state_dir = "/var/lib/tailgate",
        .runner = "/usr/lib/tailgate-runner",
        .docker_host = "unix:///run/d.sock",
        .docker_network = "none",
    };
}

static void test_boot_engine_check__rows(void **state)
{
    struct options rows[7];
    static const char *const wanted[] = {
        "",
        "",
        "--docker-host: must be unix:///PATH, for files of this host are mounted",
        "--docker-host-state-dir: must be an absolute path",
        "--runner: must be in the state directory, where the Docker host finds it "
        "(--docker-host-state-dir)",
        "",
        "--docker-network: must name a network",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        rows[i] = docker();
    rows[1].engine = 0;
    rows[1].docker_host = "tcp://10.0.0.1:2375"; /* not asked for with engine process */
    rows[2].docker_host = "tcp://10.0.0.1:2375";
    rows[3].docker_host_state_dir = "srv";
    rows[4].docker_host_state_dir = "/srv";
    rows[5].docker_host_state_dir = "/srv";
    rows[5].runner = "/var/lib/tailgate/tailgate-runner";
    rows[6].docker_network = "";
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf error CLEANUP_BUF = {.max = 1024};
        assert_int_equal(boot_engine_check(&rows[i], &error),
                         wanted[i][0] == '\0' ? 0 : ERR_INVALID);
        assert_string_equal(error.data ? error.data : "", wanted[i]);
    }
}

static void test_boot_engine_check__host_from_the_environment(void **state)
{
    struct options o = docker();
    struct buf error CLEANUP_BUF = {.max = 1024};
    (void)state;
    o.docker_host = NULL;
    assert_int_equal(setenv("DOCKER_HOST", "ssh://elsewhere", 1), 0);
    assert_int_equal(boot_engine_check(&o, &error), ERR_INVALID);
    assert_int_equal(unsetenv("DOCKER_HOST"), 0);
    assert_int_equal(boot_engine_check(&o, &error), 0);
}

static void test_boot_container_user__as_asked_else_the_images_or_ours(void **state)
{
    struct options o = docker();
    char ours[32];
    (void)state;
    (void)snprintf(ours, sizeof ours, "%u:%u", (unsigned)geteuid(), (unsigned)getegid());
    char *user = boot_container_user(&o);
    assert_string_equal(user, geteuid() == 0 ? "" : ours);
    free(user);
    o.docker_user = "node";
    user = boot_container_user(&o);
    assert_string_equal(user, "node");
    free(user);
}

static void test_boot_engine_new__the_one_that_is_named(void **state)
{
    static const char *const names[] = {"process", "docker"};
    struct loop *loop;
    (void)state;
    assert_int_equal(loop_new(&loop), 0);
    for (int64_t i = 0; i < 2; i++) {
        struct options o = docker();
        struct engine *e;
        o.engine = i;
        assert_int_equal(boot_engine_new(loop, &o, "g1", &e), 0);
        assert_string_equal(e->ops->name, names[i]);
        e->ops->free(e);
    }
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boot_engine_check__rows),
        cmocka_unit_test(test_boot_engine_check__host_from_the_environment),
        cmocka_unit_test(test_boot_container_user__as_asked_else_the_images_or_ours),
        cmocka_unit_test(test_boot_engine_new__the_one_that_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
