/* The length of turns: work counts, waiting does not. */
#include "base/clock.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "unit.h"

#define BUSY_US 30000
#define WAIT_MS 300

struct worker {
    struct loop *loop;
    struct loop_timer *timer;
    int calls;
};

static void work(void *user)
{
    struct worker *w = user;
    int64_t end = clock_mono_us() + BUSY_US;

    if (w->calls++ > 0) {
        loop_stop(w->loop);
        return;
    }
    while (clock_mono_us() < end) {
    }
    loop_timer_start(w->timer, WAIT_MS, 0);
}

static void test_loop_turn_seconds__busy_then_idle__only_work_counts(void **state UNUSED)
{
    struct worker w = {0};

    assert_int_equal(loop_new(&w.loop), 0);
    assert_int_equal(metrics_count(loop_turn_seconds(w.loop)), 0);
    assert_int_equal(loop_take_longest_turn_us(w.loop), 0);
    assert_int_equal(loop_timer_new(w.loop, work, &w, &w.timer), 0);
    loop_timer_start(w.timer, 1, 0);
    int64_t began = clock_mono_us();
    assert_int_equal(loop_run(w.loop), 0);
    int64_t took = clock_mono_us() - began;
    const struct metrics_histogram *h = loop_turn_seconds(w.loop);
    assert_true(metrics_count(h) >= 1);
    assert_true(h->sum_us >= BUSY_US);
    assert_true((int64_t)h->sum_us <= took - (WAIT_MS - 50) * 1000);
    int64_t longest = loop_take_longest_turn_us(w.loop);
    assert_true(longest >= BUSY_US && longest <= (int64_t)h->sum_us);
    assert_int_equal(loop_take_longest_turn_us(w.loop), 0); /* since the last call */
    loop_timer_free(w.timer);
    loop_free(w.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop_turn_seconds__busy_then_idle__only_work_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
