/* What a reconcile asks the daemon. */
#include "docker_rig.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static struct {
    int calls, err;
    size_t n;
    char details[512], ids[128];
} got;

static void on_done(void *user UNUSED, int err, const struct problem *p)
{
    got.calls++;
    got.err = err;
    (void)snprintf(got.details, sizeof got.details, "%s", err ? p->details : "");
}

static void on_list(void *user UNUSED, int err, const struct problem *p, const char *const *ids,
                    size_t n)
{
    on_done(NULL, err, p);
    got.n = n;
    for (size_t i = 0; i < n; i++) {
        (void)strncat(got.ids, ids[i], sizeof got.ids - strlen(got.ids) - 2);
        (void)strncat(got.ids, ",", 2);
    }
}

static void await_answer(struct place *p, int calls)
{
    int64_t deadline = clock_mono_ms() + 60000;
    while (got.calls < calls && clock_mono_ms() < deadline)
        assert_int_equal(loop_turn(p->loop, 10), 0);
    assert_int_equal(got.calls, calls);
}

static void test_check__answers_or_not__told(void **state UNUSED)
{
    struct place p;
    const char *const answers[] = {VERSION, OK, scripted_json(500, "{\"message\":\"ill\"}")};
    memset(&got, 0, sizeof got);
    begin(&p, answers, 3, NULL);
    assert_int_equal(p.e->ops->check(p.e, on_done, &p), 0);
    await_answer(&p, 1);
    assert_int_equal(got.err, 0);
    assert_int_equal(p.e->ops->check(p.e, on_done, &p), 0);
    await_answer(&p, 2);
    assert_int_equal(got.err, ERR_INTERNAL);
    assert_non_null(strstr(got.details, "ill"));
    end(&p);
}

static void test_list__labels__execution_ids(void **state UNUSED)
{
    struct place p;
    const char *const answers[] = {
        VERSION,
        scripted_json(200, "[{\"Labels\":{\"tailgate.execution\":\"a\"}},{\"Labels\":null},"
                           "{\"Labels\":{\"tailgate.execution\":\"b\"}}]"),
        scripted_json(500, "{}")};
    memset(&got, 0, sizeof got);
    begin(&p, answers, 3, NULL);
    assert_int_equal(p.e->ops->list(p.e, on_list, &p), 0);
    await_answer(&p, 1);
    assert_int_equal(got.err, 0);
    assert_string_equal(got.ids, "a,b,");
    assert_non_null(strstr(scripted_server_request(p.server, 1), "tailgate.gateway"));
    assert_int_equal(p.e->ops->list(p.e, on_list, &p), 0);
    await_answer(&p, 2);
    assert_int_equal(got.err, ERR_INTERNAL);
    assert_int_equal(got.n, 0);
    end(&p);
}

static void test_has_image__there_offered_or_neither__rows(void **state UNUSED)
{
    static const struct {
        enum docker_pull_policy pull;
        int image, registry, err; /* statuses; 0 = not asked */
        const char *details;
    } rows[] = {
        {DOCKER_PULL_MISSING, 200, 0, 0, ""},
        {DOCKER_PULL_MISSING, 404, 200, 0, ""},
        {DOCKER_PULL_MISSING, 404, 403, ERR_NOT_FOUND, "its registry does not offer it: no"},
        {DOCKER_PULL_NEVER, 404, 0, ERR_NOT_FOUND, "--pull never"},
        {DOCKER_PULL_NEVER, 500, 0, ERR_INTERNAL, "no"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct place p;
        const char *answers[3] = {VERSION};
        const struct docker_opts opts = {
            .gateway_id = "gw", .runner_path = "/r", .pull = rows[i].pull};
        static char texts[2][256];
        const int statuses[2] = {rows[i].image, rows[i].registry};
        for (int s = 0; s < 2; s++) {
            (void)snprintf(texts[s], sizeof texts[s], "%s",
                           scripted_json(statuses[s] ? statuses[s] : 500, "{\"message\":\"no\"}"));
            answers[s + 1] = texts[s];
        }
        memset(&got, 0, sizeof got);
        begin(&p, answers, 3, &opts);
        assert_int_equal(p.e->ops->has_image(p.e, "app:1", "e30=", on_done, &p), 0);
        await_answer(&p, 1);
        assert_int_equal(got.err, rows[i].err);
        assert_non_null(strstr(got.details, rows[i].details));
        if (rows[i].registry != 0)
            assert_non_null(
                strstr(scripted_server_request(p.server, 2), "X-Registry-Auth: e30=\r\n"));
        end(&p);
    }
}

static void test_forget_or_free__no_callback(void **state UNUSED)
{
    struct place p;
    const char *const answers[] = {VERSION, NULL};
    memset(&got, 0, sizeof got);
    begin(&p, answers, 2, NULL);
    assert_int_equal(p.e->ops->check(p.e, on_done, &p), 0);
    await_requests(&p, 2);
    p.e->ops->forget(p.e, &p);
    assert_int_equal(p.e->ops->has_image(p.e, "app:1", "e30=", on_done, &p), 0);
    assert_int_equal(loop_turn(p.loop, 0), 0);
    end(&p);
    assert_int_equal(got.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check__answers_or_not__told),
        cmocka_unit_test(test_list__labels__execution_ids),
        cmocka_unit_test(test_has_image__there_offered_or_neither__rows),
        cmocka_unit_test(test_forget_or_free__no_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
