/* Every state × every event through a live execution: what its feed and its runner are told. */
#include "orchestrator/live.h"

#include "base/str.h"

#include "fake.h"

#include <stdio.h>
#include <string.h>

enum event {
    E_BEGIN,
    E_EXIT_0,
    E_EXIT_N,
    E_SIGNAL,
    E_TIMEOUT,
    E_NOT_STARTED,
    E_STOP,
    E_GONE,
    E_CORRUPT,
    E_IO,
    E_STORE,
    E_STALE,
    E_START_FAILED,
    E_COUNT,
};
static const char *const names[E_COUNT] = {
    "begin", "exit 0",  "exit n", "signal", "timeout", "not started", "stop",
    "gone",  "corrupt", "io",     "store",  "stale",   "start failed"};

static void exit_with(struct feed *f, int32_t code, int32_t signal, uint32_t flags)
{
    const struct spool_exit x = {.exit_code = code, .signal = signal, .flags = flags};
    f->cb.on_exit(f->user, &x);
}

static void happen(struct live *l, struct feed *f, enum event e)
{
    const struct run_input stop = {.event = RUN_STOP_ASKED, .who = "a@x"};
    const struct problem p = {.err = ERR_SYS, .details = "no such runner"};
    switch (e) {
    case E_BEGIN:
        f->cb.on_begin(f->user, 17, 1);
        return;
    case E_EXIT_0:
        exit_with(f, 0, 0, 0);
        return;
    case E_EXIT_N:
        exit_with(f, 7, 0, 0);
        return;
    case E_SIGNAL:
        exit_with(f, 137, 9, 0);
        return;
    case E_TIMEOUT:
        exit_with(f, 143, 15, SPOOL_EXIT_TIMED_OUT);
        return;
    case E_NOT_STARTED:
        exit_with(f, 127, 0, SPOOL_EXIT_NOT_STARTED);
        return;
    case E_STOP:
        (void)live_event(l, &stop, "req-stop", NULL);
        return;
    case E_GONE:
        fake_engine.started(fake_engine.user, 0, NULL);
        fake_engine.liveness = RUNDIR_DEAD;
        f->is_drained = true;
        fake_engine.on_gone(fake_engine.user);
        fake_pass(200);
        return;
    case E_CORRUPT:
        f->cb.on_break(f->user, FEED_CORRUPT, "record 12");
        return;
    case E_IO:
        f->cb.on_break(f->user, FEED_IO, "Input/output error");
        return;
    case E_STORE:
        f->cb.on_break(f->user, FEED_STORE, "refused");
        return;
    case E_STALE:
        f->cb.on_break(f->user, FEED_STALE, "fence 2");
        return;
    case E_START_FAILED:
        fake_engine.started(fake_engine.user, ERR_SYS, &p);
        return;
    default:
        fail();
    }
}

#define NONE EXEC_STATUS_COUNT
#define R(to) (100 + (to)) /* through RUNNING */
#define P EXEC_PENDING
#define ST EXEC_STARTING
#define RU EXEC_RUNNING
#define TE EXEC_TERMINATING
#define SU EXEC_SUCCEEDED
#define FA EXEC_FAILED
#define SD EXEC_STOPPED
#define ENDED                  \
    {                          \
        NONE, NONE, NONE, NONE \
    }

/* From PENDING, STARTING, RUNNING, TERMINATING; nothing follows in the three ends. STORE and STALE
 * tell the feed nothing. */
struct row {
    int becomes[4];
    const char *reason; /* of FAILED */
    bool has_line;
};
static const struct row rows[E_COUNT] = {
    [E_BEGIN] = {{NONE, RU, NONE, NONE}, "", false},
    [E_EXIT_0] = {{NONE, R(SU), SU, SD}, "", false},
    [E_EXIT_N] = {{NONE, R(FA), FA, SD}, "", false},
    [E_SIGNAL] = {{NONE, R(FA), FA, SD}, "", false},
    [E_TIMEOUT] = {{NONE, R(FA), FA, FA}, "timeout", false},
    [E_NOT_STARTED] = {{NONE, FA, FA, SD}, "start_failed", false},
    [E_STOP] = {{SD, TE, TE, NONE}, "", false},
    [E_GONE] = {{FA, FA, FA, FA}, "runner_lost", true},
    [E_CORRUPT] = {{FA, FA, FA, FA}, "spool_corrupt", true},
    [E_IO] = {{FA, FA, FA, FA}, "spool_unreadable", true},
    [E_STORE] = {{NONE, NONE, NONE, NONE}, "", false},
    [E_STALE] = {{NONE, NONE, NONE, NONE}, "", false},
    [E_START_FAILED] = {{FA, FA, NONE, SD}, "start_failed", true},
};

static void check_transitions(const struct feed *f, const struct row *row, int becomes)
{
    size_t n = becomes == NONE ? 0 : becomes >= 100 ? 2 : 1;
    assert_int_equal(f->count, n);
    assert_int_equal(f->lines, n > 0 && row->has_line ? 1 : 0);
    assert_int_equal(f->lines_at_transition, f->lines);
    if (n == 0)
        return;
    const struct exec_state *to = &f->transitions[n - 1].to;
    assert_int_equal(to->status, becomes % 100);
    if (n == 2)
        assert_int_equal(f->transitions[0].to.status, EXEC_RUNNING);
    if (to->status == EXEC_FAILED)
        assert_string_equal(to->reason, row->reason);
    if (to->status == EXEC_STOPPED)
        assert_int_equal(to->exit_code, 130);
}

static void check_cell(struct world *w, uint32_t n, enum exec_status from, enum event e)
{
    struct execution row = fake_row(n, from);
    print_message("%s × %s\n", exec_status_name(from), names[e]);
    struct live *l = fake_live(w, n, from);
    struct feed *f = l->feed;
    int becomes = from < EXEC_SUCCEEDED ? rows[e].becomes[from] : NONE;
    fake_engine.stops = 0;
    happen(l, f, e);
    if (e == E_STORE && l->feed == NULL) {
        /* Ended without its feed: ending.c's tests. */
        assert_int_equal(fake_feed(row.key), NULL);
        assert_int_equal(fake_engine.stops, 1);
        l->is_over = true;
    } else {
        check_transitions(f, &rows[e], becomes);
        bool told = e == E_CORRUPT || e == E_IO;
        assert_int_equal(fake_engine.stops, told ? 1 : 0);
        fake_commit(f);
        if (becomes == TE)
            assert_int_equal(fake_engine.stops, 1);
        assert_int_equal(l->is_forgotten, e == E_STALE);
        if (from >= EXEC_SUCCEEDED)
            l->is_over = true;
    }
    fake_engine.liveness = RUNDIR_DEAD;
    if (l->is_starting)
        fake_engine.started(fake_engine.user, 0, NULL);
    live_free(l);
    fake_engine.liveness = RUNDIR_ALIVE;
}

static void test_live__state_event_product__table(void **state)
{
    struct world *w = *state;
    uint32_t n = 1;
    for (int s = 0; s < EXEC_STATUS_COUNT; s++) {
        for (int e = 0; e < E_COUNT; e++)
            check_cell(w, n++, (enum exec_status)s, (enum event)e);
    }
}

/* ---- the way of one ---- */

static void started(void)
{
    fake_engine.started(fake_engine.user, 0, NULL);
}

static void test_live__whole_life__cleaned_up_after_the_runner(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_STARTING);
    struct feed *f = l->feed;
    char run_dir[256], workspace[256];
    (void)snprintf(run_dir, sizeof run_dir, "%s", l->run_dir);
    (void)snprintf(workspace, sizeof workspace, "%s", l->workspace);
    assert_int_equal(fake_engine.starts, 1);
    assert_string_equal(fake_engine.run_dir, run_dir);
    started();
    f->cb.on_begin(f->user, 3, 4);
    fake_commit(f);
    assert_int_equal(orchestrator_live_count(w->o), 1);
    exit_with(f, 0, 0, 0);
    assert_int_equal(orchestrator_live_count(w->o), 1);
    fake_commit(f);
    assert_int_equal(orchestrator_live_count(w->o), 0);
    assert_non_null(live_find(w->o, l->row.key));
    fake_pass(1000);
    assert_int_equal(fake_feeds(), 0);
    assert_true(fake_exists(run_dir)); /* the runner has not ended */
    fake_engine.liveness = RUNDIR_DEAD;
    fake_engine.on_gone(fake_engine.user);
    fake_pass(0);
    assert_null(fake_engine.user);
    assert_false(fake_exists(run_dir));
    assert_true(fake_exists(workspace)); /* the sweep's */
    assert_int_equal(fake_engine.stops, 0);
    assert_true(list_is_empty(&w->o->lives));
}

static void test_live__corrupt_after_a_crash_of_the_host__host_lost(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    started();
    l->is_adopted = true;
    w->o->booted_us = l->row.state.started_at_us + 1;
    fake_engine.liveness = RUNDIR_DEAD;
    happen(l, l->feed, E_CORRUPT);
    assert_string_equal(l->feed->state.reason, "host_lost");
}

static void test_live__corrupt_and_the_runner_lives__stopped_until_it_ended(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    started();
    happen(l, l->feed, E_CORRUPT);
    assert_non_null(strstr(l->feed->line, "record 12"));
    fake_commit(l->feed);
    fake_pass(7000);
    assert_in_range(fake_engine.stops, 2, 3);
    assert_false(list_is_empty(&w->o->lives));
    fake_engine.liveness = RUNDIR_DEAD;
    fake_pass(300);
    assert_true(list_is_empty(&w->o->lives));
}

static void test_live__no_memory_for_a_transition__made_later(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_STARTING);
    struct feed *f = l->feed;
    started();
    fake_transition_returns(ERR_NOMEM);
    exit_with(f, 7, 0, 0);
    assert_int_equal(f->count, 0);
    assert_int_equal(live_state(l)->status, EXEC_FAILED);
    exit_with(f, 8, 0, 0); /* nothing follows an end */
    fake_transition_returns(0);
    fake_pass(6000);
    assert_int_equal(f->count, 2);
    assert_int_equal(f->transitions[1].to.exit_code, 7);
    fake_transition_returns(ERR_INVALID);
    fake_commit(f);
}

static void test_live__transition_refused__given_up(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    started();
    fake_transition_returns(ERR_INVALID);
    exit_with(l->feed, 7, 0, 0);
    assert_int_equal(l->pending_count, 0);
}

static void test_live__stale__forgotten_with_its_files_left(void **state)
{
    struct world *w = *state;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    char run_dir[256];
    (void)snprintf(run_dir, sizeof run_dir, "%s", l->run_dir);
    started();
    happen(l, l->feed, E_STALE);
    assert_int_equal(orchestrator_live_count(w->o), 0);
    fake_pass(0);
    assert_true(list_is_empty(&w->o->lives));
    assert_true(fake_exists(run_dir));
    assert_int_equal(fake_engine.stops, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_live__state_event_product__table),
        TEST(test_live__whole_life__cleaned_up_after_the_runner),
        TEST(test_live__corrupt_after_a_crash_of_the_host__host_lost),
        TEST(test_live__corrupt_and_the_runner_lives__stopped_until_it_ended),
        TEST(test_live__no_memory_for_a_transition__made_later),
        TEST(test_live__transition_refused__given_up),
        TEST(test_live__stale__forgotten_with_its_files_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
