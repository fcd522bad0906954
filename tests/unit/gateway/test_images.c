#include "rig_team.h"

#define REGISTER "POST /api/v1/images/register"

static void test_images__calls__answers(void **state UNUSED)
{
    static const struct {
        const char *line, *body;
        int status;
        const char *text, *asked;
    } rows[] = {
        {"GET /api/v1/images", NULL, 200, "{\"images\":[{\"image_id\":\"app:1-01234567\"", ""},
        {"GET /api/v1/images/", NULL, 200, "\"created_at\":\"2023-11-14T22:13:20.000Z\"", ""},
        {"GET /api/v1/images/app:1", NULL, 200, "{\"image_id\":\"app:1-01234567\"", "app:1"},
        {"GET /api/v1/images/ghcr.io/team/app:1", NULL, 200, "app", "ghcr.io/team/app:1"},
        {"GET /api/v1/images/ghcr.io%2Fteam%2Fapp%3A1", NULL, 200, "app", "ghcr.io/team/app:1"},
        {REGISTER, "{\"image\":\"app\"}", 201,
         "{\"image\":\"app:1\",\"image_id\":\"app:1-01234567\",\"message\":\"Image registered",
         "app"},
        {"DELETE /api/v1/images/app:1-01234567", NULL, 200, "\"message\":\"Image removed",
         "app:1-01234567"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rig_expect(rows[i].line, "", rows[i].body, rows[i].status, rows[i].text);
        assert_string_equal(rig_team.text, rows[i].asked);
    }
}

static void test_images_register__fields__handed_on(void **state UNUSED)
{
    rig_expect(REGISTER, "",
               "{\"image\":\"a\",\"is_default\":true,\"cpu\":512,\"memory\":1024,"
               "\"runtime_platform\":\"Linux/ARM64\",\"task_role_name\":null}",
               201, "Image registered");
    assert_true(rig_team.is_default);
    assert_int_equal(rig_team.cpu, 512);
    assert_int_equal(rig_team.memory, 1024);
    assert_string_equal(rig_team.platform, "Linux/ARM64");
}

static void test_images_register__bodies__refused(void **state UNUSED)
{
    static const char *const bodies[] = {"{", "[]", "{\"image\":1}", "{\"cpu\":\"x\"}",
                                         "{\"cpu\":1.5}"};
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
        rig_expect(REGISTER, "", bodies[i], 400, i < 2 ? "invalid request body" : "must be");
    assert_int_equal(rig_team.calls, 0);
}

static void test_images__problems__answered(void **state UNUSED)
{
    static const char *const lines[] = {"GET /api/v1/images", "GET /api/v1/images/a",
                                        "DELETE /api/v1/images/a", REGISTER};
    (void)problem_set(&rig.world.problem, ERR_CONFLICT, "failed", "in use");
    for (int at_once = 0; at_once < 2; at_once++) {
        rig.world.refuses = at_once;
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
            rig_expect(lines[i], "", i == 3 ? "{\"image\":\"a\"}" : NULL, 409, "in use");
    }
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, rig_team_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_images__calls__answers),
        ROW(test_images_register__fields__handed_on),
        ROW(test_images_register__bodies__refused),
        ROW(test_images__problems__answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
