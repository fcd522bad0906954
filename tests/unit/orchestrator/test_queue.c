/* Taking executions from the queue: when it is looked at, and what becomes of what was taken. */
#include "orchestrator/queue.h"

#include "fake.h"

#include "orchestrator/seal.h"

#include <string.h>

static struct store_launch taken(uint32_t n)
{
    struct store_launch launch = {.row = fake_row(n, EXEC_STARTING)};
    launch.row.state.version = 2;
    return launch;
}

static void test_queue__taken__launched_and_looked_again(void **state)
{
    struct world *w = *state;
    struct store_launch launch = taken(1);
    w->o->opts.max_running = 5;
    w->o->opts.max_running_per_user = 2;
    fake_pass(0); /* the first look */
    struct fake_call c = fake_take(CALL_DEQUEUE);
    assert_int_equal(c.limits.running, 5);
    assert_int_equal(c.limits.running_per_user, 2);
    c.fn.launches(c.user, 0, &launch, 1);
    assert_int_equal(fake_engine.starts, 1);
    assert_non_null(live_find(w->o, launch.row.key));
    assert_int_equal(fake_published.status, EXEC_STARTING);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 1);
    fake_answer_launch(CALL_DEQUEUE, 0, NULL);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 0);
}

static void test_queue__sealed__opened_for_the_start(void **state)
{
    struct world *w = *state;
    struct store_launch launch = taken(1);
    struct buf sealed CLEANUP_BUF = {.max = 4096};
    struct plan plan;
    char key_id[SEAL_KEY_ID_SIZE];
    plan_init(&plan);
    assert_int_equal(plan_set(&plan, "API_KEY", "very-secret", true), 0);
    assert_int_equal(plan_seal(w->o, &plan, 0x1111222233334445, &sealed, key_id), 0);
    plan_done(&plan);
    launch.seal_key_id = key_id;
    launch.sealed = sealed.data;
    launch.sealed_len = sealed.len;
    fake_pass(0);
    fake_answer_launch(CALL_DEQUEUE, 0, &launch);
    struct live *l = live_find(w->o, launch.row.key);
    assert_string_equal(plan_get(&l->plan, "API_KEY"), "very-secret");
    fake_engine.started(fake_engine.user, 0, NULL);
    assert_null(plan_get(&l->plan, "API_KEY")); /* the runner has it */
}

static void test_queue__cannot_be_opened__ended(void **state)
{
    struct world *w = *state;
    struct store_launch launch = taken(1);
    launch.seal_key_id = "0000000000000000";
    launch.sealed = "x";
    launch.sealed_len = 1;
    fake_pass(0);
    fake_engine.liveness = RUNDIR_NOT_STARTED;
    fake_answer_launch(CALL_DEQUEUE, 0, &launch);
    const struct live *l = live_find(w->o, launch.row.key);
    assert_int_equal(fake_engine.starts, 0);
    assert_int_equal(l->end_event, RUN_PLAN_LOST);
}

static void test_queue__no_place_here_or_leaving__not_looked_at(void **state)
{
    struct world *w = *state;
    w->o->opts.max_live = 1;
    (void)fake_live(w, 1, EXEC_RUNNING);
    queue_look(w->o);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 0);
    w->o->opts.max_live = 9;
    orchestrator_leave(w->o);
    queue_look(w->o);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 0);
}

static void test_queue__place_free_while_asking__asked_again(void **state)
{
    struct world *w = *state;
    queue_look(w->o);
    queue_look(w->o);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 1);
    fake_answer_launch(CALL_DEQUEUE, 0, NULL);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 1);
    fake_answer_launch(CALL_DEQUEUE, 0, NULL);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 0);
}

/* An end frees a place. */
static void test_queue__execution_ended__looked_at(void **state)
{
    struct world *w = *state;
    w->o->opts.queue_max = 3;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    struct exec_state end = l->row.state;
    end.status = EXEC_SUCCEEDED;
    end.version++;
    live_committed(l, &end);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 1);
}

static void test_queue__answer_lost__what_was_taken_is_found(void **state)
{
    struct world *w = *state;
    struct store_launch launch = taken(1);
    w->o->opts.queue_max = 3;
    queue_start(w->o->queue);
    fake_pass(0);
    fake_answer_launch(CALL_DEQUEUE, ERR_TIMEOUT, NULL);
    fake_pass(1000);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 0);
    fake_answer_launch(CALL_DEQUEUED, 0, &launch);
    assert_int_equal(fake_engine.starts, 1);
    fake_answer_launch(CALL_DEQUEUE, 0, NULL);
    /* Refused: nothing was taken. */
    fake_pass(1000);
    fake_answer_launch(CALL_DEQUEUE, ERR_DB, NULL);
    fake_pass(1000);
    assert_int_equal(fake_waiting(CALL_DEQUEUED), 0);
    /* Found again: it is there already. */
    fake_answer_launch(CALL_DEQUEUE, 0, &launch);
    assert_int_equal(fake_engine.starts, 1);
}

static void test_queue__client_was_told_it_failed__ended(void **state)
{
    struct world *w = *state;
    struct store_launch launch = taken(1);
    doubt_note(w->o, "dev@x", 0x1111222233334445, 0);
    assert_true(doubt_is_about(w->o, &launch.row.id));
    fake_pass(0);
    fake_answer_launch(CALL_DEQUEUE, 0, &launch);
    assert_int_equal(fake_engine.starts, 0);
    assert_int_equal(live_find(w->o, launch.row.key)->end_event, RUN_START_FAILED);
}

static void test_queue__freed_while_asking__nothing_launched(void **state)
{
    struct world *w = *state;
    struct store_launch launch = taken(1);
    fake_pass(0);
    orchestrator_free(TAKE_PTR(w->o));
    fake_answer_launch(CALL_DEQUEUE, 0, &launch);
    assert_int_equal(fake_engine.starts, 0);
}

static void test_queue__store_takes_no_call__the_timer_asks(void **state)
{
    struct world *w = *state;
    fake_stores_return(ERR_LIMIT);
    queue_look(w->o);
    fake_stores_return(0);
    fake_pass(10000);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_queue__taken__launched_and_looked_again),
        TEST(test_queue__sealed__opened_for_the_start),
        TEST(test_queue__cannot_be_opened__ended),
        TEST(test_queue__no_place_here_or_leaving__not_looked_at),
        TEST(test_queue__place_free_while_asking__asked_again),
        TEST(test_queue__execution_ended__looked_at),
        TEST(test_queue__answer_lost__what_was_taken_is_found),
        TEST(test_queue__client_was_told_it_failed__ended),
        TEST(test_queue__freed_while_asking__nothing_launched),
        TEST(test_queue__store_takes_no_call__the_timer_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
