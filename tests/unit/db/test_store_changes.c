/* Places in time in a real database: what changed since, by whom, and what is no place. */
#include "db/store_changes.h"

#include "base/err.h"
#include "base/str.h"
#include "db/store_runs.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_MAX 16

struct got {
    int calls, err;
    bool is_known;
    char place[STORE_PLACE_MAX + 1];
    size_t n;
    int64_t keys[ROWS_MAX];
    enum exec_status statuses[ROWS_MAX];
};

static void on_changes(void *user, int err, const char *place, bool is_known,
                       const struct execution *rows, size_t n)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    g->is_known = is_known;
    g->n = n;
    assert_int_equal(place != NULL, err == 0);
    assert_true(n <= ROWS_MAX);
    if (place)
        assert_int_equal(str_copy(g->place, sizeof g->place, place), 0);
    for (size_t i = 0; i < n; i++) {
        g->keys[i] = rows[i].key;
        g->statuses[i] = rows[i].state.status;
    }
}

static void fetch(struct fixture *f, const char *since, const char *created_by, size_t max,
                  struct got *g)
{
    g->calls = 0;
    assert_int_equal(store_changes_fetch(f->pool, since, created_by, max, on_changes, g), 0);
    assert_int_equal(g->calls, 0);
    await_count(f->loop, &g->calls, 1);
}

static void here(struct fixture *f, char place[STORE_PLACE_MAX + 1])
{
    struct got g = {0};
    fetch(f, NULL, NULL, 0, &g);
    assert_int_equal(g.err, 0);
    assert_int_equal(g.n, 0);
    assert_false(g.is_known);
    assert_true(store_place_is_valid(g.place));
    assert_int_equal(str_copy(place, STORE_PLACE_MAX + 1, g.place), 0);
}

/* Since the place everything of everybody: these keys, oldest first, ended by 0. */
static void expect(struct fixture *f, const char *since, const int64_t *keys)
{
    struct got g = {0};
    size_t n = 0;
    fetch(f, since, NULL, ROWS_MAX, &g);
    assert_int_equal(g.err, 0);
    assert_true(g.is_known);
    for (; keys[n]; n++)
        assert_true(n < g.n && g.keys[n] == keys[n]);
    assert_int_equal(g.n, n);
}

static const struct principal ada = {.user_key = 1, .key_id = 2, .email = "ada@example.org"},
                              bob = {.user_key = 2, .key_id = 3, .email = "bob@example.org"};

struct created {
    int calls;
    int64_t key;
    int64_t fence;
    struct exec_state state;
};

static void on_created(void *user, int err, const struct execution *e, enum store_refusal refusal)
{
    struct created *c = user;
    assert_int_equal(err, 0);
    assert_int_equal(refusal, STORE_REFUSED_NOT);
    c->key = e->key;
    c->fence = e->fence;
    c->state = e->state;
    c->calls++;
}

static struct created create(struct fixture *f, const struct principal *who)
{
    struct store_new_execution n = {.by = {who, "192.0.2.1", "req-1"},
                                    .command = "true",
                                    .image_id = "host",
                                    .owner = "gw-changes",
                                    .random = 7,
                                    .timeout_s = 60,
                                    .grace_s = 5};
    struct created c = {0};
    assert_int_equal(store_execution_create(f->pool, &n, on_created, &c), 0);
    await_count(f->loop, &c.calls, 1);
    return c;
}

static void begin_running(struct fixture *f, struct created *c)
{
    struct exec_state to = c->state;
    struct db_batch *b;
    to.status = EXEC_RUNNING;
    to.version++;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(
        store_transition_add(b, c->key, "gw-changes", c->fence, &c->state, &to, "began", ""), 0);
    assert_int_equal(run_batch(f, b).affected[0], 1);
    c->state = to;
}

static void test_store_place_is_valid__texts__only_its_form(void **state)
{
    static const struct {
        const char *text;
        bool is_valid;
    } ROWS[] = {
        {"7/3:5:", true},
        {"7/5:5:", true},
        {"7/3:5:3", true},
        {"7/3:9:4,7", true},
        {"18446744073709551615/3:9:4,7", true},
        {"7/1:9223372036854775807:", true},
        {"", false},
        {"x", false},
        {"1/2", false},
        {"7/3", false},
        {"7/3:5", false},
        {"7/:5:", false},
        {"/3:5:", false},
        {"7:3:5:", false},
        {"7/5:3:", false},
        {"7/0:5:", false},
        {"7/3:5:x", false},
        {"7/3:5:9", false},
        {"7/3:5:2", false},
        {"7/3:5:4,", false},
        {"7/3:5:,4", false},
        {"7/3:5:4;", false},
        {"7/3:9:5,4", false},
        {"7/3:9:4,4", false},
        {"7/3:5: ", false},
        {"7/-3:5:", false},
        {"184467440737095516150/3:5:", false},
        {"7/1:92233720368547758070:", false},
        {"7/3:5:'; DROP TABLE executions; --", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        if (store_place_is_valid(ROWS[i].text) != ROWS[i].is_valid)
            fail_msg("%s", ROWS[i].text);
    }
    (void)state;
}

static void test_store_place_is_valid__long__up_to_the_limit(void **state)
{
    char text[STORE_PLACE_MAX + 64];
    size_t n = (size_t)snprintf(text, sizeof text, "7/1000:9999:1000");
    for (int xid = 1001; n + 5 <= STORE_PLACE_MAX; xid++)
        n += (size_t)snprintf(text + n, sizeof text - n, ",%d", xid);
    assert_true(store_place_is_valid(text));
    (void)snprintf(text + n, sizeof text - n, ",9997,9998");
    assert_false(store_place_is_valid(text));
    (void)state;
}

static void test_store_changes_fetch__since__what_changed_once_each(void **state)
{
    struct fixture *f = *state;
    char before[STORE_PLACE_MAX + 1], between[STORE_PLACE_MAX + 1], after[STORE_PLACE_MAX + 1];
    here(f, before);
    struct created a = create(f, &ada), b = create(f, &bob);
    here(f, between);
    begin_running(f, &a);
    here(f, after);
    expect(f, before, (const int64_t[]){a.key, b.key, 0});
    expect(f, between, (const int64_t[]){a.key, 0});
    expect(f, after, (const int64_t[]){0});

    struct got g = {0}; /* the row as it is now, and where that leads */
    fetch(f, between, NULL, ROWS_MAX, &g);
    assert_int_equal(g.statuses[0], EXEC_RUNNING);
    expect(f, g.place, (const int64_t[]){0});
}

static void test_store_changes_fetch__created_by_and_max__fewer(void **state)
{
    struct fixture *f = *state;
    char before[STORE_PLACE_MAX + 1];
    struct got g = {0};
    here(f, before);
    struct created a = create(f, &ada), b = create(f, &bob);
    fetch(f, before, "bob@example.org", ROWS_MAX, &g);
    assert_true(g.is_known && g.n == 1 && g.keys[0] == b.key);
    fetch(f, before, "nobody@example.org", ROWS_MAX, &g);
    assert_true(g.is_known && g.n == 0);
    fetch(f, before, NULL, 1, &g);
    assert_true(g.is_known && g.n == 1 && g.keys[0] == a.key);
}

static void test_store_changes_fetch__other_places__not_known(void **state)
{
    struct fixture *f = *state;
    char place[STORE_PLACE_MAX + 1], other[STORE_PLACE_MAX + 1];
    struct got g = {0};
    here(f, place);
    (void)create(f, &ada);
    size_t system = strcspn(place, "/");
    (void)snprintf(other, sizeof other, "77%s", place + system); /* of another cluster */
    fetch(f, other, NULL, ROWS_MAX, &g);
    assert_true(g.err == 0 && !g.is_known && g.n == 0 && store_place_is_valid(g.place));
    (void)snprintf(other, sizeof other, "%.*s/900000:900000:", (int)system, place); /* future */
    fetch(f, other, NULL, ROWS_MAX, &g);
    assert_true(g.err == 0 && !g.is_known && g.n == 0);
    assert_int_equal(store_changes_fetch(f->pool, "7/9:3:", NULL, 1, on_changes, &g), ERR_INVALID);
}

struct waits {
    struct fixture *f;
    const char *sql;
};

static bool is_one(void *user)
{
    struct waits *w = user;
    return sql_number(w->f, w->sql) == 1;
}

/* A transaction that begins before the place is taken and commits after others that began later. */
static void test_store_changes_fetch__commits_late__not_missed(void **state)
{
    struct fixture *f = *state;
    static const struct db_stmt change = {.name = "late",
                                          .sql = "UPDATE execution_events SET cause = cause, xid = "
                                                 "pg_current_xact_id() WHERE execution_key = $1"};
    static const struct db_stmt wait = {
        .name = "wait",
        .sql = "DO $$ BEGIN LOOP PERFORM 1 FROM go; EXIT WHEN FOUND; PERFORM pg_sleep(0.01); "
               "END LOOP; END $$"};
    struct waits blocked = {f, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO $$%' "
                               "AND backend_xid IS NOT NULL"};
    char place[STORE_PLACE_MAX + 1], later[STORE_PLACE_MAX + 1];
    sql_exec(f, "CREATE TABLE go ()");
    struct created a = create(f, &ada);
    const struct db_value key = db_i64(a.key);
    struct answer late = {0};
    struct db_batch *b;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(db_batch_add(b, &change, &key, 1), 0);
    assert_int_equal(db_batch_add(b, &wait, NULL, 0), 0);
    assert_int_equal(db_submit(f->pool, b, on_answer, &late), 0);
    await_true(f->loop, is_one, &blocked);
    here(f, place);
    struct created c = create(f, &bob);
    expect(f, place, (const int64_t[]){c.key, 0});
    here(f, later);
    assert_int_equal(late.calls, 0);
    sql_exec(f, "INSERT INTO go DEFAULT VALUES");
    await_count(f->loop, &late.calls, 1);
    assert_int_equal(late.err, 0);
    expect(f, place, (const int64_t[]){a.key, c.key, 0});
    expect(f, later, (const int64_t[]){a.key, 0});
    sql_exec(f, "DROP TABLE go");
}

static void test_store_changes_fetch__damaged_row__is_corrupt(void **state)
{
    struct fixture *f = *state;
    char before[STORE_PLACE_MAX + 1];
    struct got g = {0};
    here(f, before);
    (void)create(f, &ada);
    sql_exec(f, "UPDATE executions SET execution_id = 'nonsense' WHERE execution_key = "
                "(SELECT max(execution_key) FROM executions)");
    fetch(f, before, NULL, ROWS_MAX, &g);
    assert_int_equal(g.err, ERR_CORRUPT);
    assert_int_equal(g.n, 0);
    sql_exec(f, "DELETE FROM executions WHERE owner = 'gw-changes'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_place_is_valid__texts__only_its_form),
        cmocka_unit_test(test_store_place_is_valid__long__up_to_the_limit),
        cmocka_unit_test_setup_teardown(test_store_changes_fetch__since__what_changed_once_each,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_store_changes_fetch__created_by_and_max__fewer,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_store_changes_fetch__other_places__not_known,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_store_changes_fetch__commits_late__not_missed,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_store_changes_fetch__damaged_row__is_corrupt,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
