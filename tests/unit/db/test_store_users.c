/* Users in a real database: made, listed, revoked, the first admin. */
#include "tests/unit/db/people_fixture.h"

static void test_store_user_create__new__row_claim_and_audit(void **state)
{
    struct fixture *f = *state;
    struct people_answer a = people_create(f, "ada@example.org", ROLE_DEVELOPER);
    assert_int_equal(a.err, 0);
    assert_int_equal(a.n, 1);
    assert_string_equal(a.email, "ada@example.org");
    assert_int_equal(a.u.role, ROLE_DEVELOPER);
    assert_true(a.u.created_at_us > 0);
    assert_int_equal(a.u.last_used_us, 0);
    assert_false(a.u.is_revoked);
    assert_string_equal(a.request_id, "request-1");
    assert_int_equal(sql_number(f, "SELECT count(*) FROM claims WHERE viewed_at IS NULL AND "
                                   "expires_at = created_at + interval '15 minutes'"),
                     1);
    assert_int_equal(people_audit_count(f, "action = 'tests.run' AND address = '10.0.0.1'"), 1);
}

static void test_store_user_create__address_known_in_any_case__conflict(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(people_create(f, "ada@example.org", ROLE_ADMIN).err, 0);
    assert_int_equal(people_create(f, "Ada@Example.org", ROLE_VIEWER).err, ERR_CONFLICT);
    sql_exec(f, "UPDATE users SET revoked_at = now()");
    assert_int_equal(people_create(f, "ada@example.org", ROLE_ADMIN).err, ERR_CONFLICT);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM claims"), 1);
    assert_int_equal(people_audit_count(f, "true"), 1);
}

static void test_store_user_list__several__by_email_with_last_use(void **state)
{
    struct fixture *f = *state;
    struct people_answer a = {0};
    (void)people_create(f, "bob@example.org", ROLE_VIEWER);
    (void)people_create(f, "ada@example.org", ROLE_ADMIN);
    assert_int_equal(people_claim(f, "ada@example.org", "k1").err, 0);
    sql_exec(f, "UPDATE api_keys SET last_used_at = '2026-01-01 00:00:00+00'");
    assert_int_equal(store_user_list(f->pool, on_people, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.n, 2);
    assert_string_equal(a.email, "ada@example.org");
    assert_int_equal(a.u.last_used_us, 1767225600000000);
}

static struct people_answer revoke(struct fixture *f, const char *email)
{
    struct people_answer a = {0};
    assert_int_equal(store_user_revoke(f->pool, email, &PEOPLE_AUDIT, on_people, &a), 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

static void test_store_user_revoke__known__once(void **state)
{
    struct fixture *f = *state;
    (void)people_create(f, "bob@example.org", ROLE_VIEWER);
    struct people_answer a = revoke(f, "BOB@example.org");
    assert_int_equal(a.err, 0);
    assert_string_equal(a.email, "bob@example.org");
    int64_t at = sql_number(f, "SELECT tg_us(revoked_at) FROM users");
    assert_true(at > 0);
    assert_int_equal(people_audit_count(f, "true"), 2);
    assert_int_equal(revoke(f, "bob@example.org").err, 0); /* changes nothing, says nothing */
    assert_int_equal(sql_number(f, "SELECT tg_us(revoked_at) FROM users"), at);
    assert_int_equal(people_audit_count(f, "true"), 2);
    assert_int_equal(revoke(f, "nobody@example.org").err, ERR_NOT_FOUND);
    assert_int_equal(people_audit_count(f, "true"), 2);
}

static void test_store_user_revoke__last_admin_with_a_key__conflict(void **state)
{
    struct fixture *f = *state;
    (void)people_create(f, "ada@example.org", ROLE_ADMIN);
    (void)people_create(f, "eve@example.org", ROLE_ADMIN);
    assert_int_equal(people_claim(f, "ada@example.org", "k1").err, 0);
    assert_int_equal(revoke(f, "ada@example.org").err, ERR_CONFLICT); /* eve has no key yet */
    assert_int_equal(sql_number(f, "SELECT count(*) FROM users WHERE revoked_at IS NOT NULL"), 0);
    assert_int_equal(people_claim(f, "eve@example.org", "k2").err, 0);
    assert_int_equal(revoke(f, "ada@example.org").err, 0);
    assert_int_equal(revoke(f, "eve@example.org").err, ERR_CONFLICT);
}

/* Each revokes the other at the same time: one of them stays. */
static void test_store_user_revoke__two_admins_at_once__one_stays(void **state)
{
    struct fixture *f = *state;
    struct people_answer a = {0}, b = {0};
    (void)people_create(f, "ada@example.org", ROLE_ADMIN);
    (void)people_create(f, "eve@example.org", ROLE_ADMIN);
    assert_int_equal(people_claim(f, "ada@example.org", "k1").err, 0);
    assert_int_equal(people_claim(f, "eve@example.org", "k2").err, 0);
    assert_int_equal(store_user_revoke(f->pool, "ada@example.org", &PEOPLE_AUDIT, on_people, &a),
                     0);
    assert_int_equal(store_user_revoke(f->pool, "eve@example.org", &PEOPLE_AUDIT, on_people, &b),
                     0);
    await_count(f->loop, &a.calls, 1);
    await_count(f->loop, &b.calls, 1);
    assert_true((a.err == 0 && b.err == ERR_CONFLICT) || (a.err == ERR_CONFLICT && b.err == 0));
}

static struct answer bootstrap(struct fixture *f, const char *email, const char *seed)
{
    uint8_t hash[STORE_KEY_HASH_LEN];
    struct answer a = {0};
    people_hash(seed, hash);
    const struct store_new_user n = {email, ROLE_ADMIN, hash, PEOPLE_TTL_MS};
    assert_int_equal(store_user_bootstrap(f->pool, &n, &PEOPLE_AUDIT, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

static void test_store_user_bootstrap__until_there_is_a_key__a_claim_each_time(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(bootstrap(f, "me@example.org", "c1").err, 0);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM users WHERE role = 'admin'"), 1);
    assert_int_equal(bootstrap(f, "ME@example.org", "c2").err, 0); /* the first was missed */
    assert_int_equal(sql_number(f, "SELECT count(*) FROM users"), 1);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM claims"), 2);
    assert_int_equal(people_claim(f, "c2", "k1").err, 0);
    assert_int_equal(bootstrap(f, "me@example.org", "c3").err, ERR_CONFLICT);
    sql_exec(f, "UPDATE api_keys SET revoked_at = now()"); /* locked out: here is the way back */
    assert_int_equal(bootstrap(f, "me@example.org", "c4").err, 0);
    assert_int_equal(people_audit_count(f, "action = 'tests.run'"), 3);
}

static void test_store_user_bootstrap__other_role_or_revoked__conflict(void **state)
{
    struct fixture *f = *state;
    (void)people_create(f, "bob@example.org", ROLE_VIEWER);
    assert_int_equal(bootstrap(f, "bob@example.org", "c1").err, ERR_CONFLICT);
    (void)people_create(f, "eve@example.org", ROLE_ADMIN);
    sql_exec(f, "UPDATE users SET revoked_at = now()");
    assert_int_equal(bootstrap(f, "eve@example.org", "c2").err, ERR_CONFLICT);
}

static void test_store_users__row_that_cannot_be_read__corrupt(void **state)
{
    struct fixture *f = *state;
    struct people_answer a = {0};
    (void)people_create(f, "bob@example.org", ROLE_VIEWER);
    sql_exec(f, "ALTER TABLE users DROP CONSTRAINT users_role_check; "
                "UPDATE users SET role = 'king'");
    assert_int_equal(store_user_list(f->pool, on_people, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, ERR_CORRUPT);
    assert_int_equal(a.n, 0);
    sql_exec(f, "UPDATE users SET role = 'viewer'; ALTER TABLE users ADD CONSTRAINT "
                "users_role_check CHECK (role IN ('admin', 'operator', 'developer', 'viewer'))");
}

static void test_store_users__database_refuses__error_and_nothing_changed(void **state)
{
    struct fixture *f = *state;
    struct people_answer a = {0};
    sql_exec(f, "ALTER TABLE audit RENAME TO away");
    assert_int_equal(people_create(f, "bob@example.org", ROLE_VIEWER).err, ERR_DB);
    assert_int_equal(revoke(f, "bob@example.org").err, ERR_DB);
    assert_int_equal(bootstrap(f, "bob@example.org", "c").err, ERR_DB);
    assert_int_equal(people_claim(f, "bob@example.org", "k").err, ERR_DB);
    sql_exec(f, "ALTER TABLE away RENAME TO audit; ALTER TABLE api_keys RENAME TO away");
    assert_int_equal(store_user_list(f->pool, on_people, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, ERR_DB);
    sql_exec(f, "ALTER TABLE away RENAME TO api_keys");
    assert_int_equal(sql_number(f, "SELECT count(*) FROM users"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEOPLE_ROW(test_store_user_create__new__row_claim_and_audit),
        PEOPLE_ROW(test_store_user_create__address_known_in_any_case__conflict),
        PEOPLE_ROW(test_store_user_list__several__by_email_with_last_use),
        PEOPLE_ROW(test_store_user_revoke__known__once),
        PEOPLE_ROW(test_store_user_revoke__last_admin_with_a_key__conflict),
        PEOPLE_ROW(test_store_user_revoke__two_admins_at_once__one_stays),
        PEOPLE_ROW(test_store_user_bootstrap__until_there_is_a_key__a_claim_each_time),
        PEOPLE_ROW(test_store_user_bootstrap__other_role_or_revoked__conflict),
        PEOPLE_ROW(test_store_users__row_that_cannot_be_read__corrupt),
        PEOPLE_ROW(test_store_users__database_refuses__error_and_nothing_changed),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
