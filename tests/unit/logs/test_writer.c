/* The writer's turn: fairness, latency, memory failures on the whole path. */
#include "base/clock.h"
#include "base/err.h"
#include "logs/writer_internal.h"
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

static int64_t clock_ahead_us = 0;
int64_t __real_clock_mono_us(void);
int64_t __wrap_clock_mono_us(void);
int64_t __wrap_clock_mono_us(void)
{
    return __real_clock_mono_us() + clock_ahead_us;
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

/* The gap is longer than any test: what is sent was not waiting for its end. */
static void open_with_gap(struct fed *f, struct fake_rig *r)
{
    struct writer_opts opts = fake_rig_writer_opts();
    opts.commit_gap_ms = 3600000;
    fake_rig_writer(r, &opts);
    fed_open(f, r, 1);
    run_dir_begin(&f->dir);
    spin(r->loop, 10);
    run_dir_lines(&f->dir, 1, 0);
    feed_wake(f->owner.feed);
    reader_await(r->loop, &f->reader, 1);
}

static void write_lines(struct fed *f, uint64_t n, int turns)
{
    run_dir_lines(&f->dir, n, 60);
    feed_wake(f->owner.feed);
    spin(f->rig->loop, turns);
}

static void test_writer__lines_close_behind_a_group__wait_for_company(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    open_with_gap(&f, r);
    int before = r->pool->calls[FAKE_GROUP];
    for (int i = 0; i < 5; i++)
        write_lines(&f, 1, 4);
    assert_int_equal(r->pool->calls[FAKE_GROUP], before);
    assert_true(loop_timer_is_active(r->writer->gap_timer));
    clock_ahead_us += 3601 * INT64_C(1000000);
    write_lines(&f, 1, 4);
    assert_int_equal(r->pool->calls[FAKE_GROUP], before + 1);
    assert_int_equal(f.reader.next, 8);
    fed_finish(&f); /* a state does not wait */
    fed_close(&f);
}

static void test_writer__gap_over__lines_go_by_themselves(void **state)
{
    struct fake_rig *r = *state;
    struct writer_opts opts = fake_rig_writer_opts();
    opts.commit_gap_ms = 20;
    fake_rig_writer(r, &opts);
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    fed_lines(&f, 1);
    fed_lines(&f, 2);
    assert_int_equal(f.reader.next, 4);
    fed_finish(&f);
    fed_close(&f);
}

static void test_writer__enough_for_a_full_chunk__does_not_wait(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    open_with_gap(&f, r);
    write_lines(&f, 1000, 1);
    reader_await(r->loop, &f.reader, 1001);
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
        T(test_writer__lines_close_behind_a_group__wait_for_company),
        T(test_writer__gap_over__lines_go_by_themselves),
        T(test_writer__enough_for_a_full_chunk__does_not_wait),
        T(test_writer__memory_is_short__nothing_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
