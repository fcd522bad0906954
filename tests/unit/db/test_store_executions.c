/* Executions in a real database: creation, guards of a transition, lists. */
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
    size_t n;
    struct execution rows[ROWS_MAX];
};

static void on_one(void *user, int err, const struct execution *e)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    assert_int_equal(e != NULL, err == 0);
    if (e) {
        execution_done(&g->rows[0]);
        assert_int_equal(execution_copy(&g->rows[0], e), 0);
        g->n = 1;
    }
}

static void on_many(void *user, int err, const struct execution *rows, size_t n)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    assert_true(n <= ROWS_MAX);
    for (size_t i = 0; i < n; i++) {
        execution_done(&g->rows[i]);
        assert_int_equal(execution_copy(&g->rows[i], &rows[i]), 0);
    }
    g->n = n;
}

static void got_done(struct got *g)
{
    for (size_t i = 0; i < ROWS_MAX; i++)
        execution_done(&g->rows[i]);
}
#define CLEANUP_GOT CLEANUP(got_done)

static const struct principal ada = {.user_key = 1, .key_id = 2, .email = "ada@example.org"},
                              bob = {.user_key = 2, .key_id = 3, .email = "bob@example.org"};

static struct store_new_execution new_execution(const char *owner)
{
    return (struct store_new_execution){.by = {&ada, "192.0.2.1", "req-1"},
                                        .command = "echo 'hi' && true",
                                        .image_id = "host",
                                        .owner = owner,
                                        .random = 0x0123456789abcdef,
                                        .timeout_s = 60,
                                        .grace_s = 5,
                                        .tty = true};
}

static void on_created(void *user, int err, const struct execution *e, enum store_refusal refusal)
{
    assert_int_equal(refusal, STORE_REFUSED_NOT);
    on_one(user, err, e);
}

static void create(struct fixture *f, const struct store_new_execution *n, struct got *g)
{
    g->calls = 0;
    assert_int_equal(store_execution_create(f->pool, n, on_created, g), 0);
    await_count(f->loop, &g->calls, 1);
    assert_int_equal(g->err, 0);
}

static void test_store_execution_create__row_and_event__are_given_back(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = new_execution("gw-create");
    create(f, &n, &g);

    const struct execution *e = &g.rows[0];
    struct execution_id id;
    execution_id_make(e->key, n.random, &id);
    assert_string_equal(e->id.hex, id.hex);
    assert_int_equal(execution_id_key(&e->id), e->key);
    assert_int_equal(e->key >> 32, e->state.started_at_us / 1000000 / 86400);
    assert_string_equal(e->command, n.command);
    assert_string_equal(e->image_id, "host");
    assert_string_equal(e->created_by, "ada@example.org");
    assert_string_equal(e->created_by_request_id, "req-1");
    assert_string_equal(e->modified_by_request_id, "req-1");
    assert_string_equal(e->owner, "gw-create");
    assert_int_equal(e->fence, 1);
    assert_int_equal(e->timeout_s, 60);
    assert_int_equal(e->grace_s, 5);
    assert_true(e->tty);
    assert_int_equal(e->state.status, EXEC_STARTING);
    assert_int_equal(e->state.version, 1);
    assert_int_equal(e->state.exit_code, EXIT_CODE_NONE);
    assert_int_equal(e->state.completed_at_us, 0);
    assert_int_equal(e->state.last_seq, 0);
    assert_int_equal(e->spool_offset, 0);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM execution_events v JOIN executions e "
                                   "USING (execution_key) WHERE e.owner = 'gw-create' AND "
                                   "v.version = 1 AND v.cause = 'accepted' AND v.from_status IS "
                                   "NULL AND v.to_status = 'STARTING' AND v.request_id = 'req-1' "
                                   "AND v.at = e.created_at"),
                     1);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM pg_inherits WHERE inhparent = "
                                   "'log_chunks'::regclass"),
                     1);
}

static void test_store_execution_get__known_and_unknown__row_or_not_found(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = new_execution("gw-get");
    create(f, &n, &g);
    struct execution_id id = g.rows[0].id;

    g.calls = 0;
    assert_int_equal(store_execution_get(f->pool, &id, on_one, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    assert_string_equal(g.rows[0].id.hex, id.hex);

    /* Same key, another random half. */
    execution_id_make(execution_id_key(&id), 1, &id);
    g.calls = 0;
    assert_int_equal(store_execution_get(f->pool, &id, on_one, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, ERR_NOT_FOUND);
}

static void test_store_execution_get__damaged_row__is_corrupt(void **state)
{
    struct fixture *f = *state;
    static const char *const damages[] = {"status = 'WRONG'", "status = 'RUNNING'"};
    static const int expected[] = {ERR_CORRUPT, 0};
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = new_execution("gw-damaged");
    create(f, &n, &g);
    struct execution_id id = g.rows[0].id;
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        char sql[128];
        snprintf(sql, sizeof(sql), "UPDATE executions SET %s WHERE owner = 'gw-damaged'",
                 damages[i]);
        sql_exec(f, sql);
        g.calls = 0;
        assert_int_equal(store_execution_get(f->pool, &id, on_one, &g), 0);
        await_count(f->loop, &g.calls, 1);
        assert_int_equal(g.err, expected[i]);
    }
    sql_exec(f, "UPDATE executions SET execution_id = 'nonsense' WHERE owner = 'gw-damaged'");
    struct store_execution_filter filter = {.limit = 10};
    g.calls = 0;
    assert_int_equal(store_execution_list(f->pool, &filter, on_many, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, ERR_CORRUPT);
    assert_int_equal(g.n, 0);
    sql_exec(f, "DELETE FROM executions WHERE owner = 'gw-damaged'");
}

struct transition_row {
    const char *what;
    const char *owner;
    int64_t fence_off, version_off;
    enum exec_status from;
    int64_t affected;
};

static void test_store_transition_add__guards__one_row_or_none(void **state)
{
    struct fixture *f = *state;
    static const struct transition_row rows[] = {
        {"another owner", "gw-other", 0, 0, EXEC_STARTING, 0},
        {"an older fence", "gw-move", -1, 0, EXEC_STARTING, 0},
        {"a newer fence", "gw-move", 1, 0, EXEC_STARTING, 0},
        {"an older version", "gw-move", 0, -1, EXEC_STARTING, 0},
        {"another state", "gw-move", 0, 0, EXEC_RUNNING, 0},
        {"the right one", "gw-move", 0, 0, EXEC_STARTING, 1},
        {"the right one again", "gw-move", 0, 0, EXEC_STARTING, 0},
    };
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = new_execution("gw-move");
    create(f, &n, &g);
    const struct execution *e = &g.rows[0];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct exec_state from = e->state, to;
        from.status = rows[i].from;
        from.version += rows[i].version_off;
        to = from;
        to.status = EXEC_RUNNING;
        to.version++;
        struct db_batch *b;
        assert_int_equal(db_batch_new(&b), 0);
        assert_int_equal(store_transition_add(b, e->key, rows[i].owner,
                                              e->fence + rows[i].fence_off, &from, &to, "began",
                                              ""),
                         0);
        assert_int_equal(db_batch_count(b), 1);
        struct answer a = run_batch(f, b);
        assert_int_equal(a.err, 0);
        if (a.affected[0] != rows[i].affected)
            fail_msg("%s: %d rows", rows[i].what, (int)a.affected[0]);
    }
    assert_int_equal(sql_number(f, "SELECT count(*) FROM execution_events JOIN executions "
                                   "USING (execution_key) WHERE owner = 'gw-move'"),
                     2);
}

static void test_store_transition_add__end__stores_all_of_the_state(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = new_execution("gw-end");
    n.by.request_id = "";
    create(f, &n, &g);
    struct exec_state from = g.rows[0].state, to = from;
    to.status = EXEC_FAILED;
    to.version++;
    to.exit_code = -7;
    to.signal = 9;
    assert_int_equal(str_copy(to.reason, sizeof(to.reason), "timeout"), 0);
    to.completed_at_us = 1700000000123457;
    struct db_batch *b;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_transition_add(b, g.rows[0].key, "gw-end", 1, &from, &to, NULL, "req-2"),
                     0);
    struct answer a = run_batch(f, b);
    assert_int_equal(a.affected[0], 1);

    struct execution_id id = g.rows[0].id;
    g.calls = 0;
    assert_int_equal(store_execution_get(f->pool, &id, on_one, &g), 0);
    await_count(f->loop, &g.calls, 1);
    const struct exec_state *s = &g.rows[0].state;
    assert_int_equal(s->status, EXEC_FAILED);
    assert_int_equal(s->version, 2);
    assert_int_equal(s->exit_code, -7);
    assert_int_equal(s->signal, 9);
    assert_string_equal(s->reason, "timeout");
    assert_int_equal(s->completed_at_us, 1700000000123457);
    assert_string_equal(g.rows[0].created_by_request_id, "");
    assert_string_equal(g.rows[0].modified_by_request_id, "req-2");
}

static void test_store_transition_add__version_skipped__invalid(void **state)
{
    (void)state;
    struct exec_state from = {.status = EXEC_RUNNING, .version = 2}, to = from;
    to.version = 4;
    struct db_batch *b;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_transition_add(b, 1, "o", 1, &from, &to, "c", "r"), ERR_INVALID);
    assert_int_equal(db_batch_count(b), 0);
    db_batch_free(b);
}

struct list_row {
    const char *what;
    struct store_execution_filter filter;
    size_t expected;
};

static void test_store_execution_list__filters__newest_first(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    CLEANUP_GOT struct got made = {0};
    sql_exec(f, "DELETE FROM executions");
    for (size_t i = 0; i < 4; i++) {
        struct store_new_execution n = new_execution("gw-list");
        n.by.who = i % 2 ? &bob : &ada;
        create(f, &n, &g);
        assert_int_equal(execution_copy(&made.rows[i], &g.rows[0]), 0);
    }
    sql_exec(f, "UPDATE executions SET status = 'SUCCEEDED' WHERE execution_key = "
                "(SELECT min(execution_key) FROM executions)");
    int64_t second = made.rows[1].state.started_at_us, last = made.rows[3].state.started_at_us;
    const struct list_row rows[] = {
        {"all", {.limit = 10}, 4},
        {"a page", {.limit = 2}, 2},
        {"the next page", {.limit = 2, .before_key = made.rows[1].key}, 1},
        {"succeeded", {.limit = 10, .status_mask = 1u << EXEC_SUCCEEDED}, 1},
        {"live", {.limit = 10, .status_mask = 1u << EXEC_STARTING | 1u << EXEC_RUNNING}, 3},
        {"both", {.limit = 10, .status_mask = 1u << EXEC_STARTING | 1u << EXEC_SUCCEEDED}, 4},
        {"failed", {.limit = 10, .status_mask = 1u << EXEC_FAILED}, 0},
        {"one's own", {.limit = 10, .created_by = "bob@example.org"}, 2},
        {"one's own, live",
         {.limit = 10, .created_by = "ada@example.org", .status_mask = 1u << EXEC_STARTING},
         1},
        {"since", {.limit = 10, .since_us = second}, 3},
        {"until", {.limit = 10, .until_us = second}, 1},
        {"between", {.limit = 10, .since_us = second, .until_us = last}, 2},
        {"long ago", {.limit = 10, .until_us = 1000000}, 0},
        {"far ahead", {.limit = 10, .since_us = last + 1}, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        g.calls = 0;
        assert_int_equal(store_execution_list(f->pool, &rows[i].filter, on_many, &g), 0);
        await_count(f->loop, &g.calls, 1);
        assert_int_equal(g.err, 0);
        if (g.n != rows[i].expected)
            fail_msg("%s: %zu rows", rows[i].what, g.n);
        for (size_t k = 1; k < g.n; k++)
            assert_true(g.rows[k].key < g.rows[k - 1].key);
    }
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_execution_create__row_and_event__are_given_back),
        ROW(test_store_execution_get__known_and_unknown__row_or_not_found),
        ROW(test_store_execution_get__damaged_row__is_corrupt),
        ROW(test_store_transition_add__guards__one_row_or_none),
        ROW(test_store_transition_add__end__stores_all_of_the_state),
        ROW(test_store_transition_add__version_skipped__invalid),
        ROW(test_store_execution_list__filters__newest_first),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
