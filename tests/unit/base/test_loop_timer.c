/* Timers and deferred calls: when they run, how often, and freed from within their own call. */
#include "base/err.h"
#include "fail_alloc.h"
#include "loop_wait.h"
#include "unit.h"

struct ctx {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_defer *defer;
    int calls, schedule_again;
};

static int setup(void **state)
{
    static struct ctx ctx;

    ctx = (struct ctx){0};
    *state = &ctx;
    return loop_new(&ctx.loop);
}

static int teardown(void **state)
{
    struct ctx *ctx = *state;

    loop_timer_free(ctx->timer);
    loop_defer_free(ctx->defer);
    loop_free(ctx->loop);
    return 0;
}

static void count(void *user)
{
    struct ctx *ctx = user;

    ctx->calls++;
    if (ctx->schedule_again > 0) {
        ctx->schedule_again--;
        loop_defer_schedule(ctx->defer);
    }
}

static void free_timer(void *user)
{
    struct ctx *ctx = user;

    ctx->calls++;
    loop_timer_free(ctx->timer);
    ctx->timer = NULL;
}

static void free_defer(void *user)
{
    struct ctx *ctx = user;

    ctx->calls++;
    loop_defer_free(ctx->defer);
    ctx->defer = NULL;
}

static void test_loop_timer__once__one_call_not_early(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_timer_new(ctx->loop, count, ctx, &ctx->timer), 0);
    assert_false(loop_timer_is_active(ctx->timer));
    int64_t before = clock_mono_ms();
    loop_timer_start(ctx->timer, 20, 0);
    assert_true(loop_timer_is_active(ctx->timer));
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_true(clock_mono_ms() - before >= 19);
    assert_false(loop_timer_is_active(ctx->timer));
    loop_timer_start(ctx->timer, -5, -5);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 2));
    assert_false(loop_timer_is_active(ctx->timer));
}

static void test_loop_timer__repeat__until_stopped(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_timer_new(ctx->loop, count, ctx, &ctx->timer), 0);
    loop_timer_start(ctx->timer, 0, 1);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 5));
    loop_timer_stop(ctx->timer);
    int calls = ctx->calls;
    assert_int_equal(loop_turn(ctx->loop, 10), 0);
    assert_int_equal(ctx->calls, calls);
}

static void test_loop_timer__freed_in_its_call__no_further_call(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_timer_new(ctx->loop, free_timer, ctx, &ctx->timer), 0);
    loop_timer_start(ctx->timer, 1, 1);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(loop_turn(ctx->loop, 10), 0);
    assert_int_equal(ctx->calls, 1);
}

static void test_loop_defer__scheduled_twice__one_call_on_a_later_turn(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_defer_new(ctx->loop, count, ctx, &ctx->defer), 0);
    loop_defer_schedule(ctx->defer);
    loop_defer_schedule(ctx->defer);
    assert_int_equal(ctx->calls, 0);
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 1);
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 1);
}

static void test_loop_defer__scheduled_in_its_call__once_a_turn(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_defer_new(ctx->loop, count, ctx, &ctx->defer), 0);
    ctx->schedule_again = 2;
    loop_defer_schedule(ctx->defer);
    for (int turn = 1; turn <= 3; turn++) {
        assert_int_equal(loop_turn(ctx->loop, 0), 0);
        assert_int_equal(ctx->calls, turn);
    }
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 3);
}

static void test_loop_defer__after_its_call__loop_sleeps(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_defer_new(ctx->loop, count, ctx, &ctx->defer), 0);
    loop_defer_schedule(ctx->defer);
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    int64_t before = clock_mono_ms();
    assert_int_equal(loop_turn(ctx->loop, 30), 0);
    assert_true(clock_mono_ms() - before >= 29);
}

static void test_loop_defer__freed__not_called(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_defer_new(ctx->loop, count, ctx, &ctx->defer), 0);
    loop_defer_schedule(ctx->defer);
    loop_defer_free(ctx->defer);
    ctx->defer = NULL;
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 0);
    assert_int_equal(loop_defer_new(ctx->loop, free_defer, ctx, &ctx->defer), 0);
    loop_defer_schedule(ctx->defer);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 1);
}

static void test_loop_timer_new__no_memory__nomem(void **state)
{
    struct ctx *ctx = *state;

    assert_true(fail_alloc_at(1));
    assert_int_equal(loop_timer_new(ctx->loop, count, ctx, &ctx->timer), ERR_NOMEM);
    assert_true(fail_alloc_at(1));
    assert_int_equal(loop_defer_new(ctx->loop, count, ctx, &ctx->defer), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_null(ctx->timer);
    assert_null(ctx->defer);
}

#define LOOP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(test_loop_timer__once__one_call_not_early),
        LOOP_TEST(test_loop_timer__repeat__until_stopped),
        LOOP_TEST(test_loop_timer__freed_in_its_call__no_further_call),
        LOOP_TEST(test_loop_defer__scheduled_twice__one_call_on_a_later_turn),
        LOOP_TEST(test_loop_defer__scheduled_in_its_call__once_a_turn),
        LOOP_TEST(test_loop_defer__after_its_call__loop_sleeps),
        LOOP_TEST(test_loop_defer__freed__not_called),
        LOOP_TEST(test_loop_timer_new__no_memory__nomem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
