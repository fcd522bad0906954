/* The end that hears of a stop asked for elsewhere. */
#include "fake.h"

#include <string.h>

static void test_stop_told__live_here__terminating_in_that_name(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    fake_engine.started(fake_engine.user, 0, NULL);
    for (int i = 0; i < 3; i++) /* told again and again */
        orchestrator_stop_told(w->o, l->row.key, "op@x", "req-9");
    assert_int_equal(l->feed->count, 1);
    assert_int_equal(l->feed->transitions[0].to.status, EXEC_TERMINATING);
    assert_string_equal(l->feed->transitions[0].cause, "killed by op@x");
    assert_string_equal(l->feed->transitions[0].request_id, "req-9");
    fake_commit(l->feed);
    assert_int_equal(fake_engine.stops, 1);
}

static void test_stop_told__not_here_or_over__nothing(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    orchestrator_stop_told(w->o, l->row.key + 1, "op@x", "");
    l->is_over = true;
    orchestrator_stop_told(w->o, l->row.key, "op@x", "");
    assert_int_equal(l->feed->count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stop_told__live_here__terminating_in_that_name),
        TEST(test_stop_told__not_here_or_over__nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
