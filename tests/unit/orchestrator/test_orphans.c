/* Rows in STARTING that nobody starts: watched, then ended; all others left alone. */
#include "fake.h"

#include "orchestrator/orphans.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_MS 3000
#define LOOK_MS 1000

static int setup(void **state)
{
    if (fake_setup(state) != 0)
        return -1;
    struct orchestrator *o = ((struct world *)*state)->o;
    orphans_end(o);
    o->opts.settle_ms = SETTLE_MS;
    return orphans_begin(o);
}

/* One look that finds these rows. */
static void look(const struct execution *rows, size_t n)
{
    fake_pass(LOOK_MS);
    while (fake_waiting(CALL_HEARTBEAT) > 0)
        fake_answer_batch(CALL_HEARTBEAT, 0);
    struct fake_call c = fake_take(CALL_LIST);
    assert_int_equal(c.filter.status_mask, 1u << EXEC_STARTING);
    c.fn.executions(c.user, 0, rows, n);
}

static void look_for(const struct execution *rows, size_t n, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += LOOK_MS)
        look(rows, n);
}

static void test_orphan__stays_for_settle_ms__ended(void **state)
{
    struct world *w = *state;
    const struct execution row = fake_row(1, EXEC_STARTING);
    look_for(&row, 1, SETTLE_MS);
    assert_null(live_find(w->o, row.key)); /* it may still be answered */
    look(&row, 1);
    assert_non_null(live_find(w->o, row.key));
    fake_pass(0);
    fake_answer_execution(CALL_GET, 0, &row);
    fake_answer_batch(CALL_SUBMIT, 0);
    assert_string_equal(fake_published.reason, "start_failed");
    assert_int_equal(fake_engine.starts, 0);
}

static void test_orphan__gone_in_between__watched_anew(void **state)
{
    struct world *w = *state;
    const struct execution row = fake_row(1, EXEC_STARTING);
    look_for(&row, 1, SETTLE_MS);
    look(NULL, 0);
    look_for(&row, 1, SETTLE_MS);
    assert_null(live_find(w->o, row.key));
    look(&row, 1);
    assert_non_null(live_find(w->o, row.key));
}

static void test_orphan__not_ours_live_or_with_directory__left_alone(void **state)
{
    struct world *w = *state;
    char path[256];
    struct execution rows[3] = {fake_row(1, EXEC_STARTING), fake_row(2, EXEC_STARTING),
                                fake_row(3, EXEC_STARTING)};
    rows[0].owner = (char *)"gw2";
    struct live *l = fake_live(w, 2, EXEC_STARTING);
    (void)snprintf(path, sizeof path, "%s/runs/%s", w->dir, rows[2].id.hex);
    assert_int_equal(mkdir(path, 0700), 0);
    look_for(rows, 3, 3 * SETTLE_MS);
    assert_null(live_find(w->o, rows[0].key));
    assert_ptr_equal(live_find(w->o, rows[1].key), l);
    assert_null(live_find(w->o, rows[2].key));
    assert_int_equal(fake_waiting(CALL_GET), 0);
    assert_int_equal(rmdir(path), 0);
}

static void test_orphans__store_fails__asked_again_once_at_a_time(void **state)
{
    struct world *w = *state;
    fake_stores_return(ERR_LIMIT);
    fake_pass(LOOK_MS);
    fake_stores_return(0);
    fake_pass(5 * LOOK_MS);
    assert_int_equal(fake_waiting(CALL_LIST), 1);
    fake_answer_rows(CALL_LIST, ERR_DB_AWAY, NULL, 0);
    fake_pass(LOOK_MS);
    assert_int_equal(fake_waiting(CALL_LIST), 1);
    orchestrator_free(TAKE_PTR(w->o)); /* the answer comes later */
    fake_answer_rows(CALL_LIST, ERR_CLOSED, NULL, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_orphan__stays_for_settle_ms__ended),
        TEST(test_orphan__gone_in_between__watched_anew),
        TEST(test_orphan__not_ours_live_or_with_directory__left_alone),
        TEST(test_orphans__store_fails__asked_again_once_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
