/* What a container is made of. */
#include "docker_rig.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    assert_int_equal(json_integer_value(json_object_get(host, "NanoCpus")), 500000000);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start__files__mounted_one_by_one_and_not_the_containers),
        cmocka_unit_test(test_start__gateway_in_a_container__paths_as_the_host_sees_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
