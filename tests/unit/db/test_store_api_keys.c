/* API keys in a real database: within their bound, one's own, used to the minute. */
#include "tests/unit/db/people_fixture.h"

static void on_keys(void *user, int err, const struct api_key *rows, size_t n)
{
    struct people_answer *a = user;
    a->calls++;
    a->err = err;
    a->n = n;
    if (n == 0)
        return;
    a->k = rows[0];
    (void)snprintf(a->text, sizeof(a->text), "%s|%s", rows[0].prefix, rows[0].description);
}

static int create_begin(struct fixture *f, int64_t user_key, const char *seed, int64_t most,
                        struct people_answer *a)
{
    uint8_t hash[STORE_KEY_HASH_LEN];
    people_hash(seed, hash);
    const struct store_new_api_key n = {user_key, hash, "tg_abcde", seed, most};
    return store_api_key_create(f->pool, &n, &PEOPLE_AUDIT, on_keys, a);
}

static struct people_answer create(struct fixture *f, int64_t user_key, const char *seed,
                                   int64_t most)
{
    struct people_answer a = {0};
    assert_int_equal(create_begin(f, user_key, seed, most, &a), 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

static struct people_answer list(struct fixture *f, int64_t user_key)
{
    struct people_answer a = {0};
    assert_int_equal(store_api_key_list(f->pool, user_key, on_keys, &a), 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

static struct people_answer revoke(struct fixture *f, int64_t user_key, int64_t key_id)
{
    struct people_answer a = {0};
    assert_int_equal(store_api_key_revoke(f->pool, user_key, key_id, &PEOPLE_AUDIT, on_keys, &a),
                     0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

static void test_store_api_key_create__new__row_and_audit_with_its_id(void **state)
{
    struct fixture *f = *state;
    int64_t ada = people_create(f, "ada@example.org", ROLE_VIEWER).u.user_key;
    struct people_answer a = create(f, ada, "laptop", 20);
    char where[100];
    assert_int_equal(a.err, 0);
    assert_string_equal(a.text, "tg_abcde|laptop");
    assert_true(a.k.key_id > 0 && a.k.created_at_us > 0);
    assert_int_equal(a.k.last_used_us, 0);
    (void)snprintf(where, sizeof(where), "resource = 'thing/%lld'", (long long)a.k.key_id);
    assert_int_equal(people_audit_count(f, where), 1);
    assert_int_equal(create(f, ada, "laptop", 20).err, ERR_CONFLICT); /* the same hash */
}

static void test_store_api_key_create__bound_reached__limit(void **state)
{
    struct fixture *f = *state;
    int64_t ada = people_create(f, "ada@example.org", ROLE_VIEWER).u.user_key;
    int64_t first = create(f, ada, "one", 2).k.key_id;
    assert_int_equal(create(f, ada, "two", 2).err, 0);
    assert_int_equal(create(f, ada, "three", 2).err, ERR_LIMIT);
    assert_int_equal(list(f, ada).n, 2);
    assert_int_equal(revoke(f, ada, first).err, 0); /* those revoked do not count */
    assert_int_equal(create(f, ada, "four", 2).err, 0);
    assert_int_equal(list(f, ada).n, 3);
}

static void test_store_api_key_create__several_at_once__never_past_the_bound(void **state)
{
    struct fixture *f = *state;
    struct people_answer a[6] = {0};
    int64_t ada = people_create(f, "ada@example.org", ROLE_VIEWER).u.user_key;
    static const char *const seeds[] = {"a", "b", "c", "d", "e", "f"};
    int made = 0;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(create_begin(f, ada, seeds[i], 3, &a[i]), 0);
    for (size_t i = 0; i < 6; i++) {
        await_count(f->loop, &a[i].calls, 1);
        assert_true(a[i].err == 0 || a[i].err == ERR_LIMIT);
        made += a[i].err == 0;
    }
    assert_int_equal(made, 3);
    assert_int_equal(people_audit_count(f, "resource <> 'thing/'"), 3);
}

static void test_store_api_key_create__user_revoked_meanwhile__revoked(void **state)
{
    struct fixture *f = *state;
    int64_t ada = people_create(f, "ada@example.org", ROLE_VIEWER).u.user_key;
    sql_exec(f, "UPDATE users SET revoked_at = now()");
    assert_int_equal(create(f, ada, "one", 2).err, ERR_REVOKED);
}

static void test_store_api_key_revoke__own_or_not__table(void **state)
{
    struct fixture *f = *state;
    int64_t ada = people_create(f, "ada@example.org", ROLE_VIEWER).u.user_key;
    int64_t bob = people_create(f, "bob@example.org", ROLE_ADMIN).u.user_key;
    int64_t key = create(f, ada, "one", 2).k.key_id;
    int64_t before = people_audit_count(f, "true");
    assert_int_equal(revoke(f, bob, key).err, ERR_NOT_FOUND);
    assert_int_equal(revoke(f, ada, key + 1000).err, ERR_NOT_FOUND);
    assert_int_equal(people_audit_count(f, "true"), before);
    assert_false(list(f, ada).k.is_revoked);
    assert_int_equal(revoke(f, ada, key).k.key_id, key);
    assert_true(list(f, ada).k.is_revoked);
    assert_int_equal(revoke(f, ada, key).err, 0); /* changes nothing */
    assert_int_equal(people_audit_count(f, "true"), before + 1);
}

static void use(struct fixture *f, int64_t key)
{
    struct answer a = {0};
    assert_int_equal(store_api_key_used(f->pool, key, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, 0);
}

static void test_store_api_key_used__twice__to_the_minute(void **state)
{
    struct fixture *f = *state;
    int64_t ada = people_create(f, "ada@example.org", ROLE_VIEWER).u.user_key;
    int64_t key = create(f, ada, "one", 2).k.key_id;
    use(f, key);
    int64_t first = list(f, ada).k.last_used_us;
    assert_true(first > 0);
    use(f, key);
    assert_int_equal(list(f, ada).k.last_used_us, first);
    sql_exec(f, "UPDATE api_keys SET last_used_at = now() - interval '2 minutes'");
    use(f, key);
    assert_true(list(f, ada).k.last_used_us > first);
}

static void test_store_api_keys__database_refuses__error(void **state)
{
    struct fixture *f = *state;
    sql_exec(f, "ALTER TABLE audit RENAME TO away");
    assert_int_equal(create(f, 1, "one", 2).err, ERR_DB);
    assert_int_equal(revoke(f, 1, 1).err, ERR_DB);
    sql_exec(f, "ALTER TABLE away RENAME TO audit; ALTER TABLE api_keys RENAME TO away");
    assert_int_equal(list(f, 1).err, ERR_DB);
    sql_exec(f, "ALTER TABLE away RENAME TO api_keys");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEOPLE_ROW(test_store_api_key_create__new__row_and_audit_with_its_id),
        PEOPLE_ROW(test_store_api_key_create__bound_reached__limit),
        PEOPLE_ROW(test_store_api_key_create__several_at_once__never_past_the_bound),
        PEOPLE_ROW(test_store_api_key_create__user_revoked_meanwhile__revoked),
        PEOPLE_ROW(test_store_api_key_revoke__own_or_not__table),
        PEOPLE_ROW(test_store_api_key_used__twice__to_the_minute),
        PEOPLE_ROW(test_store_api_keys__database_refuses__error),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
