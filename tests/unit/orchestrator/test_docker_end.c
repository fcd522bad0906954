/* Why a container ended, and its removal. */
#include "docker_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explain__rows),
        cmocka_unit_test(test_clean__until_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
