/* Stored lines in a real database: guarded chunks, reading across both tables, merging, partitions.
 */
#include "base/err.h"
#include "db/store_executions.h"
#include "db/store_logs.h"
#include "db/store_runs.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OWNER "gw-logs"
#define CHUNKS_MAX 300

struct created {
    int calls;
    int64_t key;
};

static void on_created(void *user, int err, const struct execution *e, enum store_refusal refusal)
{
    assert_int_equal(refusal, STORE_REFUSED_NOT);
    struct created *c = user;
    assert_int_equal(err, 0);
    c->calls++;
    c->key = e->key;
}

static int64_t new_execution(struct fixture *f)
{
    const struct principal who = {.email = "ada@example.org"};
    const struct store_new_execution n = {
        .by = {.who = &who}, .command = "true", .image_id = "host", .owner = OWNER};
    struct created c = {0};
    assert_int_equal(store_execution_create(f->pool, &n, on_created, &c), 0);
    await_count(f->loop, &c.calls, 1);
    return c.key;
}

static struct store_chunk chunk(int64_t key, uint64_t first, uint64_t last, const char *data)
{
    return (struct store_chunk){.execution_key = key,
                                .first_seq = first,
                                .last_seq = last,
                                .raw_bytes = 100,
                                .data = data,
                                .data_len = strlen(data)};
}

/* Adds it as its own transaction; gives back the affected rows. */
static int64_t add(struct fixture *f, const struct store_chunk *c, int64_t fence, bool small)
{
    struct db_batch *b;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_chunk_add(b, c, OWNER, fence, 1000 + c->last_seq, small), 0);
    assert_int_equal(db_batch_count(b), 1);
    struct answer a = run_batch(f, b);
    assert_int_equal(a.err, 0);
    return a.affected[0];
}

static int64_t add_lines(struct fixture *f, int64_t key, uint64_t first, uint64_t last, bool small)
{
    char data[64];
    snprintf(data, sizeof(data), "%d-%d", (int)first, (int)last);
    struct store_chunk c = chunk(key, first, last, data);
    return add(f, &c, 1, small);
}

struct fetched {
    int calls, err;
    size_t n;
    struct {
        uint64_t first, last;
        char data[32];
    } chunks[CHUNKS_MAX];
};

static void on_chunks(void *user, int err, const struct store_chunk *chunks, size_t n)
{
    struct fetched *g = user;
    g->calls++;
    g->err = err;
    g->n = n;
    assert_true(n <= CHUNKS_MAX);
    for (size_t i = 0; i < n; i++) {
        g->chunks[i].first = chunks[i].first_seq;
        g->chunks[i].last = chunks[i].last_seq;
        snprintf(g->chunks[i].data, sizeof(g->chunks[i].data), "%.*s", (int)chunks[i].data_len,
                 (const char *)chunks[i].data);
    }
}

static struct fetched fetch(struct fixture *f, int64_t key, uint64_t after, size_t max)
{
    struct fetched g = {0};
    assert_int_equal(store_chunks_fetch(f->pool, key, after, max, on_chunks, &g), 0);
    await_count(f->loop, &g.calls, 1);
    return g;
}

struct guard_row {
    const char *what;
    uint64_t first, last;
    int64_t fence;
    bool small;
    int64_t affected;
};

static void test_store_chunk_add__guards__one_row_or_none(void **state)
{
    struct fixture *f = *state;
    static const struct guard_row rows[] = {
        {"a hole before it", 2, 3, 1, false, 0},
        {"an older fence", 1, 3, 0, false, 0},
        {"the first", 1, 3, 1, false, 1},
        {"the first again, its answer was lost", 1, 3, 1, false, 0},
        {"overlapping", 3, 5, 1, false, 0},
        {"the second, small", 4, 4, 1, true, 1},
        {"the second again", 4, 4, 1, true, 0},
        {"the third", 5, 1000000000000, 1, false, 1},
    };
    int64_t key = new_execution(f);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct store_chunk c = chunk(key, rows[i].first, rows[i].last, "x");
        if (add(f, &c, rows[i].fence, rows[i].small) != rows[i].affected)
            fail_msg("%s", rows[i].what);
    }
    assert_int_equal(sql_number(f, "SELECT count(*) FROM executions WHERE last_seq = 1000000000000 "
                                   "AND spool_offset = 1000000001000 AND log_bytes = 300"),
                     1);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM log_tail"), 1);
    sql_exec(f, "DELETE FROM log_tail");
}

static void test_store_chunk_add__several_of_one_execution__one_transaction(void **state)
{
    struct fixture *f = *state;
    int64_t key = new_execution(f);
    struct db_batch *b;
    assert_int_equal(db_batch_new(&b), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        struct store_chunk c = chunk(key, i, i, "y");
        assert_int_equal(store_chunk_add(b, &c, OWNER, 1, i * 10, false), 0);
    }
    assert_int_equal(store_offset_add(b, key, OWNER, 1, 3, 77), 0);
    struct answer a = run_batch(f, b);
    assert_int_equal(a.err, 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(a.affected[i], 1);
    struct fetched g = fetch(f, key, 0, 10);
    assert_int_equal(g.n, 3);
}

static void test_store_chunk_add__bad_values__invalid(void **state)
{
    (void)state;
    struct db_batch *b;
    struct store_chunk rows[] = {chunk(1, 0, 1, "x"), chunk(1, 2, 1, "x"),
                                 chunk(1, 1, UINT64_MAX, "x"), chunk(1, 1, 1, "x"),
                                 chunk(1, 1, 1, "x")};
    rows[3].raw_bytes = UINT32_MAX;
    rows[4].data = NULL;
    assert_int_equal(db_batch_new(&b), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(store_chunk_add(b, &rows[i], OWNER, 1, 1, false), ERR_INVALID);
    struct store_chunk fine = chunk(1, 1, 1, "x");
    assert_int_equal(store_chunk_add(b, &fine, OWNER, 1, UINT64_MAX, false), ERR_INVALID);
    assert_int_equal(store_offset_add(b, 1, OWNER, 1, UINT64_MAX, 1), ERR_INVALID);
    assert_int_equal(store_offset_add(b, 1, OWNER, 1, 1, UINT64_MAX), ERR_INVALID);
    assert_int_equal(db_batch_count(b), 0);
    db_batch_free(b);
}

static void test_store_chunk_add__no_partition__refused_and_rolled_back(void **state)
{
    struct fixture *f = *state;
    int64_t key = new_execution(f);
    char sql[160];
    snprintf(sql, sizeof(sql), "UPDATE executions SET execution_key = 7 WHERE execution_key = %lld",
             (long long)key);
    sql_exec(f, "DELETE FROM execution_events");
    sql_exec(f, sql);
    struct store_chunk c = chunk(7, 1, 2, "z");
    struct db_batch *b;
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_chunk_add(b, &c, OWNER, 1, 9, false), 0);
    struct answer a = run_batch(f, b);
    assert_int_equal(a.err, ERR_DB);
    assert_string_equal(a.sqlstate, "23514");
    assert_int_equal(sql_number(f, "SELECT last_seq FROM executions WHERE execution_key = 7"), 0);
    sql_exec(f, "DELETE FROM executions WHERE execution_key = 7");
}

static void test_store_offset_add__guards__one_row_or_none(void **state)
{
    struct fixture *f = *state;
    int64_t key = new_execution(f);
    assert_int_equal(add_lines(f, key, 1, 5, false), 1);
    static const struct {
        uint64_t last_seq;
        int64_t fence, affected;
    } rows[] = {{4, 1, 0}, {5, 2, 0}, {5, 1, 1}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct db_batch *b;
        assert_int_equal(db_batch_new(&b), 0);
        assert_int_equal(store_offset_add(b, key, OWNER, rows[i].fence, rows[i].last_seq, 4242), 0);
        struct answer a = run_batch(f, b);
        assert_int_equal(a.affected[0], rows[i].affected);
    }
    assert_int_equal(sql_number(f, "SELECT count(*) FROM executions WHERE spool_offset = 4242"), 1);
}

struct fetch_row {
    uint64_t after;
    size_t max, n;
    uint64_t first, last;
};

static void test_store_chunks_fetch__both_tables__in_order_from_the_chunk_with_after(void **state)
{
    struct fixture *f = *state;
    static const struct fetch_row rows[] = {
        {0, 10, 5, 1, 50},   {1, 10, 5, 1, 50},   {9, 10, 5, 1, 50},  {10, 10, 4, 11, 50},
        {15, 10, 4, 11, 50}, {30, 10, 2, 31, 50}, {0, 2, 2, 1, 20},   {25, 1, 1, 21, 30},
        {49, 10, 1, 41, 50}, {50, 10, 0, 0, 0},   {1000, 1, 0, 0, 0}, {UINT64_MAX, 1, 0, 0, 0},
    };
    int64_t key = new_execution(f);
    for (uint64_t i = 0; i < 5; i++) /* full, small, full, small, small */
        assert_int_equal(add_lines(f, key, i * 10 + 1, i * 10 + 10, i % 2 == 1 || i == 4), 1);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fetched g = fetch(f, key, rows[i].after, rows[i].max);
        assert_int_equal(g.err, 0);
        assert_int_equal(g.n, rows[i].n);
        if (g.n == 0)
            continue;
        assert_int_equal(g.chunks[0].first, rows[i].first);
        assert_int_equal(g.chunks[g.n - 1].last, rows[i].last);
        char data[32];
        snprintf(data, sizeof(data), "%d-%d", (int)g.chunks[0].first, (int)g.chunks[0].last);
        assert_string_equal(g.chunks[0].data, data);
        for (size_t k = 1; k < g.n; k++)
            assert_int_equal(g.chunks[k].first, g.chunks[k - 1].last + 1);
    }
    struct fetched none = fetch(f, 1, 0, 10);
    assert_int_equal(none.err, 0);
    assert_int_equal(none.n, 0);
    sql_exec(f, "DELETE FROM log_tail");
}

static void test_store_chunks_fetch__damaged_row__corrupt(void **state)
{
    struct fixture *f = *state;
    int64_t key = new_execution(f);
    assert_int_equal(add_lines(f, key, 1, 5, true), 1);
    sql_exec(f, "UPDATE log_tail SET raw_bytes = -1");
    assert_int_equal(fetch(f, key, 0, 10).err, ERR_CORRUPT);
    sql_exec(f, "DELETE FROM log_tail");
}

static struct answer merge(struct fixture *f, const struct store_chunk *c, size_t removed)
{
    struct answer a = {0};
    assert_int_equal(store_tail_merge(f->pool, c, removed, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

struct merge_row {
    const char *what;
    uint64_t first, last;
    size_t removed;
    int err;
};

static void test_store_tail_merge__exactly_those_or_nothing(void **state)
{
    struct fixture *f = *state;
    static const struct merge_row rows[] = {
        {"too few", 1, 6, 2, ERR_STALE},
        {"too many", 1, 6, 4, ERR_STALE},
        {"ends inside", 1, 5, 3, ERR_STALE},
        {"begins inside", 2, 8, 3, ERR_STALE},
        {"those", 1, 6, 3, 0},
        {"those again", 1, 6, 3, ERR_STALE},
    };
    int64_t key = new_execution(f);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(add_lines(f, key, i * 2 + 1, i * 2 + 2, true), 1);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct store_chunk c = chunk(key, rows[i].first, rows[i].last, "merged");
        struct answer a = merge(f, &c, rows[i].removed);
        if (a.err != rows[i].err)
            fail_msg("%s: %s", rows[i].what, err_name(a.err));
        assert_int_equal(sql_number(f, "SELECT count(*) FROM log_tail"), i < 4 ? 4 : 1);
    }
    struct fetched g = fetch(f, key, 0, 10);
    assert_int_equal(g.n, 2);
    assert_string_equal(g.chunks[0].data, "merged");
    assert_int_equal(g.chunks[1].first, 7);

    struct fetched tail = {0};
    assert_int_equal(store_tail_fetch(f->pool, key, 10, on_chunks, &tail), 0);
    await_count(f->loop, &tail.calls, 1);
    assert_int_equal(tail.n, 1);
    assert_int_equal(tail.chunks[0].last, 8);
    struct store_chunk bad = chunk(key, 1, 6, "x");
    assert_int_equal(store_tail_merge(f->pool, &bad, 0, on_answer, NULL), ERR_INVALID);
}

static void test_store_tail_merge__two_at_once__one_wins(void **state)
{
    struct fixture *f = *state;
    int64_t key = new_execution(f);
    struct answer a[2] = {{0}, {0}};
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(add_lines(f, key, i, i, true), 1);
    struct store_chunk c = chunk(key, 1, 3, "merged");
    for (size_t i = 0; i < 2; i++) /* two connections */
        assert_int_equal(store_tail_merge(f->pool, &c, 3, on_answer, &a[i]), 0);
    await_count(f->loop, &a[0].calls, 1);
    await_count(f->loop, &a[1].calls, 1);
    assert_int_equal(a[0].err + a[1].err, ERR_STALE);
    assert_int_equal(fetch(f, key, 0, 10).n, 1);
}

static void test_store_tail_leftovers__ended_ones_only(void **state)
{
    struct fixture *f = *state;
    sql_exec(f, "DELETE FROM log_tail");
    int64_t live = new_execution(f), ended = new_execution(f);
    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal(add_lines(f, live, i, i, true), 1);
        assert_int_equal(add_lines(f, ended, i, i, true), 1);
    }
    char sql[128];
    snprintf(sql, sizeof(sql), "UPDATE executions SET status = 'FAILED' WHERE execution_key = %lld",
             (long long)ended);
    sql_exec(f, sql);
    struct answer a = {0};
    assert_int_equal(store_tail_leftovers(f->pool, 10, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, 0);
    assert_int_equal(a.rows[0], 1);
    assert_int_equal(a.value, ended);
}

static void test_store_tail_vacuum__between_other_batches__runs(void **state)
{
    struct fixture *f = *state;
    sql_exec(f, "DELETE FROM log_tail");
    struct answer a[6] = {{0}};
    for (size_t i = 0; i < 6; i++) {
        if (i % 2)
            assert_int_equal(store_tail_vacuum(f->pool, on_answer, &a[i]), 0);
        else
            assert_int_equal(store_tail_leftovers(f->pool, 1, on_answer, &a[i]), 0);
    }
    for (size_t i = 0; i < 6; i++) {
        await_count(f->loop, &a[i].calls, 1);
        assert_int_equal(a[i].err, 0);
    }
    assert_int_equal(sql_number(f, "SELECT pg_relation_size('log_tail')"), 0);
}

static int64_t tail_indexes(const struct fixture *f)
{
    return sql_number(f, "SELECT pg_indexes_size('log_tail')");
}

static void test_store_tail_reindex__empty_table__indexes_short_again(void **state)
{
    struct fixture *f = *state;
    sql_exec(f, "DELETE FROM log_tail");
    sql_exec(f, "INSERT INTO log_tail SELECT 1, n, n, 1, 'x' FROM generate_series(1, 20000) n");
    sql_exec(f, "DELETE FROM log_tail");
    sql_exec(f, "VACUUM log_tail");
    int64_t before = tail_indexes(f);
    struct answer a[2] = {{0}};
    assert_int_equal(store_tail_size(f->pool, on_answer, &a[0]), 0);
    await_count(f->loop, &a[0].calls, 1);
    assert_int_equal(a[0].err, 0);
    assert_int_equal(a[0].value, 0); /* rows */
    assert_true(before > 400000);
    assert_int_equal(store_tail_reindex(f->pool, on_answer, &a[1]), 0);
    await_count(f->loop, &a[1].calls, 1);
    assert_int_equal(a[1].err, 0);
    assert_true(tail_indexes(f) < 40000);
}

static int64_t today(const struct fixture *f)
{
    return sql_number(f, "SELECT tg_day(now())");
}

static void test_store_partitions_ensure__days_ahead__made_once(void **state)
{
    struct fixture *f = *state;
    int64_t day = today(f) + 10;
    for (int expected = 3; expected >= 0; expected -= 3) {
        struct answer a = {0};
        assert_int_equal(store_partitions_ensure(f->pool, day, 3, on_answer, &a), 0);
        await_count(f->loop, &a.calls, 1);
        assert_int_equal(a.err, 0);
        assert_int_equal(a.value, expected);
    }
    assert_int_equal(store_partitions_ensure(f->pool, day, 0, on_answer, NULL), ERR_INVALID);
    assert_int_equal(store_partitions_ensure(f->pool, -1, 1, on_answer, NULL), ERR_INVALID);
    assert_int_equal(store_partitions_ensure(f->pool, INT64_MAX, 1, on_answer, NULL), ERR_INVALID);
}

static void test_store_partitions_ensure__both_connections_at_once__no_error(void **state)
{
    struct fixture *f = *state;
    struct answer a[4] = {{0}};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(store_partitions_ensure(f->pool, today(f) + 40, 20, on_answer, &a[i]), 0);
    int64_t made = 0;
    for (size_t i = 0; i < 4; i++) {
        await_count(f->loop, &a[i].calls, 1);
        assert_int_equal(a[i].err, 0);
        made += a[i].value;
    }
    assert_int_equal(made, 20);
}

static int64_t drop(struct fixture *f, int64_t before)
{
    struct answer a = {0};
    assert_int_equal(store_partitions_drop(f->pool, before, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    assert_int_equal(a.err, 0);
    assert_int_equal(a.rows[0], 1);
    return a.value;
}

/* Executions on days 100, 101 and 102 with a full and a small chunk each; 101's is live. */
static void make_old_days(struct fixture *f)
{
    struct answer a = {0};
    assert_int_equal(store_partitions_ensure(f->pool, 100, 3, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    sql_exec(f, "DELETE FROM log_tail; "
                "INSERT INTO executions (execution_key, execution_id, status, command, image_id, "
                "created_by, created_at, owner) SELECT d << 32 | 1, 'old-' || d, CASE WHEN d = 101 "
                "THEN 'RUNNING' ELSE 'SUCCEEDED' END, 'c', 'i', 'ada', now(), 'gw-old' FROM "
                "generate_series(100::bigint, 102) d; "
                "INSERT INTO log_chunks SELECT d << 32 | 1, 1, 5, 9, 'full' FROM "
                "generate_series(100::bigint, 102) d; "
                "INSERT INTO log_tail SELECT d << 32 | 1, 6, 7, 9, 'small' FROM "
                "generate_series(100::bigint, 102) d");
}

static void test_store_partitions_drop__old_days__skips_live_and_newer_ones(void **state)
{
    struct fixture *f = *state;
    make_old_days(f);
    assert_int_equal(drop(f, 100), 0);
    assert_int_equal(drop(f, 102), 1); /* 100; 101 is live */
    assert_int_equal(fetch(f, 100LL << 32 | 1, 0, 10).n, 0);
    assert_int_equal(fetch(f, 101LL << 32 | 1, 0, 10).n, 2);
    assert_int_equal(fetch(f, 102LL << 32 | 1, 0, 10).n, 2);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM pg_class WHERE relname = "
                                   "'log_chunks_19700411'"), /* day 100 */
                     0);
    sql_exec(f, "UPDATE executions SET status = 'STOPPED' WHERE owner = 'gw-old'");
    assert_int_equal(drop(f, 103), 2);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM log_tail"), 0);
    /* The history stays. */
    assert_int_equal(sql_number(f, "SELECT count(*) FROM executions WHERE owner = 'gw-old'"), 3);
    sql_exec(f, "DELETE FROM executions WHERE owner = 'gw-old'");
}

static void test_store_partitions_drop__a_day_far_ahead__keeps_today(void **state)
{
    struct fixture *f = *state;
    int64_t key = new_execution(f);
    sql_exec(f, "UPDATE executions SET status = 'SUCCEEDED'");
    assert_int_equal(drop(f, INT32_MAX), 0);
    char sql[128];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM pg_inherits WHERE inhparent = "
             "'log_chunks'::regclass");
    assert_true(sql_number(f, sql) > 0);
    assert_int_equal(add_lines(f, key, 1, 2, false), 1);
}

/* What the server counts comes when its sessions end. */
static void end_pool(struct fixture *f)
{
    db_pool_free(f->pool);
    f->pool = NULL;
    char text[64] = "";
    for (int i = 0; i < 500 && strcmp(text, "1") != 0; i++)
        assert_int_equal(
            pg_cluster_query(f->conninfo,
                             "SELECT count(*) FROM pg_stat_activity WHERE backend_type "
                             "= 'client backend' AND datname = current_database()",
                             text, sizeof(text)),
            0);
    assert_string_equal(text, "1");
}

static void test_updates_of_a_running_execution__are_hot(void **state)
{
    struct fixture *f = *state;
    int64_t key = new_execution(f);
    sql_exec(f, "VACUUM executions");
    sql_exec(f, "SELECT pg_stat_reset()");
    for (uint64_t i = 1; i <= 50; i++)
        assert_int_equal(add_lines(f, key, i, i, false), 1);
    end_pool(f);
    assert_int_equal(sql_number(f, "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = "
                                   "'executions'"),
                     50);
    assert_true(sql_number(f, "SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = "
                              "'executions'") >= 45);
}

static void test_store_chunks_fetch__many_days__reads_one_partition_by_its_key(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0};
    assert_int_equal(store_partitions_ensure(f->pool, today(f) + 1, 20, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    int64_t key = new_execution(f);
    char sql[256];
    snprintf(sql, sizeof(sql),
             "INSERT INTO log_chunks SELECT %lld, i, i, 1, 'x' FROM "
             "generate_series(1, 5000) i; UPDATE executions SET last_seq = 5000 WHERE "
             "execution_key = %lld",
             (long long)key, (long long)key);
    sql_exec(f, sql);
    end_pool(f);
    sql_exec(f, "SELECT pg_stat_reset()");
    fixture_new_pool(f);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(fetch(f, key, 100 * i, 16).n, 16);
    end_pool(f);
    assert_int_equal(sql_number(f, "SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname ~ "
                                   "'^log_'"),
                     0);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM pg_stat_user_tables WHERE relname ~ "
                                   "'^log_chunks' AND idx_scan > 0"),
                     1);
    /* A page of 16 and the look for its beginning, not the 5000 that follow. */
    assert_true(sql_number(f, "SELECT sum(idx_tup_fetch) FROM pg_stat_user_tables WHERE relname ~ "
                              "'^log_chunks'") <= 10 * 20);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_chunk_add__guards__one_row_or_none),
        ROW(test_store_chunk_add__several_of_one_execution__one_transaction),
        ROW(test_store_chunk_add__bad_values__invalid),
        ROW(test_store_chunk_add__no_partition__refused_and_rolled_back),
        ROW(test_store_offset_add__guards__one_row_or_none),
        ROW(test_store_chunks_fetch__both_tables__in_order_from_the_chunk_with_after),
        ROW(test_store_chunks_fetch__damaged_row__corrupt),
        ROW(test_store_tail_merge__exactly_those_or_nothing),
        ROW(test_store_tail_merge__two_at_once__one_wins),
        ROW(test_store_tail_leftovers__ended_ones_only),
        ROW(test_store_tail_vacuum__between_other_batches__runs),
        ROW(test_store_tail_reindex__empty_table__indexes_short_again),
        ROW(test_store_partitions_ensure__days_ahead__made_once),
        ROW(test_store_partitions_ensure__both_connections_at_once__no_error),
        ROW(test_store_partitions_drop__old_days__skips_live_and_newer_ones),
        ROW(test_store_partitions_drop__a_day_far_ahead__keeps_today),
        ROW(test_store_chunks_fetch__many_days__reads_one_partition_by_its_key),
        ROW(test_updates_of_a_running_execution__are_hot),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
