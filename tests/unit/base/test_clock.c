/* The clocks: plausible, and the monotonic one never goes back. */
#include "base/clock.h"
#include "base/compiler.h"
#include "unit.h"

#include <time.h>

static void test_clock_wall_us__now__agrees_with_time(void **state UNUSED)
{
    time_t before = time(NULL);
    int64_t us = clock_wall_us();
    time_t after = time(NULL);

    /* time() may lag by a tick (time(2)). */
    assert_true(us / 1000000 >= before);
    assert_true(us / 1000000 <= after + 1);
}

static void test_clock_mono__many_reads__never_goes_back(void **state UNUSED)
{
    int64_t last = clock_mono_us();

    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_mono_us();
        assert_true(now >= last);
        last = now;
    }
    int64_t ms = clock_mono_ms();
    assert_true(ms >= last / 1000);
    assert_true(ms <= clock_mono_us() / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_wall_us__now__agrees_with_time),
        cmocka_unit_test(test_clock_mono__many_reads__never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
