#include "rig_team.h"

static const struct {
    const char *line, *headers;
    int err; /* of the fake orchestrator; 0 = fine */
    int status;
    bool is_told, is_unknown;
    const char *action, *resource, *result;
} rows[] = {
    {"GET /api/v1/images/a", "", ERR_FORBIDDEN, 403, true, false, "images.read", "images/a",
     "FORBIDDEN"},
    {"DELETE /api/v1/images/a", "", ERR_LIMIT, 429, true, false, "images.delete", "images/a",
     "LIMIT_EXCEEDED"},
    {"GET /api/v1/images/a", "", ERR_NOT_FOUND, 404, false, false, NULL, NULL, NULL},
    {"GET /api/v1/images/a", "", ERR_CONFLICT, 409, false, false, NULL, NULL, NULL},
    {"GET /api/v1/images/a", "", ERR_DB_AWAY, 503, false, false, NULL, NULL, NULL},
    {"GET /api/v1/images/a", "", 0, 200, false, false, NULL, NULL, NULL},
    {"GET /api/v1/images/a", "!", 0, 401, false, false, NULL, NULL, NULL},
    {"GET /api/v1/images/a", "!X-API-Key: tg_wrong\r\n", 0, 401, true, true, "images.read", "",
     "INVALID_API_KEY"},
    {"GET /api/v1/images", "", ERR_REVOKED, 401, true, false, "images.read", "api-key/tg_good",
     "API_KEY_REVOKED"},
    {"GET /api/v1/nothing", "", 0, 404, false, false, NULL, NULL, NULL},
};

static void test_http_note_refusal__rows__told_or_not(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        memset(&rig_team, 0, sizeof(rig_team));
        memset(&rig.world.problem, 0, sizeof(rig.world.problem));
        if (rows[i].err)
            (void)problem_set(&rig.world.problem, rows[i].err, "failed", "because");
        rig_expect(rows[i].line, rows[i].headers, NULL, rows[i].status, "");
        assert_int_equal(rig_team.denied, rows[i].is_told);
        if (!rows[i].is_told)
            continue;
        assert_string_equal(rig_team.denied_action, rows[i].action);
        assert_string_equal(rig_team.denied_resource, rows[i].resource);
        assert_string_equal(rig_team.denied_result, rows[i].result);
        assert_int_equal(rig_team.denied_unknown, rows[i].is_unknown);
        assert_string_equal(rig_team.denied_by, rows[i].is_unknown ? "" : "dev@example.org");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_http_note_refusal__rows__told_or_not, rig_team_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
