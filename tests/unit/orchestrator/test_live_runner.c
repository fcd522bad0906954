/* A live execution's runner: its start, looking after it, stopping it, and what is left to clean.
 */
#include "orchestrator/live.h"

#include "base/str.h"

#include "fake.h"

#include <stdio.h>
#include <string.h>

static void started(void)
{
    fake_engine.started(fake_engine.user, 0, NULL);
}

static void exit_with(struct feed *f, int32_t code, int32_t signal, uint32_t flags)
{
    const struct spool_exit x = {.exit_code = code, .signal = signal, .flags = flags};
    f->cb.on_exit(f->user, &x);
}

static void ask_stop(struct live *l)
{
    const struct run_input stop = {.event = RUN_STOP_ASKED, .who = "a@x"};
    assert_int_equal(live_event(l, &stop, "req-stop", NULL), 1);
}

/* ---- start ---- */

static void test_live_start__engine_takes_none__failed_with_the_reason(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_PENDING);
    fake_engine.start_err = ERR_LIMIT;
    live_start(l);
    assert_false(l->is_starting || l->is_attached);
    assert_string_equal(l->feed->state.reason, "start_failed");
    assert_non_null(strstr(l->feed->line, "could not be started"));
    assert_non_null(strstr(l->feed->line, "engine fake"));
}

static void test_live_start__plan__handed_on_and_given_up_once_started(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_STARTING);
    assert_true(l->is_starting);
    assert_string_equal(fake_engine.run_dir, l->run_dir);
    started();
    assert_true(l->is_attached);
    assert_false(l->is_starting);
    assert_null(l->plan.image);
    assert_int_equal(l->feed->count, 0);
}

/* ---- looking ---- */

static void test_live_runner_lives__only_when_the_engine_says_so(void **state)
{
    static const struct {
        int err;
        enum rundir_liveness liveness;
        bool lives;
    } ROWS[] = {
        {0, RUNDIR_ALIVE, true},
        {0, RUNDIR_DEAD, false},
        {ERR_SYS, RUNDIR_ALIVE, false},
        {ERR_NOT_FOUND, RUNDIR_ALIVE, false},
    };
    struct world *w = *state;
    const struct live *l = fake_live(w, 1, EXEC_RUNNING);
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        fake_engine.inspect_err = ROWS[i].err;
        fake_engine.liveness = ROWS[i].liveness;
        assert_int_equal(live_runner_lives(l), ROWS[i].lives);
    }
}

static void test_live_look__starting_or_gone__engine_is_not_asked(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_STARTING);
    fake_engine.liveness = RUNDIR_DEAD;
    fake_engine.inspects = 0;
    live_look(l);
    assert_false(l->is_gone);
    started();
    live_look(l);
    assert_true(l->is_gone);
    assert_int_equal(l->feed->wakes, 1);
    assert_int_equal(fake_engine.inspects, 1);
    live_look(l);
    assert_int_equal(fake_engine.inspects, 1);
}

static void test_live_set_gone__postgresql_away__looks_get_seldom_then_lost(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    struct feed *f = l->feed;
    started();
    live_set_gone(l);
    fake_pass(2500);
    unsigned fast = l->gone_looks;
    assert_in_range(fast, 40, 50);
    for (int i = 0; i < 10; i++)
        fake_pass(1000);
    assert_in_range(l->gone_looks - fast, 1, 11);
    assert_int_equal(f->count, 0);
    f->is_drained = true;
    for (int i = 0; i < 6; i++)
        fake_pass(1000);
    assert_int_equal(f->count, 1);
    assert_string_equal(f->state.reason, "runner_lost");
}

static void test_live_set_gone__exit_record_is_there__not_lost(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    struct feed *f = l->feed;
    started();
    fake_engine.liveness = RUNDIR_DEAD;
    fake_engine.on_gone(fake_engine.user);
    assert_int_equal(f->wakes, 1);
    fake_pass(60); /* not all read yet */
    assert_int_equal(f->count, 0);
    exit_with(f, 3, 0, 0);
    f->is_drained = true;
    fake_pass(5000);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->transitions[0].to.exit_code, 3);
    fake_commit(f);
    fake_pass(1000);
    assert_true(list_is_empty(&w->o->lives));
}

static void test_live_tick__silent_and_not_our_child__looked_at_each_second(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    struct feed *f = l->feed;
    l->is_starting = false; /* as one that was adopted */
    f->is_drained = true;
    fake_engine.inspects = 0;
    f->state.last_seq = 5; /* it writes: no look */
    fake_pass(1000);
    assert_int_equal(fake_engine.inspects, 0);
    fake_pass(1000);
    assert_int_equal(fake_engine.inspects, 1);
    fake_engine.liveness = RUNDIR_DEAD;
    fake_pass(1500);
    assert_int_equal(f->count, 1);
    assert_string_equal(f->transitions[0].to.reason, "runner_lost");
    assert_non_null(strstr(f->line, "the runner died"));
}

static void test_live_tick__our_child_silent__seldom_looked_at(void **state)
{
    struct world *w = *state;
    (void)fake_live(w, 1, EXEC_RUNNING);
    started();
    fake_pass(1100);
    fake_engine.inspects = 0;
    fake_pass(10000);
    assert_in_range(fake_engine.inspects, 1, 2);
}

static void test_live_tick__another_runner_was_first__polled(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    started();
    fake_engine.on_gone(fake_engine.user); /* ours ended at once, the other holds the lock */
    assert_false(l->is_gone);
    assert_false(l->is_attached);
    fake_engine.inspects = 0;
    fake_pass(6000);
    fake_pass(3000);
    assert_true(fake_engine.inspects >= 3);
}

static void test_live_look__run_directory_removed__lost(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    l->feed->is_drained = true;
    started();
    fake_engine.inspect_err = ERR_NOT_FOUND;
    fake_engine.on_gone(fake_engine.user);
    fake_pass(200);
    assert_string_equal(l->feed->state.reason, "runner_lost");
}

static void test_live_look__cannot_look__nothing_concluded(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    l->feed->is_drained = true;
    started();
    fake_engine.inspect_err = ERR_SYS;
    fake_engine.on_gone(fake_engine.user);
    fake_pass(5000);
    assert_int_equal(l->feed->count, 0);
}

static void test_live_stop__repeated_until_it_ended(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    struct feed *f = l->feed;
    started();
    ask_stop(l);
    assert_int_equal(fake_engine.stops, 0); /* committed first */
    fake_commit(f);
    assert_int_equal(fake_engine.stops, 1);
    fake_pass(10000);
    assert_in_range(fake_engine.stops, 3, 4);
    fake_engine.stop_err = ERR_SYS;
    fake_pass(4000);
    exit_with(f, 143, 15, SPOOL_EXIT_STOPPED);
    assert_string_equal(f->state.reason, "stopped");
    assert_int_equal(f->state.signal, 15);
    fake_commit(f);
    fake_engine.liveness = RUNDIR_DEAD;
    fake_pass(1000);
    assert_true(list_is_empty(&w->o->lives));
}

static void test_live_stop__before_the_lock__told_once_started(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_STARTING);
    fake_engine.stop_err = ERR_NOT_FOUND;
    ask_stop(l);
    fake_commit(l->feed);
    assert_int_equal(fake_engine.stops, 1);
    fake_engine.stop_err = 0;
    started();
    assert_int_equal(fake_engine.stops, 2);
}

/* ---- an engine that keeps something of a run ---- */

static void test_live_stop__does_not_end_within_patience__its_container_is_removed(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    fake_engine.base.ops = &fake_container_ops;
    started();
    ask_stop(l);
    fake_commit(l->feed);
    assert_int_equal(fake_engine.stops, 1);
    int64_t waited_ms = 0, patience_ms = l->row.grace_s * 1000 + 100 + 30000;
    for (; fake_engine.cleanings == 0 && waited_ms < 10 * patience_ms; waited_ms += 1000)
        fake_pass(1000);
    assert_in_range(waited_ms, patience_ms, patience_ms + 5000);
    unsigned stops = fake_engine.stops;
    live_stop(l);
    assert_int_equal(fake_engine.stops, stops);
    assert_int_equal(fake_engine.cleanings, 2);
}

static void test_live_tick__over__asked_until_the_engine_has_cleaned(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    char run_dir[256];
    (void)snprintf(run_dir, sizeof run_dir, "%s", l->run_dir);
    fake_engine.base.ops = &fake_container_ops;
    started();
    exit_with(l->feed, 0, 0, 0);
    fake_commit(l->feed);
    fake_engine.liveness = RUNDIR_DEAD;
    fake_engine.is_clean = false;
    fake_engine.on_gone(fake_engine.user);
    fake_pass(1000);
    assert_true(fake_engine.cleanings >= 2);
    assert_true(fake_exists(run_dir));
    fake_engine.is_clean = true;
    fake_pass(300);
    assert_false(fake_exists(run_dir));
    assert_true(list_is_empty(&w->o->lives));
}

static engine_line_fn on_line;

static int keep_line_fn(struct engine *e UNUSED, const struct engine_run *run UNUSED,
                        const struct engine_start *fns, void *user UNUSED)
{
    on_line = fns->on_line;
    return 0;
}

static void test_live_start__engine_says_what_it_does__a_line_of_the_log(void **state)
{
    struct world *w = *state;
    const struct engine_ops *usual = fake_engine.base.ops;
    struct engine_ops listening = *fake_engine.base.ops;
    listening.start = keep_line_fn;
    fake_engine.base.ops = &listening;
    struct live *l = fake_live(w, 1, EXEC_STARTING);
    on_line(l, "tailgate: pulling image alpine");
    fake_engine.base.ops = usual;
    assert_string_equal(l->feed->line, "tailgate: pulling image alpine");
    assert_int_equal(l->feed->lines, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_live_start__engine_takes_none__failed_with_the_reason),
        TEST(test_live_start__plan__handed_on_and_given_up_once_started),
        TEST(test_live_runner_lives__only_when_the_engine_says_so),
        TEST(test_live_look__starting_or_gone__engine_is_not_asked),
        TEST(test_live_set_gone__postgresql_away__looks_get_seldom_then_lost),
        TEST(test_live_set_gone__exit_record_is_there__not_lost),
        TEST(test_live_tick__silent_and_not_our_child__looked_at_each_second),
        TEST(test_live_tick__our_child_silent__seldom_looked_at),
        TEST(test_live_tick__another_runner_was_first__polled),
        TEST(test_live_look__run_directory_removed__lost),
        TEST(test_live_look__cannot_look__nothing_concluded),
        TEST(test_live_stop__repeated_until_it_ended),
        TEST(test_live_stop__before_the_lock__told_once_started),
        TEST(test_live_stop__does_not_end_within_patience__its_container_is_removed),
        TEST(test_live_tick__over__asked_until_the_engine_has_cleaned),
        TEST(test_live_start__engine_says_what_it_does__a_line_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
