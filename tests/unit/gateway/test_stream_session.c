/* tailgate.v1's conversations: authentication, subscriptions, what a hostile client says. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

#include "base/err.h"

#include <stdio.h>

#define A "00004e2000000001abcdef0123456789"
#define B "00004e2000000002abcdef0123456789"
#define C "00004e2000000003abcdef0123456789"
#define D "00004e2000000004abcdef0123456789"
#define SUB(id, more) "{\"type\":\"subscribe\",\"execution_id\":\"" id "\"" more "}"
#define UNSUB(id) "{\"type\":\"unsubscribe\",\"execution_id\":\"" id "\"}"
#define SUBSCRIBED(id, status, n)                                               \
    "{\"type\":\"subscribed\",\"execution_id\":\"" id "\",\"status\":\"" status \
    "\",\"last_seq\":" #n "}\n"
#define LIVE(id, n) "{\"type\":\"live\",\"execution_id\":\"" id "\",\"seq\":" #n "}\n"
#define LOGS(id, first, lines) \
    "{\"type\":\"logs\",\"execution_id\":\"" id "\",\"first\":" #first ",\"lines\":[" lines "]}\n"
#define O(n) "[1700000000" #n ",\"o\",\"line "
#define ERROR(code, details) "{\"type\":\"error\",\"code\":\"" code "\",\"details\":\"" details "\""
#define ERROR_OF(id, code, details)                                                                \
    "{\"type\":\"error\",\"execution_id\":\"" id "\",\"code\":\"" code "\",\"details\":\"" details \
    "\"}\n"

static struct lws wsi;

static void open_session(void)
{
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    assert_non_null(strstr(rig_take(&wsi), "\"hello\""));
}

/* Three lines in A, an ended B of one line, C that one may not read, D with nothing. */
static void four_topics(void)
{
    struct topic *t = rig_topic(1);

    rig_add(t, 3);
    t = rig_topic(2);
    rig_add(t, 1);
    rig_state(t, EXEC_SUCCEEDED);
    rig_topic(3)->forbidden = true;
    (void)rig_topic(4);
}

static void test_session__conversation__each_answer(void **state)
{
    static const struct {
        const char *say, *expected;
    } rows[] = {
        {SUB(A, ",\"after\":1"),
         SUBSCRIBED(A, "RUNNING", 3) LOGS(A, 2,
                                          "[1700000000002,\"e\",\"line 2\"],[1700000000003,\"o\","
                                          "\"line 3\"]") LIVE(A, 3)},
        {SUB(A, ""),
         ERROR_OF(A, "CONFLICT", "this execution is already subscribed to on this socket")},
        {SUB(B, ""),
         SUBSCRIBED(B, "SUCCEEDED", 1) LOGS(B, 1, "[1700000000001,\"o\",\"line 1\"]")
             LIVE(B, 1) "{\"type\":\"end\",\"execution_id\":\"" B
                        "\",\"last_seq\":1,\"status\":\"SUCCEEDED\",\"exit_code\":0}\n"},
        {SUB(B, ",\"after\":1"),
         SUBSCRIBED(B, "SUCCEEDED", 1)
             LIVE(B, 1) "{\"type\":\"end\",\"execution_id\":\"" B
                        "\",\"last_seq\":1,\"status\":\"SUCCEEDED\",\"exit_code\":0}\n"},
        {SUB(C, ""), ERROR_OF(C, "FORBIDDEN", "FORBIDDEN")},
        {SUB("00004e2000000009abcdef0123456789", ""),
         ERROR_OF("00004e2000000009abcdef0123456789", "NOT_FOUND", "NOT_FOUND")},
        {SUB(D, ",\"tail\":5"), SUBSCRIBED(D, "RUNNING", 0) LIVE(D, 0)},
        {UNSUB(A), ""},
        {UNSUB(A), ERROR_OF(A, "NOT_FOUND", "there is no subscription to this execution")},
        {SUB(A, ",\"tail\":1"),
         SUBSCRIBED(A, "RUNNING", 3) LOGS(A, 3, "[1700000000003,\"o\",\"line 3\"]") LIVE(A, 3)},
        {UNSUB(A), ""},
        {SUB(A, ",\"tail\":1,\"follow\":false"),
         SUBSCRIBED(A, "RUNNING", 3) LOGS(A, 3, "[1700000000003,\"o\",\"line 3\"]") LIVE(A, 3)},
        {UNSUB(A), ERROR_OF(A, "NOT_FOUND", "there is no subscription to this execution")},
        {"{\"type\":\"subscribe\",\"executions\":true}",
         ERROR("SERVICE_UNAVAILABLE", "the live list is not available") "}\n"},
        {"{\"type\":\"auth\",\"key\":\"tg_good\"}",
         ERROR("INVALID_REQUEST", "auth: this socket is already authenticated") "}\n"},
    };

    (void)state;
    four_topics();
    open_session();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rig_say(&wsi, rows[i].say);
        assert_string_equal(rig_take(&wsi), rows[i].expected);
        assert_false(wsi.closed);
    }
    rig_close(&wsi);
}

static void test_session__hostile_messages__error_and_the_socket_stays(void **state)
{
    static const char *const rows[] = {
        "",
        "x",
        "{",
        "[]",
        "null",
        "{}",
        "{\"type\":7}",
        "{\"type\":\"frobnicate\"}",
        "{\"type\":\"subscribe\"}",
        "{\"type\":\"subscribe\",\"execution_id\":\"../../etc/passwd\"}",
        "{\"type\":\"subscribe\",\"execution_id\":7}",
        SUB(A, ",\"after\":-1"),
        SUB(A, ",\"after\":\"1\""),
        SUB(A, ",\"tail\":1.5"),
        SUB(A, ",\"follow\":1"),
        "{\"type\":\"auth\"}",
        "{\"type\":\"unsubscribe\",\"execution_id\":null}",
    };

    (void)state;
    four_topics();
    open_session();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *answer;
        rig_say(&wsi, rows[i]);
        answer = rig_take(&wsi);
        assert_non_null(strstr(answer, "{\"type\":\"error\",\"code\":\"INVALID_REQUEST\""));
        assert_null(strstr(answer, "fatal"));
        assert_false(wsi.closed);
    }
    rig_say(&wsi, SUB(D, ""));
    assert_string_equal(rig_take(&wsi), SUBSCRIBED(D, "RUNNING", 0) LIVE(D, 0));
    rig_close(&wsi);
}

static void test_session__more_subscriptions_than_allowed__limit(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 4; i++)
        (void)rig_topic(i);
    open_session();
    rig_say(&wsi, SUB(A, ""));
    rig_say(&wsi, SUB(B, ""));
    rig_say(&wsi, SUB(C, ""));
    (void)rig_take(&wsi);
    rig_say(&wsi, SUB(D, ""));
    assert_string_equal(rig_take(&wsi),
                        ERROR_OF(D, "LIMIT_EXCEEDED", "too many subscriptions on one socket"));
    rig_say(&wsi, UNSUB(A));
    rig_say(&wsi, SUB(D, ""));
    assert_string_equal(rig_take(&wsi), SUBSCRIBED(D, "RUNNING", 0) LIVE(D, 0));
    rig_close(&wsi);
}

static void test_session__ways_to_authenticate__hello_or_4401(void **state)
{
    static const struct {
        const char *key, *authorization, *arg, *first;
        int answer_error;
        unsigned close_code; /* 0 = hello */
        const char *part;
    } rows[] = {
        {RIG_KEY, NULL, NULL, NULL, 0, 0, "\"hello\""},
        {NULL, "Bearer " RIG_KEY, NULL, NULL, 0, 0, "\"hello\""},
        {NULL, "bearer " RIG_KEY, NULL, NULL, 0, 0, "\"hello\""},
        {NULL, NULL, NULL, "{\"type\":\"auth\",\"key\":\"tg_good\"}", 0, 0, "\"hello\""},
        {NULL, "Basic x", NULL, "{\"type\":\"auth\",\"key\":\"tg_good\"}", 0, 0, "\"hello\""},
        {"tg_bad", NULL, NULL, NULL, 0, 4401, "\"code\":\"INVALID_API_KEY\""},
        {NULL, "Bearer tg_bad", NULL, NULL, 0, 4401, "\"code\":\"INVALID_API_KEY\""},
        {NULL, NULL, NULL, "{\"type\":\"auth\",\"key\":\"tg_bad\"}", 0, 4401, "\"fatal\":true"},
        {RIG_KEY, NULL, NULL, NULL, ERR_REVOKED, 4401, "\"code\":\"API_KEY_REVOKED\""},
        {RIG_KEY, NULL, NULL, NULL, ERR_DB_AWAY, 1013, "\"code\":\"DATABASE_ERROR\""},
        {RIG_KEY, NULL, NULL, NULL, ERR_CLOSED, 1001, "\"code\":\"SERVICE_UNAVAILABLE\""},
        {RIG_KEY, NULL, NULL, NULL, ERR_NOMEM, 1011, "\"code\":\"INTERNAL_ERROR\""},
        {NULL, NULL, "ticket=ticket", NULL, 0, 0, "\"hello\""},
        {NULL, NULL, "ticket=other", NULL, 0, 4401, "\"fatal\":true"},
        {RIG_KEY, NULL, "ticket=", NULL, 0, 4401, "\"code\":\"INVALID_API_KEY\""},
        {NULL, NULL, "ticket=ticket", NULL, ERR_DB_AWAY, 1013, "\"code\":\"DATABASE_ERROR\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rig_session_socket(&wsi);
        wsi.key = rows[i].key;
        wsi.authorization = rows[i].authorization;
        wsi.args[0] = rows[i].arg;
        rig.answer_error = rows[i].answer_error;
        assert_true(rig_open(&wsi));
        if (rows[i].first)
            assert_int_equal(stream_received(wsi.session, rows[i].first, strlen(rows[i].first)), 0);
        else if (rows[i].close_code == 0)
            assert_true(wsi.flow_stopped);
        rig_answer();
        assert_false(wsi.flow_stopped);
        rig_run(&wsi);
        assert_non_null(strstr(rig_take(&wsi), rows[i].part));
        assert_int_equal(wsi.close_code, rows[i].close_code);
        assert_int_equal(wsi.closed, rows[i].close_code != 0);
        rig_close(&wsi);
    }
}

static void test_session__key_longer_than_any__4401(void **state)
{
    char key[600];

    (void)state;
    memset(key, 'x', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    rig_session_socket(&wsi);
    wsi.key = key;
    assert_true(rig_open(&wsi));
    assert_int_equal(rig.n_pending, 0);
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 4401);
    assert_non_null(strstr(rig_take(&wsi), "the API key is too long"));
    rig_close(&wsi);
}

static void test_session__subscribe_before_auth__unauthorized_and_stays(void **state)
{
    (void)state;
    rig_session_socket(&wsi);
    wsi.key = NULL;
    assert_true(rig_open(&wsi));
    rig_say(&wsi, SUB(A, ""));
    assert_string_equal(rig_take(&wsi),
                        ERROR("UNAUTHORIZED", "the first message must be auth") "}\n");
    rig_say(&wsi, "{\"type\":\"auth\",\"key\":\"tg_good\"}");
    assert_non_null(strstr(rig_take(&wsi), "hello"));
    rig_close(&wsi);
}

static void test_session__message_in_parts__is_put_together(void **state)
{
    static const char text[] = SUB(D, "");

    (void)state;
    four_topics();
    open_session();
    for (size_t i = 0; i < sizeof text - 1; i++) {
        wsi.is_part = i < sizeof text - 2;
        assert_int_equal(stream_received(wsi.session, text + i, 1), 0);
    }
    rig_answer();
    rig_run(&wsi);
    assert_string_equal(rig_take(&wsi), SUBSCRIBED(D, "RUNNING", 0) LIVE(D, 0));
    assert_null(rig_stream(&wsi)->in.data);
    rig_close(&wsi);
}

static void test_session__message_over_the_limit__1009(void **state)
{
    static char big[1025];
    static const struct {
        size_t parts[3];
        bool closes;
    } rows[] = {{{1024, 0, 0}, false},
                {{1025, 0, 0}, true},
                {{600, 424, 0}, false},
                {{600, 425, 0}, true},
                {{1024, 1, 0}, true}};

    (void)state;
    memset(big, ' ', sizeof big);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        open_session();
        for (size_t k = 0; k < 3 && rows[i].parts[k] > 0; k++) {
            wsi.is_part = rows[i].parts[k + 1] > 0;
            assert_int_equal(stream_received(wsi.session, big, rows[i].parts[k]), 0);
        }
        rig_run(&wsi);
        assert_int_equal(wsi.closed, rows[i].closes);
        assert_int_equal(wsi.close_code, rows[i].closes ? 1009 : 0);
        rig_close(&wsi);
    }
}

static void test_session__answers_never_read__1008(void **state)
{
    unsigned said = 0;

    (void)state;
    open_session();
    wsi.partial = true; /* the socket takes nothing */
    for (; rig_stream(&wsi)->state != STREAM_CLOSING; said++) {
        assert_true(said < 10000);
        rig_say(&wsi, "{\"type\":\"nonsense\"}");
    }
    assert_true(said > 500);
    assert_true(rig_stream(&wsi)->out.len <= STREAM_OUT_MAX);
    wsi.partial = false;
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1008);
    assert_string_equal(wsi.close_reason, "too many answers are waiting unread");
    (void)rig_take(&wsi); /* whole messages only */
    rig_close(&wsi);
}

static void test_session__gone_before_the_answers__nothing_happens(void **state)
{
    (void)state;
    four_topics();
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    rig_close(&wsi); /* while authenticating */
    rig_answer();
    open_session();
    assert_int_equal(stream_received(wsi.session, SUB(A, ""), strlen(SUB(A, ""))), 0);
    assert_int_equal(stream_received(wsi.session, SUB(B, ""), strlen(SUB(B, ""))), 0);
    assert_int_equal(stream_received(wsi.session, UNSUB(B), strlen(UNSUB(B))), 0);
    assert_int_equal(rig.n_pending, 2);
    rig_close(&wsi);
    rig_answer();
}

static void test_session__unsubscribed_before_the_row_came__silence(void **state)
{
    (void)state;
    four_topics();
    open_session();
    assert_int_equal(stream_received(wsi.session, SUB(A, ""), strlen(SUB(A, ""))), 0);
    rig_say(&wsi, UNSUB(A));
    assert_string_equal(rig_take(&wsi), "");
    rig_say(&wsi, SUB(A, ",\"after\":3"));
    assert_string_equal(rig_take(&wsi), SUBSCRIBED(A, "RUNNING", 3) LIVE(A, 3));
    rig_close(&wsi);
}

static void test_session__each_allocation_fails__error_or_close_but_no_harm(void **state)
{
    (void)state;
    four_topics();
    for (unsigned n = 1;; n++) {
        bool failed;
        rig_session_socket(&wsi);
        (void)fail_alloc_at(n);
        if (stream_established(rig.st, &wsi, RIG_CLIENT, &wsi.session) == 0) {
            rig_answer();
            rig_run(&wsi);
            if (!wsi.closed)
                rig_say(&wsi, SUB(A, ""));
            if (!wsi.closed)
                rig_say(&wsi, SUB(B, ""));
        }
        failed = fail_alloc_off();
        if (!failed) {
            assert_non_null(strstr(rig_take(&wsi), "\"end\""));
            assert_false(wsi.closed);
        }
        rig_close(&wsi);
        buf_done(&wsi.sent);
        if (!failed)
            break;
    }
    (void)fail_alloc_off();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_session__conversation__each_answer),
        TEST(test_session__hostile_messages__error_and_the_socket_stays),
        TEST(test_session__more_subscriptions_than_allowed__limit),
        TEST(test_session__ways_to_authenticate__hello_or_4401),
        TEST(test_session__key_longer_than_any__4401),
        TEST(test_session__subscribe_before_auth__unauthorized_and_stays),
        TEST(test_session__message_in_parts__is_put_together),
        TEST(test_session__message_over_the_limit__1009),
        TEST(test_session__answers_never_read__1008),
        TEST(test_session__gone_before_the_answers__nothing_happens),
        TEST(test_session__unsubscribed_before_the_row_came__silence),
        TEST(test_session__each_allocation_fails__error_or_close_but_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
