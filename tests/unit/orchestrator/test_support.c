#include "orchestrator/internal.h"

#include "../base/unit.h"

#include <string.h>

struct row {
    int err, wanted;
};

static void test_problem_store__database_errors_stay_database_errors(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {ERR_DB_AWAY, ERR_DB_AWAY}, {ERR_TIMEOUT, ERR_DB_AWAY}, {ERR_LIMIT, ERR_DB_AWAY},
        {ERR_DB, ERR_DB},           {ERR_CONFLICT, ERR_DB},     {ERR_NOMEM, ERR_NOMEM},
        {ERR_CLOSED, ERR_CLOSED},   {ERR_STALE, ERR_INTERNAL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        assert_int_equal(problem_store(&p, rows[i].err, "failed"), rows[i].wanted);
        assert_int_equal(p.err, rows[i].wanted);
        assert_string_equal(p.error, "failed");
        assert_true(p.details[0] != '\0');
    }
}

struct paths_row {
    const char *list;
    const char *wanted[4];
};

static void test_paths_split__table(void **state)
{
    (void)state;
    static const struct paths_row rows[] = {
        {NULL, {NULL}},
        {"", {NULL}},
        {"/a", {"/a"}},
        {"/a:/b", {"/a", "/b"}},
        {":/a::/b:", {"/a", "/b"}},
        {":::", {NULL}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char **paths = paths_split(rows[i].list);
        assert_non_null(paths);
        size_t n = 0;
        for (; rows[i].wanted[n]; n++)
            assert_string_equal(paths[n], rows[i].wanted[n]);
        assert_null(paths[n]);
        strings_free(paths);
    }
    strings_free(NULL);
}

static void test_path_join__joins(void **state)
{
    (void)state;
    char *path = path_join("/a/b", "c");
    assert_string_equal(path, "/a/b/c");
    free(path);
}

struct my_op {
    struct op op;
    int err;
};

static void cancelled(struct op *op, const struct problem *p)
{
    ((struct my_op *)op)->err = p->err;
}

static void test_ops_cancel_all__tells_and_detaches(void **state)
{
    (void)state;
    struct orchestrator o;
    struct my_op told = {0}, silent = {0}, ended = {0};
    list_init(&o.ops);
    op_begin(&o, &told.op, cancelled);
    op_begin(&o, &silent.op, NULL);
    op_begin(&o, &ended.op, cancelled);
    assert_true(op_end(&ended.op));
    ops_cancel_all(&o);
    assert_int_equal(told.err, ERR_CLOSED);
    assert_int_equal(ended.err, 0);
    assert_false(op_end(&told.op));
    assert_false(op_end(&silent.op));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problem_store__database_errors_stay_database_errors),
        cmocka_unit_test(test_paths_split__table),
        cmocka_unit_test(test_path_join__joins),
        cmocka_unit_test(test_ops_cancel_all__tells_and_detaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
