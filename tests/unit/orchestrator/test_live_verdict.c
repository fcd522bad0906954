/* How a run ended, asked of an engine that knows more than its exit record. */
#include "orchestrator/live.h"

#include "fake.h"

#include <stdio.h>
#include <string.h>

static struct live *running(struct world *w)
{
    fake_engine.base.ops = &fake_container_ops;
    fake_engine.is_clean = true;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    fake_engine.started(fake_engine.user, 0, NULL);
    return l;
}

static void exit_with(struct live *l, int32_t code, int32_t signal, uint32_t flags)
{
    const struct spool_exit x = {.exit_code = code, .signal = signal, .flags = flags};
    l->feed->cb.on_exit(l->feed->user, &x);
}

static void test_live_exited__rows(void **state)
{
    static const struct {
        int32_t code, signal;
        uint32_t flags;
        bool is_asked;
    } rows[] = {
        {0, 0, 0, false},
        {7, 0, 0, false},
        {143, 15, 0, false},
        {137, 9, 0, true},
        {137, 0, 0, true}, /* a shell's word for its child */
        {137, 9, SPOOL_EXIT_TIMED_OUT, false},
        {137, 9, SPOOL_EXIT_KILLED, false},
        {137, 9, SPOOL_EXIT_OUT_OF_MEMORY, false}, /* the runner has told */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *world = NULL;
        assert_int_equal(fake_setup(&world), 0);
        struct live *l = running(world);
        exit_with(l, rows[i].code, rows[i].signal, rows[i].flags);
        assert_int_equal(fake_engine.questions, rows[i].is_asked);
        assert_int_equal(exec_status_is_terminal(l->feed->state.status), !rows[i].is_asked);
        assert_int_equal(fake_teardown(&world), 0);
    }
}

static void test_live_exited__out_of_memory__reason_and_line(void **state)
{
    struct live *l = running(*state);
    exit_with(l, 137, 9, 0);
    fake_engine.verdict(l, "out_of_memory", "tailgate: out of memory: the limit is 64 MiB");
    assert_int_equal(l->feed->state.status, EXEC_FAILED);
    assert_string_equal(l->feed->state.reason, "out_of_memory");
    assert_int_equal(l->feed->state.exit_code, 137);
    assert_string_equal(l->feed->line, "tailgate: out of memory: the limit is 64 MiB");
}

static void test_live_exited__killed_by_something_else__its_own_word(void **state)
{
    struct live *l = running(*state);
    exit_with(l, 137, 9, 0);
    fake_engine.verdict(l, "container_lost", "tailgate: the container was removed");
    assert_int_equal(l->feed->state.status, EXEC_FAILED);
    assert_string_equal(l->feed->state.reason, "");
    assert_int_equal(l->feed->state.signal, 9);
    assert_string_equal(l->feed->line, "");
}

static void test_live_exited__stopped_though_nobody_asked__container_lost(void **state)
{
    struct live *l = running(*state);
    exit_with(l, 143, 15, SPOOL_EXIT_STOPPED);
    assert_int_equal(l->feed->state.status, EXEC_FAILED);
    assert_string_equal(l->feed->state.reason, "container_lost");
    assert_string_equal(l->feed->line, "tailgate: the container was stopped from outside");
}

static void test_live_exited__stopped_as_asked__stopped(void **state)
{
    struct live *l = running(*state);
    const struct run_input in = {.event = RUN_STOP_ASKED, .who = "a@x"};
    assert_int_equal(live_event(l, &in, "r", NULL), 1);
    exit_with(l, 137, 9, SPOOL_EXIT_STOPPED);
    assert_int_equal(fake_engine.questions, 0);
    assert_int_equal(l->feed->state.status, EXEC_STOPPED);
    assert_int_equal(l->feed->state.exit_code, 130);
}

static void lose(struct live *l)
{
    fake_engine.liveness = RUNDIR_DEAD;
    l->feed->is_drained = true;
    live_set_gone(l);
    fake_pass(200);
}

static void test_live_lost__container_gone__reason_and_line_asked_once(void **state)
{
    struct live *l = running(*state);
    lose(l);
    fake_pass(3000);
    assert_int_equal(fake_engine.questions, 1);
    assert_int_equal(l->feed->state.status, EXEC_RUNNING);
    fake_engine.verdict(l, "container_lost", "tailgate: the container was removed");
    assert_int_equal(l->feed->state.status, EXEC_FAILED);
    assert_string_equal(l->feed->state.reason, "container_lost");
    assert_string_equal(l->feed->line, "tailgate: the container was removed");
}

static void test_live_lost__nothing_known__runner_lost(void **state)
{
    struct live *l = running(*state);
    lose(l);
    fake_engine.verdict(l, "", "");
    assert_string_equal(l->feed->state.reason, "runner_lost");
}

static void test_live_lost__engine_cannot_be_asked__runner_lost(void **state)
{
    struct live *l = running(*state);
    fake_engine.explain_err = ERR_NOMEM;
    lose(l);
    assert_string_equal(l->feed->state.reason, "runner_lost");
    assert_non_null(strstr(l->feed->line, "the runner died"));
}

static void test_clean_up__container_is_removed_before_the_directory(void **state)
{
    struct world *w = *state;
    char run_dir[256];
    struct live *l = running(w);
    (void)snprintf(run_dir, sizeof run_dir, "%s", l->run_dir);
    fake_engine.is_clean = false;
    fake_engine.liveness = RUNDIR_DEAD;
    exit_with(l, 0, 0, 0);
    fake_commit(l->feed);
    fake_pass(1000);
    assert_true(fake_engine.cleanings > 1);
    assert_false(list_is_empty(&w->o->lives));
    fake_engine.is_clean = true;
    fake_pass(1000);
    assert_true(list_is_empty(&w->o->lives));
    assert_false(fake_exists(run_dir));
}

static void test_live_stop__never_ends__container_is_removed(void **state)
{
    struct live *l = running(*state);
    const struct run_input in = {.event = RUN_STOP_ASKED, .who = "a@x"};
    assert_int_equal(live_event(l, &in, "r", NULL), 1);
    live_stop(l);
    fake_pass(20000);
    assert_int_equal(fake_engine.cleanings, 0);
    assert_true(fake_engine.stops > 2);
    fake_pass(60000);
    assert_true(fake_engine.cleanings > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_exited__rows),
        TEST(test_live_exited__out_of_memory__reason_and_line),
        TEST(test_live_exited__killed_by_something_else__its_own_word),
        TEST(test_live_exited__stopped_though_nobody_asked__container_lost),
        TEST(test_live_exited__stopped_as_asked__stopped),
        TEST(test_live_lost__container_gone__reason_and_line_asked_once),
        TEST(test_live_lost__nothing_known__runner_lost),
        TEST(test_live_lost__engine_cannot_be_asked__runner_lost),
        TEST(test_clean_up__container_is_removed_before_the_directory),
        TEST(test_live_stop__never_ends__container_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
