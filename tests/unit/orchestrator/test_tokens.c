#include "fake.h"

#include <stdio.h>
#include <string.h>

static void test_token__own__gives_the_user(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_DEVELOPER, "dev@x");
    struct execution row = fake_row(1, EXEC_RUNNING);
    char token[STREAM_TOKEN_SIZE];
    int64_t user_key = 0;
    who.user_key = INT64_C(0x1122334455667788);
    assert_int_equal(orchestrator_token_make(w->o, &who, &row.id, token), 0);
    assert_int_equal(strlen(token), 87);
    assert_int_equal(
        strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 87);
    for (int i = 0; i < 2; i++)
        assert_int_equal(orchestrator_token_check(w->o, token, &row.id, &user_key), 0);
    assert_int_equal(user_key, who.user_key);
}

static void test_token__other_execution__forbidden(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_ADMIN, "a@x");
    struct execution one = fake_row(1, EXEC_RUNNING), two = fake_row(2, EXEC_RUNNING);
    char token[STREAM_TOKEN_SIZE];
    int64_t user_key = -1;
    assert_int_equal(orchestrator_token_make(w->o, &who, &one.id, token), 0);
    assert_int_equal(orchestrator_token_check(w->o, token, &two.id, &user_key), ERR_FORBIDDEN);
    assert_int_equal(user_key, -1);
}

static void test_token__each_character_changed_or_cut__bad(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_ADMIN, "a@x");
    struct execution row = fake_row(1, EXEC_RUNNING);
    char token[STREAM_TOKEN_SIZE], bad[STREAM_TOKEN_SIZE + 1];
    int64_t user_key;
    assert_int_equal(orchestrator_token_make(w->o, &who, &row.id, token), 0);
    size_t n = strlen(token);
    for (size_t i = 0; i < n; i++) {
        memcpy(bad, token, sizeof token);
        bad[i] = token[i] == 'A' ? 'B' : 'A';
        assert_int_equal(orchestrator_token_check(w->o, bad, &row.id, &user_key), ERR_BAD_KEY);
        memcpy(bad, token, sizeof token);
        bad[i] = '\0';
        assert_int_equal(orchestrator_token_check(w->o, bad, &row.id, &user_key), ERR_BAD_KEY);
        bad[i] = '!';
        assert_int_equal(orchestrator_token_check(w->o, bad, &row.id, &user_key), ERR_BAD_KEY);
    }
    (void)snprintf(bad, sizeof bad, "%sA", token);
    assert_int_equal(orchestrator_token_check(w->o, bad, &row.id, &user_key), ERR_BAD_KEY);
    (void)snprintf(bad, sizeof bad, "%s=", token);
    assert_int_equal(orchestrator_token_check(w->o, bad, &row.id, &user_key), ERR_BAD_KEY);
    assert_int_equal(orchestrator_token_check(w->o, "", &row.id, &user_key), ERR_BAD_KEY);
    assert_int_equal(orchestrator_token_check(w->o, NULL, &row.id, &user_key), ERR_BAD_KEY);
}

static void test_token__longer_than_any__bad(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    char text[4096];
    int64_t user_key;
    memset(text, 'A', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(orchestrator_token_check(w->o, text, &row.id, &user_key), ERR_BAD_KEY);
}

static void test_token__expires(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_ADMIN, "a@x");
    struct execution row = fake_row(1, EXEC_RUNNING);
    char token[STREAM_TOKEN_SIZE];
    int64_t user_key;
    assert_int_equal(orchestrator_token_make(w->o, &who, &row.id, token), 0);
    fake_pass(3598 * 1000);
    assert_int_equal(orchestrator_token_check(w->o, token, &row.id, &user_key), 0);
    fake_pass(2000);
    assert_int_equal(orchestrator_token_check(w->o, token, &row.id, &user_key), ERR_BAD_KEY);
}

static void test_token__other_servers_key__bad(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_ADMIN, "a@x");
    struct execution row = fake_row(1, EXEC_RUNNING);
    char token[STREAM_TOKEN_SIZE];
    int64_t user_key;
    assert_int_equal(orchestrator_token_make(w->o, &who, &row.id, token), 0);
    w->o->token_key[0] ^= 1;
    assert_int_equal(orchestrator_token_check(w->o, token, &row.id, &user_key), ERR_BAD_KEY);
}

static void test_token__not_started__closed(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_ADMIN, "a@x");
    struct execution row = fake_row(1, EXEC_RUNNING);
    char token[STREAM_TOKEN_SIZE];
    int64_t user_key;
    assert_int_equal(orchestrator_token_make(w->o, &who, &row.id, token), ERR_CLOSED);
    assert_int_equal(orchestrator_token_check(w->o, "x", &row.id, &user_key), ERR_CLOSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_token__own__gives_the_user),
        TEST(test_token__other_execution__forbidden),
        TEST(test_token__each_character_changed_or_cut__bad),
        TEST(test_token__longer_than_any__bad),
        TEST(test_token__expires),
        TEST(test_token__other_servers_key__bad),
        cmocka_unit_test_setup_teardown(test_token__not_started__closed, fake_setup_unstarted,
                                        fake_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
