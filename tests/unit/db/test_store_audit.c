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

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_audit_add__principal_or_none__row),
        ROW(test_store_audit_add__change_fails__no_row),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
