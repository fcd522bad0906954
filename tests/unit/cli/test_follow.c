/* The reconnect state machine with a clock of our own. */
#include "cli/follow.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static uint32_t pick; /* what the random number is, at most its bound */

uint32_t __wrap_arc4random_uniform(uint32_t bound);
uint32_t __wrap_arc4random_uniform(uint32_t bound)
{
    return pick < bound ? pick : bound - 1;
}

static const struct stream_end dropped = {0};

static void test_follow_lost__again_and_again__doubles_to_the_bound(void **state UNUSED)
{
    static const int64_t longest[] = {200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    struct follow f;
    struct problem p = {0};
    int64_t delay;
    for (int jitter = 0; jitter < 2; jitter++) {
        pick = jitter == 0 ? 0 : UINT32_MAX - 1;
        follow_init(&f, 60000, true);
        for (size_t i = 0; i < ARRAY_SIZE(longest); i++) {
            assert_int_equal(follow_lost(&f, 1000, &dropped, &delay, &p), 0);
            assert_int_equal(delay, jitter == 0 ? longest[i] / 2 : longest[i]);
        }
    }
}

static void test_follow_progress__after_a_loss__begins_anew(void **state UNUSED)
{
    struct follow f;
    struct problem p = {0};
    int64_t delay;
    pick = 0;
    follow_init(&f, 1000, false);
    assert_false(follow_progress(&f));
    assert_int_equal(follow_lost(&f, 0, &dropped, &delay, &p), 0);
    assert_int_equal(follow_lost(&f, 900, &dropped, &delay, &p), 0);
    assert_int_equal(delay, 100); /* what is left of the time */
    assert_true(follow_progress(&f));
    assert_int_equal(follow_lost(&f, 5000, &dropped, &delay, &p), 0);
    assert_int_equal(delay, 100);
    assert_int_equal(follow_lost(&f, 5999, &dropped, &delay, &p), 0);
    assert_int_equal(delay, 1);
    assert_int_equal(follow_lost(&f, 6000, &dropped, &delay, &p), ERR_SYS);
    assert_string_equal(p.error, "connection lost");
    assert_string_equal(p.details, "closed by the server; gave up after 1 s");
}

static void test_follow_lost__first_attempt__only_repeated_when_told(void **state UNUSED)
{
    struct follow f;
    struct problem p = {0};
    struct stream_end end = {.reason = "refused"};
    int64_t delay;
    follow_init(&f, 60000, false);
    assert_int_equal(follow_lost(&f, 0, &end, &delay, &p), ERR_SYS);
    assert_string_equal(p.error, "cannot connect");
    assert_string_equal(p.details, "refused");
    follow_init(&f, 60000, true);
    assert_int_equal(follow_lost(&f, 0, &end, &delay, &p), 0);
}

static void test_follow_lost__each_ending__retry_or_final(void **state UNUSED)
{
    static const struct {
        int close_code, http_status, err;
    } table[] = {
        {0, 0, 0},
        {1000, 0, 0},
        {1001, 0, 0},
        {1006, 0, 0},
        {1011, 0, 0},
        {1013, 0, 0},
        {4429, 0, 0},
        {0, 500, 0},
        {0, 502, 0},
        {0, 503, 0},
        {0, 429, 0},
        {1002, 0, ERR_INVALID},
        {1003, 0, ERR_INVALID},
        {1007, 0, ERR_INVALID},
        {1009, 0, ERR_INVALID},
        {1008, 0, ERR_FORBIDDEN},
        {4401, 0, ERR_BAD_KEY},
        {4408, 0, ERR_BAD_KEY},
        {0, 400, ERR_INVALID},
        {0, 401, ERR_BAD_KEY},
        {0, 403, ERR_FORBIDDEN},
        {0, 404, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct follow f;
        struct problem p = {0};
        struct stream_end end = {.close_code = table[i].close_code,
                                 .http_status = table[i].http_status,
                                 .reason = "why"};
        int64_t delay = -1;
        follow_init(&f, 60000, true);
        assert_int_equal(follow_lost(&f, 0, &end, &delay, &p), table[i].err);
        assert_int_equal(delay >= 0, table[i].err == 0);
        if (table[i].err != 0)
            assert_non_null(strstr(p.details, ": why"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follow_lost__again_and_again__doubles_to_the_bound),
        cmocka_unit_test(test_follow_progress__after_a_loss__begins_anew),
        cmocka_unit_test(test_follow_lost__first_attempt__only_repeated_when_told),
        cmocka_unit_test(test_follow_lost__each_ending__retry_or_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
