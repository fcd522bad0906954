/* Leases in a real database: who may presume whom gone, and what is taken over. */
#include "base/err.h"
#include "base/str.h"
#include "db/store_gateways.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LEASE_MS 500
#define GONE_LONG "now() - interval '30 s'"

static const struct principal ada = {.user_key = 1, .key_id = 2, .email = "ada@example.org"};

static void renew(struct fixture *f, const char *id, bool begins)
{
    const struct store_gateway g = {id, "host-a", "/state", "process", LEASE_MS};
    struct answer a = {0};
    assert_int_equal(store_gateway_renew(f->pool, &g, begins, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, 0);
}

/* Its latest renewal, and since when it has held its lease. */
static void set_times(struct fixture *f, const char *id, const char *renewed, const char *since)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE gateways SET heartbeat_at = %s, up_since = %s WHERE gateway_id = '%s'",
                   renewed, since, id);
    sql_exec(f, sql);
}

struct made {
    int calls;
    struct execution_id id;
};

static void on_created(void *user, int err, const struct execution *e, enum store_refusal refusal)
{
    struct made *m = user;
    assert_int_equal(err, 0);
    assert_int_equal(refusal, STORE_REFUSED_NOT);
    m->id = e->id;
    m->calls++;
}

static struct execution_id create(struct fixture *f, const char *owner)
{
    const struct store_new_execution n = {.by = {&ada, "192.0.2.1", "req-1"},
                                          .command = "true",
                                          .image_id = "host",
                                          .owner = owner,
                                          .seal_key_id = "k1",
                                          .sealed = "sealed",
                                          .sealed_len = 6};
    struct made m = {0};
    assert_int_equal(store_execution_create(f->pool, &n, on_created, &m), 0);
    await_count(f->loop, &m.calls, 1);
    return m.id;
}

struct found {
    int calls, err;
    size_t n;
    struct {
        char owner[32], home[32], state_dir[64], host[32], engine[32];
        int64_t lapsed_ms, lease_ms;
    } rows[8];
};

static void on_strays(void *user, int err, const struct store_stray *rows, size_t n)
{
    struct found *g = user;
    g->calls++;
    g->err = err;
    g->n = n;
    assert_true(n <= ARRAY_SIZE(g->rows));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(str_copy(g->rows[i].owner, 32, rows[i].owner), 0);
        assert_int_equal(str_copy(g->rows[i].home, 32, rows[i].home.gateway_id), 0);
        assert_int_equal(str_copy(g->rows[i].state_dir, 64, rows[i].home.state_dir), 0);
        assert_int_equal(str_copy(g->rows[i].host, 32, rows[i].home.host), 0);
        assert_int_equal(str_copy(g->rows[i].engine, 32, rows[i].home.engine), 0);
        g->rows[i].lapsed_ms = rows[i].lapsed_ms;
        g->rows[i].lease_ms = rows[i].home.lease_ms;
    }
}

static struct found find(struct fixture *f, const char *self, bool with_own)
{
    struct found g = {0};
    assert_int_equal(store_strays(f->pool, self, with_own, on_strays, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    return g;
}

struct launches {
    int calls, err;
    size_t n;
    char owner[32], sealed[32], reason[32];
    int64_t fence;
};

static void on_launches(void *user, int err, const struct store_launch *rows, size_t n)
{
    struct launches *g = user;
    g->calls++;
    g->err = err;
    g->n = n;
    if (n == 0)
        return;
    assert_int_equal(str_copy(g->owner, sizeof g->owner, rows[0].row.owner), 0);
    g->fence = rows[0].row.fence;
    assert_int_equal(rows[0].sealed_len, 6);
    memcpy(g->sealed, rows[0].sealed, 6);
}

static struct launches take(struct fixture *f, const char *self, const char *owner,
                            const char *home)
{
    struct launches g = {0};
    assert_int_equal(store_strays_take(f->pool, self, owner, home, on_launches, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    return g;
}

static struct launches own(struct fixture *f, const char *self, const char *home)
{
    struct launches g = {0};
    assert_int_equal(store_strays_own(f->pool, self, home, on_launches, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    return g;
}

static struct launches adopt(struct fixture *f, const char *owner)
{
    struct launches g = {0};
    assert_int_equal(store_execution_adopt(f->pool, owner, on_launches, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    return g;
}

/* Nothing of earlier tests; PostgreSQL has been up for longer than a lease. */
static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    sql_exec(*state, "DELETE FROM gateways; UPDATE executions SET status = 'STOPPED'");
    sql_exec(*state, "SELECT pg_sleep(greatest(0, 0.6 - "
                     "extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())))");
    return 0;
}

/* "me" may judge, "gone" is gone. */
static void begin(struct fixture *f)
{
    renew(f, "me", true);
    renew(f, "gone", true);
    set_times(f, "me", "now() + interval '1 h'", GONE_LONG);
    set_times(f, "gone", GONE_LONG, GONE_LONG);
}

static void test_store_gateway_renew__begin_renew_lapse__held_since(void **state)
{
    struct fixture *f = *state;
    renew(f, "me", true);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM gateways WHERE gateway_id = 'me' AND "
                                   "host = 'host-a' AND state_dir = '/state' AND "
                                   "engine = 'process' AND lease_ms = 500"),
                     1);
    set_times(f, "me", "now() - interval '100 ms'", GONE_LONG);
    renew(f, "me", false);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM gateways WHERE heartbeat_at > now() - "
                                   "interval '10 s' AND up_since < now() - interval '29 s'"),
                     1);
    set_times(f, "me", "now() - interval '600 ms'", GONE_LONG); /* it had run out */
    renew(f, "me", false);
    assert_int_equal(
        sql_number(f, "SELECT count(*) FROM gateways WHERE up_since > now() - interval '10 s'"), 1);
    set_times(f, "me", "now()", GONE_LONG);
    renew(f, "me", true);
    assert_int_equal(
        sql_number(f, "SELECT count(*) FROM gateways WHERE up_since > now() - interval '10 s' "
                      "AND started_at > now() - interval '10 s'"),
        1);
}

struct judge_row {
    const char *name, *me_renewed, *me_since, *gone_renewed, *gone_lease;
    bool is_gone;
};

static void test_store_strays__who_may_presume_whom_gone__table(void **state)
{
    struct fixture *f = *state;
    static const struct judge_row rows[] = {
        {"ran out", "now() + interval '1 h'", GONE_LONG, GONE_LONG, "500", true},
        {"is held", "now() + interval '1 h'", GONE_LONG, "now() + interval '1 h'", "500", false},
        {"ours ran out too", GONE_LONG, GONE_LONG, GONE_LONG, "500", false},
        {"ours is new", "now() + interval '1 h'", "now() + interval '1 h'", GONE_LONG, "500",
         false},
        {"PostgreSQL is new", "now() + interval '1 h'", GONE_LONG, "now() - interval '300 days'",
         "8640000000", false},
    };
    create(f, "gone");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char sql[128];
        begin(f);
        set_times(f, "me", rows[i].me_renewed, rows[i].me_since);
        set_times(f, "gone", rows[i].gone_renewed, GONE_LONG);
        (void)snprintf(sql, sizeof sql,
                       "UPDATE gateways SET lease_ms = %s WHERE gateway_id = 'gone'",
                       rows[i].gone_lease);
        sql_exec(f, sql);
        struct found g = find(f, "me", false);
        if (g.n != rows[i].is_gone)
            fail_msg("%s: %zu rows", rows[i].name, g.n);
        /* The guard of taking is the same. */
        if (!rows[i].is_gone)
            assert_int_equal(take(f, "me", "gone", "gone").n, 0);
    }
}

static void test_store_strays__found__owner_and_home(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(find(f, "me", true).n, 0); /* nothing of it is live */
    create(f, "gone");
    create(f, "gone");
    struct found g = find(f, "me", false);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.rows[0].owner, "gone");
    assert_string_equal(g.rows[0].home, "gone");
    assert_string_equal(g.rows[0].state_dir, "/state");
    assert_string_equal(g.rows[0].host, "host-a");
    assert_string_equal(g.rows[0].engine, "process");
    assert_int_equal(g.rows[0].lease_ms, LEASE_MS);
    assert_true(g.rows[0].lapsed_ms >= 29500 && g.rows[0].lapsed_ms < 60000);
    assert_int_equal(find(f, "gone", false).n, 0);
    assert_int_equal(find(f, "nobody", false).n, 0);
}

static void test_store_strays_take__once_with_what_was_sealed(void **state)
{
    struct fixture *f = *state;
    begin(f);
    create(f, "gone");
    struct launches t = take(f, "me", "gone", "elsewhere");
    assert_int_equal(t.n, 0);
    t = take(f, "me", "gone", "gone");
    assert_int_equal(t.n, 1);
    assert_string_equal(t.owner, "me");
    assert_string_equal(t.sealed, "sealed");
    assert_int_equal(t.fence, 2);
    assert_int_equal(take(f, "me", "gone", "gone").n, 0);
    assert_int_equal(find(f, "me", false).n, 0);
    struct found g = find(f, "me", true);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.rows[0].owner, "me");
    assert_string_equal(g.rows[0].home, "gone");
    assert_int_equal(g.rows[0].lapsed_ms, 0);
    t = own(f, "me", "gone");
    assert_int_equal(t.n, 1);
    assert_int_equal(t.fence, 2);
    assert_string_equal(t.sealed, "sealed");
    /* A start takes the next fence of all, and gives back those at home. */
    create(f, "me");
    t = adopt(f, "me");
    assert_int_equal(t.n, 1);
    assert_int_equal(t.fence, 2);
    assert_int_equal(own(f, "me", "gone").fence, 3);
}

static void test_store_strays_take__from_the_taker__home_stays(void **state)
{
    struct fixture *f = *state;
    begin(f);
    create(f, "gone");
    assert_int_equal(take(f, "me", "gone", "gone").n, 1);
    set_times(f, "me", GONE_LONG, GONE_LONG);
    set_times(f, "gone", "now() + interval '1 h'", GONE_LONG);
    struct found g = find(f, "gone", false);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.rows[0].owner, "me");
    assert_string_equal(g.rows[0].home, "gone");
    assert_int_equal(take(f, "gone", "me", "me").n, 0);
    assert_int_equal(take(f, "gone", "me", "gone").n, 1);
    assert_int_equal(find(f, "gone", true).n, 0); /* it is at home */
    assert_int_equal(adopt(f, "gone").n, 1);
}

static void on_one(void *user, int err, const struct execution *e)
{
    struct launches *g = user;
    g->calls++;
    assert_int_equal(err, 0);
    assert_int_equal(str_copy(g->reason, sizeof g->reason, e->state.reason), 0);
}

static void on_list(void *user, int err, const struct execution *rows, size_t n)
{
    assert_true(n > 0);
    on_one(user, err, rows);
}

static void test_store_execution__unreachable__shown_not_stored(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *renewed, *status, *reason;
    } rows[] = {
        {"now() + interval '1 h'", "RUNNING", ""},
        {GONE_LONG, "RUNNING", "unreachable"},
        {GONE_LONG, "TERMINATING", "unreachable"},
        {GONE_LONG, "STOPPED", ""},
    };
    begin(f);
    struct execution_id id = create(f, "gone");
    const struct store_execution_filter newest = {.limit = 1};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char sql[160];
        struct launches one = {0}, listed = {0};
        set_times(f, "gone", rows[i].renewed, GONE_LONG);
        (void)snprintf(sql, sizeof sql, "UPDATE executions SET status = '%s' WHERE owner = 'gone'",
                       rows[i].status);
        sql_exec(f, sql);
        assert_int_equal(store_execution_get(f->pool, &id, on_one, &one), 0);
        await_count(f->loop, &one.calls, 1);
        assert_string_equal(one.reason, rows[i].reason);
        assert_int_equal(store_execution_list(f->pool, &newest, on_list, &listed), 0);
        await_count(f->loop, &listed.calls, 1);
        assert_string_equal(listed.reason, rows[i].reason);
    }
    assert_int_equal(sql_number(f, "SELECT count(*) FROM executions WHERE reason <> ''"), 0);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_gateway_renew__begin_renew_lapse__held_since),
        ROW(test_store_strays__who_may_presume_whom_gone__table),
        ROW(test_store_strays__found__owner_and_home),
        ROW(test_store_strays_take__once_with_what_was_sealed),
        ROW(test_store_strays_take__from_the_taker__home_stays),
        ROW(test_store_execution__unreachable__shown_not_stored),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
