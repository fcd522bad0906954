#include "orchestrator/api_keys.h"
#include "orchestrator/keys.h"

#include "fake_people.h"

#include <stdio.h>
#include <string.h>

struct answer {
    int calls, err;
    struct problem p;
    char key[API_KEY_LEN + 1];
    size_t n;
};

static void on_keys(void *user, const struct problem *p, const struct api_key *rows UNUSED,
                    size_t n, const char *key)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
    if (p)
        a->p = *p;
    a->n = n;
    if (key)
        (void)snprintf(a->key, sizeof a->key, "%s", key);
}

static const struct api_key ROW = {.key_id = 3, .prefix = "tg_abcde", .description = ""};
static struct principal dev;

static struct caller by_dev(void)
{
    dev = fake_who(ROLE_DEVELOPER, "dev@example.org");
    dev.user_key = 44;
    return (struct caller){&dev, "10.0.0.1", "r1"};
}

static void *take(const char *call)
{
    assert_non_null(fake_people.call);
    assert_string_equal(fake_people.call, call);
    fake_people.call = NULL;
    return fake_people.user;
}

static void test_api_key_create__stored__key_whose_hash_is_kept(void **state)
{
    struct world *w = *state;
    struct caller by = by_dev();
    struct answer a = {0};
    struct problem p;
    uint8_t hash[API_KEY_HASH_LEN];
    assert_int_equal(orchestrator_api_key_create(w->o, &by, "laptop", on_keys, &a, &p), 0);
    assert_int_equal(fake_people.user_key, 44);
    assert_int_equal(fake_people.most, 20);
    assert_string_equal(fake_people.description, "laptop");
    assert_string_equal(fake_people.action, "api_keys.create");
    assert_string_equal(fake_people.resource, "api_key/");
    fake_people.fn.keys(take("api_key_create"), 0, &ROW, 1);
    assert_int_equal(a.err, 0);
    assert_true(api_key_is_well_formed(a.key));
    api_key_hash(a.key, hash);
    assert_memory_equal(fake_people.hash, hash, sizeof hash);
    assert_int_equal(strncmp(a.key, fake_people.prefix, API_KEY_PREFIX_LEN), 0);
    assert_int_equal(orchestrator_api_key_create(w->o, &by, NULL, on_keys, &a, &p), 0);
    assert_string_equal(fake_people.description, "");
    fake_people.fn.keys(take("api_key_create"), 0, &ROW, 1);
}

static void test_api_key_create__store_answers__table(void **state)
{
    static const struct {
        int err, expected;
        const char *details;
    } rows[] = {
        {ERR_LIMIT, ERR_LIMIT, "at most 20 API keys"},
        {ERR_REVOKED, ERR_REVOKED, "has been revoked"},
        {ERR_CONFLICT, ERR_INTERNAL, "internal"},
        {ERR_DB_AWAY, ERR_DB_AWAY, "database"},
    };
    struct world *w = *state;
    struct caller by = by_dev();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = {0};
        struct problem p;
        assert_int_equal(orchestrator_api_key_create(w->o, &by, "", on_keys, &a, &p), 0);
        fake_people.fn.keys(take("api_key_create"), rows[i].err, NULL, 0);
        assert_int_equal(a.err, rows[i].expected);
        assert_string_equal(a.p.error, "failed to create API key");
        assert_non_null(strstr(a.p.details, rows[i].details));
        assert_string_equal(a.key, "");
    }
}

static void test_api_key_create__description_too_long__invalid(void **state)
{
    struct world *w = *state;
    struct caller by = by_dev();
    struct problem p;
    char text[300];
    memset(text, 'x', sizeof text);
    text[257] = '\0';
    assert_int_equal(orchestrator_api_key_create(w->o, &by, text, on_keys, NULL, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "description must be at most 256 characters"));
    assert_null(fake_people.call);
}

static void test_api_keys_list__ones_own__rows_without_the_key(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    (void)by_dev();
    assert_int_equal(orchestrator_api_keys_list(w->o, &dev, on_keys, &a, &p), 0);
    assert_int_equal(fake_people.user_key, 44);
    fake_people.fn.keys(take("api_key_list"), 0, &ROW, 1);
    assert_int_equal(a.n, 1);
    assert_string_equal(a.key, "");
    assert_int_equal(orchestrator_api_keys_list(w->o, &dev, on_keys, &a, &p), 0);
    /* The pool's bound, not the user's. */
    fake_people.fn.keys(take("api_key_list"), ERR_LIMIT, NULL, 0);
    assert_int_equal(a.err, ERR_DB_AWAY);
}

static void test_api_key_revoke__table(void **state)
{
    struct world *w = *state;
    struct caller by = by_dev();
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_api_key_revoke(w->o, &by, "3", on_keys, &a, &p), 0);
    assert_int_equal(fake_people.key_id, 3);
    assert_int_equal(fake_people.user_key, 44);
    assert_string_equal(fake_people.action, "api_keys.revoke");
    assert_string_equal(fake_people.resource, "api_key/3");
    fake_people.fn.keys(take("api_key_revoke"), 0, &ROW, 1);
    assert_int_equal(a.err, 0);
    assert_int_equal(orchestrator_api_key_revoke(w->o, &by, "4", on_keys, &a, &p), 0);
    fake_people.fn.keys(take("api_key_revoke"), ERR_NOT_FOUND, NULL, 0);
    assert_int_equal(a.err, ERR_NOT_FOUND);
    assert_string_equal(a.p.details, "API key not found");
    static const char *const strange[] = {"", "0", "-1", "x", "1x", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
        assert_int_equal(orchestrator_api_key_revoke(w->o, &by, strange[i], on_keys, &a, &p),
                         ERR_NOT_FOUND);
    assert_null(fake_people.call);
}

static void test_api_keys__store_refuses__problem_at_once(void **state)
{
    struct world *w = *state;
    struct caller by = by_dev();
    struct problem p;
    fake_people.ret = ERR_LIMIT; /* the pool is full: not the user's limit */
    assert_int_equal(orchestrator_api_key_create(w->o, &by, "", on_keys, NULL, &p), ERR_DB_AWAY);
    assert_int_equal(orchestrator_api_keys_list(w->o, &dev, on_keys, NULL, &p), ERR_DB_AWAY);
    assert_int_equal(orchestrator_api_key_revoke(w->o, &by, "1", on_keys, NULL, &p), ERR_DB_AWAY);
}

static void test_api_keys__freed_before_the_answer__closed(void **state)
{
    struct world *w = *state;
    struct caller by = by_dev();
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_api_key_create(w->o, &by, "", on_keys, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(a.err, ERR_CLOSED);
    fake_people.fn.keys(take("api_key_create"), ERR_LIMIT, NULL, 0);
    assert_int_equal(a.calls, 1);
    assert_string_equal(a.key, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_people_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_api_key_create__stored__key_whose_hash_is_kept),
        TEST(test_api_key_create__store_answers__table),
        TEST(test_api_key_create__description_too_long__invalid),
        TEST(test_api_keys_list__ones_own__rows_without_the_key),
        TEST(test_api_key_revoke__table),
        TEST(test_api_keys__store_refuses__problem_at_once),
        TEST(test_api_keys__freed_before_the_answer__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
