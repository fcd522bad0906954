/* The audit in a real database: an entry commits with its change, or not at all. */
#include "base/compiler.h"
#include "base/err.h"
#include "db/store_audit.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct principal admin = {.user_key = 1, .key_id = 7, .email = "admin@x"};

static struct store_audit entry(const struct principal *who, const char *action)
{
    return (struct store_audit){.by = {.who = who, .address = "10.0.0.1", .request_id = "r1"},
                                .action = action,
                                .resource = "image/x",
                                .result = "ok"};
}

static void test_store_audit_add__principal_or_none__row(void **state)
{
    struct fixture *f = *state;
    struct db_batch *b;
    struct store_audit known = entry(&admin, "images.create"), none = entry(NULL, "claims.use");
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_audit_add(b, &known), 0);
    assert_int_equal(store_audit_add(b, &none), 0);
    assert_int_equal(run_batch(f, b).err, 0);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM audit WHERE email = 'admin@x' AND key_id "
                                   "= 7 AND address = '10.0.0.1' AND request_id = 'r1' AND action "
                                   "= 'images.create' AND resource = 'image/x' AND result = 'ok' "
                                   "AND at > now() - interval '1 minute'"),
                     1);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM audit WHERE email = '' AND key_id IS "
                                   "NULL AND action = 'claims.use'"),
                     1);
}

static void test_store_audit_add__change_fails__no_row(void **state)
{
    static const struct db_stmt failing = {.name = "failing", .sql = "SELECT 1 / 0"};
    struct fixture *f = *state;
    struct db_batch *b;
    struct store_audit a = entry(&admin, "images.delete");
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_audit_add(b, &a), 0);
    assert_int_equal(db_batch_add(b, &failing, NULL, 0), 0);
    assert_int_equal(run_batch(f, b).err, ERR_DB);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM audit WHERE action = 'images.delete'"), 0);
}

static void test_audit__update_delete_truncate__refused(void **state)
{
    static const struct db_stmt changes[] = {
        {.name = "update", .sql = "UPDATE audit SET result = 'other'"},
        {.name = "delete", .sql = "DELETE FROM audit"},
        {.name = "truncate", .sql = "TRUNCATE audit"},
    };
    struct fixture *f = *state;
    struct db_batch *b;
    struct store_audit a = entry(&admin, "images.create");
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_audit_add(b, &a), 0);
    assert_int_equal(run_batch(f, b).err, 0);
    int64_t before = sql_number(f, "SELECT count(*) FROM audit");
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct answer answer = run_sql(f, &changes[i], NULL, 0);
        assert_int_equal(answer.err, ERR_DB);
        assert_string_equal(answer.sqlstate, "P0001");
    }
    assert_int_equal(sql_number(f, "SELECT count(*) FROM audit WHERE result <> 'other'"), before);
}

struct listed {
    int calls, err;
    size_t n;
    struct audit_entry rows[16];
    char actions[16][32];
};

static void on_list(void *user, int err, const struct audit_entry *rows, size_t n)
{
    struct listed *l = user;
    l->calls++;
    l->err = err;
    l->n = n;
    for (size_t i = 0; i < n && i < ARRAY_SIZE(l->rows); i++) {
        l->rows[i] = rows[i];
        assert_true(strlen(rows[i].action) < sizeof(l->actions[i]));
        memcpy(l->actions[i], rows[i].action, strlen(rows[i].action) + 1);
    }
}

static struct listed list(struct fixture *f, const struct audit_filter *filter)
{
    struct listed l = {0};
    assert_int_equal(store_audit_list(f->pool, filter, on_list, &l), 0);
    await_count(f->loop, &l.calls, 1);
    assert_int_equal(l.err, 0);
    return l;
}

static void add_three(struct fixture *f)
{
    const struct principal other = {.user_key = 2, .key_id = 9, .email = "list@x"};
    const struct store_audit_refusals refused = {
        {{&other, "10.0.0.9", "list-3"}, "secrets.read", "secret/a", "FORBIDDEN"}, 4, 5000000};
    const struct store_audit first = {{&other, "::1", "list-1"},
                                      "secrets.create",
                                      "secret/a",
                                      "ok"},
                             second = {{&admin, "::1", "list-2"}, "images.create", "image/b", "ok"};
    struct db_batch *b;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_audit_add(b, &first), 0);
    assert_int_equal(store_audit_add(b, &second), 0);
    assert_int_equal(run_batch(f, b).err, 0);
    struct answer written = {0};
    assert_int_equal(store_audit_write(f->pool, &refused, 1, on_answer, &written), 0);
    await_count(f->loop, &written.calls, 1);
    assert_int_equal(written.err, 0);
}

static void test_store_audit_list__filters__newest_first(void **state)
{
    struct fixture *f = *state;
    add_three(f);
    static const struct {
        struct audit_filter filter;
        size_t n;
        const char *first;
    } rows[] = {
        {{.email = "list@x", .limit = 9}, 2, "secrets.read"},
        {{.email = "list@x", .action = "secrets", .limit = 9}, 2, "secrets.read"},
        {{.email = "list@x", .action = "secret", .limit = 9}, 0, NULL},
        {{.action = "secrets.create", .resource = "secret/a", .limit = 9}, 1, "secrets.create"},
        {{.resource = "secret/", .limit = 9}, 2, "secrets.read"},
        {{.resource = "secret", .limit = 9}, 0, NULL},
        {{.email = "list@x", .result = "FORBIDDEN", .limit = 9}, 1, "secrets.read"},
        {{.request_id = "list-2", .limit = 9}, 1, "images.create"},
        {{.email = "list@x", .since_us = 6000000, .limit = 9}, 1, "secrets.create"},
        {{.email = "list@x", .until_us = 6000000, .limit = 9}, 1, "secrets.read"},
        {{.limit = 1}, 1, "secrets.read"},
        {{.email = "nobody@x", .limit = 9}, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct listed l = list(f, &rows[i].filter);
        assert_int_equal(l.n, rows[i].n);
        if (rows[i].first)
            assert_string_equal(l.actions[0], rows[i].first);
    }
    struct listed all = list(f, &(struct audit_filter){.limit = 2});
    assert_int_equal(all.n, 2);
    assert_int_equal(all.rows[0].count, 4);
    assert_int_equal(all.rows[0].key_id, 9);
    assert_int_equal(all.rows[0].at_us, 5000000);
    struct listed next =
        list(f, &(struct audit_filter){.before_id = all.rows[1].audit_id, .limit = 1});
    assert_string_equal(next.actions[0], "secrets.create");
    assert_int_equal(next.rows[0].count, 1);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_audit_add__principal_or_none__row),
        ROW(test_store_audit_add__change_fails__no_row),
        ROW(test_audit__update_delete_truncate__refused),
        ROW(test_store_audit_list__filters__newest_first),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
