/* How executions begin, in a real database: what is written with a row, limits, the queue, keys. */
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

#define ROWS_MAX 8

struct got {
    int calls, err;
    bool has_row, is_same;
    enum store_refusal refusal;
    size_t n;
    struct execution row; /* strings owned */
    char key_id[32], sealed[32];
    size_t sealed_len;
};

static void got_done(struct got *g)
{
    execution_done(&g->row);
}
#define CLEANUP_GOT CLEANUP(got_done)

static void keep(struct got *g, const struct execution *e)
{
    execution_done(&g->row);
    g->row = (struct execution){0};
    g->has_row = e != NULL;
    if (e)
        assert_int_equal(execution_copy(&g->row, e), 0);
}

static void on_created(void *user, int err, const struct execution *e, enum store_refusal refusal)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    g->refusal = refusal;
    keep(g, e);
}

static void on_earlier(void *user, int err, const struct execution *e, bool is_same)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    g->is_same = is_same;
    keep(g, e);
}

static void on_launches(void *user, int err, const struct store_launch *rows, size_t n)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    g->n = n;
    keep(g, n > 0 ? &rows[0].row : NULL);
    (void)snprintf(g->key_id, sizeof g->key_id, "%s",
                   n > 0 && rows[0].seal_key_id ? rows[0].seal_key_id : "");
    g->sealed_len = n > 0 ? rows[0].sealed_len : 0;
    if (g->sealed_len > 0)
        memcpy(g->sealed, rows[0].sealed, g->sealed_len);
}

static struct principal ada = {.key_id = 2, .email = "ada@example.org"},
                        bob = {.key_id = 3, .email = "bob@example.org"};

static int group_setup(void **state)
{
    if (fixture_group_setup(state) != 0)
        return -1;
    const struct fixture *f = *state;
    sql_exec(f, "INSERT INTO users (email, role) VALUES ('ada@example.org', 'developer'), "
                "('bob@example.org', 'developer')");
    ada.user_key = sql_number(f, "SELECT user_key FROM users WHERE email LIKE 'ada%'");
    bob.user_key = sql_number(f, "SELECT user_key FROM users WHERE email LIKE 'bob%'");
    return 0;
}

static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    sql_exec(*state, "DELETE FROM executions");
    return 0;
}

static struct store_new_execution by(const struct principal *who)
{
    return (struct store_new_execution){.by = {who, "192.0.2.1", "req-1"},
                                        .command = "true",
                                        .image_id = "host",
                                        .owner = "gw1",
                                        .random = 0xfeed};
}

static void create(struct fixture *f, const struct store_new_execution *n, struct got *g)
{
    g->calls = 0;
    assert_int_equal(store_execution_create(f->pool, n, on_created, g), 0);
    await_count(f->loop, &g->calls, 1);
}

static void test_create__sealed_and_key__written_with_the_row(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = by(&ada);
    n.seal_key_id = "0011223344556677";
    n.sealed = "sealed\0bytes";
    n.sealed_len = 12;
    n.idempotency = (struct store_idempotency){.key = "k1", .retention_ms = 60000};
    create(f, &n, &g);
    assert_int_equal(g.err, 0);
    assert_string_equal(g.row.created_by, "ada@example.org");
    assert_int_equal(sql_number(f, "SELECT count(*) FROM execution_environments JOIN executions "
                                   "USING (execution_key) WHERE key_id = '0011223344556677' AND "
                                   "length(sealed) = 12"),
                     1);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM idempotency_keys WHERE key = 'k1'"), 1);
    assert_int_equal(
        sql_number(f, "SELECT count(*) FROM audit a JOIN executions e ON a.resource = 'execution/' "
                      "|| e.execution_id WHERE a.action = 'executions.create' AND a.result = 'ok' "
                      "AND a.email = 'ada@example.org' AND a.address = '192.0.2.1' AND a.key_id = "
                      "2 AND a.request_id = 'req-1'"),
        1);

    g.calls = 0;
    assert_int_equal(store_execution_adopt(f->pool, "gw1", on_launches, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.n, 1);
    assert_int_equal(g.row.fence, 2);
    assert_string_equal(g.key_id, "0011223344556677");
    assert_int_equal(g.sealed_len, 12);
    assert_memory_equal(g.sealed, "sealed\0bytes", 12);
}

static void test_create__nothing_sealed__adopted_without(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = by(&ada);
    create(f, &n, &g);
    n.owner = "gw-neighbour";
    create(f, &n, &g);
    sql_exec(f, "UPDATE executions SET status = 'RUNNING', version = 2 WHERE owner = 'gw1'");
    for (int64_t fence = 2; fence <= 3; fence++) {
        g.calls = 0;
        assert_int_equal(store_execution_adopt(f->pool, "gw1", on_launches, &g), 0);
        await_count(f->loop, &g.calls, 1);
        assert_int_equal(g.n, 1);
        assert_int_equal(g.row.fence, fence);
        assert_int_equal(g.sealed_len, 0);
        assert_string_equal(g.key_id, "");
    }
    assert_int_equal(sql_number(f, "SELECT fence FROM executions WHERE owner = 'gw-neighbour'"), 1);
}

static void test_create__sealed_with_a_replaced_key__stale(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = by(&ada);
    sql_exec(f, "SELECT tg_retire_key('ffffffffffffffff')");
    n.seal_key_id = "ffffffffffffffff";
    n.sealed = "x";
    n.sealed_len = 1;
    create(f, &n, &g);
    assert_int_equal(g.err, ERR_STALE);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM executions"), 0);
    sql_exec(f, "DELETE FROM retired_keys");
}

static void test_end__takes_what_was_sealed(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = by(&ada);
    n.seal_key_id = "0011223344556677";
    n.sealed = "x";
    n.sealed_len = 1;
    create(f, &n, &g);
    struct exec_state from = g.row.state, to = from;
    const enum exec_status way[] = {EXEC_RUNNING, EXEC_TERMINATING, EXEC_STOPPED};
    for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
        struct db_batch *b;
        to.status = way[i];
        to.version = from.version + 1;
        assert_int_equal(db_batch_new(&b), 0);
        assert_int_equal(store_transition_add(b, g.row.key, "gw1", 1, &from, &to, "cause", "req"),
                         0);
        struct answer a = run_batch(f, b);
        assert_int_equal(a.affected[0], 1);
        from = to;
        assert_int_equal(sql_number(f, "SELECT count(*) FROM execution_environments"),
                         way[i] == EXEC_STOPPED ? 0 : 1);
    }
}

/* ---- limits ---- */

struct limit_row {
    const char *what;
    struct store_run_limits limits;
    int64_t queue_max;
    bool has_no_room, is_bobs;
    enum exec_status status; /* EXEC_STATUS_COUNT: refused */
    enum store_refusal refusal;
};

/* Two of ada's run already. */
static void test_create__limits__table(void **state)
{
    struct fixture *f = *state;
    static const struct limit_row rows[] = {
        {"none", {0, 0}, 0, false, false, EXEC_STARTING, 0},
        {"room", {3, 3}, 0, false, false, EXEC_STARTING, 0},
        {"full", {2, 0}, 0, false, false, EXEC_STATUS_COUNT, STORE_REFUSED_RUNNING},
        {"full for all", {2, 0}, 0, false, true, EXEC_STATUS_COUNT, STORE_REFUSED_RUNNING},
        {"user full", {9, 2}, 0, false, false, EXEC_STATUS_COUNT, STORE_REFUSED_RUNNING_PER_USER},
        {"another user", {9, 2}, 0, false, true, EXEC_STARTING, 0},
        {"full, queued", {2, 0}, 5, false, false, EXEC_PENDING, 0},
        {"user full, queued", {0, 2}, 5, false, false, EXEC_PENDING, 0},
        {"no room here, queued", {0, 0}, 5, true, false, EXEC_PENDING, 0},
        {"room, with a queue", {3, 0}, 5, false, false, EXEC_STARTING, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP_GOT struct got g = {0};
        struct store_new_execution n = by(&ada);
        sql_exec(f, "DELETE FROM executions");
        create(f, &n, &g);
        create(f, &n, &g);
        sql_exec(f, "UPDATE executions SET status = 'TERMINATING' WHERE execution_key = "
                    "(SELECT min(execution_key) FROM executions)");
        n = by(rows[i].is_bobs ? &bob : &ada);
        n.limits = rows[i].limits;
        n.queue_max = rows[i].queue_max;
        n.has_no_room = rows[i].has_no_room;
        create(f, &n, &g);
        print_message("%s\n", rows[i].what);
        assert_int_equal(g.err, 0);
        assert_int_equal(g.refusal, rows[i].refusal);
        assert_int_equal(g.has_row, rows[i].status != EXEC_STATUS_COUNT);
        if (g.has_row) {
            assert_int_equal(g.row.state.status, rows[i].status);
            assert_string_equal(g.row.owner, rows[i].status == EXEC_PENDING ? "" : "gw1");
        }
        assert_int_equal(sql_number(f, "SELECT count(*) FROM executions"), g.has_row ? 3 : 2);
    }
}

/* Sent at once over two connections: never more than there is room for. */
static void test_create__at_once__the_last_place_once(void **state)
{
    struct fixture *f = *state;
    struct got g[6] = {0};
    struct store_new_execution n = by(&ada);
    n.limits.running = 2;
    for (size_t i = 0; i < ARRAY_SIZE(g); i++)
        assert_int_equal(store_execution_create(f->pool, &n, on_created, &g[i]), 0);
    size_t started = 0;
    for (size_t i = 0; i < ARRAY_SIZE(g); i++) {
        await_count(f->loop, &g[i].calls, 1);
        assert_int_equal(g[i].err, 0);
        started += g[i].has_row;
        got_done(&g[i]);
    }
    assert_int_equal(started, 2);
}

/* ---- the queue ---- */

static void dequeue(struct fixture *f, struct store_run_limits limits, struct got *g)
{
    g->calls = 0;
    assert_int_equal(store_execution_dequeue(f->pool, "gw2", &limits, on_launches, g), 0);
    await_count(f->loop, &g->calls, 1);
    assert_int_equal(g->err, 0);
}

static void test_queue__order_limits_and_who_takes_it(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    const struct store_run_limits limits = {.running = 3, .running_per_user = 1};
    struct store_new_execution n = by(&ada);
    n.limits = limits;
    n.queue_max = 2;
    create(f, &n, &g); /* runs */
    assert_int_equal(g.row.state.status, EXEC_STARTING);
    n.seal_key_id = "0011223344556677";
    n.sealed = "x";
    n.sealed_len = 1;
    create(f, &n, &g); /* waits: ada has one */
    int64_t first = g.row.key;
    assert_int_equal(g.row.state.status, EXEC_PENDING);
    n.by.who = &bob;
    create(f, &n, &g); /* is not held up by ada's */
    assert_int_equal(g.row.state.status, EXEC_STARTING);
    create(f, &n, &g);
    int64_t second = g.row.key;
    assert_int_equal(g.row.state.status, EXEC_PENDING);
    create(f, &n, &g);
    assert_int_equal(g.refusal, STORE_REFUSED_QUEUE);

    dequeue(f, limits, &g);
    assert_int_equal(g.n, 0);
    sql_exec(f, "UPDATE executions SET status = 'STOPPED' WHERE created_by LIKE 'bob%' AND status "
                "= 'STARTING'");
    /* Who could start waits before a new one. */
    n.queue_max = 3;
    create(f, &n, &g);
    assert_true(g.has_row);
    assert_int_equal(g.row.state.status, EXEC_PENDING);
    dequeue(f, limits, &g);
    assert_int_equal(g.row.key, second);
    assert_int_equal(g.row.state.status, EXEC_STARTING);
    assert_int_equal(g.row.state.version, 2);
    assert_int_equal(g.row.fence, 2);
    assert_string_equal(g.row.owner, "gw2");
    assert_string_equal(g.key_id, "0011223344556677");
    dequeue(f, limits, &g);
    assert_int_equal(g.n, 0);
    dequeue(f, (struct store_run_limits){.running = 3}, &g);
    assert_int_equal(g.row.key, first);
    dequeue(f, (struct store_run_limits){.running = 3}, &g);
    assert_int_equal(g.n, 0);
    dequeue(f, (struct store_run_limits){0}, &g);
    assert_int_equal(g.n, 1);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM execution_events WHERE from_status = "
                                   "'PENDING' AND to_status = 'STARTING' AND version = 2"),
                     3);

    g.calls = 0;
    assert_int_equal(store_execution_dequeued(f->pool, "gw2", on_launches, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.row.key, first);
    g.calls = 0;
    assert_int_equal(store_execution_dequeued(f->pool, "gw1", on_launches, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.n, 0); /* those began at once */
}

static void on_batch(void *user, int err, const struct db_result *r)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    g->n = err == 0 ? (size_t)db_affected(r, 0) : 0;
}

static void test_cancel__waiting_or_not(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct got c = {0};
    struct store_new_execution n = by(&ada);
    const struct caller caller = {&bob, "192.0.2.9", "req-9"};
    n.queue_max = 5;
    n.has_no_room = true;
    n.seal_key_id = "0011223344556677";
    n.sealed = "x";
    n.sealed_len = 1;
    create(f, &n, &g);
    struct exec_state to = g.row.state;
    to.status = EXEC_STOPPED;
    to.version++;
    to.exit_code = 130;
    to.completed_at_us = 1700000000000000;
    assert_int_equal(str_copy(to.reason, sizeof to.reason, "stopped"), 0);
    for (int i = 0; i < 2; i++) {
        c.calls = 0;
        assert_int_equal(
            store_execution_cancel(f->pool, &caller, &g.row, &to, "killed", on_batch, &c), 0);
        await_count(f->loop, &c.calls, 1);
        assert_int_equal(c.err, i == 0 ? 0 : ERR_STALE);
    }
    assert_int_equal(sql_number(f, "SELECT count(*) FROM executions WHERE status = 'STOPPED' AND "
                                   "exit_code = 130 AND reason = 'stopped' AND version = 2 AND "
                                   "modified_by_request_id = 'req-9'"),
                     1);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM execution_environments"), 0);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM audit WHERE action = 'executions.delete' "
                                   "AND email = 'bob@example.org' AND address = '192.0.2.9'"),
                     1);
}

static void test_kill_audit__told_while_it_runs(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *status;
        size_t told;
    } rows[] = {{"STARTING", 1}, {"RUNNING", 1}, {"TERMINATING", 0}, {"FAILED", 0}};
    const struct caller caller = {&ada, "192.0.2.9", "req-k"};
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = by(&ada);
    create(f, &n, &g);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char sql[96];
        struct got c = {0};
        (void)snprintf(sql, sizeof sql, "UPDATE executions SET status = '%s'", rows[i].status);
        sql_exec(f, sql);
        assert_int_equal(store_kill_audit(f->pool, &caller, &g.row, on_batch, &c), 0);
        await_count(f->loop, &c.calls, 1);
        assert_int_equal(c.n, rows[i].told);
    }
    assert_int_equal(sql_number(f, "SELECT count(*) FROM audit WHERE request_id = 'req-k'"), 2);
}

/* ---- idempotency keys ---- */

static void earlier(struct fixture *f, const struct principal *who,
                    const struct store_idempotency *i, struct got *g)
{
    g->calls = 0;
    assert_int_equal(store_execution_earlier(f->pool, who->user_key, i, on_earlier, g), 0);
    await_count(f->loop, &g->calls, 1);
}

static void test_idempotency__key_user_body_and_age(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = by(&ada);
    n.idempotency =
        (struct store_idempotency){.key = "k", .body_hash = {1, 2, 3}, .retention_ms = 60000};
    earlier(f, &ada, &n.idempotency, &g);
    assert_int_equal(g.err, ERR_NOT_FOUND);
    create(f, &n, &g);
    int64_t key = g.row.key;
    earlier(f, &ada, &n.idempotency, &g);
    assert_int_equal(g.err, 0);
    assert_int_equal(g.row.key, key);
    assert_true(g.is_same);
    struct store_idempotency other = n.idempotency;
    other.body_hash[0] = 9;
    earlier(f, &ada, &other, &g);
    assert_int_equal(g.err, 0);
    assert_false(g.is_same);
    earlier(f, &bob, &n.idempotency, &g);
    assert_int_equal(g.err, ERR_NOT_FOUND);
    create(f, &n, &g);
    assert_int_equal(g.err, ERR_CONFLICT);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM executions"), 1);

    sql_exec(f, "UPDATE idempotency_keys SET noted_at = now() - interval '1 hour'");
    earlier(f, &ada, &n.idempotency, &g);
    assert_int_equal(g.err, ERR_NOT_FOUND);
    create(f, &n, &g); /* takes the old one's place */
    assert_int_equal(g.err, 0);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM idempotency_keys"), 1);
}

static void test_idempotency__old_ones__swept_by_new_ones(void **state)
{
    struct fixture *f = *state;
    CLEANUP_GOT struct got g = {0};
    struct store_new_execution n = by(&ada);
    create(f, &n, &g);
    sql_exec(f, "INSERT INTO idempotency_keys SELECT user_key, 'old' || i, 'x', execution_key, "
                "now() - interval '1 hour' FROM users, executions, generate_series(1, 130) i "
                "WHERE email LIKE 'bob%'");
    n.idempotency = (struct store_idempotency){.key = "new", .retention_ms = 60000};
    create(f, &n, &g);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM idempotency_keys"), 31);
    n.idempotency.key = "newer";
    create(f, &n, &g);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM idempotency_keys"), 2);
}

static void test_idempotency__at_once__one_row(void **state)
{
    struct fixture *f = *state;
    struct got g[5] = {0};
    struct store_new_execution n = by(&ada);
    n.idempotency = (struct store_idempotency){.key = "once", .retention_ms = 60000};
    for (size_t i = 0; i < ARRAY_SIZE(g); i++)
        assert_int_equal(store_execution_create(f->pool, &n, on_created, &g[i]), 0);
    size_t made = 0;
    for (size_t i = 0; i < ARRAY_SIZE(g); i++) {
        await_count(f->loop, &g[i].calls, 1);
        assert_true(g[i].err == 0 || g[i].err == ERR_CONFLICT);
        made += g[i].err == 0;
        got_done(&g[i]);
    }
    assert_int_equal(made, 1);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_create__sealed_and_key__written_with_the_row),
        ROW(test_create__nothing_sealed__adopted_without),
        ROW(test_create__sealed_with_a_replaced_key__stale),
        ROW(test_end__takes_what_was_sealed),
        ROW(test_create__limits__table),
        ROW(test_create__at_once__the_last_place_once),
        ROW(test_queue__order_limits_and_who_takes_it),
        ROW(test_cancel__waiting_or_not),
        ROW(test_kill_audit__told_while_it_runs),
        ROW(test_idempotency__key_user_body_and_age),
        ROW(test_idempotency__old_ones__swept_by_new_ones),
        ROW(test_idempotency__at_once__one_row),
    };
    return cmocka_run_group_tests(tests, group_setup, fixture_group_teardown);
}
