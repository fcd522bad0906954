/* Unknown outcomes: whatever was committed is published once, the rest is sent again. */
#include "base/err.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *name;
    int err;
    bool applied; /* the commit happened, its answer was lost */
    int row_errors;
};

static void test_resync__outcome_unknown__each_line_once(void **state)
{
    static const struct row ROWS[] = {
        {"lost before", ERR_DB_AWAY, false, 0},    {"lost answer", ERR_DB_AWAY, true, 0},
        {"timeout before", ERR_TIMEOUT, false, 0}, {"timeout after", ERR_TIMEOUT, true, 0},
        {"row away too", ERR_DB_AWAY, true, 2},    {"pool closed", ERR_CLOSED, false, 0},
    };
    struct fake_rig *r = *state;
    struct fed f[2];
    fed_open(&f[0], r, 1);
    fed_open(&f[1], r, 2);
    run_dir_begin(&f[0].dir);
    run_dir_begin(&f[1].dir);
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        print_message("%s\n", ROWS[i].name);
        r->pool->script[FAKE_GROUP].times = 1;
        r->pool->script[FAKE_GROUP].err = ROWS[i].err;
        r->pool->script[FAKE_GROUP].apply = ROWS[i].applied;
        r->pool->script[FAKE_ROW].times = ROWS[i].row_errors;
        r->pool->script[FAKE_ROW].err = ERR_DB_AWAY;
        run_dir_lines(&f[0].dir, 20, 0);
        run_dir_lines(&f[1].dir, 30, 0);
        reader_await(r->loop, &f[0].reader, f[0].dir.lines);
        reader_await(r->loop, &f[1].reader, f[1].dir.lines);
    }
    fed_finish(&f[0]);
    fed_finish(&f[1]);
    fed_close(&f[0]);
    fed_close(&f[1]);
}

static void test_resync__terminal_commit_lost__published_once(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    fed_lines(&f, 3);
    r->pool->script[FAKE_GROUP].times = 1;
    r->pool->script[FAKE_GROUP].err = ERR_DB_AWAY;
    r->pool->script[FAKE_GROUP].apply = true;
    fed_finish(&f);
    assert_int_equal(f.owner.n_states, 2);
    fed_close(&f);
}

static void test_resync__server_away__waits_until_it_is_ready(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    fed_lines(&f, 3);
    r->pool->script[FAKE_GROUP].times = 1;
    r->pool->script[FAKE_GROUP].err = ERR_DB_AWAY;
    r->pool->away = true;
    run_dir_lines(&f.dir, 3, 0);
    feed_wake(f.owner.feed);
    int rows = r->pool->calls[FAKE_ROW];
    for (int i = 0; i < 30; i++)
        assert_int_equal(loop_turn(r->loop, 10), 0);
    assert_int_equal(r->pool->calls[FAKE_ROW], rows);
    assert_false(feed_is_drained(f.owner.feed));
    r->pool->away = false;
    reader_await(r->loop, &f.reader, 6);
    fed_finish(&f);
    fed_close(&f);
}

static void test_resync__late_commit_of_the_lost_group__guards_catch_it(void **state)
{
    /* The first group's answer is lost, the row is read, and only then is it committed. */
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    fed_lines(&f, 3);
    r->pool->ignore_guards = 1; /* as if the row had moved: nothing is done, the row is read */
    fed_lines(&f, 4);
    assert_true(r->pool->calls[FAKE_ROW] >= 1);
    fed_finish(&f);
    fed_close(&f);
}

static void test_resync__guards_never_match__store_break(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    r->pool->ignore_guards = 100;
    run_dir_lines(&f.dir, 4, 0);
    await_flag(r->loop, &f.owner.broken);
    assert_int_equal(f.owner.why, FEED_STORE);
    assert_int_equal(f.reader.next, 1);
    fed_close(&f);
}

static void test_resync__row_went_elsewhere__store_break(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    fed_lines(&f, 4);
    fake_row(r->pool, f.key)->state.last_seq = 2;
    run_dir_lines(&f.dir, 4, 0);
    await_flag(r->loop, &f.owner.broken);
    assert_int_equal(f.owner.why, FEED_STORE);
    fake_row(r->pool, f.key)->state.last_seq = 4;
    fed_close(&f);
}

static void steal_fence(struct execution *e)
{
    e->fence++;
}

static void steal_owner(struct execution *e)
{
    e->owner = (char *)(uintptr_t) "gateway-2";
}

static void steal_row(struct execution *e)
{
    e->key = 1;
}

static void test_resync__taken_over__stale_and_no_line_published(void **state)
{
    static void (*const STEALS[])(struct execution *) = {steal_fence, steal_owner, steal_row};
    struct fake_rig *r = *state;
    for (size_t i = 0; i < ARRAY_SIZE(STEALS); i++) {
        struct fed f;
        r->pool->n_rows = 0;
        fed_open(&f, r, (uint32_t)i + 1);
        fed_lines(&f, 4);
        STEALS[i](fake_row(r->pool, f.key));
        run_dir_lines(&f.dir, 4, 0);
        await_flag(r->loop, &f.owner.broken);
        assert_int_equal(f.owner.why, FEED_STALE);
        assert_int_equal(f.reader.next, 5);
        struct exec_state s = *feed_state(f.owner.feed);
        s.status = EXEC_FAILED;
        assert_int_equal(feed_transition(f.owner.feed, &s, "test", "request-1"), ERR_STALE);
        assert_int_equal(feed_system_line(f.owner.feed, "x"), ERR_STALE);
        fed_close(&f);
    }
}

static void test_feed_free__row_being_read__answer_finds_nobody(void **state)
{
    struct fake_rig *r = *state;
    for (int free_writer = 0; free_writer < 2; free_writer++) {
        struct fed f;
        r->pool->n_rows = 0;
        fed_open(&f, r, 1);
        fed_lines(&f, 4);
        r->pool->paused = true;
        r->pool->ignore_guards = 1;
        run_dir_lines(&f.dir, 4, 0);
        feed_wake(f.owner.feed);
        spin(r->loop, 4);
        assert_true(fake_answer(r->pool));
        spin(r->loop, 4);
        assert_int_equal(fake_pending_count(r->pool), 1);
        feed_free(TAKE_PTR(f.owner.feed));
        if (free_writer)
            writer_free(TAKE_PTR(r->writer));
        while (fake_answer(r->pool)) {
        }
        r->pool->paused = false;
        fed_close(&f);
        fake_remove_chunks(r->pool, rig_key(1), UINT64_MAX);
    }
}

static void test_resync__ask_refused__held_and_asked_again(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    r->pool->ignore_guards = 1;
    r->pool->refuse[FAKE_ROW] = 1;
    fed_lines(&f, 4);
    fed_finish(&f);
    fed_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_resync__outcome_unknown__each_line_once),
        T(test_resync__terminal_commit_lost__published_once),
        T(test_resync__server_away__waits_until_it_is_ready),
        T(test_resync__late_commit_of_the_lost_group__guards_catch_it),
        T(test_resync__guards_never_match__store_break),
        T(test_resync__row_went_elsewhere__store_break),
        T(test_resync__taken_over__stale_and_no_line_published),
        T(test_feed_free__row_being_read__answer_finds_nobody),
        T(test_resync__ask_refused__held_and_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
