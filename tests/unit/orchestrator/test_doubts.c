/* Rows that PostgreSQL may or may not have taken. */
#include "fake.h"

#include <string.h>

struct answer {
    int calls, err;
};

static void answered(void *user, const struct problem *p, const struct execution *e UNUSED,
                     bool is_replayed UNUSED)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
}

/* A run whose outcome is not known; returns the id's half that was ours. */
static uint64_t doubtful(struct world *w, int err)
{
    struct answer a = {0};
    struct problem p;
    const struct principal who = fake_who(ROLE_DEVELOPER, "dev@x");
    const struct run_request r = {.command = "true", .timeout_s = -1, .grace_s = -1};
    const struct caller by = fake_caller(&who);
    assert_int_equal(orchestrator_run(w->o, &by, &r, answered, &a, &p), 0);
    fake_pass(0); /* the image */
    struct fake_call c = fake_take(CALL_CREATE);
    c.fn.created(c.user, err, NULL, STORE_REFUSED_NOT);
    assert_int_equal(a.calls, 1);
    assert_true(a.err < 0);
    return c.random;
}

static void beat(struct world *w UNUSED)
{
    fake_pass(5000);
    if (fake_waiting(CALL_HEARTBEAT) > 0)
        fake_answer_batch(CALL_HEARTBEAT, 0);
}

static void settle(struct world *w)
{
    for (int i = 0; i < 7; i++)
        beat(w);
}

static void test_doubt__row_is_there__ended_not_started(void **state)
{
    struct world *w = *state;
    uint64_t random = doubtful(w, ERR_TIMEOUT);
    beat(w);
    assert_int_equal(fake_waiting(CALL_LIST), 0); /* it may still be on its way */
    settle(w);
    assert_int_equal(fake_waiting(CALL_LIST), 1);
    struct fake_call c = fake_take(CALL_LIST);
    assert_string_equal(c.created_by, "dev@x");
    assert_int_equal(c.filter.status_mask, 1u << EXEC_STARTING);
    struct execution rows[2] = {fake_row(1, EXEC_STARTING), fake_row(2, EXEC_STARTING)};
    execution_id_make(rows[1].key, random, &rows[1].id);
    c.fn.executions(c.user, 0, rows, 2);
    assert_true(list_is_empty(&w->o->doubts));
    assert_non_null(live_find(w->o, rows[1].key));
    assert_null(live_find(w->o, rows[0].key));
    fake_pass(0);
    fake_answer_execution(CALL_GET, 0, &rows[1]);
    fake_answer_batch(CALL_SUBMIT, 0);
    assert_string_equal(fake_published.reason, "start_failed");
    assert_int_equal(fake_engine.starts, 0);
}

static void test_doubt__row_is_not_there__over(void **state)
{
    struct world *w = *state;
    (void)doubtful(w, ERR_DB_AWAY);
    settle(w);
    fake_answer_rows(CALL_LIST, ERR_DB_AWAY, NULL, 0);
    assert_false(list_is_empty(&w->o->doubts));
    beat(w);
    fake_answer_rows(CALL_LIST, 0, NULL, 0);
    assert_true(list_is_empty(&w->o->doubts));
}

static void test_doubt__refused__none(void **state)
{
    struct world *w = *state;
    (void)doubtful(w, ERR_DB);
    (void)doubtful(w, ERR_CONFLICT);
    assert_true(list_is_empty(&w->o->doubts));
}

static void test_doubt__store_is_full__asked_later(void **state)
{
    struct world *w = *state;
    (void)doubtful(w, ERR_TIMEOUT);
    fake_stores_return(ERR_LIMIT);
    settle(w);
    fake_stores_return(0);
    beat(w);
    assert_int_equal(fake_waiting(CALL_LIST), 1);
    beat(w); /* not twice */
    assert_int_equal(fake_waiting(CALL_LIST), 1);
    fake_answer_rows(CALL_LIST, 0, NULL, 0);
}

static void test_doubt__freed_before_the_answer(void **state)
{
    struct world *w = *state;
    (void)doubtful(w, ERR_TIMEOUT);
    settle(w);
    (void)doubtful(w, ERR_TIMEOUT);
    orchestrator_free(TAKE_PTR(w->o));
    fake_answer_rows(CALL_LIST, ERR_CLOSED, NULL, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_doubt__row_is_there__ended_not_started),
        TEST(test_doubt__row_is_not_there__over),
        TEST(test_doubt__refused__none),
        TEST(test_doubt__store_is_full__asked_later),
        TEST(test_doubt__freed_before_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
