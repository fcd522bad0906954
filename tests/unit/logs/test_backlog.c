/* What waits: readers behind, spools behind; and when what was published got its time. */
#include "base/clock.h"
#include "base/err.h"
#include "logs/hub_internal.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct hub_backlog backlog(const struct fake_rig *r)
{
    struct hub_backlog b = {9, 9, 9};
    hub_backlog(r->hub, &b);
    return b;
}

static void test_hub_backlog__readers_stand_and_read__their_lines(void **state)
{
    struct fake_rig *r = *state;
    struct execution row = rig_row(1);
    struct topic *t = NULL;
    struct reader readers[3] = {{.by_hand = true}, {.by_hand = true}, {.by_hand = true}};
    assert_int_equal(hub_topic_open(r->hub, &row, &t), 0);
    topic_set_local(t, true);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        reader_open(&readers[i], t, 0);
    assert_int_equal(backlog(r).cursors, 0);
    assert_int_equal(backlog(r).lines, 0);
    for (uint64_t n = 0; n < 2; n++) {
        struct chunk *c = rig_chunk(row.key, n * 10 + 1, 10, 0);
        int64_t before = clock_mono_us();
        assert_int_equal(c->published_us, 0);
        assert_int_equal(topic_publish(t, c), 0);
        assert_in_range(c->published_us, before, clock_mono_us());
        chunk_unref(c);
    }
    assert_int_equal(reader_read(&readers[0], 0), ERR_AGAIN); /* all */
    assert_int_equal(reader_read(&readers[1], 1), 0);         /* a chunk */
    struct hub_backlog b = backlog(r);
    assert_int_equal(b.cursors, 2);
    assert_int_equal(b.lines, 30);
    assert_int_equal(b.lines_max, 20);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
        reader_close(&readers[i]);
    assert_int_equal(backlog(r).cursors, 0);
    topic_unref(t);
}

static void test_writer_spool_bytes__before_and_after_the_commit__what_is_uncommitted(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    struct writer_stats ws;
    assert_int_equal(writer_spool_bytes(r->writer), 0);
    assert_ptr_equal(writer_pool(r->writer), r->pool);
    fed_open(&f, r, 1);
    assert_int_equal(writer_spool_bytes(r->writer), 0); /* its header is nobody's line */
    run_dir_begin(&f.dir);
    run_dir_lines(&f.dir, 10, 0);
    uint64_t waiting = writer_spool_bytes(r->writer);
    assert_in_range(waiting, 10 * SPOOL_RECORD_HEADER_LEN, 10 * 60);
    fed_lines(&f, 10);
    assert_int_equal(writer_spool_bytes(r->writer), 0);
    writer_stats(r->writer, &ws);
    assert_true(ws.groups > 0);
    assert_int_equal(metrics_count(&ws.commit_seconds), ws.groups);
    assert_int_equal(ws.dropped_lines, 0);
    fed_finish(&f);
    fed_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_backlog__readers_stand_and_read__their_lines,
                                        fake_rig_setup, fake_rig_teardown),
        cmocka_unit_test_setup_teardown(
            test_writer_spool_bytes__before_and_after_the_commit__what_is_uncommitted,
            fake_rig_setup, fake_rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
