/* Claims in a real database: used once, by one of two. */
#include "tests/unit/db/people_fixture.h"

static void on_who(void *user, int err, const struct principal *who)
{
    struct people_answer *a = user;
    a->calls++;
    a->err = err;
    if (who)
        (void)snprintf(a->email, sizeof(a->email), "%s", who->email);
}

static void test_store_claim_use__fresh__key_made_and_viewer_kept(void **state)
{
    struct fixture *f = *state;
    uint8_t hash[STORE_KEY_HASH_LEN];
    struct people_answer who = {0};
    (void)people_create(f, "ada@example.org", ROLE_VIEWER);
    struct people_answer a = people_claim(f, "ada@example.org", "k1");
    assert_int_equal(a.err, 0);
    assert_string_equal(a.email, "ada@example.org");
    people_hash("k1", hash);
    assert_int_equal(store_key_lookup(f->pool, hash, on_who, &who), 0);
    await_count(f->loop, &who.calls, 1);
    assert_int_equal(who.err, 0);
    assert_string_equal(who.email, "ada@example.org");
    assert_int_equal(sql_number(f, "SELECT count(*) FROM claims WHERE viewed_from = '10.0.0.7' "
                                   "AND viewed_at IS NOT NULL"),
                     1);
    assert_int_equal(people_audit_count(f, "action = 'claims.view' AND result = 'ok' "
                                           "AND resource = 'user/ada@example.org'"),
                     1);
}

static void test_store_claim_use__again__conflict_that_is_told(void **state)
{
    struct fixture *f = *state;
    (void)people_create(f, "ada@example.org", ROLE_VIEWER);
    assert_int_equal(people_claim(f, "ada@example.org", "k1").err, 0);
    assert_int_equal(people_claim(f, "ada@example.org", "k2").err, ERR_CONFLICT);
    sql_exec(f, "UPDATE claims SET expires_at = now()"); /* used stays used */
    assert_int_equal(people_claim(f, "ada@example.org", "k3").err, ERR_CONFLICT);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM api_keys"), 1);
    assert_int_equal(people_audit_count(f, "action = 'claims.view' AND result = 'CONFLICT' "
                                           "AND resource = 'user/ada@example.org'"),
                     2);
}

static void test_store_claim_use__unknown_expired_or_revoked__error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(people_claim(f, "nobody", "k1").err, ERR_NOT_FOUND);
    (void)people_create(f, "ada@example.org", ROLE_VIEWER);
    sql_exec(f, "UPDATE claims SET expires_at = now()");
    assert_int_equal(people_claim(f, "ada@example.org", "k1").err, ERR_TIMEOUT);
    (void)people_create(f, "eve@example.org", ROLE_VIEWER);
    sql_exec(f, "UPDATE users SET revoked_at = now()");
    assert_int_equal(people_claim(f, "eve@example.org", "k1").err, ERR_NOT_FOUND);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM api_keys"), 0);
    assert_int_equal(people_audit_count(f, "action = 'claims.view'"), 0);
}

static void test_store_claim_use__two_at_once__one_wins(void **state)
{
    struct fixture *f = *state;
    struct people_answer a = {0}, b = {0};
    (void)people_create(f, "ada@example.org", ROLE_VIEWER);
    assert_int_equal(people_claim_begin(f, "ada@example.org", "k1", &a), 0);
    assert_int_equal(people_claim_begin(f, "ada@example.org", "k2", &b), 0);
    await_count(f->loop, &a.calls, 1);
    await_count(f->loop, &b.calls, 1);
    assert_true((a.err == 0 && b.err == ERR_CONFLICT) || (a.err == ERR_CONFLICT && b.err == 0));
    assert_int_equal(sql_number(f, "SELECT count(*) FROM api_keys"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEOPLE_ROW(test_store_claim_use__fresh__key_made_and_viewer_kept),
        PEOPLE_ROW(test_store_claim_use__again__conflict_that_is_told),
        PEOPLE_ROW(test_store_claim_use__unknown_expired_or_revoked__error),
        PEOPLE_ROW(test_store_claim_use__two_at_once__one_wins),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
