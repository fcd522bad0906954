/* Cursors out of the ring: pages from the store, shared, bounded; gaps only when they are real. */
#include "base/err.h"
#include "logs/hub_internal.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LINES 10u /* of a chunk */

/* An ended execution of n chunks that only the store has. */
static struct topic *open_stored(struct fake_rig *r, uint32_t key, uint32_t chunks)
{
    struct execution row = rig_row(key);
    row.state.status = EXEC_SUCCEEDED;
    row.state.last_seq = (uint64_t)chunks * LINES;
    (void)fake_add_row(r->pool, &row);
    for (uint32_t i = 0; i < chunks; i++)
        fake_add_chunk(r->pool, row.key, i * LINES + 1, LINES, i % 2);
    struct topic *t = NULL;
    assert_int_equal(hub_topic_open(r->hub, &row, &t), 0);
    return t;
}

static void test_replay__stored_log__every_line_then_end(void **state)
{
    static const uint64_t AFTER[] = {0, 1, 9, 10, 11, 555, 999, 1000, 1001, UINT64_MAX};
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 100);
    for (size_t i = 0; i < ARRAY_SIZE(AFTER); i++) {
        struct reader reader = {.check_text = true};
        reader_open(&reader, t, AFTER[i]);
        await_flag(r->loop, &reader.ended);
        assert_int_equal(reader.next, AFTER[i] < 1000 ? 1001 : AFTER[i] + 1);
        assert_true(cursor_is_caught_up(reader.cursor));
        reader_close(&reader);
    }
    topic_unref(t);
}

static void test_replay__many_readers_together__pages_are_shared(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 160);
    struct reader readers[50];
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        readers[i] = (struct reader){.check_text = true};
        reader_open(&readers[i], t, i % 3);
    }
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        await_flag(r->loop, &readers[i].ended);
    /* 160 chunks are 10 pages; they start at three places at most. */
    assert_true(r->pool->calls[FAKE_FETCH] <= 20);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        reader_close(&readers[i]);
    topic_unref(t);
}

static void test_replay__readers_far_apart__all_progress_in_bounded_memory(void **state)
{
    struct fake_rig *r = *state;
    struct hub_opts ho = HUB_DEFAULTS;
    ho.page_chunks = 2;
    ho.ring_total_bytes = 4096; /* hardly a page is kept */
    fake_rig_hub(r, &ho);
    struct topic *t = open_stored(r, 1, 300);
    struct reader readers[40];
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        readers[i] = (struct reader){.check_text = true};
        reader_open(&readers[i], t, i * 70);
    }
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        await_flag(r->loop, &readers[i].ended);
        assert_int_equal(readers[i].next, 3001);
    }
    struct hub_stats hs;
    hub_stats(r->hub, &hs);
    assert_true(hs.ring_bytes <= 4096);
    assert_true(hs.replay_pages > 0);
    assert_int_equal(hs.cursors, 40);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        reader_close(&readers[i]);
    hub_stats(r->hub, &hs);
    assert_int_equal(hs.ring_bytes, 0);
    topic_unref(t);
}

static void test_replay__store_fails__told_then_tried_again(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 40);
    r->pool->script[FAKE_FETCH].times = 2;
    r->pool->script[FAKE_FETCH].err = ERR_DB_AWAY;
    struct reader reader = {.check_text = true}, other = {.check_text = true};
    reader_open(&reader, t, 0);
    reader_open(&other, t, 200);
    await_flag(r->loop, &reader.ended);
    await_flag(r->loop, &other.ended);
    assert_true(reader.errors + other.errors >= 2);
    assert_int_equal(reader.last_error, ERR_DB_AWAY);
    reader_close(&reader);
    reader_close(&other);
    r->pool->refuse[FAKE_FETCH] = 1;
    struct reader third = {.check_text = true};
    reader_open(&third, t, 0);
    await_flag(r->loop, &third.ended);
    assert_int_equal(third.last_error, ERR_LIMIT);
    reader_close(&third);
    topic_unref(t);
}

static void test_replay__chunks_removed__one_gap_after_two_looks(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 40);
    fake_remove_chunks(r->pool, rig_key(1), 120);
    struct reader reader = {.check_text = true}, other = {.check_text = true};
    reader_open(&reader, t, 5);
    reader_open(&other, t, 50);
    await_flag(r->loop, &reader.ended);
    await_flag(r->loop, &other.ended);
    assert_int_equal(reader.gap_from, 6);
    assert_int_equal(reader.gap_to, 120);
    assert_int_equal(other.gap_from, 51);
    assert_int_equal(other.gap_to, 120);
    assert_int_equal(reader.next, 401);
    assert_true(r->pool->calls[FAKE_FETCH] >= 3);
    reader_close(&reader);
    reader_close(&other);
    topic_unref(t);
}

static void test_replay__everything_removed__gap_to_the_end(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 40);
    fake_remove_chunks(r->pool, rig_key(1), 400);
    struct reader reader = {.check_text = true};
    reader_open(&reader, t, 0);
    await_flag(r->loop, &reader.ended);
    assert_int_equal(reader.gap_from, 1);
    assert_int_equal(reader.gap_to, 400);
    assert_int_equal(reader.chunks, 0);
    reader_close(&reader);
    topic_unref(t);
}

static void test_replay__missing_once_only__no_gap(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 4);
    fake_remove_chunks(r->pool, rig_key(1), 20);
    struct reader reader = {.check_text = true};
    r->pool->paused = true;
    reader_open(&reader, t, 0);
    spin(r->loop, 3);
    assert_true(fake_answer(r->pool)); /* the first look finds a hole */
    fake_add_chunk(r->pool, rig_key(1), 1, LINES, false);
    fake_add_chunk(r->pool, rig_key(1), 11, LINES, false);
    r->pool->paused = false;
    await_flag(r->loop, &reader.ended);
    assert_int_equal(reader.gap_from, 0);
    assert_int_equal(reader.next, 41);
    reader_close(&reader);
    topic_unref(t);
}

static void test_replay__merged_between_pages__no_line_twice(void **state)
{
    struct fake_rig *r = *state;
    struct hub_opts ho = HUB_DEFAULTS;
    ho.page_chunks = 3;
    fake_rig_hub(r, &ho);
    struct topic *t = open_stored(r, 1, 6);
    struct reader reader = {.check_text = true, .by_hand = true};
    reader_open(&reader, t, 0);
    reader_await(r->loop, &reader, 30);
    /* Chunks 3 … 6 become one, which begins inside what was read. */
    for (size_t i = r->pool->n_chunks; i-- > 0;)
        fake_remove_chunks(r->pool, rig_key(1), 60);
    fake_add_chunk(r->pool, rig_key(1), 1, 20, false);
    fake_add_chunk(r->pool, rig_key(1), 21, 40, false);
    reader_await(r->loop, &reader, 60);
    reader_close(&reader);
    topic_unref(t);
}

static void test_replay__unreadable_chunk__what_came_before_then_corrupt(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 3);
    ((char *)r->pool->chunks[1].data)[0] = 9;
    struct reader reader = {.check_text = true};
    reader_open(&reader, t, 0);
    reader_await(r->loop, &reader, 10);
    for (int i = 0; i < 100 && reader.errors < 2; i++)
        assert_int_equal(loop_turn(r->loop, 20), 0);
    assert_int_equal(reader.last_error, ERR_CORRUPT);
    assert_int_equal(reader.next, 11);
    ((char *)r->pool->chunks[1].data)[0] = 1;
    r->pool->chunks[1].last_seq++; /* the row says something else than its bytes */
    for (int i = 0; i < 100 && reader.errors < 4; i++)
        assert_int_equal(loop_turn(r->loop, 20), 0);
    assert_int_equal(reader.next, 11);
    reader_close(&reader);
    topic_unref(t);
}

static void test_hub_free__page_being_read__answer_is_safe(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 40);
    r->pool->paused = true;
    struct reader a = {.by_hand = true};
    reader_open(&a, t, 0);
    assert_int_equal(reader_read(&a, 0), ERR_AGAIN);
    writer_free(TAKE_PTR(r->writer));
    hub_free(TAKE_PTR(r->hub));
    assert_int_equal(reader_read(&a, 0), ERR_CLOSED);
    assert_true(fake_answer(r->pool));
    assert_int_equal(reader_read(&a, 0), ERR_CLOSED);
    reader_close(&a);
    topic_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_replay__stored_log__every_line_then_end),
        T(test_replay__many_readers_together__pages_are_shared),
        T(test_replay__readers_far_apart__all_progress_in_bounded_memory),
        T(test_replay__store_fails__told_then_tried_again),
        T(test_replay__chunks_removed__one_gap_after_two_looks),
        T(test_replay__everything_removed__gap_to_the_end),
        T(test_replay__missing_once_only__no_gap),
        T(test_replay__merged_between_pages__no_line_twice),
        T(test_replay__unreadable_chunk__what_came_before_then_corrupt),
        T(test_hub_free__page_being_read__answer_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
