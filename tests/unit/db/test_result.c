/* Answers: binary values of every width, and what is not there. */
#include "db/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static PGresult *tuples(const char *const *values, const int *lengths, int n)
{
    PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[8] = {{0}};
    assert_non_null(r);
    for (int i = 0; i < n; i++) {
        columns[i].name = (char *)(uintptr_t) "c";
        columns[i].format = 1;
    }
    assert_int_equal(PQsetResultAttrs(r, n, columns), 1);
    for (int i = 0; i < n; i++)
        assert_int_equal(PQsetvalue(r, 0, i, (char *)(uintptr_t)values[i], lengths[i]), 1);
    return r;
}

static void test_db_get__every_width__big_endian(void **state)
{
    (void)state;
    const char *const values[] = {"\377\376", "\377\377\377\375", "\0\0\0\1\0\0\0\2", "\1", NULL,
                                  "abc"};
    const int lengths[] = {2, 4, 8, 1, -1, 3};
    static const int64_t expected[] = {-2, -3, 0x100000002, 1, 0, 0};
    PGresult *items[] = {NULL, tuples(values, lengths, 6)};
    const struct db_result r = {.count = 2, .items = items, .sqlstate = "23505"};
    size_t len;
    assert_int_equal(db_rows(&r, 1), 1);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(db_get_i64(&r, 1, 0, i), expected[i]);
    assert_true(db_is_null(&r, 1, 0, 4));
    assert_false(db_is_null(&r, 1, 0, 0));
    assert_null(db_get_text(&r, 1, 0, 4));
    assert_string_equal(db_get_text(&r, 1, 0, 5), "abc");
    assert_memory_equal(db_get_bytes(&r, 1, 0, 2, &len), values[2], 8);
    assert_int_equal(len, 8);
    assert_string_equal(db_sqlstate(&r), "23505");
    PQclear(items[1]);
}

static void test_db_get__not_there__reads_as_null(void **state)
{
    (void)state;
    const char *const values[] = {"\1"};
    const int lengths[] = {1};
    PGresult *items[] = {tuples(values, lengths, 1), NULL};
    const struct db_result r = {.count = 2, .items = items};
    static const size_t places[][3] = {{0, 1, 0}, {0, 0, 1}, {1, 0, 0}, {2, 0, 0}};
    size_t len = 7;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const size_t *p = places[i];
        assert_true(db_is_null(&r, p[0], p[1], p[2]));
        assert_int_equal(db_get_i64(&r, p[0], p[1], p[2]), 0);
        assert_null(db_get_text(&r, p[0], p[1], p[2]));
        assert_null(db_get_bytes(&r, p[0], p[1], p[2], &len));
        assert_int_equal(len, 0);
    }
    assert_int_equal(db_rows(&r, 1), 0);
    assert_int_equal(db_affected(&r, 1), 0);
    assert_int_equal(db_affected(&r, 0), 0); /* "": a statement that affects nothing */
    assert_int_equal(db_rows(NULL, 0), 0);
    assert_string_equal(db_sqlstate(NULL), "");
    PQclear(items[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_db_get__every_width__big_endian),
        cmocka_unit_test(test_db_get__not_there__reads_as_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
