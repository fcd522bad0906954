/* Every state × every event. */
#include "orchestrator/lifecycle.h"

#include "../base/unit.h"

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(2000000)
#define STARTED INT64_C(1000000)

enum { NONE = EXEC_STATUS_COUNT };
#define R(to) (100 + (to)) /* through RUNNING */

static const struct spool_exit exit_ok = {.ended_us = STARTED + 5};
static const struct spool_exit exit_7 = {.exit_code = 7, .ended_us = STARTED + 5};
static const struct spool_exit exit_signal = {.exit_code = 137, .signal = 9};
static const struct spool_exit exit_timeout = {
    .exit_code = 143, .signal = 15, .flags = SPOOL_EXIT_TIMED_OUT};
static const struct spool_exit exit_spool_full = {
    .exit_code = 143, .signal = 15, .flags = SPOOL_EXIT_SPOOL_FULL | SPOOL_EXIT_STOPPED};
static const struct spool_exit exit_disk_full = {.flags = SPOOL_EXIT_DISK_FULL};
static const struct spool_exit exit_not_started = {.exit_code = 127,
                                                   .flags = SPOOL_EXIT_NOT_STARTED};
static const struct spool_exit exit_stopped = {
    .exit_code = 143, .signal = 15, .flags = SPOOL_EXIT_STOPPED};

struct row {
    const char *name;
    enum run_event event;
    const struct spool_exit *exit;
    int becomes[4]; /* from PENDING, STARTING, RUNNING, TERMINATING */
    int32_t code;   /* of FAILED and SUCCEEDED */
    int32_t signal; /* of every end */
    const char *reason;
};

#define P EXEC_PENDING
#define ST EXEC_STARTING
#define RU EXEC_RUNNING
#define TE EXEC_TERMINATING
#define SU EXEC_SUCCEEDED
#define FA EXEC_FAILED
#define SD EXEC_STOPPED
#define NO_CODE EXIT_CODE_NONE

static const struct row rows[] = {
    {"begin", RUN_BEGAN, NULL, {NONE, RU, NONE, NONE}, 0, 0, ""},
    {"exit 0", RUN_EXITED, &exit_ok, {NONE, R(SU), SU, SD}, 0, 0, ""},
    {"exit n", RUN_EXITED, &exit_7, {NONE, R(FA), FA, SD}, 7, 0, ""},
    {"signal", RUN_EXITED, &exit_signal, {NONE, R(FA), FA, SD}, 137, 9, ""},
    {"timeout", RUN_EXITED, &exit_timeout, {NONE, R(FA), FA, FA}, 124, 15, "timeout"},
    {"spool full", RUN_EXITED, &exit_spool_full, {NONE, R(FA), FA, FA}, 143, 15, "spool_full"},
    {"disk full", RUN_EXITED, &exit_disk_full, {NONE, R(FA), FA, FA}, 0, 0, "disk_full"},
    {"not started", RUN_EXITED, &exit_not_started, {NONE, FA, FA, SD}, 127, 0, "start_failed"},
    {"stopped", RUN_EXITED, &exit_stopped, {NONE, R(SD), SD, SD}, 0, 15, "stopped"},
    {"stop asked", RUN_STOP_ASKED, NULL, {SD, TE, TE, NONE}, 0, 0, "stopped"},
    {"start failed", RUN_START_FAILED, NULL, {FA, FA, NONE, SD}, NO_CODE, 0, "start_failed"},
    {"runner gone", RUN_LOST, NULL, {FA, FA, FA, FA}, NO_CODE, 0, "runner_lost"},
    {"host gone", RUN_HOST_LOST, NULL, {FA, FA, FA, FA}, NO_CODE, 0, "host_lost"},
    {"corrupt", RUN_SPOOL_CORRUPT, NULL, {FA, FA, FA, FA}, NO_CODE, 0, "spool_corrupt"},
    {"unreadable", RUN_SPOOL_UNREADABLE, NULL, {FA, FA, FA, FA}, NO_CODE, 0, "spool_unreadable"},
    {"plan", RUN_PLAN_LOST, NULL, {FA, FA, FA, FA}, NO_CODE, 0, "environment_lost"},
    {"gateway gone", RUN_GATEWAY_LOST, NULL, {FA, FA, FA, FA}, NO_CODE, 0, "gateway_lost"},
    {"store", RUN_STORE_FAILED, NULL, {FA, FA, FA, FA}, NO_CODE, 0, "log_store_failed"},
    {"stale", RUN_STALE, NULL, {NONE, NONE, NONE, NONE}, 0, 0, ""},
};

static struct exec_state state_in(enum exec_status status)
{
    return (struct exec_state){.status = status,
                               .version = 3,
                               .exit_code = EXIT_CODE_NONE,
                               .started_at_us = STARTED,
                               .last_seq = 9};
}

static void check_end(const struct row *row, const struct exec_state *to)
{
    bool stopped = to->status == EXEC_STOPPED;
    assert_int_equal(to->exit_code, stopped ? 130 : row->code);
    assert_int_equal(to->signal, row->signal);
    assert_string_equal(to->reason, stopped ? "stopped" : row->reason);
    assert_true(to->completed_at_us >= STARTED && to->completed_at_us <= NOW);
}

static void check(const struct row *row, enum exec_status from, int becomes)
{
    struct exec_state now = state_in(from);
    const struct run_input in = {
        .event = row->event, .exit = row->exit, .who = "a@b", .now_us = NOW};
    struct run_step steps[RUN_STEPS_MAX];
    size_t n = run_decide(&now, &in, steps);
    print_message("%s × %s\n", exec_status_name(from), row->name);
    assert_int_equal(n, becomes == NONE ? 0 : becomes >= 100 ? 2 : 1);
    if (n == 0)
        return;
    if (n == 2) {
        assert_int_equal(steps[0].to.status, EXEC_RUNNING);
        assert_string_equal(steps[0].cause, "started");
        assert_int_equal(steps[0].to.exit_code, EXIT_CODE_NONE);
    }
    const struct exec_state *to = &steps[n - 1].to;
    assert_int_equal(to->status, becomes % 100);
    assert_true(exec_status_may_become(n == 2 ? EXEC_RUNNING : from, to->status));
    assert_true(steps[n - 1].cause[0] != '\0');
    assert_int_equal(to->started_at_us, STARTED);
    if (exec_status_is_terminal(to->status))
        check_end(row, to);
    else
        assert_int_equal(to->completed_at_us, 0);
}

static void test_run_decide__product__table(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        for (int s = 0; s < EXEC_STATUS_COUNT; s++)
            check(&rows[r], (enum exec_status)s, s < 4 ? rows[r].becomes[s] : NONE);
    }
}

static void test_run_decide__stop_asked__cause_names_the_person(void **state)
{
    (void)state;
    struct exec_state now = state_in(EXEC_RUNNING);
    const struct run_input in = {.event = RUN_STOP_ASKED, .who = "dev@example", .now_us = NOW};
    struct run_step steps[RUN_STEPS_MAX];
    assert_int_equal(run_decide(&now, &in, steps), 1);
    assert_string_equal(steps[0].cause, "killed by dev@example");
}

struct exit_row {
    struct spool_exit x;
    int32_t code, signal;
    int64_t completed_us;
    const char *cause;
};

/* Records as no runner writes them. */
static const struct exit_row odd_exits[] = {
    {{.exit_code = -5}, 255, 0, NOW, "exited with code 255"},
    {{.exit_code = 100000}, 255, 0, NOW, "exited with code 255"},
    {{.exit_code = EXIT_CODE_NONE}, 255, 0, NOW, "exited with code 255"},
    {{.exit_code = 0, .signal = 11}, 139, 11, NOW, "ended by signal 11"},
    {{.exit_code = 3, .signal = -1}, 3, 0, NOW, "exited with code 3"},
    {{.exit_code = 3, .signal = 900}, 3, 0, NOW, "exited with code 3"},
    {{.exit_code = 3, .ended_us = 5}, 3, 0, NOW, "exited with code 3"},
    {{.exit_code = 3, .ended_us = NOW + 5}, 3, 0, NOW, "exited with code 3"},
    {{.exit_code = 3, .ended_us = NOW - 5}, 3, 0, NOW - 5, "exited with code 3"},
};

static void test_run_decide__odd_exit_record__made_plausible(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof odd_exits / sizeof odd_exits[0]; i++) {
        const struct exit_row *row = &odd_exits[i];
        struct exec_state now = state_in(EXEC_RUNNING);
        const struct run_input in = {.event = RUN_EXITED, .exit = &row->x, .now_us = NOW};
        struct run_step steps[RUN_STEPS_MAX];
        assert_int_equal(run_decide(&now, &in, steps), 1);
        assert_int_equal(steps[0].to.status, EXEC_FAILED);
        assert_int_equal(steps[0].to.exit_code, row->code);
        assert_int_equal(steps[0].to.signal, row->signal);
        assert_int_equal(steps[0].to.completed_at_us, row->completed_us);
        assert_string_equal(steps[0].cause, row->cause);
    }
}

static void test_run_decide__clock_went_back__completed_not_before_started(void **state)
{
    (void)state;
    struct exec_state now = state_in(EXEC_RUNNING);
    const struct run_input in = {.event = RUN_LOST, .now_us = STARTED - 50};
    struct run_step steps[RUN_STEPS_MAX];
    assert_int_equal(run_decide(&now, &in, steps), 1);
    assert_int_equal(steps[0].to.completed_at_us, STARTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_decide__product__table),
        cmocka_unit_test(test_run_decide__stop_asked__cause_names_the_person),
        cmocka_unit_test(test_run_decide__odd_exit_record__made_plausible),
        cmocka_unit_test(test_run_decide__clock_went_back__completed_not_before_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
