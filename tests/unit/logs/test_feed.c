/* A feed's life: opening, states in their order, ending, freeing at any moment. */
#include "base/err.h"
#include "tests/unit/logs/fake_rig.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_feed__begin_lines_exit__states_and_lines_in_order(void **state)
{
    struct fed f;
    fed_open(&f, *state, 1);
    run_dir_begin(&f.dir);
    fed_lines(&f, 3);
    fed_finish(&f);
    assert_true(f.owner.begun && f.owner.exited);
    assert_int_equal(f.owner.n_states, 2);
    assert_int_equal(f.owner.states[0].status, EXEC_RUNNING);
    assert_int_equal(f.owner.states[0].last_seq, 0);
    assert_int_equal(f.owner.states[0].version, 2);
    assert_int_equal(f.owner.states[1].status, EXEC_SUCCEEDED);
    assert_int_equal(f.owner.states[1].last_seq, 3);
    assert_int_equal(f.owner.states[1].version, 3);
    const struct exec_state *states = NULL;
    assert_int_equal(topic_states(f.topic, &states), 3);
    assert_int_equal(states[0].status, EXEC_STARTING);
    assert_int_equal(states[2].status, EXEC_SUCCEEDED);
    assert_true(feed_is_drained(f.owner.feed));
    fed_close(&f);
}

static void test_feed__everything_waiting__one_group_one_full_chunk(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    r->pool->paused = true;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    run_dir_lines(&f.dir, 3, 0);
    run_dir_exit(&f.dir, 0);
    spin(r->loop, 10);
    r->pool->paused = false;
    spin(r->loop, 1);
    fake_answer(r->pool);
    await_flag(r->loop, &f.owner.ended);
    /* RUNNING, chunk, SUCCEEDED, offset: the offset behind "begin" is in the chunk's. */
    assert_int_equal(r->pool->calls[FAKE_GROUP], 1);
    assert_int_equal(r->pool->in_group, 4);
    assert_int_equal(fake_count_chunks(r->pool, f.key, true), 0);
    assert_int_equal(fake_count_chunks(r->pool, f.key, false), 1);
    fed_close(&f);
}

static void test_feed_open__at_a_later_offset__continues_there(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    fed_lines(&f, 100);
    reader_close(&f.reader);
    topic_unref(f.topic);
    feed_free(f.owner.feed);
    run_dir_lines(&f.dir, 50, 0);
    struct execution row = *fake_row(r->pool, f.key);
    assert_int_equal(row.state.last_seq, 100);
    f.owner = (struct owner){0};
    assert_int_equal(owner_open(&f.owner, r->writer, &f.dir, &row), 0);
    assert_int_equal(hub_topic_open(r->hub, &row, &f.topic), 0);
    f.reader = (struct reader){.check_text = true};
    reader_open(&f.reader, f.topic, 0);
    reader_await(r->loop, &f.reader, 150);
    run_dir_begin(&f.dir);
    fed_finish(&f);
    fed_close(&f);
}

static void test_feed_open__wrong_header__corrupt(void **state)
{
    struct fake_rig *r = *state;
    struct execution row = rig_row(1), other = rig_row(2);
    struct run_dir d;
    run_dir_make(&d, &other.id);
    struct owner o = {0};
    assert_int_equal(owner_open(&o, r->writer, &d, &row), ERR_CORRUPT);
    assert_null(o.feed);
    run_dir_remove(&d);
}

static void test_feed_transition__not_in_the_table__invalid(void **state)
{
    struct fed f;
    fed_open(&f, *state, 1);
    struct exec_state s = *feed_state(f.owner.feed);
    s.status = EXEC_SUCCEEDED;
    assert_int_equal(feed_transition(f.owner.feed, &s, "test", "request-1"), ERR_INVALID);
    assert_int_equal(feed_state(f.owner.feed)->version, 1);
    fed_close(&f);
}

static void test_feed_transition__two_before_a_commit__both_in_order(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    r->pool->paused = true;
    run_dir_begin(&f.dir);
    run_dir_lines(&f.dir, 2, 0);
    spin(r->loop, 10);
    struct exec_state s = *feed_state(f.owner.feed);
    assert_int_equal(s.status, EXEC_RUNNING);
    s.status = EXEC_TERMINATING;
    assert_int_equal(feed_transition(f.owner.feed, &s, "test", "request-1"), 0);
    s.status = EXEC_STOPPED;
    assert_int_equal(feed_transition(f.owner.feed, &s, "test", "request-1"), 0);
    assert_int_equal(feed_state(f.owner.feed)->version, 4);
    assert_int_equal(feed_state(f.owner.feed)->last_seq, 2);
    r->pool->paused = false;
    while (fake_answer(r->pool)) {
    }
    await_flag(r->loop, &f.reader.ended);
    assert_int_equal(f.owner.n_states, 3);
    assert_int_equal(f.owner.states[1].status, EXEC_TERMINATING);
    assert_int_equal(f.owner.states[2].last_seq, 2);
    assert_int_equal(fake_row(r->pool, f.key)->state.status, EXEC_STOPPED);
    fed_close(&f);
}

static void test_feed_system_line__after_the_spool__next_in_sequence(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    fed_lines(&f, 5);
    await_flag(r->loop, &f.owner.drained);
    f.reader.check_text = false;
    assert_int_equal(feed_system_line(f.owner.feed, "runner lost"), 0);
    struct exec_state s = *feed_state(f.owner.feed);
    assert_int_equal(s.last_seq, 6);
    s.status = EXEC_FAILED;
    assert_int_equal(feed_transition(f.owner.feed, &s, "test", "request-1"), 0);
    await_flag(r->loop, &f.reader.ended);
    assert_int_equal(f.reader.next, 7);
    assert_int_equal(f.owner.states[1].last_seq, 6);
    fed_close(&f);
}

static void test_feed_free__inside_its_callback__all_published(void **state)
{
    struct fed f;
    fed_open(&f, *state, 1);
    f.owner.free_at_end = true;
    run_dir_begin(&f.dir);
    fed_lines(&f, 5);
    fed_finish(&f);
    assert_null(f.owner.feed);
    fed_close(&f);
}

static void test_feed_free__group_in_flight__published_without_callbacks(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    spin(r->loop, 3);
    r->pool->paused = true;
    run_dir_lines(&f.dir, 5, 0);
    feed_wake(f.owner.feed);
    spin(r->loop, 5);
    assert_int_equal(fake_pending_count(r->pool), 1);
    feed_free(TAKE_PTR(f.owner.feed));
    assert_true(fake_answer(r->pool));
    r->pool->paused = false;
    reader_await(r->loop, &f.reader, 5);
    fed_close(&f);
}

static void test_writer_free__group_in_flight__answer_finds_nobody(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    spin(r->loop, 3);
    r->pool->paused = true;
    run_dir_lines(&f.dir, 5, 0);
    feed_wake(f.owner.feed);
    spin(r->loop, 5);
    feed_free(TAKE_PTR(f.owner.feed));
    writer_free(TAKE_PTR(r->writer));
    assert_true(fake_answer(r->pool));
    r->pool->paused = false;
    fed_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_feed__begin_lines_exit__states_and_lines_in_order),
        T(test_feed__everything_waiting__one_group_one_full_chunk),
        T(test_feed_open__at_a_later_offset__continues_there),
        T(test_feed_open__wrong_header__corrupt),
        T(test_feed_transition__not_in_the_table__invalid),
        T(test_feed_transition__two_before_a_commit__both_in_order),
        T(test_feed_system_line__after_the_spool__next_in_sequence),
        T(test_feed_free__inside_its_callback__all_published),
        T(test_feed_free__group_in_flight__published_without_callbacks),
        T(test_writer_free__group_in_flight__answer_finds_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
