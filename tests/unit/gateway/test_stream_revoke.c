/* Streams of revoked readers; who is revoked is the test's to say. */
#include "orchestrator/revocations.h"
#include "stream_rig.h"

static bool is_revoked;

bool revoked_has(const struct revoked *list, const struct principal *who)
{
    (void)list;
    assert_string_equal(who->email, RIG_USER);
    return is_revoked;
}

static struct lws wsi;

static int setup(void **state)
{
    is_revoked = true;
    return rig_setup(state);
}

static void test_streams_revoke__session__4401_behind_a_fatal_error(void **state)
{
    (void)state;
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    (void)rig_take(&wsi);
    is_revoked = false;
    streams_revoke(rig.st, NULL);
    rig_run(&wsi);
    assert_false(wsi.closed);
    is_revoked = true;
    streams_revoke(rig.st, NULL);
    streams_revoke(rig.st, NULL); /* reported again: closing already */
    rig_run(&wsi);
    const char *text = rig_take(&wsi);
    assert_non_null(strstr(text, "\"code\":\"API_KEY_REVOKED\""));
    assert_non_null(strstr(text, "\"fatal\":true"));
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 4401);
    assert_string_equal(wsi.close_reason, "the key or its user was revoked");
    rig_close(&wsi);
}

static void test_streams_revoke__runvoys_stream__4401_without_a_message(void **state)
{
    (void)state;
    struct topic *t = rig_topic(1);
    rig_add(t, 1);
    rig_runvoy_socket(&wsi, t);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    assert_non_null(strstr(rig_take(&wsi), "line 1"));
    streams_revoke(rig.st, NULL);
    rig_run(&wsi);
    assert_string_equal(rig_take(&wsi), "");
    assert_int_equal(wsi.close_code, 4401);
    rig_close(&wsi);
}

/* Nobody knows yet who it is: the answer will say that the key is revoked. */
static void test_streams_revoke__not_yet_authenticated__left_alone(void **state)
{
    (void)state;
    rig_session_socket(&wsi);
    wsi.key = NULL;
    assert_true(rig_open(&wsi));
    streams_revoke(rig.st, NULL);
    rig_run(&wsi);
    assert_false(wsi.closed);
    rig_close(&wsi);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_streams_revoke__session__4401_behind_a_fatal_error),
        ROW(test_streams_revoke__runvoys_stream__4401_without_a_message),
        ROW(test_streams_revoke__not_yet_authenticated__left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
