/* Tickets in a real database: once, in time, and only while their key may be used. */
#include "base/compiler.h"
#include "base/err.h"
#include "db/store_tickets.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HASH_LEN STORE_KEY_HASH_LEN

struct made {
    int calls, err;
    int64_t expires_us;
};

static void on_made(void *user, int err, int64_t expires_us)
{
    struct made *m = user;
    m->calls++;
    m->err = err;
    m->expires_us = expires_us;
}

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

static struct made make(struct fixture *f, uint8_t seed, int64_t key_id, int64_t ttl_ms)
{
    uint8_t hash[HASH_LEN];
    struct made m = {0};
    memset(hash, seed, sizeof(hash));
    assert_int_equal(store_ticket_make(f->pool, hash, key_id, ttl_ms, on_made, &m), 0);
    await_count(f->loop, &m.calls, 1);
    return m;
}

static void redeem_begin(struct fixture *f, uint8_t seed, struct who *w)
{
    uint8_t hash[HASH_LEN];
    memset(hash, seed, sizeof(hash));
    assert_int_equal(store_ticket_redeem(f->pool, hash, on_who, w), 0);
}

static struct who redeem(struct fixture *f, uint8_t seed)
{
    struct who w = {0};
    redeem_begin(f, seed, &w);
    await_count(f->loop, &w.calls, 1);
    return w;
}

/* A key of a user of its own; its id. */
static int64_t make_key(struct fixture *f, const char *email)
{
    uint8_t hash[HASH_LEN];
    struct answer a = {0};
    char sql[200];
    memset(hash, 0, sizeof(hash));
    memcpy(hash, email, strlen(email));
    assert_int_equal(store_bootstrap_admin(f->pool, email, hash, "tg_abcde", on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT key_id FROM api_keys JOIN users USING (user_key) WHERE email = '%s'",
                   email);
    return sql_number(f, sql);
}

static void test_store_ticket_redeem__made__once(void **state)
{
    struct fixture *f = *state;
    int64_t key_id = make_key(f, "once@x");
    struct made m = make(f, 1, key_id, 30000);
    assert_int_equal(m.err, 0);
    int64_t left_us = m.expires_us - sql_number(f, "SELECT tg_us(now())");
    assert_true(left_us > 0 && left_us <= 30000000);
    struct who w = redeem(f, 1);
    assert_int_equal(w.err, 0);
    assert_int_equal(w.p.key_id, key_id);
    assert_int_equal(w.p.role, ROLE_ADMIN);
    assert_string_equal(w.p.email, "once@x");
    assert_int_equal(redeem(f, 1).err, ERR_BAD_KEY);
    assert_int_equal(redeem(f, 99).err, ERR_BAD_KEY);
}

static void test_store_ticket_redeem__many_at_once__one_gets_it(void **state)
{
    struct fixture *f = *state;
    struct who who[8] = {0};
    int good = 0;
    assert_int_equal(make(f, 2, make_key(f, "many@x"), 30000).err, 0);
    for (size_t i = 0; i < ARRAY_SIZE(who); i++)
        redeem_begin(f, 2, &who[i]);
    for (size_t i = 0; i < ARRAY_SIZE(who); i++) {
        await_count(f->loop, &who[i].calls, 1);
        good += who[i].err == 0;
        assert_true(who[i].err == 0 || who[i].err == ERR_BAD_KEY);
    }
    assert_int_equal(good, 1);
}

static void test_store_ticket_redeem__expired_or_revoked__bad_key(void **state)
{
    struct fixture *f = *state;
    int64_t key_id = make_key(f, "late@x");
    assert_int_equal(make(f, 3, key_id, -1).err, 0);
    assert_int_equal(redeem(f, 3).err, ERR_BAD_KEY);
    assert_int_equal(make(f, 4, key_id, 30000).err, 0);
    sql_exec(f, "UPDATE api_keys SET revoked_at = now()");
    assert_int_equal(redeem(f, 4).err, ERR_BAD_KEY);
    sql_exec(f, "UPDATE api_keys SET revoked_at = NULL; UPDATE users SET revoked_at = now()");
    assert_int_equal(redeem(f, 4).err, ERR_BAD_KEY);
    sql_exec(f, "UPDATE users SET revoked_at = NULL");
    assert_int_equal(redeem(f, 4).err, 0);
}

static void test_store_ticket_make__expired_rows__removed(void **state)
{
    struct fixture *f = *state;
    int64_t key_id = make_key(f, "sweep@x");
    char sql[300];
    (void)snprintf(
        sql, sizeof(sql),
        "DELETE FROM tickets; INSERT INTO tickets SELECT decode(lpad(to_hex(n), 8, '0'), "
        "'hex'), %lld, now() - interval '1 s' FROM generate_series(0, %d) n",
        (long long)key_id, STORE_TICKETS_SWEPT);
    sql_exec(f, sql);
    assert_int_equal(make(f, 5, key_id, 30000).err, 0);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM tickets"), 2); /* a bounded number */
    assert_int_equal(make(f, 6, key_id, 30000).err, 0);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM tickets"), 2);
    assert_int_equal(redeem(f, 5).err, 0);
}

static void test_store_ticket_make__no_such_key_or_known_hash__error(void **state)
{
    struct fixture *f = *state;
    int64_t key_id = make_key(f, "error@x");
    assert_int_equal(make(f, 7, -1, 30000).err, ERR_DB);
    assert_int_equal(make(f, 8, key_id, 30000).err, 0);
    struct made m = make(f, 8, key_id, 30000);
    assert_int_equal(m.err, ERR_CONFLICT);
    assert_int_equal(m.expires_us, 0);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_ticket_redeem__made__once),
        ROW(test_store_ticket_redeem__many_at_once__one_gets_it),
        ROW(test_store_ticket_redeem__expired_or_revoked__bad_key),
        ROW(test_store_ticket_make__expired_rows__removed),
        ROW(test_store_ticket_make__no_such_key_or_known_hash__error),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
