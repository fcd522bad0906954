/* Who is let in, and the code and reason of each refusal. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

#include "base/err.h"

static struct lws wsi;

static void test_refuse__each_error__its_code_and_reason(void **state)
{
    static const struct {
        int err;
        unsigned code;
    } rows[] = {
        {ERR_UNAUTHORIZED, 4401},
        {ERR_BAD_KEY, 4401},
        {ERR_REVOKED, 4401},
        {ERR_NOT_FOUND, 1008},
        {ERR_FORBIDDEN, 1008},
        {ERR_DB_AWAY, 1013},
        {ERR_DB, 1013},
        {ERR_TIMEOUT, 1013},
        {ERR_LIMIT, 1013},
        {ERR_CLOSED, 1001},
        {ERR_NOMEM, 1011},
        {ERR_INTERNAL, 1011},
        {-1000, 1011},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        rig_session_socket(&wsi);
        wsi.key = NULL;
        assert_true(rig_open(&wsi));
        (void)problem_set(&p, rows[i].err, "failed", "%s", "told in words");
        stream_refuse(rig_stream(&wsi), &p);
        rig_run(&wsi);
        assert_true(wsi.closed);
        assert_int_equal(wsi.close_code, rows[i].code);
        assert_true(wsi.close_reason[0] != '\0');
        assert_non_null(strstr(rig_take(&wsi), "\"details\":\"told in words\",\"fatal\":true"));
        rig_close(&wsi);
    }
}

static void test_refuse__problem_with_a_code_of_its_own__that_is_told(void **state)
{
    struct problem p;

    (void)state;
    rig_session_socket(&wsi);
    wsi.key = NULL;
    assert_true(rig_open(&wsi));
    (void)problem_set(&p, ERR_FORBIDDEN, "failed", "%s", "why");
    memcpy(p.code, "SPECIAL", sizeof "SPECIAL");
    stream_refuse(rig_stream(&wsi), &p);
    rig_run(&wsi);
    assert_non_null(strstr(rig_take(&wsi), "\"code\":\"SPECIAL\""));
    rig_close(&wsi);
}

static void test_authenticate__refused_at_once__closes(void **state)
{
    (void)state;
    rig.sync_error = ERR_BAD_KEY;
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    assert_null(rig_stream(&wsi)->op);
    assert_false(wsi.flow_stopped);
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 4401);
    rig_close(&wsi);
}

static void test_authenticate__closed_meanwhile__answer_is_dropped(void **state)
{
    (void)state;
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    assert_true(wsi.flow_stopped);
    stream_close(rig_stream(&wsi), 1001, "bye");
    assert_false(wsi.flow_stopped);
    rig_answer();
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1001);
    assert_string_equal(rig_take(&wsi), "");
    rig_close(&wsi);
}

static void test_authenticate__no_memory__1011(void **state)
{
    (void)state;
    rig_session_socket(&wsi);
    wsi.key = NULL;
    assert_true(rig_open(&wsi));
    assert_true(fail_alloc_at(1));
    stream_authenticate(rig_stream(&wsi), RIG_KEY, 0);
    assert_true(fail_alloc_off());
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1011);
    rig_close(&wsi);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_refuse__each_error__its_code_and_reason),
        TEST(test_refuse__problem_with_a_code_of_its_own__that_is_told),
        TEST(test_authenticate__refused_at_once__closes),
        TEST(test_authenticate__closed_meanwhile__answer_is_dropped),
        TEST(test_authenticate__no_memory__1011),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
