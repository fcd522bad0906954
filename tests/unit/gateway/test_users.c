#include "rig_people.h"

#define CREATE "POST /api/v1/users/create"
#define REVOKE "POST /api/v1/users/revoke"
#define CLAIM "GET /api/v1/claim/TOKEN"

static void test_users_create__made__201_with_the_claim_token(void **state)
{
    (void)state;
    struct answer a;
    rig_request(CREATE, "", "{\"email\":\"ada@example.org\",\"role\":\"admin\"}", &a);
    assert_int_equal(a.status, 201);
    assert_non_null(strstr(a.body.data, "\"claim_token\":\"CLAIM\"}"));
    assert_non_null(strstr(a.body.data, "{\"user\":{\"email\":\"ada@example.org\""));
    assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
    assert_string_equal(rig_people.text, "ada@example.org");
    assert_string_equal(rig_people.role, "admin");
    assert_string_equal(rig_people.by, "dev@example.org");
    assert_string_equal(rig_people.address, "127.0.0.1");
    answer_done(&a);
}

static void test_users__bodies__table(void **state)
{
    (void)state;
    static const struct {
        const char *line, *body;
        int status;
        const char *text;
    } rows[] = {
        {CREATE, "{", 400, "invalid request body"},
        {CREATE, "[]", 400, "invalid request body"},
        {CREATE, "{\"email\":1}", 400, "failed to create user"},
        {CREATE, "{\"email\":\"a@b.c\",\"api_key\":\"mine\"}", 400, "api_key is not taken"},
        {CREATE, "{\"email\":\"a@b.c\",\"api_key\":\"\"}", 201, "CLAIM"},
        {REVOKE, "{", 400, "invalid request body"},
        {REVOKE, "{\"email\":[]}", 400, "failed to revoke user"},
        {REVOKE, "{\"email\":\"a@b.c\"}", 200, "\"email\":\"ada@example.org\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        rig_expect(rows[i].line, "", rows[i].body, rows[i].status, rows[i].text);
    rig_expect(CREATE, "", NULL, 201, "CLAIM"); /* the fields' rules are the orchestrator's */
    assert_false(rig_people.has_text);
}

static void test_users_list__rows__with_and_without_the_slash(void **state)
{
    (void)state;
    rig_expect("GET /api/v1/users", "", NULL, 200, "\"last_used\":\"2023-11-14T22:14:20.000Z\"");
    rig_expect("GET /api/v1/users/", "", NULL, 200, "\"email\":\"bob@example.org\"");
    rig_people.n = 0;
    rig_expect("GET /api/v1/users", "", NULL, 200, "{\"users\":[]}");
}

static void test_users__problems__answered(void **state)
{
    (void)state;
    static const char *const lines[] = {CREATE, REVOKE, "GET /api/v1/users", CLAIM};
    (void)problem_set(&rig.world.problem, ERR_CONFLICT, "failed", "no");
    for (int at_once = 0; at_once < 2; at_once++) {
        rig.world.refuses = at_once != 0;
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
            rig_expect(lines[i], "", strncmp(lines[i], "POST", 4) == 0 ? "{}" : NULL, 409,
                       "CONFLICT");
    }
}

static void test_claim__public__the_key_once(void **state)
{
    (void)state;
    struct answer a;
    rig_request(CLAIM, "!", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(
        strstr(a.body.data, "\"api_key\":\"tg_KEY\",\"user_email\":\"ada@example.org\""));
    assert_string_equal(rig_people.text, "TOKEN");
    assert_string_equal(rig_people.by, "");
    assert_string_equal(rig_people.address, "127.0.0.1");
    answer_done(&a);
    rig_expect(CLAIM "/", "!X-API-Key:\r\n", NULL, 200, "tg_KEY");
}

static void test_claim__only_looked_at__not_used(void **state)
{
    (void)state;
    rig_expect(CLAIM, "!Sec-Purpose: prefetch;prerender\r\n", NULL, 400, "is for GET");
    rig_expect(CLAIM, "!Purpose: prefetch\r\n", NULL, 400, "is for GET");
    int fd = rig_connect();
    struct answer a;
    static const char head[] = "HEAD /api/v1/claim/TOKEN HTTP/1.1\r\nHost: x\r\n\r\n";
    rig_send(fd, head, sizeof(head) - 1);
    rig_receive(fd, &a, false);
    assert_int_equal(a.status, 400);
    answer_done(&a);
    (void)close(fd);
    rig_expect("POST /api/v1/claim/TOKEN", "!", "", 405, "method");
    assert_int_equal(rig_people.calls, 0);
    rig_expect(CLAIM, "!Purpose: other\r\n", NULL, 200, "tg_KEY");
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, rig_people_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_users_create__made__201_with_the_claim_token),
        ROW(test_users__bodies__table),
        ROW(test_users_list__rows__with_and_without_the_slash),
        ROW(test_users__problems__answered),
        ROW(test_claim__public__the_key_once),
        ROW(test_claim__only_looked_at__not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
