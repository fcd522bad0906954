/* Publishing: the sequence, states, the ring's bounds, wakes. */
#include "base/err.h"
#include "logs/hub_internal.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static void test_topic_publish__not_the_next__corrupt(void **state)
{
    struct topic *t = open_local(*state, 1);
    publish(t, 1, 5);
    static const uint64_t WRONG[] = {1, 5, 7, 100};
    for (size_t i = 0; i < ARRAY_SIZE(WRONG); i++) {
        struct chunk *c = rig_chunk(t->by_key.key, WRONG[i], 3, 0);
        assert_int_equal(topic_publish(t, c), ERR_CORRUPT);
        chunk_unref(c);
    }
    struct chunk *other = rig_chunk(rig_key(2), 6, 3, 0);
    assert_int_equal(topic_publish(t, other), ERR_CORRUPT);
    chunk_unref(other);
    assert_int_equal(topic_last_seq(t), 5);
    assert_int_equal(topic_state(t)->last_seq, 5);
    assert_string_equal(topic_id(t)->hex, rig_row(1).id.hex);
    topic_unref(t);
}

static void test_topic_publish_state__versions__only_newer_ones(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_local(r, 1);
    struct reader reader = {.by_hand = true};
    reader_open(&reader, t, 0);
    spin(r->loop, 2);
    int wakes = reader.wakes;
    struct exec_state s = *topic_state(t);
    topic_publish_state(t, &s);
    spin(r->loop, 2);
    assert_int_equal(reader.wakes, wakes);
    for (int i = 0; i < 10; i++) {
        s.version++;
        s.status = EXEC_RUNNING;
        topic_publish_state(t, &s);
    }
    spin(r->loop, 2);
    assert_int_equal(reader.wakes, wakes + 1);
    const struct exec_state *states = NULL;
    assert_int_equal(topic_states(t, &states), HUB_STATES_MAX);
    assert_int_equal(states[0].version, 4);
    assert_int_equal(states[HUB_STATES_MAX - 1].version, 11);
    assert_int_equal(reader_read(&reader, 0), ERR_AGAIN);
    s.version++;
    s.status = EXEC_FAILED;
    topic_publish_state(t, &s);
    assert_int_equal(reader_read(&reader, 0), ERR_END);
    reader_close(&reader);
    topic_unref(t);
}

static void test_ring__bounds__oldest_go_newest_stays(void **state)
{
    struct fake_rig *r = *state;
    struct hub_opts ho = HUB_DEFAULTS;
    ho.ring_bytes = 20000;
    ho.ring_total_bytes = 50000;
    fake_rig_hub(r, &ho);
    struct topic *t[5];
    struct hub_stats hs;
    for (uint32_t i = 0; i < 5; i++)
        t[i] = open_local(r, i + 1);
    for (uint64_t n = 0; n < 20; n++)
        for (size_t i = 0; i < 5; i++) {
            publish(t[i], n * 10 + 1, 10);
            assert_true(t[i]->ring_bytes <= ho.ring_bytes);
            hub_stats(r->hub, &hs);
            assert_true(hs.ring_bytes <= ho.ring_total_bytes);
        }
    assert_true(t[4]->ring.count > 0);
    for (size_t i = 0; i < 5; i++)
        topic_unref(t[i]);
    hub_stats(r->hub, &hs);
    assert_int_equal(hs.ring_bytes, 0);
    assert_int_equal(hs.topics, 0);
    assert_int_equal(hs.published_chunks, 100);
    assert_int_equal(hs.published_lines, 1000);
}

static void test_ring__total_bound__least_recently_read_shrinks_first(void **state)
{
    struct fake_rig *r = *state;
    struct hub_opts ho = HUB_DEFAULTS;
    ho.ring_total_bytes = 40000;
    fake_rig_hub(r, &ho);
    struct topic *read = open_local(r, 1), *unread = open_local(r, 2);
    struct reader reader = {.check_text = true};
    publish(read, 1, 50);
    publish(unread, 1, 50);
    reader_open(&reader, read, 0);
    reader_await(r->loop, &reader, 50);
    for (uint64_t n = 1; n < 7; n++) {
        publish(read, n * 50 + 1, 50);
        reader_await(r->loop, &reader, n * 50 + 50);
    }
    assert_int_equal(unread->ring.count, 0);
    assert_true(read->ring.count > 1);
    reader_close(&reader);
    topic_unref(read);
    topic_unref(unread);
}

static void free_hub(void *user)
{
    struct fake_rig *r = user;
    writer_free(TAKE_PTR(r->writer));
    hub_free(TAKE_PTR(r->hub));
}

static void test_hub_free__inside_a_wake__safe(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_local(r, 1);
    struct reader reader = {.by_hand = true};
    struct cursor *c = NULL;
    assert_int_equal(cursor_open(t, 0, free_hub, r, &c), 0);
    reader_open(&reader, t, 0);
    spin(r->loop, 3);
    assert_null(r->hub);
    assert_int_equal(reader.wakes, 0);
    struct exec_state s = *topic_state(t);
    s.version++;
    topic_publish_state(t, &s);
    publish(t, 1, 5);
    struct cursor *late = NULL;
    assert_int_equal(cursor_open(t, 0, free_hub, r, &late), ERR_CLOSED);
    cursor_close(c);
    reader_close(&reader);
    topic_unref(t);
}

static void test_topic_publish_state__unreachable_and_back__told_in_place(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_local(r, 1);
    const struct exec_state *states = NULL;
    struct exec_state s = *topic_state(t), before = s;
    size_t n = topic_states(t, &states);
    (void)snprintf(s.reason, sizeof s.reason, EXEC_REASON_UNREACHABLE);
    topic_publish_state(t, &s);
    assert_true(exec_state_is_unreachable(topic_state(t)));
    assert_int_equal(topic_states(t, &states), n);
    assert_true(exec_state_is_unreachable(&states[n - 1]));
    assert_true(exec_state_is_news(&states[n - 1], s.version, false));
    assert_false(exec_state_is_news(&states[n - 1], s.version, true));
    assert_false(exec_state_is_news(&states[n - 1], s.version + 1, false));
    topic_set_local(t, true); /* taken over here */
    assert_false(exec_state_is_unreachable(topic_state(t)));
    topic_publish_state(t, &s);
    topic_publish_state(t, &before);
    assert_false(exec_state_is_unreachable(topic_state(t)));
    assert_int_equal(topic_states(t, &states), n);
    topic_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_topic_publish__not_the_next__corrupt),
        T(test_topic_publish_state__versions__only_newer_ones),
        T(test_topic_publish_state__unreachable_and_back__told_in_place),
        T(test_ring__bounds__oldest_go_newest_stays),
        T(test_ring__total_bound__least_recently_read_shrinks_first),
        T(test_hub_free__inside_a_wake__safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
