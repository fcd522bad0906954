/* The way from SIGTERM to SIGKILL, in time. */
#include "runner/stop.h"

#include "runner/now.h"
#include "runner/tree.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

size_t __wrap_tree_signal(int signum, pid_t group);

static unsigned terms, kills;

size_t __wrap_tree_signal(int signum, pid_t group)
{
    assert_int_equal(group, 77);
    terms += signum == SIGTERM;
    kills += signum == SIGKILL;
    return 1;
}

static int setup(void **state)
{
    (void)state;
    terms = kills = 0;
    return 0;
}

static void test_stop__idle__does_nothing(void **state)
{
    struct stop s;
    stop_init(&s, 77);
    stop_step(&s, 1000000);
    assert_int_equal(s.phase, STOP_IDLE);
    assert_int_equal(s.next_at_ms, NEVER_MS);
    assert_int_equal(terms + kills, 0);
    (void)state;
}

static void test_stop__grace__then_kills_again_and_again(void **state)
{
    struct stop s;
    stop_init(&s, 77);
    stop_begin(&s, 1000, 300);
    stop_begin(&s, 1100, 5); /* the first one counts */
    assert_int_equal(terms, 1);
    assert_int_equal(s.next_at_ms, 1300);
    stop_step(&s, 1299);
    assert_int_equal(kills, 0);
    stop_step(&s, 1300);
    assert_int_equal(s.phase, STOP_KILLING);
    assert_int_equal(kills, 1);
    stop_step(&s, s.next_at_ms - 1);
    assert_int_equal(kills, 1);
    stop_step(&s, s.next_at_ms);
    assert_int_equal(kills, 2);
    (void)state;
}

static void test_stop__will_not_go__given_up(void **state)
{
    struct stop s;
    stop_init(&s, 77);
    stop_begin(&s, 0, 0);
    for (int64_t now = 0; now < 20000; now += 20)
        stop_step(&s, now);
    assert_int_equal(s.phase, STOP_GIVEN_UP);
    assert_int_equal(s.next_at_ms, NEVER_MS);
    unsigned before = kills;
    stop_step(&s, 30000);
    assert_int_equal(kills, before);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_stop__idle__does_nothing, setup),
        cmocka_unit_test_setup(test_stop__grace__then_kills_again_and_again, setup),
        cmocka_unit_test_setup(test_stop__will_not_go__given_up, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
