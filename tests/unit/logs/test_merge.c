/* Small chunks into full ones. */
#include "base/err.h"
#include "tests/unit/logs/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_merge__more_rows_than_one_read__all_of_them(void **state)
{
    struct kept *k = *state;
    uint64_t next = 1;
    kept_start(k, 0);
    kept_add_small(k, &next, 3000, 1);
    keeper_note(k->keeper, rig_key(1), CHUNK_BYTES_MAX, false);
    await_fn(k->loop, kept_is_idle, k);
    assert_true(fake_count_chunks(k->pool, rig_key(1), true) < 1024);
    keeper_note(k->keeper, rig_key(1), 0, true);
    await_fn(k->loop, kept_is_idle, k);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), true), 0);
    assert_true(fake_count_chunks(k->pool, rig_key(1), false) <= 4);
    fake_assert_stored_once(k->pool, rig_key(1), 3000);
}

static void test_merge__full_chunks_between__runs_end_there(void **state)
{
    struct kept *k = *state;
    uint64_t next = 1;
    kept_start(k, 0);
    for (int i = 0; i < 5; i++) {
        kept_add_small(k, &next, 3, 4);
        fake_add_chunk(k->pool, rig_key(1), next, 100, false);
        next += 100;
    }
    keeper_note(k->keeper, rig_key(1), 1, true);
    await_fn(k->loop, kept_is_idle, k);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), true), 0);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), false), 10);
    fake_assert_stored_once(k->pool, rig_key(1), 560);
}

static void test_merge__store_fails__tried_again_later(void **state)
{
    static const enum fake_call CALLS[] = {FAKE_TAIL, FAKE_MERGE};
    static const int ERRORS[] = {ERR_DB_AWAY, ERR_STALE, ERR_DB};
    struct kept *k = *state;
    uint64_t next = 1;
    kept_start(k, 0);
    for (size_t c = 0; c < ARRAY_SIZE(CALLS); c++) {
        kept_add_small(k, &next, 4, 4);
        k->pool->script[CALLS[c]].times = 1;
        k->pool->script[CALLS[c]].err = ERRORS[c];
        k->pool->refuse[CALLS[1 - c]] = 1;
        keeper_note(k->keeper, rig_key(1), 1, true);
        await_fn(k->loop, kept_is_idle, k);
        assert_int_equal(fake_count_chunks(k->pool, rig_key(1), true), 0);
    }
    fake_assert_stored_once(k->pool, rig_key(1), 32);
}

static void test_merge__unreadable_chunk__left_as_it_is(void **state)
{
    struct kept *k = *state;
    uint64_t next = 1;
    kept_start(k, 0);
    kept_add_small(k, &next, 4, 4);
    ((char *)k->pool->chunks[2].data)[0] = 9;
    keeper_note(k->keeper, rig_key(1), 1, true);
    await_fn(k->loop, kept_is_idle, k);
    assert_int_equal(fake_count_chunks(k->pool, rig_key(1), true), 4);
    assert_int_equal(k->pool->calls[FAKE_MERGE], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, kept_setup, kept_teardown)
        T(test_merge__more_rows_than_one_read__all_of_them),
        T(test_merge__full_chunks_between__runs_end_there),
        T(test_merge__store_fails__tried_again_later),
        T(test_merge__unreadable_chunk__left_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
