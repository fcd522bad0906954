/* Users, keys and the server's own keys in a real database. */
#include "base/err.h"
#include "db/store_keys.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EMAIL "admin@example.org"

struct who {
    int calls, err;
    struct principal p;
};

static void on_who(void *user, int err, const struct principal *p)
{
    struct who *w = user;
    w->calls++;
    w->err = err;
    assert_int_equal(p != NULL, err == 0);
    if (p)
        w->p = *p;
}

static struct who lookup(struct fixture *f, const uint8_t hash[STORE_KEY_HASH_LEN])
{
    struct who w = {0};
    assert_int_equal(store_key_lookup(f->pool, hash, on_who, &w), 0);
    await_count(f->loop, &w.calls, 1);
    return w;
}

static struct who lookup_user(struct fixture *f, int64_t user_key)
{
    struct who w = {0};
    assert_int_equal(store_user_lookup(f->pool, user_key, on_who, &w), 0);
    await_count(f->loop, &w.calls, 1);
    return w;
}

static void bootstrap(struct fixture *f, const char *email, const uint8_t *hash)
{
    struct answer a = {0};
    assert_int_equal(store_bootstrap_admin(f->pool, email, hash, "tg_abcde", on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, 0);
}

static void make_hash(uint8_t seed, uint8_t ret[STORE_KEY_HASH_LEN])
{
    memset(ret, seed, STORE_KEY_HASH_LEN);
    ret[3] = 0; /* bytea, not text */
}

static void test_store_bootstrap_admin__twice__one_user_one_key(void **state)
{
    struct fixture *f = *state;
    uint8_t hash[STORE_KEY_HASH_LEN], second[STORE_KEY_HASH_LEN];
    make_hash(1, hash);
    make_hash(2, second);
    bootstrap(f, EMAIL, hash);
    bootstrap(f, EMAIL, hash);
    struct who w = lookup(f, hash);
    assert_int_equal(w.err, 0);
    assert_string_equal(w.p.email, EMAIL);
    assert_int_equal(w.p.role, ROLE_ADMIN);
    assert_true(w.p.key_id > 0);
    bootstrap(f, EMAIL, second); /* another key for the same user */
    struct who again = lookup(f, second);
    assert_int_equal(again.p.user_key, w.p.user_key);
    assert_int_not_equal(again.p.key_id, w.p.key_id);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM api_keys WHERE prefix = 'tg_abcde'"), 2);
}

static void test_store_key_lookup__unknown_or_revoked__error(void **state)
{
    struct fixture *f = *state;
    uint8_t hash[STORE_KEY_HASH_LEN], unknown[STORE_KEY_HASH_LEN];
    make_hash(3, hash);
    make_hash(4, unknown);
    bootstrap(f, "revoked@example.org", hash);
    assert_int_equal(lookup(f, unknown).err, ERR_BAD_KEY);
    struct who w = lookup(f, hash);
    assert_int_equal(w.err, 0);
    assert_int_equal(lookup_user(f, w.p.user_key).err, 0);
    assert_int_equal(lookup_user(f, w.p.user_key).p.key_id, 0);
    assert_int_equal(lookup_user(f, -1).err, ERR_NOT_FOUND);

    sql_exec(f, "UPDATE users SET revoked_at = now() WHERE email = 'revoked@example.org'");
    assert_int_equal(lookup(f, hash).err, ERR_REVOKED);
    assert_int_equal(lookup_user(f, w.p.user_key).err, ERR_REVOKED);

    sql_exec(f, "UPDATE users SET revoked_at = NULL WHERE email = 'revoked@example.org'; "
                "UPDATE api_keys SET revoked_at = now() WHERE user_key = (SELECT user_key FROM "
                "users WHERE email = 'revoked@example.org')");
    assert_int_equal(lookup(f, hash).err, ERR_REVOKED);
    assert_int_equal(lookup_user(f, w.p.user_key).err, 0);
}

static void test_store_key_lookup__row_that_cannot_be_read__corrupt(void **state)
{
    struct fixture *f = *state;
    uint8_t hash[STORE_KEY_HASH_LEN];
    char email[400];
    make_hash(6, hash);
    memset(email, 'a', sizeof(email) - 1);
    email[sizeof(email) - 1] = '\0';
    bootstrap(f, email, hash);
    assert_int_equal(lookup(f, hash).err, ERR_CORRUPT);
}

static void test_store_server_key__first_and_later__the_same_bytes(void **state)
{
    struct fixture *f = *state;
    static const char *const fresh[] = {"first\0x", "other\0y"};
    for (size_t i = 0; i < 2; i++) {
        struct answer a = {0};
        assert_int_equal(store_server_key(f->pool, "stream", fresh[i], 7, on_answer, &a), 0);
        await_count(f->loop, &a.calls, 1);
        assert_int_equal(a.err, 0);
        assert_int_equal(a.len, 7);
        assert_string_equal(a.text, "first");
    }
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_bootstrap_admin__twice__one_user_one_key),
        ROW(test_store_key_lookup__unknown_or_revoked__error),
        ROW(test_store_key_lookup__row_that_cannot_be_read__corrupt),
        ROW(test_store_server_key__first_and_later__the_same_bytes),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
