/* Sending: shared bytes, one write a callback, slow sockets, turns between executions, closing. */
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

static void say_subscribe(struct lws *to, const struct topic *t, const char *more)
{
    char text[160];

    (void)snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"execution_id\":\"%s\"%s}",
                   t->id.hex, more);
    assert_int_equal(stream_received(to->session, text, strlen(text)), 0);
    rig_answer();
}

/* Checks that the log messages in text hold the lines first … last of t, each once and in order. */
static void check_lines(const char *text, const struct topic *t, uint64_t first, uint64_t last)
{
    uint64_t next = first;

    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        json_t *m CLEANUP_JSON = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        json_t *lines = json_object_get(m, "lines");
        assert_non_null(m);
        if (!lines || strcmp(json_string_value(json_object_get(m, "execution_id")), t->id.hex) != 0)
            continue;
        assert_int_equal(json_integer_value(json_object_get(m, "first")), next);
        for (size_t i = 0; i < json_array_size(lines); i++) {
            char expected[40];
            (void)snprintf(expected, sizeof expected, "line %llu", (unsigned long long)(next + i));
            assert_string_equal(json_string_value(json_array_get(json_array_get(lines, i), 2)),
                                expected);
        }
        next += json_array_size(lines);
    }
    assert_int_equal(next, last + 1);
}

static void test_writeable__large_chunk__shared_bytes_are_sent_from_where_they_are(void **state)
{
    static struct lws readers[3];
    struct topic *t = rig_topic(1);
    uint8_t *before;
    struct frame *f;

    (void)state;
    rig_add(t, 3000);
    for (size_t i = 0; i < 3; i++) {
        rig_session_socket(&readers[i]);
        assert_true(rig_open(&readers[i]));
        rig_answer();
        rig_run(&readers[i]);
        (void)rig_take(&readers[i]);
        say_subscribe(&readers[i], t, "");
    }
    assert_int_equal(hub_frame(NULL, &t->id, t->chunks[0], rig.st->kinds.tailgate, 0, &f), 0);
    before = malloc(f->len);
    memcpy(before, f->bytes, f->len);
    for (size_t i = 0; i < 3; i++) {
        rig_run(&readers[i]);
        check_lines(rig_take(&readers[i]), t, 1, 3000);
    }
    assert_memory_equal(before, f->bytes, f->len);
    for (size_t i = 0; i < 3; i++) {
        /* subscribed; the frame; live */
        assert_int_equal(readers[i].writes, 4);
        rig_close(&readers[i]);
    }
    free(before);
    frame_unref(f);
}

static void test_writeable__single_small_chunk_live__not_even_copied(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    open_session();
    say_subscribe(&wsi, t, "");
    rig_run(&wsi);
    for (uint32_t i = 0; i < 3; i++) {
        unsigned writes = wsi.writes;
        rig_add(t, 2);
        rig_wake();
        rig_wake(); /* coalesced */
        rig_run(&wsi);
        assert_int_equal(wsi.writes, writes + 1);
        assert_ptr_equal(wsi.last_ptr, t->chunks[i]->frames[rig.st->kinds.tailgate]->bytes);
        assert_false(wsi.asked); /* nothing more: the socket is not watched */
    }
    check_lines(rig_take(&wsi), t, 1, 6);
    rig_close(&wsi);
}

static void test_writeable__many_small_chunks__collected_into_few_writes(void **state)
{
    struct topic *t = rig_topic(1);
    unsigned writes;

    (void)state;
    for (int i = 0; i < RIG_CHUNKS; i++)
        rig_add(t, 2);
    open_session();
    writes = wsi.writes;
    say_subscribe(&wsi, t, "");
    rig_run(&wsi);
    check_lines(rig_take(&wsi), t, 1, 2 * RIG_CHUNKS);
    assert_true(wsi.writes - writes <= 3);
    assert_null(rig_stream(&wsi)->out.data); /* an idle stream holds no buffer */
    rig_close(&wsi);
}

static void test_writeable__chunk_larger_than_a_write__cut_between_messages(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_add(t, 5000); /* about 600 KiB as Runvoy's messages */
    rig_runvoy_socket(&wsi, t);
    assert_true(rig_open(&wsi));
    rig_answer();
    rig_run(&wsi);
    assert_true(wsi.largest_write <= STREAM_WRITE_MAX);
    assert_true(wsi.writes >= 4 && wsi.writes < 8);
    rig_close(&wsi);
}

static void test_writeable__partial_write__waits_and_loses_nothing(void **state)
{
    struct topic *t = rig_topic(1);
    int blocked = 0;

    (void)state;
    for (int i = 0; i < 8; i++)
        rig_add(t, 1500);
    open_session();
    wsi.room = 20000;
    say_subscribe(&wsi, t, "");
    while (wsi.asked || wsi.partial || rig.turn_due) {
        unsigned writes;
        rig_run(&wsi);
        if (!wsi.partial)
            continue;
        /* spurious callbacks write nothing and ask again */
        writes = wsi.writes;
        assert_int_equal(stream_writeable(wsi.session), 0);
        assert_false(rig.turn_due);
        assert_int_equal(wsi.writes, writes);
        assert_true(wsi.asked);
        assert_true(rig_stream(&wsi)->out.len <= STREAM_GATHER_MAX + STREAM_GATHER_FRAME_MAX);
        blocked++;
        wsi.partial = false;
    }
    assert_int_equal(blocked, 8);
    check_lines(rig_take(&wsi), t, 1, 12000);
    rig_close(&wsi);
}

static void test_writeable__standing_reader__holds_no_frame_of_what_follows(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    open_session();
    say_subscribe(&wsi, t, "");
    rig_run(&wsi);
    rig_add(t, 1500);
    rig_wake();
    wsi.room = 1000;
    rig_run(&wsi);
    assert_true(wsi.partial);
    for (int i = 0; i < 5; i++) {
        rig_add(t, 1500);
        rig_wake();
        rig_run(&wsi);
    }
    for (size_t i = 1; i < t->n_chunks; i++)
        assert_null(t->chunks[i]->frames[rig.st->kinds.tailgate]);
    assert_int_equal(rig_stream(&wsi)->out.len, 0);
    wsi.room = 0;
    wsi.partial = false;
    rig_run(&wsi);
    check_lines(rig_take(&wsi), t, 1, 9000);
    rig_close(&wsi);
}

static void test_writeable__two_executions__take_turns(void **state)
{
    struct topic *a = rig_topic(1), *b = rig_topic(2);
    char order[32] = "";
    const char *text;

    (void)state;
    for (int i = 0; i < 6; i++) {
        rig_add(a, 1000);
        rig_add(b, 1000);
    }
    open_session();
    say_subscribe(&wsi, a, "");
    say_subscribe(&wsi, b, "");
    rig_run(&wsi);
    text = rig_take(&wsi);
    check_lines(text, a, 1, 6000);
    check_lines(text, b, 1, 6000);
    for (const char *m = text; (m = strstr(m, "{\"type\":\"logs\",\"execution_id\":\"")) != NULL;
         m++) {
        size_t n = strlen(order);
        const struct topic *t = strncmp(m + 31, a->id.hex, EXECUTION_ID_LEN) == 0 ? a : b;
        if (n + 1 < sizeof order)
            memcpy(order + n, t == a ? "a" : "b", 2);
    }
    assert_string_equal(order, "abababababab");
    rig_close(&wsi);
}

static void test_writeable__socket_is_gone__closes(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    open_session();
    rig_add(t, 1500);
    say_subscribe(&wsi, t, "");
    wsi.write_fails = true;
    rig_run(&wsi); /* what is queued */
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 0);
    assert_null(wsi.session);
    rig_close(&wsi);
    open_session();
    say_subscribe(&wsi, t, "");
    wsi.room = 1; /* subscribed is out */
    rig_run(&wsi);
    wsi.partial = false;
    wsi.write_fails = true;
    rig_run(&wsi); /* the frame */
    assert_true(wsi.closed);
    assert_null(wsi.session);
    rig_close(&wsi);
}

static void test_close__while_lines_wait__queue_first_then_code(void **state)
{
    struct topic *t = rig_topic(1);
    struct problem p;
    static char longest[200];

    (void)state;
    open_session();
    rig_add(t, 1500);
    say_subscribe(&wsi, t, "");
    (void)problem_set(&p, ERR_LIMIT, "x", "%s", "why");
    stream_send_error(rig_stream(&wsi), NULL, &p, true);
    memset(longest, 'r', sizeof longest - 1);
    stream_close(rig_stream(&wsi), 1008, longest);
    stream_close(rig_stream(&wsi), 1011, "only the first counts");
    assert_int_equal(t->cursors, 0);
    rig_run(&wsi);
    assert_true(wsi.closed);
    assert_int_equal(wsi.close_code, 1008);
    assert_int_equal(strlen(wsi.close_reason), 123);
    assert_non_null(strstr(rig_take(&wsi), "\"fatal\":true"));
    rig_close(&wsi);
}

static void test_writeable__frame_cannot_be_made__closes_1011(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    open_session();
    rig_add(t, 10);
    rig.frame_error = ERR_NOMEM;
    say_subscribe(&wsi, t, "");
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1011);
    rig_close(&wsi);
}

static void test_writeable__no_memory_to_collect__frame_goes_alone(void **state)
{
    struct topic *t = rig_topic(1);
    unsigned writes;

    (void)state;
    for (int i = 0; i < 3; i++)
        rig_add(t, 2);
    open_session();
    say_subscribe(&wsi, t, "");
    rig_stream(&wsi)->out.max = rig_stream(&wsi)->out.len; /* no room behind what is queued */
    writes = wsi.writes;
    rig_run(&wsi);
    check_lines(rig_take(&wsi), t, 1, 6);
    assert_true(wsi.writes - writes >= 4);
    rig_close(&wsi);
}

static void test_is_drained__where_bytes_wait__each_counts(void **state)
{
    struct stream *s;

    (void)state;
    open_session();
    s = rig_stream(&wsi);
    assert_true(stream_is_drained(s, true));
    wsi.unsent = 1;
    assert_false(stream_is_drained(s, true));
    assert_false(stream_is_drained(s, false));
    rig.ioctl_error = 1;
    assert_true(stream_is_drained(s, false));
    rig.ioctl_error = wsi.unsent = 0;
    wsi.partial = true;
    assert_false(stream_is_drained(s, false));
    wsi.partial = false;
    stream_send_ping(s);
    assert_false(stream_is_drained(s, false));
    rig_run(&wsi);
    assert_string_equal(rig_take(&wsi), "(ping)\n");
    assert_true(stream_is_drained(s, false));
    rig_close(&wsi);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

static void test_stream_send_error__refusals__told_to_the_audit(void **state)
{
    static const struct {
        int err;
        const char *text; /* NULL = none of its business */
    } rows[] = {
        {ERR_FORBIDDEN, " executions.read executions/00000000000000000000000000000000 FORBIDDEN 0"},
        {ERR_REVOKED, " executions.read executions/00000000000000000000000000000000 "
                      "API_KEY_REVOKED 0"},
        {ERR_LIMIT, NULL},
        {ERR_NOT_FOUND, NULL},
    };
    struct execution_id id;

    (void)state;
    assert_int_equal(execution_id_parse("00000000000000000000000000000000", &id), 0);
    open_session();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        rig.denied = 0;
        (void)problem_set(&p, rows[i].err, "x", "%s", "why");
        stream_send_error(rig_stream(&wsi), &id, &p, false);
        assert_int_equal(rig.denied, rows[i].text != NULL);
        if (rows[i].text)
            assert_non_null(strstr(rig.denied_text, rows[i].text));
    }
    rig_close(&wsi);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stream_send_error__refusals__told_to_the_audit),
        TEST(test_writeable__large_chunk__shared_bytes_are_sent_from_where_they_are),
        TEST(test_writeable__single_small_chunk_live__not_even_copied),
        TEST(test_writeable__many_small_chunks__collected_into_few_writes),
        TEST(test_writeable__chunk_larger_than_a_write__cut_between_messages),
        TEST(test_writeable__partial_write__waits_and_loses_nothing),
        TEST(test_writeable__standing_reader__holds_no_frame_of_what_follows),
        TEST(test_writeable__two_executions__take_turns),
        TEST(test_writeable__socket_is_gone__closes),
        TEST(test_close__while_lines_wait__queue_first_then_code),
        TEST(test_writeable__frame_cannot_be_made__closes_1011),
        TEST(test_writeable__no_memory_to_collect__frame_goes_alone),
        TEST(test_is_drained__where_bytes_wait__each_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
