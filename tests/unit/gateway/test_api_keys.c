#include "rig_people.h"

#define KEYS "/api/v1/api-keys"

static void test_api_keys_create__made__201_shown_once(void **state)
{
    (void)state;
    struct answer a;
    rig_request("POST " KEYS, "", "{\"description\":\"laptop\"}", &a);
    assert_int_equal(a.status, 201);
    assert_string_equal(a.body.data,
                        "{\"api_key\":\"tg_KEY\",\"id\":\"7\",\"prefix\":\"tg_abcde\","
                        "\"description\":\"laptop\",\"created_at\":\"2023-11-14T22:13:20.000Z\","
                        "\"revoked\":false}");
    assert_string_equal(rig_people.text, "laptop");
    assert_string_equal(rig_people.by, "dev@example.org");
    answer_done(&a);
    rig_expect("POST " KEYS "/", "", NULL, 201, "tg_KEY");
    assert_false(rig_people.has_text);
}

static void test_api_keys_create__bad_body__400(void **state)
{
    (void)state;
    rig_expect("POST " KEYS, "", "{", 400, "invalid request body");
    rig_expect("POST " KEYS, "", "{\"description\":1}", 400, "failed to create API key");
    assert_int_equal(rig_people.calls, 0);
}

static void test_api_keys_list__rows__masked(void **state)
{
    (void)state;
    rig_expect("GET " KEYS, "", NULL, 200,
               "{\"id\":\"8\",\"prefix\":\"tg_fghij\",\"description\":\"\","
               "\"created_at\":\"2023-11-14T22:13:20.000Z\","
               "\"last_used_at\":\"2023-11-14T22:14:20.000Z\",\"revoked\":true}]}");
    rig_people.n = 0;
    rig_expect("GET " KEYS "/", "", NULL, 200, "{\"api_keys\":[]}");
}

static void test_api_keys_revoke__own__200(void **state)
{
    (void)state;
    rig_expect("DELETE " KEYS "/7", "", NULL, 200, "{\"id\":\"7\",\"message\":");
    assert_string_equal(rig_people.text, "7");
}

static void test_api_keys__problems__answered(void **state)
{
    (void)state;
    static const char *const lines[] = {"POST " KEYS, "GET " KEYS, "DELETE " KEYS "/7"};
    (void)problem_set(&rig.world.problem, ERR_LIMIT, "failed", "no");
    for (int at_once = 0; at_once < 2; at_once++) {
        rig.world.refuses = at_once != 0;
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
            rig_expect(lines[i], "", NULL, 429, "LIMIT_EXCEEDED");
    }
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, rig_people_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_api_keys_create__made__201_shown_once), ROW(test_api_keys_create__bad_body__400),
        ROW(test_api_keys_list__rows__masked),           ROW(test_api_keys_revoke__own__200),
        ROW(test_api_keys__problems__answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
