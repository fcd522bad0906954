/* Reading the spool: damage, torn records, backpressure, what hostile control records do. */
#include "base/err.h"
#include "spool/rundir.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_feed_read__damaged_record__intact_prefix_then_corrupt(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    run_dir_lines(&f.dir, 50, 0);
    uint64_t end = spool_writer_end(f.dir.writer);
    const uint8_t zeros[64] = {0};
    assert_int_equal(write(f.dir.fd, zeros, sizeof zeros), sizeof zeros);
    await_flag(r->loop, &f.owner.broken);
    assert_int_equal(f.owner.why, FEED_CORRUPT);
    assert_non_null(strstr(f.owner.details, "damaged record at offset"));
    reader_await(r->loop, &f.reader, 50);
    assert_int_equal(feed_system_line(f.owner.feed, "spool damaged"), 0);
    struct exec_state s = *feed_state(f.owner.feed);
    s.status = EXEC_FAILED;
    assert_int_equal(feed_transition(f.owner.feed, &s, "test", "request-1"), 0);
    f.reader.check_text = false;
    await_flag(r->loop, &f.reader.ended);
    assert_int_equal(f.reader.next, 52);
    assert_true(fake_row(r->pool, f.key)->spool_offset <= end);
    fed_close(&f);
}

static void test_feed_read__torn_record__waits_for_the_rest(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    fed_lines(&f, 3);
    char text[64];
    size_t n = rig_text(text, sizeof text, 4, 0);
    uint8_t header[SPOOL_RECORD_HEADER_LEN];
    spool_record_pack(f.dir.time_us + 1, SPOOL_KIND_STDOUT, 0, text, (uint32_t)n, header);
    assert_int_equal(write(f.dir.fd, header, sizeof header), sizeof header);
    assert_int_equal(write(f.dir.fd, text, 2), 2);
    for (int i = 0; i < 5; i++)
        assert_int_equal(loop_turn(r->loop, 10), 0);
    assert_int_equal(f.reader.next, 4);
    assert_false(f.owner.broken);
    assert_int_equal(write(f.dir.fd, text + 2, n - 2), n - 2);
    reader_await(r->loop, &f.reader, 4);
    fed_close(&f);
}

static void test_feed_read__control_record_of_wrong_size__corrupt(void **state)
{
    static const uint8_t KINDS[] = {SPOOL_KIND_BEGIN, SPOOL_KIND_EXIT};
    struct fake_rig *r = *state;
    for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++) {
        struct fed f;
        fed_open(&f, r, (uint32_t)i + 1);
        run_dir_lines(&f.dir, 3, 0);
        assert_int_equal(
            spool_writer_append(f.dir.writer, f.dir.time_us + 1, KINDS[i], 0, "abc", 3), 0);
        assert_int_equal(spool_writer_flush(f.dir.writer), 0);
        await_flag(r->loop, &f.owner.broken);
        assert_int_equal(f.owner.why, FEED_CORRUPT);
        assert_false(f.owner.begun || f.owner.exited);
        reader_await(r->loop, &f.reader, 3);
        fed_close(&f);
    }
}

static void test_feed_read__store_away__bounded_then_all_lines(void **state)
{
    struct fake_rig *r = *state;
    struct writer_opts wo = fake_rig_writer_opts();
    wo.feed_bytes_max = 200u << 10;
    fake_rig_writer(r, &wo);
    struct fed f;
    fed_open(&f, r, 1);
    r->pool->paused = true;
    run_dir_begin(&f.dir);
    run_dir_lines(&f.dir, 20000, 100);
    for (int i = 0; i < 50; i++) {
        feed_wake(f.owner.feed);
        spin(r->loop, 1);
    }
    struct writer_stats ws;
    writer_stats(r->writer, &ws);
    assert_true(ws.waiting_bytes >= wo.feed_bytes_max);
    assert_true(ws.waiting_bytes < wo.feed_bytes_max + SPOOL_LINE_MAX + 100);
    assert_false(feed_is_drained(f.owner.feed));
    r->pool->paused = false;
    assert_true(fake_answer(r->pool));
    reader_await(r->loop, &f.reader, 20000);
    fed_finish(&f);
    writer_stats(r->writer, &ws);
    assert_int_equal(ws.waiting_bytes, 0);
    assert_int_equal(ws.lines, 20000);
    fed_close(&f);
}

static void test_feed_read__largest_and_empty_lines__kept(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    f.reader.check_text = false;
    char big[SPOOL_LINE_MAX];
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(spool_writer_append(f.dir.writer, f.dir.time_us, SPOOL_KIND_STDOUT,
                                             SPOOL_PART, big, sizeof big),
                         0);
        assert_int_equal(
            spool_writer_append(f.dir.writer, f.dir.time_us, SPOOL_KIND_STDERR, 0, "", 0), 0);
        assert_int_equal(spool_writer_flush(f.dir.writer), 0);
    }
    reader_await(r->loop, &f.reader, 6);
    fed_close(&f);
}

static void test_feed_read__truncated_under_us__io_or_wait_never_lines(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    fed_lines(&f, 5);
    assert_int_equal(ftruncate(f.dir.fd, 64), 0);
    for (int i = 0; i < 10; i++) {
        feed_wake(f.owner.feed);
        assert_int_equal(loop_turn(r->loop, 5), 0);
    }
    assert_int_equal(f.reader.next, 6);
    fed_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_feed_read__damaged_record__intact_prefix_then_corrupt),
        T(test_feed_read__torn_record__waits_for_the_rest),
        T(test_feed_read__control_record_of_wrong_size__corrupt),
        T(test_feed_read__store_away__bounded_then_all_lines),
        T(test_feed_read__largest_and_empty_lines__kept),
        T(test_feed_read__truncated_under_us__io_or_wait_never_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
