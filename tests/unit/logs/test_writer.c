/* The writer's turn: fairness, latency, memory failures on the whole path. */
#include "base/clock.h"
#include "base/err.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static _Thread_local int fail_every = 0; /* each so manyth allocation of this thread fails */
static _Thread_local unsigned allocations = 0;

static bool fails(void)
{
    return fail_every > 0 && ++allocations % (unsigned)fail_every == 0;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static void test_writer__one_feed_at_full_speed__another_is_not_delayed(void **state)
{
    struct fake_rig *r = *state;
    struct fed fast, slow;
    fed_open(&fast, r, 1);
    fed_open(&slow, r, 2);
    run_dir_begin(&fast.dir);
    run_dir_begin(&slow.dir);
    spin(r->loop, 10);
    run_dir_lines(&fast.dir, 200000, 60);
    feed_wake(fast.owner.feed);
    spin(r->loop, 2);
    for (int i = 0; i < 4; i++) {
        uint64_t behind = fast.reader.next;
        run_dir_lines(&slow.dir, 1, 0);
        feed_wake(slow.owner.feed);
        reader_await(r->loop, &slow.reader, slow.dir.lines);
        /* A few groups at most went before it. */
        assert_true(fast.reader.next - behind < 60000);
    }
    assert_true(fast.reader.next < 200000);
    reader_await(r->loop, &fast.reader, 200000);
    fed_finish(&fast);
    fed_finish(&slow);
    fed_close(&fast);
    fed_close(&slow);
}

static void test_writer__idle_stream__a_line_is_sent_at_once(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    spin(r->loop, 10);
    int before = r->pool->calls[FAKE_GROUP];
    for (int i = 0; i < 20; i++) {
        run_dir_lines(&f.dir, 1, 0);
        feed_wake(f.owner.feed);
        spin(r->loop, 4); /* read and sent, answered and published, woken */
        assert_int_equal(f.reader.next, f.dir.lines + 1);
    }
    assert_int_equal(r->pool->calls[FAKE_GROUP], before + 20);
    fed_finish(&f);
    fed_close(&f);
}

static void test_writer__memory_is_short__nothing_lost(void **state)
{
    struct fake_rig *r = *state;
    static const int EVERY[] = {2, 3, 5, 7, 11};
    for (size_t i = 0; i < ARRAY_SIZE(EVERY); i++) {
        struct fed f;
        fed_open(&f, r, (uint32_t)i + 1);
        run_dir_begin(&f.dir);
        spin(r->loop, 10);
        run_dir_lines(&f.dir, 3000, 20);
        for (int n = 0; n < 100; n++) {
            feed_wake(f.owner.feed);
            fail_every = n < 20 ? EVERY[i] : 0;
            int rc = loop_turn(r->loop, 0);
            fail_every = 0;
            assert_int_equal(rc, 0);
        }
        reader_await(r->loop, &f.reader, 3000);
        fed_finish(&f);
        fed_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_writer__one_feed_at_full_speed__another_is_not_delayed),
        T(test_writer__idle_stream__a_line_is_sent_at_once),
        T(test_writer__memory_is_short__nothing_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
