/* What is queued and committed: which chunks need merging, offsets. */
#include "base/err.h"
#include "logs/writer_internal.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct last_row {
    uint64_t before, last; /* lines committed before, and in the end's group */
    size_t pad;
    size_t small, full; /* chunks stored */
};

static void test_items__last_chunk__small_only_if_it_is_to_be_merged(void **state)
{
    static const struct last_row ROWS[] = {
        {0, 5, 0, 0, 1},     /* alone: no merging */
        {5, 5, 0, 2, 0},     /* others wait to be merged: merged with them */
        {0, 0, 0, 0, 0},     /* nothing at all */
        {0, 900, 100, 0, 2}, /* a full one and the rest */
    };
    struct fake_rig *r = *state;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct fed f;
        fed_open(&f, r, (uint32_t)i + 1);
        run_dir_begin(&f.dir);
        if (ROWS[i].before > 0)
            fed_lines(&f, ROWS[i].before);
        run_dir_lines(&f.dir, ROWS[i].last, ROWS[i].pad);
        fed_finish(&f);
        assert_int_equal(fake_count_chunks(r->pool, f.key, true), ROWS[i].small);
        assert_int_equal(fake_count_chunks(r->pool, f.key, false), ROWS[i].full);
        fed_close(&f);
    }
}

static void test_items_add_offset__something_says_it_already__one_statement(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    r->pool->paused = true;
    fed_open(&f, r, 1);
    spin(r->loop, 3);
    struct feed *feed = f.owner.feed;
    items_add_offset(feed, 100);
    items_add_offset(feed, 200);
    assert_int_equal(feed->n_items, 1);
    assert_int_equal(feed_system_line(feed, "x"), 0);
    assert_int_equal(items_cut(feed), 0);
    assert_int_equal(feed->n_items, 1);
    items_add_offset(feed, 300);
    struct exec_state s = *feed_state(feed);
    s.status = EXEC_RUNNING;
    assert_int_equal(feed_transition(feed, &s, "test", "request-1"), 0);
    assert_int_equal(feed->n_items, 3);
    items_drop(feed, 1);
    assert_int_equal(feed->n_items, 1);
    r->pool->paused = false;
    fed_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_items__last_chunk__small_only_if_it_is_to_be_merged),
        T(test_items_add_offset__something_says_it_already__one_statement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
