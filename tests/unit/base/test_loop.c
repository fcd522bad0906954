/* The loop's life, its turns, and what it does with objects that were forgotten. */
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/loop_internal.h"
#include "fail_alloc.h"
#include "unit.h"

#include <string.h>

int __wrap_uv_loop_init(uv_loop_t *loop);
int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb cb);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);
int __real_uv_loop_init(uv_loop_t *loop);
int __real_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb cb);
int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);

static int fail_init, fail_async, fail_timer;

int __wrap_uv_loop_init(uv_loop_t *loop)
{
    return fail_init ? fail_init : __real_uv_loop_init(loop);
}

int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb cb)
{
    return fail_async ? fail_async : __real_uv_async_init(loop, async, cb);
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
    return fail_timer ? fail_timer : __real_uv_timer_start(timer, cb, timeout, repeat);
}

static void test_loop_new__failures__no_loop(void **state UNUSED)
{
    struct loop *l = NULL;

    assert_true(fail_alloc_at(1));
    assert_int_equal(loop_new(&l), ERR_NOMEM);
    assert_true(fail_alloc_off());
    fail_init = UV_EMFILE;
    assert_int_equal(loop_new(&l), ERR_SYS);
    fail_init = UV_ENOMEM;
    assert_int_equal(loop_new(&l), ERR_NOMEM);
    fail_init = 0;
    fail_async = UV_EMFILE;
    assert_int_equal(loop_new(&l), ERR_SYS);
    fail_async = 0;
    assert_null(l);
    loop_free(NULL);
}

static void test_loop_turn__nothing_to_do__waits_for_its_timeout_only(void **state UNUSED)
{
    struct loop *l;

    assert_int_equal(loop_new(&l), 0);
    int64_t before = clock_mono_ms();
    assert_int_equal(loop_turn(l, 0), 0);
    assert_true(clock_mono_ms() - before < 1000);
    before = clock_mono_ms();
    assert_int_equal(loop_turn(l, 30), 0);
    assert_true(clock_mono_ms() - before >= 29);
    fail_timer = UV_EINVAL;
    assert_int_equal(loop_turn(l, 30), ERR_SYS);
    fail_timer = 0;
    loop_free(l);
}

static void stop(void *user)
{
    loop_stop(user);
}

static void test_loop_run__until_stopped__waits_without_objects(void **state UNUSED)
{
    struct loop *l;
    struct loop_timer *t;

    assert_int_equal(loop_new(&l), 0);
    assert_non_null(loop_uv(l));
    assert_int_equal(loop_timer_new(l, stop, l, &t), 0);
    loop_timer_start(t, 20, 0);
    int64_t before = clock_mono_ms();
    assert_int_equal(loop_run(l), 0);
    assert_true(clock_mono_ms() - before >= 19);
    loop_timer_free(t);
    loop_stop(l);
    assert_int_equal(loop_run(l), 0);
    loop_free(l);
}

static void test_loop_free__stop_pending__objects_released(void **state UNUSED)
{
    struct loop *l;
    struct loop_timer *t;

    assert_int_equal(loop_new(&l), 0);
    assert_int_equal(loop_timer_new(l, stop, l, &t), 0);
    loop_timer_free(t);
    loop_stop(l);
    loop_free(l); /* the leak checker sees a timer that was not released */
}

static void never(uv_timer_t *timer UNUSED)
{
    fail();
}

static void test_loop_free__forgotten_handle__closed(void **state UNUSED)
{
    struct loop *l;
    static uv_timer_t forgotten;

    assert_int_equal(loop_new(&l), 0);
    assert_int_equal(uv_timer_init(loop_uv(l), &forgotten), 0);
    assert_int_equal(uv_timer_start(&forgotten, never, 1000000, 0), 0);
    loop_free(l);
    assert_true(uv_is_closing((uv_handle_t *)&forgotten));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop_new__failures__no_loop),
        cmocka_unit_test(test_loop_turn__nothing_to_do__waits_for_its_timeout_only),
        cmocka_unit_test(test_loop_run__until_stopped__waits_without_objects),
        cmocka_unit_test(test_loop_free__stop_pending__objects_released),
        cmocka_unit_test(test_loop_free__forgotten_handle__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
