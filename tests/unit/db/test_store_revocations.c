/* Who was revoked lately, and how listeners are told. */
#include "db/listener.h"
#include "tests/unit/db/people_fixture.h"

struct report {
    int calls, err;
    size_t n;
    struct store_revocation rows[4];
    int64_t now_us;
};

static void on_report(void *user, int err, const struct store_revocation *rows, size_t n,
                      int64_t now_us)
{
    struct report *r = user;
    r->calls++;
    r->err = err;
    r->n = n;
    r->now_us = now_us;
    assert_true(n <= 4);
    if (n > 0)
        memcpy(r->rows, rows, n * sizeof(*rows));
}

static struct report ask(struct fixture *f, int64_t since_us)
{
    struct report r = {0};
    assert_int_equal(store_revocations(f->pool, since_us, on_report, &r), 0);
    await_count(f->loop, &r.calls, 1);
    return r;
}

static void test_store_revocations__users_and_keys__those_since_in_order(void **state)
{
    struct fixture *f = *state;
    int64_t ada = people_create(f, "ada@example.org", ROLE_VIEWER).u.user_key;
    int64_t bob = people_create(f, "bob@example.org", ROLE_VIEWER).u.user_key;
    (void)people_claim(f, "ada@example.org", "k1");
    (void)people_claim(f, "bob@example.org", "k2");
    struct report r = ask(f, 0);
    assert_int_equal(r.err, 0);
    assert_int_equal(r.n, 0);
    assert_true(r.now_us > 0);
    sql_exec(f, "UPDATE users SET revoked_at = now(); UPDATE api_keys SET revoked_at = now() "
                "WHERE user_key = (SELECT min(user_key) FROM users)");
    r = ask(f, r.now_us);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.rows[0].user_key, ada);
    assert_int_equal(r.rows[0].key_id, 0);
    assert_int_equal(r.rows[1].user_key, ada);
    assert_true(r.rows[1].key_id > 0);
    assert_int_equal(r.rows[2].user_key, bob);
    assert_int_equal(r.rows[2].key_id, 0);
    assert_int_equal(ask(f, r.now_us).n, 0);
}

static void test_store_revocations__database_refuses__error(void **state)
{
    struct fixture *f = *state;
    sql_exec(f, "ALTER TABLE api_keys RENAME TO away");
    assert_int_equal(ask(f, 0).err, ERR_DB);
    sql_exec(f, "ALTER TABLE away RENAME TO api_keys");
}

static int told, listening;

static void on_told(void *user, const char *channel, const char *payload)
{
    (void)user;
    assert_string_equal(channel, STORE_REVOCATIONS_CHANNEL);
    assert_string_equal(payload, "");
    told++;
}

static void on_listening(void *user)
{
    (void)user;
    listening++;
}

static void test_store_revocation_tell__batch_committed__listeners_told(void **state)
{
    static const char *const channels[] = {STORE_REVOCATIONS_CHANNEL};
    struct fixture *f = *state;
    struct db_listener *d;
    struct people_answer a = {0};
    told = listening = 0;
    assert_int_equal(
        db_listener_new(f->loop, f->conninfo, channels, 1, on_told, on_listening, NULL, &d), 0);
    await_count(f->loop, &listening, 1);
    (void)people_create(f, "bob@example.org", ROLE_VIEWER);
    assert_int_equal(store_user_revoke(f->pool, "bob@example.org", &PEOPLE_AUDIT, on_people, &a),
                     0);
    await_count(f->loop, &told, 1);
    await_count(f->loop, &a.calls, 1);
    db_listener_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEOPLE_ROW(test_store_revocations__users_and_keys__those_since_in_order),
        PEOPLE_ROW(test_store_revocations__database_refuses__error),
        PEOPLE_ROW(test_store_revocation_tell__batch_committed__listeners_told),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
