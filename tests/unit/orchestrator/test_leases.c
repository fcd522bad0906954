/* Leases: renewals, and what becomes of the executions of those whose lease ran out. */
#include "orchestrator/leases.h"

#include "fake.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEAT_MS 5000 /* a third of the lease */
#define LOST_MS 60000

struct home {
    char dir[96];
    struct store_stray stray;
};

static void write_id(const struct home *h, const char *id)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/gateway.id", h->dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fprintf(f, "%s\n", id) > 0);
    assert_int_equal(fclose(f), 0);
}

/* The state directory of "gw2", which is gone, in reach. */
static struct home make_home(const struct world *w)
{
    struct home h;
    char path[128];
    (void)snprintf(h.dir, sizeof h.dir, "%s/gw2", w->dir);
    assert_int_equal(mkdir(h.dir, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/runs", h.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/workspaces", h.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    write_id(&h, "gw2");
    h.stray = (struct store_stray){
        .owner = "gw2",
        .lapsed_ms = 100,
        .home = {.gateway_id = "gw2", .host = w->o->host, .engine = "fake", .lease_ms = 15000}};
    return h;
}

static struct store_stray stray_of(struct home *h)
{
    h->stray.home.state_dir = h->dir;
    return h->stray;
}

static int setup(void **state)
{
    fake_hold_work(false);
    return fake_setup(state);
}

static int teardown(void **state)
{
    fake_hold_work(false);
    assert_int_equal(fake_held_work(), 0);
    return fake_teardown(state);
}

/* The lease is renewed, and these are found. */
static void look(const struct store_stray *rows, size_t n)
{
    fake_pass(BEAT_MS);
    fake_answer_batch(CALL_HEARTBEAT, 0);
    fake_hold_work(true);
    fake_answer_strays(0, rows, n);
    fake_hold_work(false);
}

static void look_for(const struct store_stray *stray)
{
    look(stray, 1);
}

static void make_run_dir(const struct home *h, const struct execution *e)
{
    char path[192];
    (void)snprintf(path, sizeof path, "%s/runs/%s", h->dir, e->id.hex);
    assert_int_equal(rundir_create(path, e->id.hex, 1), 0);
}

static void test_leases__beat__renewed_then_looked(void **state)
{
    struct world *w = *state;
    fake_pass(BEAT_MS);
    struct fake_call c = fake_take(CALL_HEARTBEAT);
    assert_false(c.begins);
    assert_int_equal(fake_waiting(CALL_STRAYS), 0);
    c.fn.batch(c.user, 0, NULL);
    c = fake_take(CALL_STRAYS);
    assert_true(c.with_own); /* what was taken over before the start */
    fake_pass(BEAT_MS);
    assert_int_equal(fake_waiting(CALL_HEARTBEAT), 0); /* one at a time */
    c.fn.strays(c.user, ERR_DB_AWAY, NULL, 0);
    for (int i = 0; i < 2; i++) {
        fake_pass(BEAT_MS);
        fake_answer_batch(CALL_HEARTBEAT, 0);
        c = fake_take(CALL_STRAYS);
        assert_int_equal(c.with_own, i == 0); /* asked again after the error only */
        c.fn.strays(c.user, 0, NULL, 0);
    }
    fake_pass(BEAT_MS);
    fake_answer_batch(CALL_HEARTBEAT, ERR_DB_AWAY);
    assert_int_equal(fake_waiting(CALL_STRAYS), 0);
    w->o->is_leaving = true;
    fake_pass(BEAT_MS);
    fake_answer_batch(CALL_HEARTBEAT, 0);
    assert_int_equal(fake_waiting(CALL_STRAYS), 0);
}

static void test_leases__home_in_reach__taken_and_gone_on_with_there(void **state)
{
    struct world *w = *state;
    struct home h = make_home(w);
    const struct store_stray stray = stray_of(&h);
    struct store_launch launch = {.row = fake_row(1, EXEC_RUNNING)};
    make_run_dir(&h, &launch.row);
    look_for(&stray);
    assert_int_equal(fake_waiting(CALL_TAKE), 0);
    fake_do_work(0);
    struct fake_call c = fake_take(CALL_TAKE);
    assert_string_equal(c.owner, "gw2");
    assert_string_equal(c.home, "gw2");
    c.fn.launches(c.user, 0, &launch, 1);
    struct live *l = live_find(w->o, launch.row.key);
    assert_non_null(l);
    assert_non_null(l->feed);
    assert_memory_equal(l->run_dir, h.dir, strlen(h.dir));
    assert_memory_equal(l->workspace, h.dir, strlen(h.dir));
    assert_int_equal(fake_engine.stops, 0);
}

static void test_leases__never_began__started_there(void **state)
{
    struct world *w = *state;
    struct home h = make_home(w);
    const struct store_stray stray = stray_of(&h);
    const struct store_launch launch = {.row = fake_row(1, EXEC_STARTING)};
    w->o->booted_us = launch.row.state.started_at_us - 1;
    look_for(&stray);
    fake_do_work(0);
    fake_answer_launch(CALL_TAKE, 0, &launch);
    assert_int_equal(fake_engine.starts, 1);
    assert_memory_equal(fake_engine.run_dir, h.dir, strlen(h.dir));
    assert_string_equal(live_find(w->o, launch.row.key)->state_dir, h.dir); /* kept out of it */
}

enum { REACHED = 1, TAKEN_TO_END = 2 };
struct reach_row {
    const char *name, *id, *engine, *host;
    int64_t lapsed_ms;
    bool is_probed;
    unsigned does;
};

static void test_leases__reach__table(void **state)
{
    struct world *w = *state;
    static const struct reach_row rows[] = {
        {"in reach", "gw2", "fake", NULL, 100, true, REACHED},
        {"in reach, long gone", "gw2", "fake", NULL, LOST_MS + 1, true, REACHED},
        {"another's directory", "gw3", "fake", NULL, 100, true, 0},
        {"another's, long gone", "gw3", "fake", NULL, LOST_MS, true, TAKEN_TO_END},
        {"no file", NULL, "fake", NULL, LOST_MS - 1, true, 0},
        {"no file, long gone", NULL, "fake", NULL, LOST_MS, true, TAKEN_TO_END},
        {"another host", "gw2", "fake", "elsewhere", 100, false, 0},
        {"another host, long gone", "gw2", "fake", "elsewhere", LOST_MS, false, TAKEN_TO_END},
        {"another engine", "gw2", "docker", NULL, 100, false, 0},
        {"another engine, long gone", "gw2", "docker", NULL, LOST_MS, false, TAKEN_TO_END},
    };
    struct home h = make_home(w);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/gateway.id", h.dir);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        print_message("%s\n", rows[i].name);
        struct store_stray stray = stray_of(&h);
        stray.lapsed_ms = rows[i].lapsed_ms;
        stray.home.engine = rows[i].engine;
        if (rows[i].host)
            stray.home.host = rows[i].host;
        if (rows[i].id)
            write_id(&h, rows[i].id);
        else
            (void)unlink(path);
        look_for(&stray);
        assert_int_equal(fake_held_work(), rows[i].is_probed);
        if (rows[i].is_probed)
            fake_do_work(0);
        assert_int_equal(fake_waiting(CALL_TAKE), rows[i].does != 0);
        if (rows[i].does == 0)
            continue;
        const struct store_launch launch = {.row = fake_row((uint32_t)i + 1, EXEC_RUNNING)};
        fake_answer_launch(CALL_TAKE, 0, &launch);
        if (rows[i].does == REACHED)
            continue;
        assert_null(fake_feed(launch.row.key));
        fake_pass(0);
        fake_answer_execution(CALL_GET, 0, &launch.row);
        fake_answer_batch(CALL_SUBMIT, 0);
        assert_int_equal(fake_published.status, EXEC_FAILED);
        assert_string_equal(fake_published.reason, "gateway_lost");
    }
    assert_int_equal(fake_engine.stops, 0);
}

static void test_leases__containers__host_does_not_matter(void **state)
{
    struct world *w = *state;
    struct engine_ops ops = *fake_engine.base.ops;
    struct home h = make_home(w);
    struct store_stray stray = stray_of(&h);
    stray.home.host = "elsewhere";
    ops.workspace = "/workspace";
    const struct engine_ops *before = fake_engine.base.ops;
    fake_engine.base.ops = &ops;
    look_for(&stray);
    assert_int_equal(fake_held_work(), 1);
    fake_do_work(0);
    fake_answer_launch(CALL_TAKE, 0, NULL); /* it has renewed its lease after all */
    fake_engine.base.ops = before;
    assert_true(list_is_empty(&w->o->lives));
}

static void test_leases__disk_hangs__not_reachable(void **state)
{
    struct world *w = *state;
    struct home h = make_home(w);
    struct store_stray stray = stray_of(&h);
    look_for(&stray);
    look_for(&stray);
    assert_int_equal(fake_held_work(), 1); /* the same one */
    assert_int_equal(fake_waiting(CALL_TAKE), 0);
    stray.lapsed_ms = LOST_MS;
    look_for(&stray);
    const struct store_launch launch = {.row = fake_row(1, EXEC_RUNNING)};
    fake_answer_launch(CALL_TAKE, 0, &launch);
    struct live *l = live_find(w->o, launch.row.key);
    assert_null(l->feed);
    assert_memory_not_equal(l->run_dir, h.dir, strlen(h.dir)); /* nothing there is touched */
    fake_do_work(0);
    fake_answer_launch(CALL_TAKE, 0, NULL);
    fake_pass(0);
    fake_answer_execution(CALL_GET, 0, &launch.row);
    fake_answer_batch(CALL_SUBMIT, 0);
    assert_string_equal(fake_published.reason, "gateway_lost");
}

static void test_leases__many_homes__two_looked_at_at_a_time(void **state)
{
    struct world *w = *state;
    struct home h = make_home(w);
    struct store_stray rows[3];
    static const char *const owners[] = {"gw2", "gw3", "gw4"};
    for (size_t i = 0; i < 3; i++) {
        rows[i] = stray_of(&h);
        rows[i].owner = owners[i];
    }
    look(rows, 3);
    assert_int_equal(fake_held_work(), 2);
    fake_do_work(0);
    fake_do_work(0);
    look(rows, 3); /* the first two still wait for their answers */
    assert_int_equal(fake_held_work(), 1);
    fake_do_work(0);
    for (size_t i = 0; i < 3; i++) {
        struct fake_call c = fake_take(CALL_TAKE);
        assert_string_equal(c.owner, owners[i]);
        c.fn.launches(c.user, 0, NULL, 0);
    }
}

static void test_leases__answer_lost__own_ones_looked_for(void **state)
{
    struct world *w = *state;
    struct home h = make_home(w);
    struct store_stray stray = stray_of(&h);
    const struct store_launch launch = {.row = fake_row(1, EXEC_RUNNING)};
    make_run_dir(&h, &launch.row);
    look_for(&stray);
    fake_do_work(0);
    fake_answer_launch(CALL_TAKE, ERR_DB_AWAY, NULL);
    assert_null(live_find(w->o, launch.row.key));
    fake_pass(BEAT_MS);
    fake_answer_batch(CALL_HEARTBEAT, 0);
    struct fake_call c = fake_take(CALL_STRAYS);
    assert_true(c.with_own);
    stray.owner = "gw1";
    fake_hold_work(true);
    c.fn.strays(c.user, 0, &stray, 1);
    fake_hold_work(false);
    fake_do_work(0);
    c = fake_take(CALL_OWN);
    assert_string_equal(c.home, "gw2");
    c.fn.launches(c.user, 0, &launch, 1);
    struct live *l = live_find(w->o, launch.row.key);
    assert_non_null(l);
    /* Found again it is passed over. */
    look_for(&stray);
    fake_do_work(0);
    fake_answer_launch(CALL_OWN, 0, &launch);
    assert_ptr_equal(live_find(w->o, launch.row.key), l);
    assert_int_equal(orchestrator_live_count(w->o), 1);
}

static void test_leases__own_out_of_reach__ended_after_as_long(void **state)
{
    struct world *w = *state;
    struct home h = make_home(w);
    struct store_stray stray = stray_of(&h);
    const struct store_launch launch = {.row = fake_row(1, EXEC_RUNNING)};
    stray.owner = "gw1";
    stray.lapsed_ms = 0;
    write_id(&h, "gw3");
    for (int64_t t = 0; t < LOST_MS; t += BEAT_MS) {
        look_for(&stray);
        fake_do_work(0);
        assert_int_equal(fake_waiting(CALL_OWN), 0);
    }
    look_for(&stray);
    fake_do_work(0);
    fake_answer_launch(CALL_OWN, 0, &launch);
    fake_pass(0);
    fake_answer_execution(CALL_GET, 0, &launch.row);
    fake_answer_batch(CALL_SUBMIT, 0);
    assert_string_equal(fake_published.reason, "gateway_lost");
    (void)w;
}

static void test_leases__out_of_memory__rows_looked_for_again(void **state)
{
    struct world *w = *state;
    struct home h = make_home(w);
    const struct store_stray stray = stray_of(&h);
    const struct store_launch launch = {.row = fake_row(1, EXEC_RUNNING)};
    make_run_dir(&h, &launch.row);
    look(NULL, 0);
    look_for(&stray);
    fake_do_work(0);
    fake_feed_open_returns(ERR_NOMEM);
    fake_answer_launch(CALL_TAKE, 0, &launch);
    fake_feed_open_returns(0);
    assert_true(list_is_empty(&w->o->lives));
    fake_pass(BEAT_MS);
    fake_answer_batch(CALL_HEARTBEAT, 0);
    struct fake_call c = fake_take(CALL_STRAYS);
    assert_true(c.with_own);
    c.fn.strays(c.user, 0, NULL, 0);
}

static void test_leases__refused__next_look_tries_again(void **state)
{
    struct world *w = *state;
    struct home h = make_home(w);
    const struct store_stray stray = stray_of(&h);
    for (int i = 0; i < 2; i++) {
        look_for(&stray);
        fake_stores_return(ERR_LIMIT);
        fake_do_work(i == 0 ? 0 : ERR_CLOSED);
        fake_stores_return(0);
        assert_int_equal(fake_waiting(CALL_TAKE), 0);
    }
    fake_pass(BEAT_MS);
    fake_answer_batch(CALL_HEARTBEAT, 0);
    fake_answer_strays(0, &stray, 1); /* the thread pool refuses */
    assert_int_equal(fake_waiting(CALL_TAKE), 0);
    fake_pass(BEAT_MS);
    fake_stores_return(ERR_LIMIT);
    fake_answer_batch(CALL_HEARTBEAT, 0);
    fake_pass(BEAT_MS);
    fake_stores_return(0);
    look_for(&stray);
    fake_do_work(0);
    fake_answer_launch(CALL_TAKE, 0, NULL);
}

static void test_leases_free__at_each_step(void **state)
{
    (void)state;
    for (int at = 0; at < 4; at++) {
        void *s;
        assert_int_equal(setup(&s), 0);
        struct world *w = s;
        struct home h = make_home(w);
        const struct store_stray stray = stray_of(&h);
        if (at < 2) {
            fake_pass(BEAT_MS);
            if (at == 1)
                fake_answer_batch(CALL_HEARTBEAT, 0);
        } else {
            look_for(&stray);
            if (at == 3)
                fake_do_work(0);
        }
        orchestrator_free(TAKE_PTR(w->o));
        if (at == 2)
            fake_do_work(0);
        if (at == 3)
            fake_answer_launch(CALL_TAKE, ERR_CLOSED, NULL);
        assert_int_equal(teardown(&s), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_leases__beat__renewed_then_looked),
        TEST(test_leases__home_in_reach__taken_and_gone_on_with_there),
        TEST(test_leases__never_began__started_there),
        TEST(test_leases__reach__table),
        TEST(test_leases__containers__host_does_not_matter),
        TEST(test_leases__disk_hangs__not_reachable),
        TEST(test_leases__many_homes__two_looked_at_at_a_time),
        TEST(test_leases__answer_lost__own_ones_looked_for),
        TEST(test_leases__own_out_of_reach__ended_after_as_long),
        TEST(test_leases__out_of_memory__rows_looked_for_again),
        TEST(test_leases__refused__next_look_tries_again),
        cmocka_unit_test(test_leases_free__at_each_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
