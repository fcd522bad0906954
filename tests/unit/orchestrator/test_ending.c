/* Executions that are ended in PostgreSQL without their feed. */
#include "fake.h"

#include <string.h>

static struct live *broken(struct world *w, enum exec_status status)
{
    struct live *l = fake_live(w, 1, status);
    fake_engine.started(fake_engine.user, 0, NULL);
    l->feed->cb.on_break(l->feed->user, FEED_STORE, "23514");
    assert_int_equal(fake_feeds(), 0);
    fake_pass(0);
    return l;
}

static void clean(struct world *w)
{
    fake_engine.liveness = RUNDIR_DEAD;
    fake_pass(1000);
    assert_true(list_is_empty(&w->o->lives));
}

static void test_ending__written_and_published(void **state)
{
    struct world *w = *state;
    (void)broken(w, EXEC_RUNNING);
    struct execution row = fake_row(1, EXEC_RUNNING);
    fake_answer_execution(CALL_GET, 0, &row);
    struct fake_call c = fake_take(CALL_SUBMIT);
    assert_int_equal(c.steps, 1);
    assert_int_equal(c.to[0].status, EXEC_FAILED);
    assert_string_equal(c.to[0].reason, "log_store_failed");
    assert_int_equal(fake_publications, 0);
    c.fn.batch(c.user, 0, NULL);
    assert_int_equal(fake_publications, 1);
    assert_string_equal(fake_published.reason, "log_store_failed");
    assert_int_equal(orchestrator_live_count(w->o), 0);
    assert_true(fake_engine.stops >= 1);
    clean(w);
}

static void test_ending__terminating_row__failed(void **state)
{
    struct world *w = *state;
    (void)broken(w, EXEC_TERMINATING);
    struct execution row = fake_row(1, EXEC_TERMINATING);
    fake_answer_execution(CALL_GET, 0, &row);
    struct fake_call c = fake_take(CALL_SUBMIT);
    assert_int_equal(c.to[0].status, EXEC_FAILED);
    c.fn.batch(c.user, 0, NULL);
    clean(w);
}

static void test_ending__errors__tried_again(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    (void)broken(w, EXEC_RUNNING);
    fake_answer_execution(CALL_GET, ERR_DB_AWAY, NULL);
    fake_pass(1000);
    fake_answer_execution(CALL_GET, 0, &row);
    fake_answer_batch(CALL_SUBMIT, ERR_TIMEOUT);
    fake_pass(1000);
    fake_answer_execution(CALL_GET, 0, &row);
    fake_set_affected(0); /* the row changed in between */
    fake_answer_batch(CALL_SUBMIT, 0);
    assert_int_equal(orchestrator_live_count(w->o), 1);
    fake_stores_return(ERR_LIMIT);
    fake_pass(2000);
    fake_stores_return(0);
    fake_pass(1000);
    fake_stores_return(ERR_LIMIT); /* the submit is refused */
    fake_answer_execution(CALL_GET, 0, &row);
    fake_stores_return(0);
    fake_pass(1000);
    fake_set_affected(1);
    fake_answer_execution(CALL_GET, 0, &row);
    fake_topic_open_returns(ERR_NOMEM);
    fake_answer_batch(CALL_SUBMIT, 0);
    assert_int_equal(fake_publications, 0);
    assert_int_equal(fake_pokes, 1);
    assert_int_equal(orchestrator_live_count(w->o), 0);
    clean(w);
}

static void test_ending__ended_already__published_as_it_is(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_SUCCEEDED);
    (void)broken(w, EXEC_RUNNING);
    fake_answer_execution(CALL_GET, 0, &row);
    assert_int_equal(fake_published.status, EXEC_SUCCEEDED);
    clean(w);
}

static void test_ending__not_ours_any_more__forgotten(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++) {
        struct execution row = fake_row(1, EXEC_RUNNING);
        if (i == 0)
            row.fence = 2;
        if (i == 1)
            row.owner = (char *)(uintptr_t) "gw2";
        fake_engine.liveness = RUNDIR_ALIVE;
        (void)broken(w, EXEC_RUNNING);
        fake_answer_execution(CALL_GET, i == 2 ? ERR_NOT_FOUND : 0, i == 2 ? NULL : &row);
        fake_pass(0);
        assert_true(list_is_empty(&w->o->lives));
        assert_int_equal(fake_publications, 0);
    }
}

static void test_ending__freed_before_the_answers(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    (void)broken(w, EXEC_RUNNING);
    struct fake_call get = fake_take(CALL_GET);
    orchestrator_free(TAKE_PTR(w->o));
    get.fn.execution(get.user, 0, &row);
    assert_int_equal(fake_waiting(CALL_SUBMIT), 0);
}

static void test_ending__freed_before_the_commit(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    (void)broken(w, EXEC_RUNNING);
    fake_answer_execution(CALL_GET, 0, &row);
    orchestrator_free(TAKE_PTR(w->o));
    fake_answer_batch(CALL_SUBMIT, 0);
    assert_int_equal(fake_publications, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ending__written_and_published),
        TEST(test_ending__terminating_row__failed),
        TEST(test_ending__errors__tried_again),
        TEST(test_ending__ended_already__published_as_it_is),
        TEST(test_ending__not_ours_any_more__forgotten),
        TEST(test_ending__freed_before_the_answers),
        TEST(test_ending__freed_before_the_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
