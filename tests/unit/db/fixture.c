#include "tests/unit/db/fixture.h"

#include "base/clock.h"
#include "db/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void await_count(struct loop *l, const int *count, int wanted)
{
    int64_t until = clock_mono_ms() + FIXTURE_PATIENCE_MS;
    while (*count < wanted && clock_mono_ms() < until)
        assert_int_equal(loop_turn(l, 100), 0);
    assert_true(*count >= wanted);
}

void await_true(struct loop *l, bool (*is_true)(void *), void *user)
{
    int64_t until = clock_mono_ms() + FIXTURE_PATIENCE_MS;
    while (!is_true(user) && clock_mono_ms() < until)
        assert_int_equal(loop_turn(l, 20), 0);
    assert_true(is_true(user));
}

struct migrated {
    int calls, err;
};

static void on_migrated(void *user, int err, int applied)
{
    struct migrated *m = user;
    (void)applied;
    m->calls++;
    m->err = err;
}

int migrate_database(const char *conninfo)
{
    struct loop *l;
    struct migrated m = {0};
    assert_int_equal(loop_new(&l), 0);
    assert_int_equal(db_migrate(l, conninfo, on_migrated, &m), 0);
    await_count(l, &m.calls, 1);
    loop_free(l);
    return m.err;
}

int fixture_group_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f || pg_cluster_start(&f->cluster) != 0) {
        free(f);
        return -1;
    }
    f->conninfo = pg_cluster_conninfo(f->cluster);
    *state = f;
    return migrate_database(f->conninfo);
}

int fixture_group_teardown(void **state)
{
    struct fixture *f = *state;
    if (f)
        pg_cluster_stop(f->cluster);
    free(f);
    return 0;
}

void fixture_new_pool(struct fixture *f)
{
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.conninfo = f->conninfo;
    opts.size = 2;
    assert_int_equal(db_pool_new(f->loop, &opts, &f->pool), 0);
}

int fixture_setup(void **state)
{
    struct fixture *f = *state;
    if (loop_new(&f->loop) < 0)
        return -1;
    fixture_new_pool(f);
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    db_pool_free(f->pool);
    loop_free(f->loop);
    f->pool = NULL;
    f->loop = NULL;
    return 0;
}

void on_answer(void *user, int err, const struct db_result *r)
{
    struct answer *a = user;
    a->calls++;
    a->err = err;
    for (size_t i = 0; i < ANSWER_STATEMENTS; i++) {
        a->rows[i] = db_rows(r, i);
        a->affected[i] = db_affected(r, i);
    }
    a->value = db_get_i64(r, 0, 0, 0);
    const void *bytes = db_get_bytes(r, 0, 0, 0, &a->len);
    snprintf(a->text, sizeof(a->text), "%s", bytes ? (const char *)bytes : "");
    snprintf(a->sqlstate, sizeof(a->sqlstate), "%s", db_sqlstate(r));
}

struct answer run_batch(struct fixture *f, struct db_batch *b)
{
    struct answer a = {0};
    assert_int_equal(db_submit(f->pool, b, on_answer, &a), 0);
    assert_int_equal(a.calls, 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

struct answer run_sql(struct fixture *f, const struct db_stmt *s, const struct db_value *params,
                      size_t n)
{
    struct db_batch *b;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(db_batch_add(b, s, params, n), 0);
    return run_batch(f, b);
}

int64_t sql_number(const struct fixture *f, const char *sql)
{
    char text[64];
    assert_int_equal(pg_cluster_query(f->conninfo, sql, text, sizeof(text)), 0);
    return strtoll(text, NULL, 10);
}

void sql_exec(const struct fixture *f, const char *sql)
{
    assert_int_equal(pg_cluster_exec(f->conninfo, sql), 0);
}
