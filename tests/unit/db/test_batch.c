/* Batches: the binary form of parameters, limits, and each allocation failing in turn. */
#include "base/err.h"
#include "db/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int allocations_left = -1; /* -1 = without end */

static bool may_allocate(void)
{
    if (allocations_left < 0)
        return true;
    if (allocations_left == 0)
        return false;
    allocations_left--;
    return true;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return may_allocate() ? __real_reallocarray(p, n, size) : NULL;
}

int __real_buf_append(struct buf *b, const void *p, size_t n);
int __wrap_buf_append(struct buf *b, const void *p, size_t n);
int __wrap_buf_append(struct buf *b, const void *p, size_t n)
{
    return may_allocate() ? __real_buf_append(b, p, n) : ERR_NOMEM;
}

static const struct db_stmt stmt = {"s", "SELECT 1"};

static void test_db_batch_add__every_type__binary(void **state)
{
    (void)state;
    const struct db_value params[] = {db_i64(0x0102030405060708),
                                      db_i64(-1),
                                      db_bool(true),
                                      db_bool(false),
                                      db_text("ab"),
                                      db_text(NULL),
                                      db_bytes("\0c", 2),
                                      db_bytes(NULL, 0),
                                      db_null()};
    static const struct {
        const char *bytes; /* NULL = the value NULL */
        int len;
    } expected[] = {{"\1\2\3\4\5\6\7\10", 8},
                    {"\377\377\377\377\377\377\377\377", 8},
                    {"\1", 1},
                    {"\0", 1},
                    {"ab", 2},
                    {NULL, 0},
                    {"\0c", 2},
                    {"", 0},
                    {NULL, 0}};
    struct db_batch *b;
    struct db_batch_args args;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(db_batch_add(b, &stmt, NULL, 0), 0);
    assert_int_equal(db_batch_add(b, &stmt, params, ARRAY_SIZE(params)), 0);
    assert_int_equal(db_batch_count(b), 2);
    assert_true(db_batch_bytes(b) >= 22);
    db_batch_args(b, &b->calls[1], &args);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_int_equal(args.formats[i], 1);
        assert_int_equal(args.values[i] == NULL, expected[i].bytes == NULL);
        if (!expected[i].bytes)
            continue;
        assert_int_equal(args.lengths[i], expected[i].len);
        assert_memory_equal(args.values[i], expected[i].bytes, (size_t)expected[i].len);
    }
    db_batch_free(b);
}

static void test_db_batch_add__limits__refused_and_unchanged(void **state)
{
    (void)state;
    struct db_batch *b;
    struct db_value params[BATCH_PARAMS_MAX + 1];
    for (size_t i = 0; i < ARRAY_SIZE(params); i++)
        params[i] = db_i64(1);
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(db_batch_add(b, &stmt, params, BATCH_PARAMS_MAX), 0);
    size_t bytes = db_batch_bytes(b);
    assert_int_equal(db_batch_add(b, &stmt, params, BATCH_PARAMS_MAX + 1), ERR_INVALID);
    params[1] = db_bytes("", (size_t)BATCH_BYTES_MAX + 1);
    assert_int_equal(db_batch_add(b, &stmt, params, 2), ERR_TOO_LARGE);
    assert_int_equal(db_batch_count(b), 1);
    assert_int_equal(db_batch_bytes(b), bytes);
    while (db_batch_count(b) < BATCH_STATEMENTS_MAX)
        assert_int_equal(db_batch_add(b, &stmt, NULL, 0), 0);
    assert_int_equal(db_batch_add(b, &stmt, NULL, 0), ERR_TOO_LARGE);
    db_batch_free(b);
    db_batch_free(NULL);
}

static int build(void)
{
    const struct db_value params[] = {db_i64(1), db_text("text")};
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < 20; i++) {
        size_t before = db_batch_count(b);
        r = db_batch_add(b, &stmt, params, ARRAY_SIZE(params));
        assert_int_equal(db_batch_count(b), before + (r == 0));
    }
    if (r == 0)
        r = db_batch_ready(b);
    if (r == 0)
        r = db_batch_ready(b); /* once is enough */
    db_batch_free(b);
    return r;
}

static void test_db_batch__each_allocation_fails__nomem(void **state)
{
    (void)state;
    int r = ERR_NOMEM, tries = 0;
    while (r != 0) {
        allocations_left = tries++;
        r = build();
        allocations_left = -1;
        assert_true(r == 0 || r == ERR_NOMEM);
    }
    assert_true(tries > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_db_batch_add__every_type__binary),
        cmocka_unit_test(test_db_batch_add__limits__refused_and_unchanged),
        cmocka_unit_test(test_db_batch__each_allocation_fails__nomem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
