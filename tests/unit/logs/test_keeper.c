/* Merging, vacuum, partitions, retention, leftovers. */
#include "base/clock.h"
#include "base/err.h"
#include "tests/unit/logs/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_keeper_note__ended__everything_merged_then_vacuumed(void **state)
{
    struct kept *k = *state;
    uint64_t next = 1;
    kept_start(k, 0);
    kept_add_small(k, &next, 300, 7);
    keeper_note(k->keeper, rig_key(1), 300, true);
    assert_false(keeper_is_idle(k->keeper));
    await_fn(k->loop, kept_is_idle, k);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), true), 0);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), false), 1);
    fake_assert_stored_once(k->pool, rig_key(1), 2100);
    for (int i = 0; i < 100 && k->pool->calls[FAKE_VACUUM] == 0; i++)
        assert_int_equal(loop_turn(k->loop, 50), 0);
    assert_int_equal(k->pool->calls[FAKE_VACUUM], 1);
}

struct tail_row {
    int64_t rows, indexes; /* bytes after a vacuum */
    enum fake_call fails;  /* FAKE_CALLS: none */
    int vacuums, reindexes;
};

/* Merges one execution's small chunks, then waits until nothing is asked of log_tail any more. */
static void shrink(struct kept *k, const struct tail_row *row)
{
    uint64_t next = 1;
    kept_start(k, 0);
    k->pool->tail_bytes[0] = row->rows;
    k->pool->tail_bytes[1] = row->indexes;
    if (row->fails < FAKE_CALLS) {
        k->pool->script[row->fails].times = 100;
        k->pool->script[row->fails].err = ERR_DB;
    }
    kept_add_small(k, &next, 20, 3);
    keeper_note(k->keeper, rig_key(1), 20, true);
    int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
    while (k->pool->calls[FAKE_VACUUM] < row->vacuums && clock_mono_ms() < until)
        assert_int_equal(loop_turn(k->loop, 50), 0);
    until = clock_mono_ms() + 5 * KEPT_VACUUM_MS; /* long enough for one more */
    while (clock_mono_ms() < until)
        assert_int_equal(loop_turn(k->loop, 5), 0);
}

static void test_keeper__after_a_vacuum__log_tail_shrinks_or_is_tried_again(void **state UNUSED)
{
    static const struct tail_row ROWS[] = {
        {0, 1 << 14, FAKE_CALLS, 1, 0},             /* nothing to give back */
        {0, 1 << 20, FAKE_CALLS, 1, 1},             /* the indexes */
        {1 << 20, (2 << 20) + 1, FAKE_CALLS, 1, 0}, /* as large as rows make them */
        {2 << 20, 9 << 20, FAKE_CALLS, 6, 0},       /* a reader is in the way: tried so often */
        {0, 1 << 20, FAKE_REINDEX, 6, 6},
        {0, 1 << 20, FAKE_SIZE, 6, 0},
        {0, 1 << 20, FAKE_VACUUM, 6, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        void *own = NULL;
        assert_int_equal(kept_setup(&own), 0);
        struct kept *k = own;
        shrink(k, &ROWS[i]);
        assert_int_equal(k->pool->calls[FAKE_VACUUM], ROWS[i].vacuums);
        assert_int_equal(k->pool->calls[FAKE_REINDEX], ROWS[i].reindexes);
        assert_int_equal(kept_teardown(&own), 0);
    }
}

static void test_keeper_note__while_it_lives__full_chunks_only(void **state)
{
    struct kept *k = *state;
    uint64_t next = 1;
    kept_start(k, 0);
    kept_add_small(k, &next, 40, 500);
    keeper_note(k->keeper, rig_key(1), 10, false);
    spin(k->loop, 10);
    assert_int_equal(k->pool->calls[FAKE_TAIL], 0);
    keeper_note(k->keeper, rig_key(1), CHUNK_BYTES_MAX, false);
    await_fn(k->loop, kept_is_idle, k);
    size_t full = fake_count_chunks(k->pool, rig_key(1), false);
    assert_true(full >= 2);
    assert_true(fake_count_chunks(k->pool, rig_key(1), true) > 0);
    for (size_t i = 0; i < k->pool->n_chunks; i++)
        if (!k->pool->chunks[i].small)
            assert_true(k->pool->chunks[i].raw_bytes > CHUNK_BYTES_MAX * 3 / 4);
    kept_add_small(k, &next, 1, 3);
    keeper_note(k->keeper, rig_key(1), 1, true);
    await_fn(k->loop, kept_is_idle, k);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), true), 0);
    fake_assert_stored_once(k->pool, rig_key(1), 20003);
}

static void test_keeper__away__nothing_is_asked_until_ready(void **state)
{
    struct kept *k = *state;
    uint64_t next = 1;
    k->pool->away = true;
    kept_add_small(k, &next, 4, 4);
    kept_start(k, 1000);
    keeper_note(k->keeper, rig_key(1), 1, true);
    spin(k->loop, 10);
    for (size_t i = 0; i < FAKE_CALLS; i++)
        assert_int_equal(k->pool->calls[i], 0);
    k->pool->away = false;
    await_fn(k->loop, kept_is_idle, k);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), true), 0);
}

static void test_keeper__start__partitions_retention_leftovers(void **state)
{
    struct kept *k = *state;
    uint64_t next = 1;
    kept_wall_us = (RIG_DAY * 86400LL + 100) * 1000000;
    struct execution row = rig_row(1);
    row.state.status = EXEC_FAILED;
    (void)fake_add_row(k->pool, &row);
    kept_add_small(k, &next, 4, 4);
    kept_start(k, 7 * 86400LL * 1000);
    assert_int_equal(k->pool->ensured_day, RIG_DAY);
    assert_int_equal(k->pool->ensured_days, 3);
    assert_int_equal(k->pool->dropped_before, RIG_DAY - 7);
    await_fn(k->loop, kept_is_idle, k);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), true), 0);
}

static void test_keeper__no_retention__nothing_dropped(void **state)
{
    struct kept *k = *state;
    kept_start(k, 0);
    assert_int_equal(k->pool->calls[FAKE_ENSURE], 1);
    assert_int_equal(k->pool->calls[FAKE_DROP], 0);
    assert_int_equal(k->pool->calls[FAKE_LEFTOVERS], 1);
}

static bool leftovers_asked(void *user)
{
    return ((struct kept *)user)->pool->calls[FAKE_LEFTOVERS] > 0;
}

static void test_keeper__round_fails__again_soon(void **state)
{
    static const enum fake_call CALLS[] = {FAKE_ENSURE, FAKE_DROP};
    struct kept *k = *state;
    for (size_t i = 0; i < ARRAY_SIZE(CALLS); i++) {
        k->pool->script[CALLS[i]].times = 1;
        k->pool->script[CALLS[i]].err = ERR_DB_AWAY;
        k->pool->calls[FAKE_LEFTOVERS] = 0;
        kept_start(k, 1000);
        assert_int_equal(k->pool->calls[FAKE_LEFTOVERS], 0);
        await_fn(k->loop, leftovers_asked, k);
        keeper_free(TAKE_PTR(k->keeper));
    }
}

static void test_keeper__calls_refused__again_soon(void **state)
{
    static const enum fake_call CALLS[] = {FAKE_ENSURE, FAKE_DROP, FAKE_LEFTOVERS};
    struct kept *k = *state;
    for (size_t i = 0; i < ARRAY_SIZE(CALLS); i++)
        k->pool->refuse[CALLS[i]] = 1;
    k->pool->script[FAKE_LEFTOVERS].times = 1;
    k->pool->script[FAKE_LEFTOVERS].err = ERR_DB;
    kept_start(k, 1000);
    int64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
    while (k->pool->calls[FAKE_LEFTOVERS] < 3 && clock_mono_ms() < until)
        assert_int_equal(loop_turn(k->loop, 50), 0);
    assert_int_equal(k->pool->calls[FAKE_LEFTOVERS], 3);
}

static void test_keeper_free__everything_in_flight__answers_find_nobody(void **state)
{
    struct kept *k = *state;
    uint64_t next = 1;
    kept_add_small(k, &next, 4, 4);
    k->pool->paused = true;
    for (int answers = 0; answers < 3; answers++) {
        kept_start(k, 1000);
        keeper_note(k->keeper, rig_key(1), 1, true);
        spin(k->loop, 5);
        for (int i = 0; i < answers; i++) {
            (void)fake_answer(k->pool);
            spin(k->loop, 2);
        }
        keeper_free(TAKE_PTR(k->keeper));
        while (fake_answer(k->pool)) {
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, kept_setup, kept_teardown)
        T(test_keeper_note__ended__everything_merged_then_vacuumed),
        cmocka_unit_test(test_keeper__after_a_vacuum__log_tail_shrinks_or_is_tried_again),
        T(test_keeper_note__while_it_lives__full_chunks_only),
        T(test_keeper__away__nothing_is_asked_until_ready),
        T(test_keeper__start__partitions_retention_leftovers),
        T(test_keeper__no_retention__nothing_dropped),
        T(test_keeper__round_fails__again_soon),
        T(test_keeper__calls_refused__again_soon),
        T(test_keeper_free__everything_in_flight__answers_find_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
