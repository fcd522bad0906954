/* Reconciles between fakes: values that do not open, what is swept. */
#include "health_rig.h"

#include "orchestrator/seal.h"
#include "orchestrator/secrets_internal.h"

#include <string.h>

static void test_secrets__rows__opened_or_issues(void **state)
{
    struct world *w = *state;
    char key_id[SEAL_KEY_ID_SIZE], context[SECRET_CONTEXT_SIZE];
    struct buf sealed CLEANUP_BUF = {.max = 1024};
    secret_context("good", context);
    assert_int_equal(seal(w->sealer, context, "v", 1, &sealed, key_id), 0);
    const struct fake_row_of rows[] = {
        {.text = {"good", key_id, NULL, "K"}, .bytes = sealed.data, .len = sealed.len},
        {.text = {"moved", key_id, NULL, ""}, .bytes = sealed.data, .len = sealed.len},
        {.text = {"empty", key_id, NULL, "K"}, .bytes = "", .len = 0},
        {.text = {"lost", "ffffffffffffffff", NULL, "K"}, .bytes = sealed.data, .len = sealed.len},
    };
    const struct fake_result result = {{ROWS(rows)}};
    rig_results[HEALTH_SECRETS] = &result;
    rig_ask(w);
    rig_run(1);
    assert_int_equal(rig_got.r.secrets.verified, 1);
    assert_int_equal(rig_got.r.secrets.missing, 1);
    assert_int_equal(rig_got.r.errors, 3);
    rig_assert_found("secret moved its value does not open with its key");
    rig_assert_found("secret moved it does not say which variable");
    rig_assert_found("secret lost its key ffffffffffffffff is not in the key file");
}

static void test_sweep__rows__repaired(void **state)
{
    const struct fake_row_of a[] = {{.text = {"environment/1"}}}, b[] = {{.text = {"ticket/ab"}}};
    const struct fake_result result = {{ROWS(a), ROWS(b), {NULL, 0}}};
    rig_results[HEALTH_SWEEP] = &result;
    rig_ask(*state);
    rig_run(1);
    assert_int_equal(rig_got.r.reconciled, 2);
    assert_int_equal(rig_got.r.secrets.orphaned, 1);
    assert_string_equal(rig_got.status, "degraded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_ROW(test_secrets__rows__opened_or_issues),
        RIG_ROW(test_sweep__rows__repaired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
