/* The whole path on a real PostgreSQL: spool, feed, group commit, hub, cursors, keeper. */
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "db/migrate.h"
#include "db/store_executions.h"
#include "db/store_logs.h"
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

static struct execution create(struct pg *p)
{
    const struct store_new_execution n = {
        .status = EXEC_STARTING,
        .command = "true",
        .image_id = "process",
        .created_by = "a@example.com",
        .owner = RIG_OWNER,
        .request_id = "r",
        .random = 42,
        .grace_s = 10,
    };
    struct reply r = {0};
    assert_int_equal(store_execution_create(p->reads, &n, on_row, &r), 0);
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
    struct topic *t = feed_topic(o.feed); assert_int_equal(hub_topic_open(p->hub, &row, &t), 0);

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path__many_lines_to_many_readers__each_sees_each_line_once),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
