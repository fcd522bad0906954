/* Reconciles between fakes: who asks, the schedule, checks that fail or do not answer. */
#include "health_rig.h"

#include <string.h>

static const struct principal viewer = {.role = ROLE_VIEWER, .email = "v@x"};

static void test_reconcile__nothing_wrong__healthy(void **state)
{
    rig_ask(*state);
    rig_run(1);
    assert_string_equal(rig_got.text, "");
    assert_string_equal(rig_got.status, "healthy");
    assert_int_equal(rig_got.r.identity.custom_verified, rig_got.r.identity.custom_total);
    assert_true(rig_got.r.identity.custom_total >= 4);
}

static void test_reconcile__refused_or_not_noted__problem(void **state)
{
    struct world *w = *state;
    struct problem p;
    struct caller by = fake_caller(&viewer);
    assert_int_equal(health_reconcile(w->o, &by, rig_on_report, NULL, &p), ERR_FORBIDDEN);
    by = fake_caller(&rig_admin);
    fake_stores_return(ERR_DB_AWAY);
    assert_int_equal(health_reconcile(w->o, &by, rig_on_report, NULL, &p), ERR_DB_AWAY);
    fake_stores_return(0);
    assert_int_equal(health_reconcile(w->o, &by, rig_on_report, NULL, &p), 0);
    fake_answer_batch(CALL_SUBMIT, ERR_DB_AWAY);
    assert_int_equal(rig_got.err, ERR_DB_AWAY);
    assert_int_equal(rig_got.calls, 1);
}

static void test_reconcile__asked_again_meanwhile__same_report(void **state)
{
    rig_ask(*state);
    fake_pass(1);
    rig_ask(*state);
    rig_run(2);
}

static void test_reconcile__scheduled__by_itself(void **state)
{
    struct world *w = *state;
    health_free(w->o->health);
    w->o->opts.reconcile_interval_ms = 1000;
    assert_int_equal(health_begin(w->o), 0);
    fake_pass(1002);
    assert_true(fake_health_waiting(HEALTH_COMPUTE));
    fake_health_answer(HEALTH_COMPUTE, 0, NULL);
}

static void test_reconcile__orchestrator_ends__told(void **state)
{
    struct world *w = *state;
    struct problem p;
    const struct caller by = fake_caller(&rig_admin);
    rig_ask(w);
    fake_pass(1);
    assert_int_equal(health_reconcile(w->o, &by, rig_on_report, NULL, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(rig_got.calls, 2);
    assert_int_equal(rig_got.err, ERR_CLOSED);
    fake_answer_batch(CALL_SUBMIT, ERR_CLOSED);
    fake_health_answer(HEALTH_COMPUTE, ERR_CLOSED, NULL);
}

static void test_checks__fail__each_an_issue(void **state)
{
    for (int k = 0; k < HEALTH_KINDS; k++) {
        if (k == HEALTH_KNOWN)
            continue;
        rig_errors[k] = ERR_DB;
        rig_ask(*state);
        rig_run((unsigned)rig_got.calls + 1);
        assert_int_equal(rig_got.r.errors, 1);
        rig_assert_found("failed: DB|");
        fake_health_return(k, ERR_LIMIT);
        rig_ask(*state);
        rig_run((unsigned)rig_got.calls + 1);
        rig_assert_found("failed: LIMIT|");
        fake_health_return(k, 0);
    }
}

static void test_check__no_answer__timeout_then_goes_on(void **state)
{
    rig_ask(*state);
    fake_pass(1);
    assert_true(fake_health_waiting(HEALTH_COMPUTE));
    fake_pass(5000);
    assert_true(fake_health_waiting(HEALTH_SWEEP));
    fake_health_answer(HEALTH_COMPUTE, 0, NULL); /* too late: nobody listens */
    rig_run(1);
    rig_assert_found("no answer within --health-check-timeout");
    assert_string_equal(rig_got.status, "unhealthy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_ROW(test_reconcile__nothing_wrong__healthy),
        RIG_ROW(test_reconcile__refused_or_not_noted__problem),
        RIG_ROW(test_reconcile__asked_again_meanwhile__same_report),
        RIG_ROW(test_reconcile__scheduled__by_itself),
        RIG_ROW(test_reconcile__orchestrator_ends__told),
        RIG_ROW(test_checks__fail__each_an_issue),
        RIG_ROW(test_check__no_answer__timeout_then_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
