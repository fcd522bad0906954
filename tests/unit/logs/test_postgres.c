/* The whole path on a real PostgreSQL: spool, feed, group commit, hub, cursors, keeper. */
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "db/migrate.h"
#include "db/store_executions.h"
#include "db/store_logs.h"
#include "db/store_runs.h"
#include "tests/support/pg_cluster.h"
#include "tests/unit/logs/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct pg {
    struct pg_cluster *cluster;
    const char *conninfo;
    struct loop *loop;
    struct db_pool *writes, *reads;
    struct hub *hub;
    struct keeper *keeper;
    struct writer *writer;
};

struct reply {
    bool done;
    int err;
    struct execution row;
};

static void on_migrated(void *user, int err, int applied)
{
    struct reply *r = user;
    r->err = err;
    r->done = applied >= 0;
}

static int group_setup(void **state)
{
    struct pg *p = calloc(1, sizeof *p);
    if (!p || pg_cluster_start(&p->cluster) < 0)
        return -1;
    p->conninfo = pg_cluster_conninfo(p->cluster);
    struct reply r = {0};
    assert_int_equal(loop_new(&p->loop), 0);
    assert_int_equal(db_migrate(p->loop, p->conninfo, on_migrated, &r), 0);
    await_flag(p->loop, &r.done);
    loop_free(TAKE_PTR(p->loop));
    *state = p;
    return r.err;
}

static int group_teardown(void **state)
{
    struct pg *p = *state;
    pg_cluster_stop(p->cluster);
    free(p);
    return 0;
}

static bool pools_ready(void *user)
{
    struct pg *p = user;
    return db_pool_is_ready(p->writes) && db_pool_is_ready(p->reads);
}

static void open_all(struct pg *p, const struct hub_opts *hub_opts)
{
    struct db_pool_opts o = DB_POOL_DEFAULTS;
    o.conninfo = p->conninfo;
    o.size = 1;
    o.application_name = "tailgate-writer";
    o.deadline_ms = 3000;
    assert_int_equal(loop_new(&p->loop), 0);
    assert_int_equal(db_pool_new(p->loop, &o, &p->writes), 0);
    o.size = 3;
    o.application_name = "tailgate-test";
    assert_int_equal(db_pool_new(p->loop, &o, &p->reads), 0);
    await_fn(p->loop, pools_ready, p);
    assert_int_equal(hub_new(p->loop, p->reads, hub_opts, &p->hub), 0);
    const struct keeper_opts ko = {.interval_ms = 3600 * 1000};
    assert_int_equal(keeper_new(p->loop, p->reads, &ko, &p->keeper), 0);
    struct writer_opts wo = WRITER_DEFAULTS;
    wo.owner = RIG_OWNER;
    wo.keeper = p->keeper;
    assert_int_equal(writer_new(p->loop, p->writes, p->hub, &wo, &p->writer), 0);
}

static void close_all(struct pg *p)
{
    writer_free(p->writer);
    keeper_free(p->keeper);
    hub_free(p->hub);
    db_pool_free(p->writes);
    db_pool_free(p->reads);
    loop_free(p->loop);
}

static void on_row(void *user, int err, const struct execution *e)
{
    struct reply *r = user;
    r->done = true;
    r->err = err;
    if (e)
        assert_int_equal(execution_copy(&r->row, e), 0);
}

static void on_created(void *user, int err, const struct execution *e, enum store_refusal refusal)
{
    assert_int_equal(refusal, STORE_REFUSED_NOT);
    on_row(user, err, e);
}

static struct execution create(struct pg *p)
{
    const struct principal who = {.email = "a@example.com"};
    const struct store_new_execution n = {
        .by = {.who = &who, .request_id = "r"},
        .command = "true",
        .image_id = "process",
        .owner = RIG_OWNER,
        .random = 42,
        .grace_s = 10,
    };
    struct reply r = {0};
    assert_int_equal(store_execution_create(p->reads, &n, on_created, &r), 0);
    await_flag(p->loop, &r.done);
    assert_int_equal(r.err, 0);
    return r.row;
}

static int64_t number(struct pg *p, const char *sql, int64_t key)
{
    char text[512], value[64];
    int64_t n = -1;
    snprintf(text, sizeof text, sql, (long long)key);
    assert_int_equal(pg_cluster_query(p->conninfo, text, value, sizeof value), 0);
    assert_int_equal(str_to_i64(value, INT64_MIN, INT64_MAX, &n), 0);
    return n;
}

static bool keeper_idle(void *user)
{
    return keeper_is_idle(((struct pg *)user)->keeper);
}

/* Lines stored, each once; and nothing left in log_tail. */
static void assert_stored_once(struct pg *p, int64_t key, uint64_t lines)
{
    static const char sums[] =
        "SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM (SELECT * FROM log_chunks "
        "UNION ALL SELECT * FROM log_tail) c WHERE execution_key = %lld";
    assert_int_equal(number(p, sums, key), lines);
    assert_int_equal(number(p, "SELECT last_seq FROM executions WHERE execution_key = %lld", key),
                     lines);
}

static void test_path__many_lines_to_many_readers__each_sees_each_line_once(void **state)
{
    struct pg *p = *state;
    /* A ring of one or two chunks: late and slow readers need replay. */
    struct hub_opts ho = HUB_DEFAULTS;
    ho.ring_bytes = 128u << 10;
    ho.page_chunks = 4;
    open_all(p, &ho);
    struct execution row = create(p);
    struct run_dir d;
    run_dir_make(&d, &row.id);
    struct owner o = {0};
    assert_int_equal(owner_open(&o, p->writer, &d, &row), 0);
    struct topic *t = feed_topic(o.feed);
    assert_int_equal(hub_topic_open(p->hub, &row, &t), 0);

    struct reader live = {.check_text = true}, slow = {.check_text = true, .by_hand = true};
    reader_open(&live, t, 0);
    reader_open(&slow, t, 0);
    run_dir_begin(&d);
    for (int i = 0; i < 10; i++) {
        run_dir_lines(&d, 10000, (size_t)i * 10);
        reader_await(p->loop, &live, d.lines);
        (void)reader_read(&slow, 1);
    }
    run_dir_exit(&d, 7);
    await_flag(p->loop, &o.ended);
    await_flag(p->loop, &live.ended);
    struct reader late = {.check_text = true}, middle = {.check_text = true};
    reader_open(&late, t, 0);
    reader_open(&middle, t, 54321);
    reader_await(p->loop, &slow, 100000);
    await_flag(p->loop, &late.ended);
    await_flag(p->loop, &middle.ended);
    assert_int_equal(live.next, 100001);
    assert_int_equal(late.next, 100001);
    assert_int_equal(middle.next, 100001);
    assert_int_equal(live.errors + late.errors + middle.errors + slow.errors, 0);
    struct hub_stats hs;
    hub_stats(p->hub, &hs);
    assert_true(hs.replay_pages > 0);
    assert_int_equal(hs.published_lines, 100000);

    assert_int_equal(o.n_states, 2);
    assert_int_equal(o.states[0].status, EXEC_RUNNING);
    assert_int_equal(o.states[1].status, EXEC_FAILED);
    assert_int_equal(o.states[1].exit_code, 7);
    assert_int_equal(o.states[1].last_seq, 100000);
    assert_int_equal(topic_state(t)->status, EXEC_FAILED);
    await_flag(p->loop, &o.drained);
    assert_int_equal(run_dir_ack(&d), spool_writer_end(d.writer));
    await_fn(p->loop, keeper_idle, p);
    assert_stored_once(p, row.key, 100000);
    assert_int_equal(number(p, "SELECT count(*) FROM log_tail WHERE execution_key = %lld", row.key),
                     0);

    reader_close(&live);
    reader_close(&slow);
    reader_close(&late);
    reader_close(&middle);
    topic_unref(t);
    feed_free(o.feed);
    run_dir_remove(&d);
    execution_done(&row);
    close_all(p);
}

/* An execution that is fed, with a live reader. */
struct run {
    struct execution row;
    struct run_dir dir;
    struct owner owner;
    struct topic *topic;
    struct reader reader;
};

static void run_open(struct pg *p, struct run *r)
{
    *r = (struct run){.row = create(p), .reader = {.check_text = true}};
    run_dir_make(&r->dir, &r->row.id);
    assert_int_equal(owner_open(&r->owner, p->writer, &r->dir, &r->row), 0);
    assert_int_equal(hub_topic_open(p->hub, &r->row, &r->topic), 0);
    reader_open(&r->reader, r->topic, 0);
    run_dir_begin(&r->dir);
}

static void run_finish(struct pg *p, struct run *r)
{
    run_dir_exit(&r->dir, 0);
    await_flag(p->loop, &r->owner.ended);
    await_flag(p->loop, &r->reader.ended);
    await_fn(p->loop, keeper_idle, p);
    assert_int_equal(r->reader.next, r->dir.lines + 1);
    assert_int_equal(r->owner.n_states, 2);
    assert_stored_once(p, r->row.key, r->dir.lines);
}

static void run_close(struct run *r)
{
    reader_close(&r->reader);
    topic_unref(r->topic);
    feed_free(r->owner.feed);
    run_dir_remove(&r->dir);
    execution_done(&r->row);
}

static void test_path__connection_cut_at_random__each_line_once(void **state)
{
    struct pg *p = *state;
    const struct hub_opts ho = HUB_DEFAULTS;
    open_all(p, &ho);
    struct run r;
    run_open(p, &r);
    for (int i = 0; i < 6; i++) {
        run_dir_lines(&r.dir, 20000, 50);
        /* In the middle of its transactions: some commit and their answer is lost. */
        int64_t until = clock_mono_ms() + 5 + i * 7;
        while (clock_mono_ms() < until)
            assert_int_equal(loop_turn(p->loop, 1), 0);
        assert_int_equal(pg_cluster_exec(p->conninfo,
                                         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                         "WHERE application_name LIKE 'tailgate-%'"),
                         0);
    }
    reader_await(p->loop, &r.reader, 120000);
    run_finish(p, &r);
    run_close(&r);
    close_all(p);
}

static void test_path__server_crashes__readers_stay_nothing_lost(void **state)
{
    struct pg *p = *state;
    if (!pg_cluster_is_ours(p->cluster))
        skip();
    const struct hub_opts ho = HUB_DEFAULTS;
    open_all(p, &ho);
    struct run r;
    run_open(p, &r);
    for (int i = 0; i < 2; i++) {
        run_dir_lines(&r.dir, 30000, 50);
        for (int n = 0; n < 5; n++)
            assert_int_equal(loop_turn(p->loop, 2), 0);
        assert_int_equal(pg_cluster_crash(p->cluster), 0);
        run_dir_lines(&r.dir, 30000, 50);
        for (int n = 0; n < 20; n++)
            assert_int_equal(loop_turn(p->loop, 10), 0);
        struct writer_stats ws;
        writer_stats(p->writer, &ws);
        assert_true(ws.waiting_bytes > 0 && ws.waiting_bytes < (1u << 20) + SPOOL_LINE_MAX + 100);
        assert_int_equal(pg_cluster_resume(p->cluster), 0);
        reader_await(p->loop, &r.reader, r.dir.lines);
    }
    run_finish(p, &r);
    run_close(&r);
    close_all(p);
}

static void test_path__poisoned_execution__others_go_on(void **state)
{
    struct pg *p = *state;
    const struct hub_opts ho = HUB_DEFAULTS;
    open_all(p, &ho);
    struct run good, bad;
    run_open(p, &good);
    run_open(p, &bad);
    char sql[300];
    snprintf(sql, sizeof sql,
             "ALTER TABLE log_tail ADD CONSTRAINT poison CHECK (execution_key <> %lld) NOT VALID;"
             "ALTER TABLE log_chunks ADD CONSTRAINT poison CHECK (execution_key <> %lld) NOT VALID",
             (long long)bad.row.key, (long long)bad.row.key);
    assert_int_equal(pg_cluster_exec(p->conninfo, sql), 0);
    for (int i = 0; i < 20; i++) {
        run_dir_lines(&good.dir, 10, 0);
        run_dir_lines(&bad.dir, 10, 0);
        reader_await(p->loop, &good.reader, good.dir.lines);
    }
    await_flag(p->loop, &bad.owner.broken);
    assert_int_equal(bad.owner.why, FEED_STORE);
    assert_string_equal(bad.owner.details, "SQLSTATE 23514");
    assert_int_equal(bad.reader.next, 1);
    run_finish(p, &good);
    assert_int_equal(pg_cluster_exec(p->conninfo, "ALTER TABLE log_tail DROP CONSTRAINT poison;"
                                                  "ALTER TABLE log_chunks DROP CONSTRAINT poison"),
                     0);
    run_close(&good);
    run_close(&bad);
    close_all(p);
}

static void test_path__slow_stream__merged_and_vacuumed_at_the_end(void **state)
{
    struct pg *p = *state;
    const struct hub_opts ho = HUB_DEFAULTS;
    open_all(p, &ho);
    struct run r;
    run_open(p, &r);
    for (int i = 0; i < 1500; i++) {
        run_dir_lines(&r.dir, 1, 100);
        reader_await(p->loop, &r.reader, r.dir.lines);
    }
    run_finish(p, &r);
    static const char small[] = "SELECT count(*) FROM log_tail WHERE execution_key = %lld";
    static const char full[] = "SELECT count(*) FROM log_chunks WHERE execution_key = %lld";
    assert_int_equal(number(p, small, r.row.key), 0);
    int64_t chunks = number(p, full, r.row.key);
    assert_true(chunks >= 2 && chunks <= 6);
    /* Read back, merged. */
    reader_close(&r.reader);
    topic_unref(r.topic);
    feed_free(TAKE_PTR(r.owner.feed));
    r.row.state.last_seq = 1500;
    r.row.state.status = EXEC_SUCCEEDED;
    assert_int_equal(hub_topic_open(p->hub, &r.row, &r.topic), 0);
    r.reader = (struct reader){.check_text = true};
    reader_open(&r.reader, r.topic, 3);
    await_flag(p->loop, &r.reader.ended);
    assert_int_equal(r.reader.next, 1501);
    for (int i = 0; i < 200; i++) {
        if (number(p, "SELECT pg_relation_size('log_tail') + 0 * %lld", 1) == 0)
            break;
        assert_int_equal(loop_turn(p->loop, 50), 0);
    }
    assert_int_equal(number(p, "SELECT pg_relation_size('log_tail') + 0 * %lld", 1), 0);
    run_close(&r);
    close_all(p);
}

static void test_path__removed_by_retention__gap(void **state)
{
    struct pg *p = *state;
    struct hub_opts ho = HUB_DEFAULTS;
    ho.ring_bytes = 1000;
    open_all(p, &ho);
    struct run r;
    run_open(p, &r);
    run_dir_lines(&r.dir, 20000, 50);
    reader_await(p->loop, &r.reader, 20000);
    run_finish(p, &r);
    char sql[128];
    snprintf(sql, sizeof sql,
             "DELETE FROM log_chunks WHERE execution_key = %lld AND first_seq < 10000",
             (long long)r.row.key);
    assert_int_equal(pg_cluster_exec(p->conninfo, sql), 0);
    reader_close(&r.reader); /* and with it the pages that are kept */
    struct reader late = {.check_text = true};
    reader_open(&late, r.topic, 7);
    await_flag(p->loop, &late.ended);
    assert_int_equal(late.gap_from, 8);
    assert_true(late.gap_to >= 9999 && late.gap_to < 12000);
    assert_int_equal(late.next, 20001);
    reader_close(&late);
    run_close(&r);
    close_all(p);
}

/* Two gateways on one PostgreSQL: one feeds, the other follows; then it takes over. */
static void test_path__second_gateway__follows_then_takes_over(void **state)
{
    struct pg *p = *state;
    const struct hub_opts ho = HUB_DEFAULTS;
    open_all(p, &ho);
    struct run r;
    run_open(p, &r);
    struct hub *other = NULL;
    struct topic *t = NULL;
    struct reader far = {.check_text = true};
    assert_int_equal(hub_new(p->loop, p->reads, &ho, &other), 0);
    assert_int_equal(hub_topic_open(other, &r.row, &t), 0);
    reader_open(&far, t, 0);
    for (int i = 0; i < 10; i++) {
        run_dir_lines(&r.dir, 500, 20);
        reader_await(p->loop, &r.reader, r.dir.lines);
        hub_poke(other, r.row.key);
        reader_await(p->loop, &far, r.dir.lines);
    }
    char sql[128];
    snprintf(sql, sizeof sql, "UPDATE executions SET fence = fence + 1 WHERE execution_key = %lld",
             (long long)r.row.key);
    assert_int_equal(pg_cluster_exec(p->conninfo, sql), 0);
    run_dir_lines(&r.dir, 500, 20);
    await_flag(p->loop, &r.owner.broken);
    assert_int_equal(r.owner.why, FEED_STALE);
    assert_int_equal(
        number(p, "SELECT last_seq FROM executions WHERE execution_key = %lld", r.row.key), 5000);
    reader_close(&far);
    topic_unref(t);
    hub_free(other);
    run_close(&r);
    close_all(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path__many_lines_to_many_readers__each_sees_each_line_once),
        cmocka_unit_test(test_path__connection_cut_at_random__each_line_once),
        cmocka_unit_test(test_path__server_crashes__readers_stay_nothing_lost),
        cmocka_unit_test(test_path__poisoned_execution__others_go_on),
        cmocka_unit_test(test_path__slow_stream__merged_and_vacuumed_at_the_end),
        cmocka_unit_test(test_path__removed_by_retention__gap),
        cmocka_unit_test(test_path__second_gateway__follows_then_takes_over),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
