#include "orchestrator/keys.h"

#include "fake.h"

#include <string.h>

struct answer {
    int calls, err;
    struct problem p;
    struct principal who;
};

static void answered(void *user, const struct problem *p, const struct principal *who)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
    if (p)
        a->p = *p;
    if (who)
        a->who = *who;
    assert_true(!p == !!who);
}

static void test_authenticate__no_key__unauthorized(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_authenticate(w->o, NULL, answered, &a, &p), ERR_UNAUTHORIZED);
    assert_int_equal(orchestrator_authenticate(w->o, "", answered, &a, &p), ERR_UNAUTHORIZED);
    assert_string_equal(p.details, "API key is required");
    assert_int_equal(a.calls, 0);
}

static void test_authenticate__malformed__bad_key_without_the_database(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_authenticate(w->o, "tg_nonsense", answered, &a, &p), ERR_BAD_KEY);
    assert_string_equal(p.error, "Unauthorized");
    assert_string_equal(p.details, "Invalid API key");
    assert_int_equal(fake_waiting(CALL_KEY), 0);
}

struct row {
    int err, wanted;
    const char *error, *details;
};
static const struct row rows[] = {
    {ERR_BAD_KEY, ERR_BAD_KEY, "Unauthorized", "Invalid API key"},
    {ERR_NOT_FOUND, ERR_BAD_KEY, "Unauthorized", "Invalid API key"},
    {ERR_REVOKED, ERR_REVOKED, "Unauthorized", "API key has been revoked"},
    {ERR_DB_AWAY, ERR_DB_AWAY, "Server error", "failed to get user by API key hash"},
    {ERR_TIMEOUT, ERR_DB_AWAY, "Server error", "failed to get user by API key hash"},
    {ERR_LIMIT, ERR_DB_AWAY, "Server error", "failed to get user by API key hash"},
    {ERR_DB, ERR_DB, "Server error", "failed to get user by API key hash"},
    {ERR_CLOSED, ERR_CLOSED, "Server error", "the server is shutting down"},
};

static void test_authenticate__store_answers__table(void **state)
{
    struct world *w = *state;
    char key[API_KEY_LEN + 1];
    uint8_t hash[API_KEY_HASH_LEN];
    api_key_make(key);
    api_key_hash(key, hash);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = {0};
        struct problem p;
        assert_int_equal(orchestrator_authenticate(w->o, key, answered, &a, &p), 0);
        assert_int_equal(a.calls, 0);
        struct fake_call c = fake_take(CALL_KEY);
        assert_memory_equal(c.bytes, hash, sizeof hash);
        c.fn.principal(c.user, rows[i].err, NULL);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, rows[i].wanted);
        assert_string_equal(a.p.error, rows[i].error);
        assert_string_equal(a.p.details, rows[i].details);
    }
}

static void test_authenticate__known__principal(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_OPERATOR, "op@x");
    struct answer a = {0};
    struct problem p;
    char key[API_KEY_LEN + 1];
    api_key_make(key);
    assert_int_equal(orchestrator_authenticate(w->o, key, answered, &a, &p), 0);
    fake_answer_principal(CALL_KEY, 0, &who);
    assert_int_equal(a.err, 0);
    assert_string_equal(a.who.email, "op@x");
}

static void test_authenticate__store_refuses__problem_at_once(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    char key[API_KEY_LEN + 1];
    api_key_make(key);
    fake_stores_return(ERR_LIMIT);
    assert_int_equal(orchestrator_authenticate(w->o, key, answered, &a, &p), ERR_DB_AWAY);
    assert_int_equal(a.calls, 0);
}

static void test_token_principal__looked_up_each_time(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_VIEWER, "v@x");
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_token_principal(w->o, 42, answered, &a, &p), 0);
    struct fake_call c = fake_take(CALL_USER);
    assert_int_equal(c.user_key, 42);
    c.fn.principal(c.user, 0, &who);
    assert_string_equal(a.who.email, "v@x");
    assert_int_equal(orchestrator_token_principal(w->o, 42, answered, &a, &p), 0);
    fake_answer_principal(CALL_USER, ERR_REVOKED, NULL);
    assert_int_equal(a.err, ERR_REVOKED);
}

static void test_authenticate__freed_before_the_answer__closed(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_token_principal(w->o, 42, answered, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(a.err, ERR_CLOSED);
    fake_answer_principal(CALL_USER, ERR_CLOSED, NULL);
    assert_int_equal(a.calls, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_authenticate__no_key__unauthorized),
        TEST(test_authenticate__malformed__bad_key_without_the_database),
        TEST(test_authenticate__store_answers__table),
        TEST(test_authenticate__known__principal),
        TEST(test_authenticate__store_refuses__problem_at_once),
        TEST(test_token_principal__looked_up_each_time),
        TEST(test_authenticate__freed_before_the_answer__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
