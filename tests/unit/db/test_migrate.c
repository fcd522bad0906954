/* Migrations on a real server: once, again, several at a time, a newer database, one that fails. */
#include "base/err.h"
#include "db/migrate.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct done {
    int calls, err, applied;
};

struct place {
    struct pg_cluster *cluster;
    struct loop *loop;
    char conninfo[4096]; /* an empty database of the test's own */
};

static void on_done(void *user, int err, int applied)
{
    struct done *d = user;
    d->calls++;
    d->err = err;
    d->applied = applied;
}

static int group_setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    *state = p;
    return p ? pg_cluster_start(&p->cluster) : -1;
}

static int group_teardown(void **state)
{
    struct place *p = *state;
    if (p)
        pg_cluster_stop(p->cluster);
    free(p);
    return 0;
}

static int setup(void **state)
{
    struct place *p = *state;
    if (pg_cluster_create_database(p->cluster, p->conninfo, sizeof(p->conninfo)) != 0)
        return -1;
    return loop_new(&p->loop);
}

static int teardown(void **state)
{
    struct place *p = *state;
    loop_free(p->loop);
    return 0;
}

static struct done migrate(struct place *p, const struct db_migration *list, size_t n)
{
    struct done d = {0};
    assert_int_equal(db_migrate_list(p->loop, p->conninfo, list, n, on_done, &d), 0);
    assert_int_equal(d.calls, 0);
    await_count(p->loop, &d.calls, 1);
    return d;
}

static void assert_query(const struct place *p, const char *sql, const char *expected)
{
    char text[256];
    assert_int_equal(pg_cluster_query(p->conninfo, sql, text, sizeof(text)), 0);
    assert_string_equal(text, expected);
}

static void test_db_migrate__twice__applied_once(void **state)
{
    struct place *p = *state;
    for (int round = 0; round < 2; round++) {
        struct done d = {0};
        assert_int_equal(db_migrate(p->loop, p->conninfo, on_done, &d), 0);
        await_count(p->loop, &d.calls, 1);
        assert_int_equal(d.err, 0);
        assert_int_equal(d.applied, round == 0 ? (int)db_migrations_count : 0);
    }
    assert_query(p, "SELECT name FROM schema_migrations WHERE version = 1", "0001_foundation");
}

static void test_db_migrate__four_gateways_at_once__applied_once(void **state)
{
    struct place *p = *state;
    struct done d[4] = {{0}};
    int applied = 0;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(db_migrate(p->loop, p->conninfo, on_done, &d[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        await_count(p->loop, &d[i].calls, 1);
        assert_int_equal(d[i].err, 0);
        applied += d[i].applied;
    }
    assert_int_equal(applied, db_migrations_count);
}

static void test_db_migrations__built_in__numbered_from_one(void **state)
{
    (void)state;
    assert_true(db_migrations_count > 0);
    for (size_t i = 0; i < db_migrations_count; i++) {
        assert_int_equal(db_migrations[i].version, i + 1);
        assert_int_equal(strtol(db_migrations[i].name, NULL, 10), i + 1);
        assert_true(strlen(db_migrations[i].sql) > 0);
    }
}

static void test_db_migrate__database_is_newer__conflict(void **state)
{
    struct place *p = *state;
    static const struct db_migration list[] = {{1, "0001_a", "CREATE TABLE a (x int)"},
                                               {2, "0002_b", "CREATE TABLE b (x int) -- end"}};
    struct done d = migrate(p, list, 2);
    assert_int_equal(d.err, 0);
    assert_int_equal(d.applied, 2);
    d = migrate(p, list, 1);
    assert_int_equal(d.err, ERR_CONFLICT);
    assert_int_equal(d.applied, 0);
}

static void test_db_migrate__one_fails__leaves_nothing_of_it(void **state)
{
    struct place *p = *state;
    static const struct db_migration bad[] = {
        {1, "0001_a", "CREATE TABLE a (x int);"},
        {2, "0002_b", "CREATE TABLE b (x int); INSERT INTO b VALUES (1); SELECT 1 / 0;"},
        {3, "0003_c", "CREATE TABLE c (x int);"}};
    static const struct db_migration good[] = {
        {1, "0001_a", "nonsense that is not run"},
        {2, "0002_b", "CREATE TABLE b (x int);"},
        {3, "0003_c", "CREATE FUNCTION c() RETURNS text LANGUAGE sql AS $$ SELECT 'a;b' $$;"}};
    struct done d = migrate(p, bad, 3);
    assert_int_equal(d.err, ERR_DB);
    assert_int_equal(d.applied, 1);
    assert_query(p,
                 "SELECT coalesce(to_regclass('a')::text, '-') || coalesce(to_regclass('b')::text, "
                 "'-') || coalesce(to_regclass('c')::text, '-')",
                 "a--");
    d = migrate(p, good, 3);
    assert_int_equal(d.err, 0);
    assert_int_equal(d.applied, 2);
    assert_query(p, "SELECT count(*), max(version), c() FROM schema_migrations", "3|3|a;b");
}

static void test_db_migrate__too_long__error(void **state)
{
    struct place *p = *state;
    char *sql = malloc(2u << 20);
    assert_non_null(sql);
    memset(sql, ' ', 2u << 20);
    sql[(2u << 20) - 1] = '\0';
    const struct db_migration list[] = {{1, "0001_a", sql}};
    assert_int_equal(migrate(p, list, 1).err, ERR_TOO_LARGE);
    free(sql);
}

static void test_db_migrate__session_killed__away(void **state)
{
    struct place *p = *state;
    static const struct db_migration list[] = {
        {1, "0001_a", "SELECT pg_terminate_backend(pg_backend_pid());"}};
    assert_int_equal(migrate(p, list, 1).err, ERR_DB_AWAY);
    assert_query(p, "SELECT count(*) FROM schema_migrations", "0");
}

static void test_db_migrate__no_server__away_and_bad_conninfo_invalid(void **state)
{
    struct place *p = *state;
    struct done d = {0};
    assert_int_equal(db_migrate(p->loop, "not a conninfo", on_done, &d), ERR_INVALID);
    assert_int_equal(db_migrate(p->loop, "host=/nonexistent", on_done, &d), 0);
    await_count(p->loop, &d.calls, 1);
    assert_int_equal(d.err, ERR_DB_AWAY);
    assert_int_equal(d.applied, 0);
}

static void test_schema__migrated_database__is_the_golden_dump(void **state)
{
    struct place *p = *state;
    char command[5000];
    struct done d = {0};
    assert_int_equal(db_migrate(p->loop, p->conninfo, on_done, &d), 0);
    await_count(p->loop, &d.calls, 1);
    assert_int_equal(d.err, 0);
    snprintf(command, sizeof(command), "scripts/dump_schema '%s' | diff -u db/schema.sql - 1>&2",
             p->conninfo);
    /* After a new migration: scripts/dump_schema */
    assert_int_equal(system(command), 0);
}

static void test_times__both_ways__exact_to_the_microsecond(void **state)
{
    struct place *p = *state;
    struct done d = {0};
    assert_int_equal(db_migrate(p->loop, p->conninfo, on_done, &d), 0);
    await_count(p->loop, &d.calls, 1);
    assert_query(p,
                 "SELECT count(*) FROM (SELECT 1700000000000000 + i * 1000003 AS us FROM "
                 "generate_series(0::bigint, 2000) i) s WHERE tg_us(tg_ts(us)) <> us",
                 "0");
    assert_query(p, "SELECT tg_us('2026-01-02T03:04:05.000007Z')", "1767323045000007");
    assert_query(p, "SET timezone = 'Asia/Tokyo'; SELECT tg_day('1970-01-02T23:59:59.999999Z')",
                 "1");
    assert_query(p, "SELECT tg_us(NULL) IS NULL AND tg_ts(NULL) IS NULL", "t");
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_db_migrate__twice__applied_once),
        ROW(test_db_migrate__four_gateways_at_once__applied_once),
        ROW(test_db_migrations__built_in__numbered_from_one),
        ROW(test_db_migrate__database_is_newer__conflict),
        ROW(test_db_migrate__one_fails__leaves_nothing_of_it),
        ROW(test_db_migrate__too_long__error),
        ROW(test_db_migrate__session_killed__away),
        ROW(test_db_migrate__no_server__away_and_bad_conninfo_invalid),
        ROW(test_schema__migrated_database__is_the_golden_dump),
        ROW(test_times__both_ways__exact_to_the_microsecond),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
