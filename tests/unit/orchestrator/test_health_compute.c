/* Reconciles between fakes: the engine, rows and runners. */
#include "health_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_runner__gone__looked_after(void **state)
{
    struct world *w = *state;
    fake_engine.liveness = RUNDIR_ALIVE;
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    fake_engine.started(fake_engine.user, 0, NULL);
    rig_ask(w);
    rig_run(1);
    assert_int_equal(rig_got.r.compute.verified, 1);
    fake_engine.liveness = RUNDIR_DEAD;
    rig_ask(w);
    rig_run(2);
    rig_assert_found("its runner is gone");
    assert_int_equal(rig_got.r.reconciled, 1);
    assert_true(l->is_gone);
}

static void test_row__nothing_of_it_here__ended(void **state)
{
    struct world *w = *state;
    const struct execution row = fake_row(1, EXEC_RUNNING);
    const struct fake_row_of rows[] = {{.text = {row.id.hex}}, {.text = {"no id"}}};
    const struct fake_result result = {{{NULL, 0}, ROWS(rows)}};
    rig_results[HEALTH_COMPUTE] = &result;
    rig_ask(w);
    for (int i = 0; i < 5; i++) {
        fake_pass(1);
        if (fake_health_waiting(HEALTH_COMPUTE))
            fake_health_answer(HEALTH_COMPUTE, 0, &result);
    }
    fake_answer_execution(CALL_GET, 0, &row);
    rig_results[HEALTH_COMPUTE] = NULL;
    rig_run(1);
    rig_assert_found("nothing of it is here");
    assert_non_null(live_find(w->o, row.key));
    orchestrator_free(TAKE_PTR(w->o));
    while (fake_waiting(CALL_GET) > 0)
        fake_answer_execution(CALL_GET, ERR_CLOSED, NULL);
}

static void test_row__with_directory__said(void **state)
{
    struct world *w = *state;
    char path[256];
    const struct fake_row_of rows[] = {{.text = {ID_A}}};
    const struct fake_result result = {{{NULL, 0}, ROWS(rows)}}, known = {{ROWS(rows)}};
    (void)snprintf(path, sizeof path, "%s/runs/" ID_A, w->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    rig_results[HEALTH_COMPUTE] = &result;
    rig_results[HEALTH_KNOWN] = &known;
    rig_ask(w);
    rig_run(1);
    rig_assert_found("this server does not follow it");
    assert_int_equal(rmdir(path), 0);
}

static void test_engine__silent_or_refuses__issue(void **state)
{
    struct world *w = *state;
    rig_with_engine(w);
    rig_ask(w);
    fake_pass(1);
    fake_pass(5000);
    assert_int_equal(rig_asked.forgets, 1);
    rig_run(1);
    rig_assert_found("engine failed");
    rig_asked.returns = ERR_NOMEM;
    rig_ask(w);
    rig_run(2);
    rig_assert_found("engine failed: NOMEM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_ROW(test_runner__gone__looked_after),
        RIG_ROW(test_row__nothing_of_it_here__ended),
        RIG_ROW(test_row__with_directory__said),
        RIG_ROW(test_engine__silent_or_refuses__issue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
