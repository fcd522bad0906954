/* What is said in which order: states in place, live once, gaps, the end behind the last line. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

#include "base/json.h"

#include <stdio.h>

static struct lws wsi;

static void open_session(void)
{
    rig_session_socket(&wsi);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    (void)rig_take(&wsi);
}

static void say_subscribe(const struct topic *t, const char *more)
{
    char text[160];

    (void)snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"execution_id\":\"%s\"%s}",
                   t->id.hex, more);
    rig_say(&wsi, text);
}

/* The messages since the last call in short: "subscribed logs:1+3 live:3 status:RUNNING end:3". */
static const char *brief(void)
{
    static char out[512];
    size_t n = 0;

    out[0] = '\0';
    for (const char *line = rig_take(&wsi); *line; line = strchr(line, '\n') + 1) {
        json_t *m CLEANUP_JSON = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        const char *type = json_string_value(json_object_get(m, "type"));
        assert_non_null(type);
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%s", n > 0 ? " " : "", type);
        if (strcmp(type, "logs") == 0)
            n += (size_t)snprintf(out + n, sizeof out - n, ":%lld+%zu",
                                  json_integer_value(json_object_get(m, "first")),
                                  json_array_size(json_object_get(m, "lines")));
        if (strcmp(type, "live") == 0)
            n += (size_t)snprintf(out + n, sizeof out - n, ":%lld",
                                  json_integer_value(json_object_get(m, "seq")));
        if (strcmp(type, "status") == 0)
            n += (size_t)snprintf(out + n, sizeof out - n, ":%s",
                                  json_string_value(json_object_get(m, "status")));
        if (strcmp(type, "gap") == 0)
            n += (size_t)snprintf(out + n, sizeof out - n, ":%lld-%lld",
                                  json_integer_value(json_object_get(m, "from")),
                                  json_integer_value(json_object_get(m, "to")));
        if (strcmp(type, "end") == 0)
            n += (size_t)snprintf(out + n, sizeof out - n, ":%lld",
                                  json_integer_value(json_object_get(m, "last_seq")));
        assert_true(n < sizeof out);
    }
    return out;
}

static void test_fill__whole_life__every_message_in_its_place(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    t->now.status = t->states[0].status = EXEC_STARTING;
    open_session();
    say_subscribe(t, "");
    assert_string_equal(brief(), "subscribed live:0");
    rig_state(t, EXEC_RUNNING);
    rig_add(t, 2);
    rig_add(t, 3);
    rig_wake();
    rig_run(&wsi);
    assert_string_equal(brief(), "status:RUNNING logs:1+2 logs:3+3");
    rig_add(t, 1);
    rig_state(t, EXEC_TERMINATING);
    rig_add(t, 4);
    rig_state(t, EXEC_STOPPED);
    rig_wake();
    rig_run(&wsi);
    assert_string_equal(brief(), "logs:6+1 status:TERMINATING logs:7+4 status:STOPPED end:10");
    assert_int_equal(t->cursors, 0);
    rig_wake();
    rig_run(&wsi);
    assert_string_equal(brief(), "");
    rig_close(&wsi);
}

static void test_fill__busy_execution__live_only_when_caught_up(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 1000);
    rig_add(t, 1000);
    open_session();
    wsi.room = 10;
    say_subscribe(t, "");
    assert_string_equal(brief(), "subscribed");
    wsi.partial = false;
    rig_run(&wsi);
    assert_string_equal(brief(), "logs:1+1000");
    rig_add(t, 1000);
    wsi.partial = false;
    rig_run(&wsi);
    wsi.room = 0;
    wsi.partial = false;
    rig_run(&wsi);
    assert_string_equal(brief(), "logs:1001+1000 logs:2001+1000 live:3000");
    rig_close(&wsi);
}

static void test_fill__where_a_reader_begins__from_exactly_there(void **state)
{
    static const struct {
        const char *more, *expected;
    } rows[] = {
        {"", "subscribed logs:1+4 logs:5+6 live:10"},
        {",\"after\":0", "subscribed logs:1+4 logs:5+6 live:10"},
        {",\"after\":3", "subscribed logs:4+1 logs:5+6 live:10"},
        {",\"after\":4", "subscribed logs:5+6 live:10"},
        {",\"after\":9", "subscribed logs:10+1 live:10"},
        {",\"after\":10", "subscribed live:10"},
        {",\"after\":99", "subscribed live:99"},
        {",\"tail\":0", "subscribed live:10"},
        {",\"tail\":3", "subscribed logs:8+3 live:10"},
        {",\"tail\":10", "subscribed logs:1+4 logs:5+6 live:10"},
        {",\"tail\":99", "subscribed logs:1+4 logs:5+6 live:10"},
        {",\"after\":8,\"follow\":false", "subscribed logs:9+2 live:10"},
        {",\"after\":10,\"follow\":false", "subscribed live:10"},
    };
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 4);
    rig_add(t, 6);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        open_session();
        say_subscribe(t, rows[i].more);
        assert_string_equal(brief(), rows[i].expected);
        assert_int_equal(t->cursors, strstr(rows[i].more, "follow") ? 0 : 1);
        rig_close(&wsi);
    }
}

static void test_fill__no_follow_while_it_grows__ends_at_what_was_stored(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 1000);
    open_session();
    wsi.room = 10;
    say_subscribe(t, ",\"follow\":false");
    rig_add(t, 1000);
    rig_state(t, EXEC_SUCCEEDED);
    wsi.room = 0;
    wsi.partial = false;
    rig_run(&wsi);
    assert_string_equal(brief(), "subscribed logs:1+1000 live:1000");
    assert_int_equal(t->cursors, 0);
    /* and of an ended one to its end */
    say_subscribe(t, ",\"follow\":false,\"after\":1999");
    assert_string_equal(brief(), "subscribed logs:2000+1 live:2000 end:2000");
    rig_close(&wsi);
}

static void test_fill__lines_removed_by_retention__gap_said_and_on(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 5);
    rig_add(t, 5);
    t->gap_to = 5;
    open_session();
    say_subscribe(t, ",\"after\":2");
    assert_string_equal(brief(), "subscribed gap:3-5 logs:6+5 live:10");
    rig_close(&wsi);
}

static void test_fill__database_away__waits_for_the_next_wake(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 5);
    rig.next_error = ERR_DB_AWAY;
    open_session();
    say_subscribe(t, "");
    assert_string_equal(brief(), "subscribed");
    assert_false(wsi.asked);
    rig.next_error = 0;
    rig_wake();
    rig_run(&wsi);
    assert_string_equal(brief(), "logs:1+5 live:5");
    rig_close(&wsi);
}

static void test_start__refusals__error_names_the_execution(void **state)
{
    static const struct {
        int sync, answer, open, cursor;
        const char *code;
    } rows[] = {
        {ERR_CLOSED, 0, 0, 0, "SERVICE_UNAVAILABLE"}, {0, ERR_DB_AWAY, 0, 0, "DATABASE_ERROR"},
        {0, ERR_TIMEOUT, 0, 0, "REQUEST_TIMEOUT"},    {0, 0, ERR_NOMEM, 0, "INTERNAL_ERROR"},
        {0, 0, 0, ERR_NOMEM, "INTERNAL_ERROR"},       {0, 0, ERR_CLOSED, 0, "SERVICE_UNAVAILABLE"},
    };
    struct topic *t = rig_topic(1);

    (void)state;
    open_session();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char expected[160];
        rig.sync_error = rows[i].sync;
        rig.answer_error = rows[i].answer;
        rig.open_error = rows[i].open;
        rig.cursor_error = rows[i].cursor;
        say_subscribe(t, "");
        (void)snprintf(expected, sizeof expected,
                       "{\"type\":\"error\",\"execution_id\":\"%s\",\"code\":\"%s\"", t->id.hex,
                       rows[i].code);
        assert_memory_equal(rig_take(&wsi), expected, strlen(expected));
        assert_false(wsi.closed);
        assert_int_equal(rig_stream(&wsi)->n_subs, 0);
    }
    rig.sync_error = rig.answer_error = rig.open_error = rig.cursor_error = 0;
    say_subscribe(t, "");
    assert_string_equal(brief(), "subscribed live:0");
    rig_close(&wsi);
}

static void test_fill__message_finds_no_room__1008_wherever_it_happens(void **state)
{
    struct topic *t = rig_topic(1);
    unsigned closed = 0;

    (void)state;
    rig_add(t, 2);
    rig_add(t, 2);
    t->gap_to = 2;
    rig_state(t, EXEC_SUCCEEDED);
    /* whichever of its messages is the first that finds no room */
    for (size_t max = 1; max < 700; max++) {
        struct stream *s;
        open_session();
        s = rig_stream(&wsi);
        t->now.version = 1; /* so that there is a status to tell */
        s->out.max = max;
        say_subscribe(t, "");
        if (wsi.closed) {
            assert_int_equal(wsi.close_code, 1008);
            assert_int_equal(t->cursors, 0);
            closed++;
        }
        rig_close(&wsi);
    }
    assert_true(closed > 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fill__whole_life__every_message_in_its_place),
        TEST(test_fill__busy_execution__live_only_when_caught_up),
        TEST(test_fill__where_a_reader_begins__from_exactly_there),
        TEST(test_fill__no_follow_while_it_grows__ends_at_what_was_stored),
        TEST(test_fill__lines_removed_by_retention__gap_said_and_on),
        TEST(test_fill__database_away__waits_for_the_next_wake),
        TEST(test_start__refusals__error_names_the_execution),
        TEST(test_fill__message_finds_no_room__1008_wherever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
