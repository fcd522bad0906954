/* Topics that another gateway feeds. */
#include "base/err.h"
#include "logs/hub_internal.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What another gateway committed meanwhile. */
static void remote_commit(struct fake_rig *r, uint32_t n, uint32_t lines)
{
    struct execution *row = fake_row(r->pool, rig_key(n));
    fake_add_chunk(r->pool, row->key, row->state.last_seq + 1, lines, lines < 50);
    row->state.last_seq += lines;
}

static void remote_state(struct fake_rig *r, uint32_t n, enum exec_status status)
{
    struct execution *row = fake_row(r->pool, rig_key(n));
    row->state.status = status;
    row->state.version++;
}

static struct topic *open_remote(struct fake_rig *r, uint32_t n)
{
    struct execution row = rig_row(n);
    (void)fake_add_row(r->pool, &row);
    struct topic *t = NULL;
    assert_int_equal(hub_topic_open(r->hub, &row, &t), 0);
    return t;
}

static void test_follow__pokes__lines_and_states_as_they_come(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_remote(r, 1);
    struct reader reader = {.check_text = true}, other = {.check_text = true};
    reader_open(&reader, t, 0);
    reader_open(&other, t, 0);
    remote_state(r, 1, EXEC_RUNNING);
    for (uint32_t i = 1; i <= 20; i++) {
        remote_commit(r, 1, i * 5);
        hub_poke(r->hub, rig_key(1));
        reader_await(r->loop, &reader, fake_row(r->pool, rig_key(1))->state.last_seq);
    }
    hub_poke(r->hub, rig_key(99));
    remote_commit(r, 1, 3);
    remote_state(r, 1, EXEC_SUCCEEDED);
    hub_poke(r->hub, rig_key(1));
    await_flag(r->loop, &reader.ended);
    await_flag(r->loop, &other.ended);
    assert_int_equal(reader.next, 1054);
    assert_int_equal(topic_state(t)->status, EXEC_SUCCEEDED);
    /* Read once for both. */
    assert_true(r->pool->calls[FAKE_FETCH] <= 25);
    reader_close(&reader);
    reader_close(&other);
    topic_unref(t);
}

static void test_follow__no_poke__looked_at_every_second(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_remote(r, 1);
    struct reader reader = {.check_text = true};
    reader_open(&reader, t, 0);
    spin(r->loop, 5);
    remote_commit(r, 1, 100);
    remote_commit(r, 1, 100);
    reader_await(r->loop, &reader, 200);
    reader_close(&reader);
    topic_unref(t);
}

static void test_follow__far_behind__pages_until_the_end(void **state)
{
    struct fake_rig *r = *state;
    struct hub_opts ho = HUB_DEFAULTS;
    ho.page_chunks = 2;
    fake_rig_hub(r, &ho);
    struct topic *t = open_remote(r, 1);
    struct reader reader = {.check_text = true};
    reader_open(&reader, t, 0);
    spin(r->loop, 5);
    for (int i = 0; i < 15; i++)
        remote_commit(r, 1, 20);
    remote_state(r, 1, EXEC_RUNNING);
    remote_state(r, 1, EXEC_FAILED);
    hub_poke(r->hub, rig_key(1));
    await_flag(r->loop, &reader.ended);
    assert_int_equal(reader.next, 301);
    reader_close(&reader);
    topic_unref(t);
}

static void test_follow__store_fails__lines_come_later(void **state)
{
    static const enum fake_call CALLS[] = {FAKE_ROW, FAKE_FETCH};
    for (size_t i = 0; i < ARRAY_SIZE(CALLS); i++)
        for (int refused = 0; refused < 2; refused++) {
            struct fake_rig *r = *state;
            r->pool->n_rows = 0;
            struct topic *t = open_remote(r, (uint32_t)(i * 2 + (unsigned)refused + 1));
            struct reader reader = {.check_text = true};
            reader_open(&reader, t, 0);
            spin(r->loop, 5);
            remote_commit(r, (uint32_t)(i * 2 + (unsigned)refused + 1), 100);
            if (refused)
                r->pool->refuse[CALLS[i]] = 1;
            r->pool->script[CALLS[i]].times = 1;
            r->pool->script[CALLS[i]].err = ERR_DB_AWAY;
            hub_poke(r->hub, t->by_key.key);
            reader_await(r->loop, &reader, 100);
            reader_close(&reader);
            topic_unref(t);
        }
}

static void test_follow__lines_removed_meanwhile__gap(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_remote(r, 1);
    struct reader reader = {.check_text = true};
    reader_open(&reader, t, 0);
    spin(r->loop, 5);
    remote_commit(r, 1, 100);
    remote_commit(r, 1, 100);
    fake_remove_chunks(r->pool, rig_key(1), 100);
    remote_state(r, 1, EXEC_RUNNING);
    remote_state(r, 1, EXEC_FAILED);
    hub_poke(r->hub, rig_key(1));
    await_flag(r->loop, &reader.ended);
    assert_int_equal(reader.gap_from, 1);
    assert_int_equal(reader.gap_to, 100);
    assert_int_equal(reader.next, 201);
    reader_close(&reader);
    topic_unref(t);
}

static void test_follow__nobody_reads__row_alone_is_enough(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_remote(r, 1);
    remote_commit(r, 1, 100);
    remote_state(r, 1, EXEC_RUNNING);
    remote_state(r, 1, EXEC_FAILED);
    hub_poke(r->hub, rig_key(1));
    spin(r->loop, 5);
    assert_int_equal(topic_state(t)->status, EXEC_FAILED);
    assert_int_equal(topic_last_seq(t), 100);
    assert_int_equal(r->pool->calls[FAKE_FETCH], 0);
    topic_unref(t);
}

static void test_hub_topic_open__newer_row__topic_learns_from_it(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_remote(r, 1), *again = NULL;
    struct reader reader = {.check_text = true};
    reader_open(&reader, t, 0);
    remote_commit(r, 1, 100);
    remote_state(r, 1, EXEC_RUNNING);
    assert_int_equal(hub_topic_open(r->hub, fake_row(r->pool, rig_key(1)), &again), 0);
    assert_ptr_equal(again, t);
    assert_int_equal(topic_last_seq(t), 100);
    assert_int_equal(topic_state(t)->status, EXEC_RUNNING);
    struct execution old = rig_row(1);
    topic_unref(again);
    assert_int_equal(hub_topic_open(r->hub, &old, &again), 0);
    assert_int_equal(topic_last_seq(t), 100);
    reader_await(r->loop, &reader, 100);
    reader_close(&reader);
    topic_unref(again);
    topic_unref(t);
}

static void test_topic_unref__row_being_read__answer_is_safe(void **state)
{
    struct fake_rig *r = *state;
    struct topic *t = open_remote(r, 1);
    r->pool->paused = true;
    hub_poke(r->hub, rig_key(1));
    hub_poke(r->hub, rig_key(1));
    assert_int_equal(fake_pending_count(r->pool), 1);
    topic_unref(t);
    while (fake_answer(r->pool)) {
    }
    struct hub_stats hs;
    hub_stats(r->hub, &hs);
    assert_int_equal(hs.topics, 0);
}

static void test_feed_freed__execution_lives_elsewhere__followed(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    fed_lines(&f, 10);
    feed_free(TAKE_PTR(f.owner.feed));
    remote_commit(r, 1, 30);
    hub_poke(r->hub, f.key);
    reader_await(r->loop, &f.reader, 40);
    fed_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_follow__pokes__lines_and_states_as_they_come),
        T(test_follow__no_poke__looked_at_every_second),
        T(test_follow__far_behind__pages_until_the_end),
        T(test_follow__store_fails__lines_come_later),
        T(test_follow__lines_removed_meanwhile__gap),
        T(test_follow__nobody_reads__row_alone_is_enough),
        T(test_hub_topic_open__newer_row__topic_learns_from_it),
        T(test_topic_unref__row_being_read__answer_is_safe),
        T(test_feed_freed__execution_lives_elsewhere__followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
