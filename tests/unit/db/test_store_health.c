/* A reconcile's queries in a real database. */
#include "base/compiler.h"
#include "base/err.h"
#include "db/store_health.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LIVE "00000000000000010000000000000000"
#define ENDED "00000000000000020000000000000000"
#define EXECUTION(key, id, status, by, age)                                                      \
    "INSERT INTO executions (execution_key, execution_id, status, command, image_id, "           \
    "created_by, created_at, owner) VALUES (" key ", '" id "', '" status "', 'ls', 'host', '" by \
    "', now() - interval '" age "', 'gw');"

/* The answer's texts, "a b c|" a row, one line a statement. */
struct got {
    int calls, err;
    size_t statements, columns;
    char text[2000];
};

static void on_rows(void *user, int err, const struct db_result *r)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    for (size_t s = 0; err == 0 && s < g->statements; s++) {
        for (size_t i = 0; i < db_rows(r, s); i++) {
            for (size_t c = 0; c < g->columns; c++) {
                size_t len = strlen(g->text);
                (void)snprintf(g->text + len, sizeof g->text - len, "%s%s", db_get_text(r, s, i, c),
                               c + 1 < g->columns ? " " : "|");
            }
        }
        (void)strncat(g->text, "\n", 2);
    }
}

static void await_rows(struct fixture *f, struct got *g)
{
    await_count(f->loop, &g->calls, 1);
    assert_int_equal(g->err, 0);
}

static void seed(struct fixture *f)
{
    sql_exec(f, "TRUNCATE executions, execution_environments, images, secrets, users, api_keys, "
                "tickets, idempotency_keys CASCADE;" EXECUTION("1", LIVE, "RUNNING", "a@x", "1 h")
                    EXECUTION("2", ENDED, "FAILED", "gone@x", "1 h")
                        EXECUTION("3", "3", "STARTING", "a@x",
                                  "0 s") "INSERT INTO users (email, role) VALUES ('a@x', 'admin')");
}

static void test_store_health_compute__images_and_old_live_rows(void **state)
{
    struct fixture *f = *state;
    struct got g = {.statements = 2, .columns = 1};
    seed(f);
    sql_exec(f, "INSERT INTO images (image_id, image, registry, name, created_by) "
                "VALUES ('i', 'app:1', '', 'app', 'a@x')");
    assert_int_equal(store_health_compute(f->pool, "gw", 60000, on_rows, &g), 0);
    await_rows(f, &g);
    assert_string_equal(g.text, "i|\n" LIVE "|\n");
}

static void test_store_health_known__ids__live_and_ended(void **state)
{
    struct fixture *f = *state;
    struct got g = {.statements = 2, .columns = 1};
    seed(f);
    assert_int_equal(store_health_known(f->pool, LIVE "," ENDED ",x", on_rows, &g), 0);
    await_rows(f, &g);
    assert_string_equal(g.text, LIVE "|\n" ENDED "|\n");
}

static void test_store_health_secrets__after_a_name(void **state)
{
    struct fixture *f = *state;
    struct got g = {.statements = 1, .columns = 2};
    seed(f);
    sql_exec(f, "INSERT INTO secrets (name, key_name, key_id, sealed, created_by, updated_by) "
                "VALUES ('a', 'A', 'k', 'x', 'a@x', 'a@x'), ('b', 'B', 'k', 'x', 'a@x', 'a@x')");
    assert_int_equal(store_health_secrets(f->pool, "a", on_rows, &g), 0);
    await_rows(f, &g);
    assert_string_equal(g.text, "b k|\n");
}

static void test_store_health_sweep__what_belongs_to_nothing__removed(void **state)
{
    struct fixture *f = *state;
    struct got g = {.statements = STORE_HEALTH_SWEEPS, .columns = 1}, again = g;
    seed(f);
    sql_exec(f, "INSERT INTO execution_environments VALUES (1, 'k', 'x'), (2, 'k', 'x');"
                "INSERT INTO api_keys (user_key, hash, prefix, revoked_at) SELECT user_key, 'h', "
                "'p', now() FROM users;"
                "INSERT INTO tickets SELECT '\\xab', key_id, now() FROM api_keys;"
                "INSERT INTO idempotency_keys SELECT user_key, 'kept', 'h', 2 FROM users");
    assert_int_equal(store_health_sweep(f->pool, on_rows, &g), 0);
    await_rows(f, &g);
    assert_string_equal(g.text, "environment/2|\nticket/ab|\n\n");
    assert_int_equal(store_health_sweep(f->pool, on_rows, &again), 0);
    await_rows(f, &again);
    assert_string_equal(again.text, "\n\n\n");
}

static void test_store_health_rights__ours__none_lacks(void **state)
{
    struct fixture *f = *state;
    struct got g = {.statements = 1, .columns = 2};
    assert_int_equal(store_health_rights(f->pool, on_rows, &g), 0);
    await_rows(f, &g);
    assert_string_equal(g.text, "\n");
}

static void test_store_health_owners__gone_and_missing(void **state)
{
    struct fixture *f = *state;
    struct got g = {.statements = 1, .columns = 3};
    seed(f);
    sql_exec(f, "INSERT INTO secrets (name, key_name, key_id, sealed, created_by, updated_by) "
                "VALUES ('a', 'A', 'k', 'x', '', '')");
    assert_int_equal(store_health_owners(f->pool, on_rows, &g), 0);
    await_rows(f, &g);
    assert_string_equal(g.text, "orphaned_owner execution/" ENDED " gone@x|"
                                "missing_owner secret/a |\n");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_health_compute__images_and_old_live_rows),
        TEST(test_store_health_known__ids__live_and_ended),
        TEST(test_store_health_secrets__after_a_name),
        TEST(test_store_health_sweep__what_belongs_to_nothing__removed),
        TEST(test_store_health_rights__ours__none_lacks),
        TEST(test_store_health_owners__gone_and_missing),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
