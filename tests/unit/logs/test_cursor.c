/* Cursors: positions, wakes, closing at any moment. */
#include "base/err.h"
#include "logs/hub_internal.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct topic *open_local(struct fake_rig *r, uint32_t n)
{
    struct execution row = rig_row(n);
    struct topic *t = NULL;
    assert_int_equal(hub_topic_open(r->hub, &row, &t), 0);
    topic_set_local(t, true);
    return t;
}

static void publish(struct topic *t, uint64_t first_seq, uint32_t n)
{
    struct chunk *c = rig_chunk(t->by_key.key, first_seq, n, 100);
    assert_int_equal(topic_publish(t, c), 0);
    chunk_unref(c);
}

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

struct closer {
    struct reader *victims[3];
    struct cursor *own;
    struct topic *topic;
    int wakes;
};

static void close_all(void *user)
{
    struct closer *c = user;
    c->wakes++;
    for (size_t i = 0; i < ARRAY_SIZE(c->victims); i++)
        reader_close(c->victims[i]);
    cursor_close(TAKE_PTR(c->own));
    topic_unref(TAKE_PTR(c->topic));
}

static void test_cursor__ring_then_store_then_ring__position_follows(void **state)
{
    struct fake_rig *r = *state;
    struct hub_opts ho = HUB_DEFAULTS;
    ho.ring_bytes = 4000;
    fake_rig_hub(r, &ho);
    struct topic *t = open_local(r, 1);
    struct reader reader = {.check_text = true, .by_hand = true};
    reader_open(&reader, t, 0);
    assert_true(cursor_is_caught_up(reader.cursor));
    for (uint64_t n = 0; n < 20; n++) {
        fake_add_chunk(r->pool, rig_key(1), n * 10 + 1, 10, false);
        publish(t, n * 10 + 1, 10);
        if (n == 0)
            assert_int_equal(reader_read(&reader, 1), 0);
    }
    assert_int_equal(cursor_position(reader.cursor), 10);
    assert_false(cursor_is_caught_up(reader.cursor));
    assert_int_equal(r->pool->calls[FAKE_FETCH], 0);
    reader_await(r->loop, &reader, 200);
    assert_true(r->pool->calls[FAKE_FETCH] >= 1);
    publish(t, 201, 3);
    assert_int_equal(reader_read(&reader, 0), ERR_AGAIN);
    assert_int_equal(cursor_position(reader.cursor), 203);
    assert_true(cursor_is_caught_up(reader.cursor));
    reader_close(&reader);
    cursor_close(NULL);
    topic_unref(t);
    topic_unref(NULL);
}

static void test_wake__closes_itself_others_and_the_topic__safe(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_local(r, 1);
    struct reader readers[3] = {{.by_hand = true}, {.by_hand = true}, {.by_hand = true}};
    struct closer c = {.victims = {&readers[0], &readers[1], &readers[2]}, .topic = t};
    reader_open(&readers[0], t, 0);
    assert_int_equal(cursor_open(t, 0, close_all, &c, &c.own), 0);
    reader_open(&readers[1], t, 0);
    reader_open(&readers[2], t, 0);
    publish(t, 1, 5);
    spin(r->loop, 3);
    assert_int_equal(c.wakes, 1);
    assert_int_equal(readers[1].wakes, 0);
    struct hub_stats hs;
    hub_stats(r->hub, &hs);
    assert_int_equal(hs.topics, 0);
    assert_int_equal(hs.cursors, 0);
}

static void test_wake__reader_that_does_not_ask__woken_once(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_local(r, 1);
    struct reader reader = {.by_hand = true};
    reader_open(&reader, t, 0);
    for (uint64_t n = 0; n < 10; n++) {
        publish(t, n * 5 + 1, 5);
        spin(r->loop, 2);
    }
    assert_int_equal(reader.wakes, 1);
    assert_int_equal(reader_read(&reader, 0), ERR_AGAIN);
    assert_int_equal(reader.next, 51);
    publish(t, 51, 1);
    spin(r->loop, 2);
    assert_int_equal(reader.wakes, 2);
    reader_close(&reader);
    topic_unref(t);
}

static void test_cursor_close__while_a_page_is_read__answer_is_safe(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_stored(r, 1, 40);
    r->pool->paused = true;
    struct reader a = {.by_hand = true}, b = {.by_hand = true};
    reader_open(&a, t, 0);
    reader_open(&b, t, 0);
    assert_int_equal(reader_read(&a, 0), ERR_AGAIN);
    assert_int_equal(reader_read(&b, 0), ERR_AGAIN);
    assert_int_equal(fake_pending_count(r->pool), 1);
    reader_close(&a);
    reader_close(&b);
    topic_unref(t);
    assert_true(fake_answer(r->pool));
    struct hub_stats hs;
    hub_stats(r->hub, &hs);
    assert_int_equal(hs.topics, 0);
    assert_int_equal(hs.ring_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_cursor__ring_then_store_then_ring__position_follows),
        T(test_wake__closes_itself_others_and_the_topic__safe),
        T(test_wake__reader_that_does_not_ask__woken_once),
        T(test_cursor_close__while_a_page_is_read__answer_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
