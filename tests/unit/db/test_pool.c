/* The pool on a real server: order, atomicity, errors, deadlines, lost connections, shutdown. */
#include "base/clock.h"
#include "base/err.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct db_stmt one = {"one", "SELECT $1::bigint"};
static const struct db_stmt sleep_s = {"sleep", "SELECT 1::bigint FROM pg_sleep($1::bigint)"};
static const struct db_stmt insert = {"insert", "INSERT INTO t VALUES ($1::bigint)"};
static const struct db_stmt fails = {"fails", "SELECT 1::bigint / $1::bigint"};
static const struct db_stmt syntax = {"syntax", "SELEC 1"};
static const struct db_stmt late = {"late", "SELECT $1::bigint + 1"};

static struct db_pool *new_pool(struct fixture *f, const struct db_pool_opts *opts)
{
    struct db_pool_opts o = *opts;
    struct db_pool *p;
    if (!o.conninfo)
        o.conninfo = f->conninfo;
    assert_int_equal(db_pool_new(f->loop, &o, &p), 0);
    return p;
}

static struct db_batch *batch(const struct db_stmt *const *stmts, size_t n, int64_t value)
{
    struct db_batch *b;
    const struct db_value v = db_i64(value);
    assert_int_equal(db_batch_new(&b), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(db_batch_add(b, stmts[i], &v, stmts[i] == &syntax ? 0 : 1), 0);
    return b;
}

static void table(struct fixture *f)
{
    sql_exec(f, "SET client_min_messages = warning; DROP TABLE IF EXISTS t; "
                "CREATE TABLE t (a bigint PRIMARY KEY)");
}

static void test_db_query__every_type__comes_back(void **state)
{
    struct fixture *f = *state;
    static const struct db_stmt types = {
        "types", "SELECT $1::bigint, $2::boolean, $3::text, $4::bytea, $5::text, "
                 "($1::bigint)::integer, ($1::bigint)::smallint"};
    const struct db_value params[] = {db_i64(-5), db_bool(true), db_text("gr\xc3\xbc\xc3\x9f"),
                                      db_bytes("\0\xff", 2), db_text(NULL)};
    struct answer a = run_sql(f, &types, params, ARRAY_SIZE(params));
    assert_int_equal(a.err, 0);
    assert_int_equal(a.value, -5);
    static const struct db_stmt back = {"back", "SELECT $1::text || ' ' || length($2::bytea) || "
                                                "$3::boolean || coalesce($4::text, ' null')"};
    const struct db_value text[] = {db_text("x"), db_bytes("", 0), db_bool(false), db_null()};
    a = run_sql(f, &back, text, ARRAY_SIZE(text));
    assert_string_equal(a.text, "x 0false null");
}

static void test_session__settings__as_promised(void **state)
{
    struct fixture *f = *state;
    static const struct db_stmt settings = {
        "settings", "SELECT string_agg(current_setting(n), ' ') FROM unnest(string_to_array("
                    "'synchronous_commit TimeZone client_encoding statement_timeout "
                    "application_name', ' ')) AS n"};
    struct answer a = run_sql(f, &settings, NULL, 0);
    assert_string_equal(a.text, "on UTC UTF8 10s tailgated");
}

static void test_db_submit__many_on_one_connection__answers_in_order(void **state)
{
    struct fixture *f = *state;
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.size = 1;
    opts.pipeline_depth = 7;
    struct db_pool *p = new_pool(f, &opts);
    table(f);
    struct answer a[100] = {{0}};
    static const struct db_stmt *const stmts[] = {&insert};
    for (int64_t i = 0; i < 100; i++)
        assert_int_equal(db_submit(p, batch(stmts, 1, i), on_answer, &a[i]), 0);
    await_count(f->loop, &a[99].calls, 1);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(a[i].calls, 1);
        assert_int_equal(a[i].err, 0);
    }
    assert_int_equal(sql_number(f,
                                "SELECT count(*) FROM (SELECT a, lag(a) OVER (ORDER BY xmin::text"
                                "::bigint) AS before FROM t) s WHERE before > a"),
                     0);
    db_pool_free(p);
}

static void test_db_submit__a_statement_fails__all_of_the_batch_is_undone(void **state)
{
    struct fixture *f = *state;
    table(f);
    static const struct db_stmt *const stmts[] = {&insert, &fails, &insert};
    struct answer a = run_batch(f, batch(stmts, 3, 0));
    assert_int_equal(a.err, ERR_DB);
    assert_string_equal(a.sqlstate, "22012");
    assert_int_equal(sql_number(f, "SELECT count(*) FROM t"), 0);
    a = run_batch(f, batch(stmts, 1, 1));
    assert_int_equal(a.err, 0);
    assert_int_equal(a.affected[0], 1);
    a = run_batch(f, batch(stmts, 1, 1));
    assert_int_equal(a.err, ERR_CONFLICT);
    assert_string_equal(a.sqlstate, "23505");
}

static void test_db_submit__error_at_commit__refused(void **state)
{
    struct fixture *f = *state;
    sql_exec(f, "SET client_min_messages = warning; DROP TABLE IF EXISTS c, d; "
                "CREATE TABLE d (a bigint PRIMARY KEY); CREATE TABLE c (a bigint REFERENCES d "
                "DEFERRABLE INITIALLY DEFERRED)");
    static const struct db_stmt orphan = {"orphan", "INSERT INTO c VALUES ($1::bigint)"};
    static const struct db_stmt *const stmts[] = {&orphan, &one};
    struct answer a[3] = {{0}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(db_submit(f->pool, batch(stmts + i % 2, 1, 4), on_answer, &a[i]), 0);
    for (size_t i = 0; i < 3; i++)
        await_count(f->loop, &a[i].calls, 1);
    assert_int_equal(a[0].err, ERR_DB);
    assert_string_equal(a[0].sqlstate, "23503");
    assert_int_equal(a[1].err, 0);
    assert_int_equal(a[1].value, 4);
    assert_int_equal(a[2].err, ERR_DB);
}

static void test_db_submit__first_use_behind_an_error__is_prepared_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.size = 1;
    struct db_pool *p = new_pool(f, &opts);
    static const struct db_stmt *const bad[] = {&fails, &late};
    static const struct db_stmt *const good[] = {&late};
    struct answer a[2] = {{0}};
    /* Both in flight at once: the second counts on the Parse of the first. */
    assert_int_equal(db_submit(p, batch(bad, 2, 0), on_answer, &a[0]), 0);
    assert_int_equal(db_submit(p, batch(good, 1, 41), on_answer, &a[1]), 0);
    await_count(f->loop, &a[1].calls, 1);
    assert_int_equal(a[0].err, ERR_DB);
    assert_int_equal(a[1].err, 0);
    assert_int_equal(a[1].value, 42);
    db_pool_free(p);
}

static void test_db_submit__statement_cannot_be_prepared__refused_each_time(void **state)
{
    struct fixture *f = *state;
    static const struct db_stmt *const stmts[] = {&one, &syntax};
    for (int i = 0; i < 3; i++) {
        struct answer a = run_batch(f, batch(stmts, 2, 1));
        assert_int_equal(a.err, ERR_DB);
        assert_string_equal(a.sqlstate, "42601");
    }
    assert_int_equal(run_batch(f, batch(stmts, 1, 9)).value, 9);
}

static void test_db_submit__statement_prepared_after_its_table_came__works(void **state)
{
    struct fixture *f = *state;
    static const struct db_stmt not_yet = {"not_yet", "SELECT a + $1::bigint FROM nt"};
    static const struct db_stmt *const stmts[] = {&not_yet};
    sql_exec(f, "SET client_min_messages = warning; DROP TABLE IF EXISTS nt");
    for (int i = 0; i < 3; i++)
        assert_string_equal(run_batch(f, batch(stmts, 1, 1)).sqlstate, "42P01");
    sql_exec(f, "CREATE TABLE nt AS SELECT 6::bigint AS a");
    assert_int_equal(run_batch(f, batch(stmts, 1, 1)).value, 7);
}

static void test_db_submit__large_values_both_ways__whole(void **state)
{
    struct fixture *f = *state;
    static const struct db_stmt echo = {"echo", "SELECT $1::bytea || $1::bytea"};
    size_t n = 5u << 20; /* past every socket buffer */
    char *data = malloc(n);
    assert_non_null(data);
    memset(data, 'q', n);
    struct answer a[4] = {{0}};
    const struct db_value v = db_bytes(data, n);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(db_query(f->pool, &echo, &v, 1, on_answer, &a[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        await_count(f->loop, &a[i].calls, 1);
        assert_int_equal(a[i].err, 0);
        assert_int_equal(a[i].len, 2 * n);
    }
    free(data);
}

static void test_db_submit__limits__said_at_once(void **state)
{
    struct fixture *f = *state;
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.waiting_max = 2;
    struct db_pool *p = new_pool(f, &opts);
    struct answer a[2] = {{0}}, none = {0};
    struct db_batch *empty;
    assert_int_equal(db_batch_new(&empty), 0);
    assert_int_equal(db_submit(p, empty, on_answer, &none), ERR_INVALID);
    static const struct db_stmt *const stmts[] = {&one};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(db_submit(p, batch(stmts, 1, 5), on_answer, &a[i]), 0);
    assert_int_equal(db_submit(p, batch(stmts, 1, 5), on_answer, &none), ERR_LIMIT);
    struct db_value params[40];
    for (size_t i = 0; i < ARRAY_SIZE(params); i++)
        params[i] = db_null();
    assert_int_equal(db_query(p, &one, params, ARRAY_SIZE(params), on_answer, &none), ERR_INVALID);
    for (size_t i = 0; i < 2; i++) {
        await_count(f->loop, &a[i].calls, 1);
        assert_int_equal(a[i].err, 0);
    }
    assert_int_equal(none.calls, 0);
    db_pool_free(p);
}

static void test_db_pool_new__bad_options__invalid(void **state)
{
    struct fixture *f = *state;
    struct db_pool_opts rows[5];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rows[i] = (struct db_pool_opts)DB_POOL_DEFAULTS;
        rows[i].conninfo = f->conninfo;
    }
    rows[0].size = 0;
    rows[1].pipeline_depth = 0;
    rows[2].deadline_ms = 0;
    rows[3].conninfo = NULL;
    rows[4].conninfo = "secret without an equals sign";
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct db_pool *p = NULL;
        assert_int_equal(db_pool_new(f->loop, &rows[i], &p), ERR_INVALID);
        assert_null(p);
    }
}

/* A pool of one connection whose server-side limit is off: the deadline alone acts. */
static struct db_pool *new_slow_pool(struct fixture *f, size_t depth)
{
    static const struct db_stmt no_limit = {
        "no_limit", "SELECT set_config('statement_timeout', '0', false) WHERE $1::bigint = 0"};
    static const struct db_stmt *const stmts[] = {&no_limit};
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.size = 1;
    opts.deadline_ms = 400;
    opts.pipeline_depth = depth;
    struct db_pool *p = new_pool(f, &opts);
    struct answer a = {0};
    assert_int_equal(db_submit(p, batch(stmts, 1, 0), on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, 0);
    return p;
}

static void test_deadline__in_flight__timeout_and_away_for_the_others(void **state)
{
    struct fixture *f = *state;
    struct db_pool *p = new_slow_pool(f, 8);
    static const struct db_stmt *const sleeping[] = {&sleep_s}, *const quick[] = {&one};
    struct answer first = {0}, second = {0}, third = {0};
    assert_int_equal(db_submit(p, batch(sleeping, 1, 3), on_answer, &first), 0);
    int64_t until = clock_mono_ms() + 150;
    while (clock_mono_ms() < until)
        assert_int_equal(loop_turn(f->loop, 10), 0);
    assert_int_equal(db_submit(p, batch(quick, 1, 3), on_answer, &second), 0);
    await_count(f->loop, &second.calls, 1);
    assert_int_equal(first.calls, 1);
    assert_int_equal(first.err, ERR_TIMEOUT);
    assert_int_equal(second.err, ERR_DB_AWAY);
    /* And it comes back. */
    assert_int_equal(db_submit(p, batch(quick, 1, 8), on_answer, &third), 0);
    await_count(f->loop, &third.calls, 1);
    assert_int_equal(third.err, 0);
    assert_int_equal(third.value, 8);
    db_pool_free(p);
}

static void test_deadline__waiting_behind_a_full_pipeline__ends_too(void **state)
{
    struct fixture *f = *state;
    struct db_pool *p = new_slow_pool(f, 1);
    static const struct db_stmt *const sleeping[] = {&sleep_s}, *const quick[] = {&one};
    struct answer a = {0}, b = {0};
    assert_int_equal(db_submit(p, batch(sleeping, 1, 2), on_answer, &a), 0);
    assert_int_equal(db_submit(p, batch(quick, 1, 2), on_answer, &b), 0);
    await_count(f->loop, &b.calls, 1);
    assert_int_equal(a.err, ERR_TIMEOUT);
    /* A millisecond later the connection is gone already. */
    assert_true(b.err == ERR_TIMEOUT || b.err == ERR_DB_AWAY);
    db_pool_free(p);
}

static bool is_ready(void *p)
{
    return db_pool_is_ready(p);
}

static bool is_not_ready(void *p)
{
    return !db_pool_is_ready(p);
}

static void test_connection__terminated__in_flight_is_away_and_the_pool_recovers(void **state)
{
    struct fixture *f = *state;
    await_true(f->loop, is_ready, f->pool);
    static const struct db_stmt suicide = {"suicide",
                                           "SELECT pg_terminate_backend(pg_backend_pid()) "
                                           "WHERE $1::bigint = 1"};
    static const struct db_stmt *const stmts[] = {&insert, &suicide};
    static const struct db_stmt *const quick[] = {&one};
    table(f);
    struct answer a = run_batch(f, batch(stmts, 2, 1));
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM t"), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(run_batch(f, batch(quick, 1, i)).value, i);
}

static void test_server__crashes_and_comes_back__away_soon_then_served(void **state)
{
    struct fixture *f = *state;
    static const struct db_stmt *const quick[] = {&one};
    if (!pg_cluster_is_ours(f->cluster))
        return;
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.away_ms = 300;
    struct db_pool *p = new_pool(f, &opts);
    struct answer a = {0};
    assert_int_equal(db_submit(p, batch(quick, 1, 1), on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(pg_cluster_crash(f->cluster), 0);
    int64_t begin = clock_mono_ms();
    a.err = a.calls = 0;
    while (a.err == 0) { /* the first ones may still find a connection that looks alive */
        a.calls = 0;
        assert_int_equal(db_submit(p, batch(quick, 1, 1), on_answer, &a), 0);
        await_count(f->loop, &a.calls, 1);
    }
    assert_int_equal(a.err, ERR_DB_AWAY);
    await_true(f->loop, is_not_ready, p); /* the others notice a turn later */
    a.calls = 0;
    assert_int_equal(db_submit(p, batch(quick, 1, 1), on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_true(clock_mono_ms() - begin < 5000);
    assert_int_equal(pg_cluster_resume(f->cluster), 0);
    await_true(f->loop, is_ready, p);
    a.calls = 0;
    assert_int_equal(db_submit(p, batch(quick, 1, 6), on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, 0);
    assert_int_equal(a.value, 6);
    db_pool_free(p);
}

static void test_server__never_there__away_before_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.conninfo = "host=/nonexistent user=postgres password=hush";
    opts.away_ms = 200;
    struct db_pool *p = new_pool(f, &opts);
    static const struct db_stmt *const quick[] = {&one};
    struct answer a = {0};
    int64_t begin = clock_mono_ms();
    assert_int_equal(db_submit(p, batch(quick, 1, 1), on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_true(clock_mono_ms() - begin < 3000);
    assert_false(db_pool_is_ready(p));
    db_pool_free(p);
}

static void test_host_name__looked_up_off_the_loop__fails_or_connects(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"host=localhost port=1 user=x",
                                        "host=no-such-host.invalid user=x",
                                        "host=localhost,/nonexistent port=1,2 user=x"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct db_pool_opts opts = DB_POOL_DEFAULTS;
        opts.conninfo = names[i];
        opts.away_ms = 100;
        struct db_pool *p = new_pool(f, &opts);
        static const struct db_stmt *const quick[] = {&one};
        struct answer a = {0};
        assert_int_equal(db_submit(p, batch(quick, 1, 1), on_answer, &a), 0);
        await_count(f->loop, &a.calls, 1);
        assert_int_equal(a.err, ERR_DB_AWAY);
        db_pool_free(p);
    }
}

static void test_db_pool_free__while_connecting_and_looking_up__quiet(void **state)
{
    struct fixture *f = *state;
    for (int turns = 0; turns < 6; turns++) {
        struct db_pool_opts opts = DB_POOL_DEFAULTS;
        opts.conninfo = turns % 2 ? NULL : "host=localhost port=1 user=x";
        struct db_pool *p = new_pool(f, &opts);
        for (int i = 0; i < turns; i++)
            assert_int_equal(loop_turn(f->loop, 0), 0);
        db_pool_free(p);
    }
    db_pool_free(NULL);
}

static void test_db_pool_free__pending_batches__closed_before_it_returns(void **state)
{
    struct fixture *f = *state;
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.size = 1;
    opts.pipeline_depth = 2;
    struct db_pool *p = new_pool(f, &opts);
    static const struct db_stmt *const sleeping[] = {&sleep_s};
    struct answer a[5] = {{0}};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(db_submit(p, batch(sleeping, 1, 2), on_answer, &a[i]), 0);
    await_true(f->loop, is_ready, p);
    assert_int_equal(loop_turn(f->loop, 0), 0);
    db_pool_free(p);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(a[i].calls, 1);
        assert_int_equal(a[i].err, ERR_CLOSED);
    }
}

struct reentrant {
    struct db_pool *pool;
    int calls, closed, left;
};

static void on_free(void *user, int err, const struct db_result *r)
{
    struct reentrant *e = user;
    static const struct db_stmt *const quick[] = {&one};
    (void)r;
    e->calls++;
    e->closed += err == ERR_CLOSED;
    if (e->calls == 1)
        db_pool_free(e->pool);
    else
        assert_int_equal(db_submit(e->pool, batch(quick, 1, 1), on_free, e), ERR_CLOSED);
}

static void test_db_pool_free__inside_a_callback__ends_the_others(void **state)
{
    struct fixture *f = *state;
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.pipeline_depth = 2;
    struct reentrant e = {.pool = new_pool(f, &opts)};
    static const struct db_stmt *const quick[] = {&one};
    for (int i = 0; i < 10; i++)
        assert_int_equal(db_submit(e.pool, batch(quick, 1, i), on_free, &e), 0);
    await_count(f->loop, &e.calls, 10);
    assert_int_equal(e.calls, 10);
    assert_true(e.closed > 0);
}

static void on_resubmit(void *user, int err, const struct db_result *r)
{
    struct reentrant *e = user;
    static const struct db_stmt *const quick[] = {&one};
    assert_int_equal(err, 0);
    assert_int_equal(db_rows(r, 0), 1);
    e->calls++;
    if (e->left-- > 0)
        assert_int_equal(db_submit(e->pool, batch(quick, 1, 1), on_resubmit, e), 0);
}

static void test_db_submit__inside_a_callback__is_served(void **state)
{
    struct fixture *f = *state;
    struct reentrant e = {.pool = f->pool, .left = 50};
    static const struct db_stmt *const quick[] = {&one};
    assert_int_equal(db_submit(f->pool, batch(quick, 1, 1), on_resubmit, &e), 0);
    await_count(f->loop, &e.calls, 51);
}

static void on_ready(void *user)
{
    ++*(int *)user;
}

static void on_ready_free(void *user)
{
    struct reentrant *e = user;
    e->calls++;
    db_pool_free(e->pool);
}

static void test_db_pool_on_ready__before_and_after__once_each(void **state)
{
    struct fixture *f = *state;
    int calls = 0;
    db_pool_on_ready(f->pool, on_ready, &calls);
    assert_int_equal(calls, 0);
    await_count(f->loop, &calls, 1);
    assert_true(db_pool_is_ready(f->pool));
    struct db_pool_stats stats;
    db_pool_stats(f->pool, &stats);
    assert_true(stats.ready >= 1 && stats.ready <= stats.connections);
    assert_int_equal(stats.waiting, 0);
    db_pool_on_ready(f->pool, on_ready, &calls);
    assert_int_equal(calls, 1);
    await_count(f->loop, &calls, 2);
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    struct reentrant e = {.pool = new_pool(f, &opts)};
    db_pool_on_ready(e.pool, on_ready_free, &e);
    await_count(f->loop, &e.calls, 1);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_db_query__every_type__comes_back),
        ROW(test_session__settings__as_promised),
        ROW(test_db_submit__many_on_one_connection__answers_in_order),
        ROW(test_db_submit__a_statement_fails__all_of_the_batch_is_undone),
        ROW(test_db_submit__error_at_commit__refused),
        ROW(test_db_submit__first_use_behind_an_error__is_prepared_all_the_same),
        ROW(test_db_submit__statement_cannot_be_prepared__refused_each_time),
        ROW(test_db_submit__statement_prepared_after_its_table_came__works),
        ROW(test_db_submit__large_values_both_ways__whole),
        ROW(test_db_submit__limits__said_at_once),
        ROW(test_db_pool_new__bad_options__invalid),
        ROW(test_deadline__in_flight__timeout_and_away_for_the_others),
        ROW(test_deadline__waiting_behind_a_full_pipeline__ends_too),
        ROW(test_connection__terminated__in_flight_is_away_and_the_pool_recovers),
        ROW(test_server__crashes_and_comes_back__away_soon_then_served),
        ROW(test_server__never_there__away_before_the_deadline),
        ROW(test_host_name__looked_up_off_the_loop__fails_or_connects),
        ROW(test_db_pool_free__while_connecting_and_looking_up__quiet),
        ROW(test_db_pool_free__pending_batches__closed_before_it_returns),
        ROW(test_db_pool_free__inside_a_callback__ends_the_others),
        ROW(test_db_submit__inside_a_callback__is_served),
        ROW(test_db_pool_on_ready__before_and_after__once_each),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
