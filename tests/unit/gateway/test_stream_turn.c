/* Who writes when: turns and their budget, sockets that are choked or dead, the peer's own close.
 */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

#include <stdio.h>

#define READERS 40

static struct lws wsi, readers[READERS];

static void open_session(struct lws *ws)
{
    rig_session_socket(ws);
    assert_true(rig_open(ws));
    rig_answer();
    rig_run(ws);
    (void)rig_take(ws);
}

static void subscribe(struct lws *ws, const struct topic *t)
{
    char text[160];

    (void)snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"execution_id\":\"%s\"}",
                   t->id.hex);
    assert_int_equal(stream_received(ws->session, text, strlen(text)), 0);
    rig_answer();
}

static bool has_last_line(struct lws *ws, const struct topic *t)
{
    char expected[40];

    (void)snprintf(expected, sizeof expected, "\"line %llu\"]]}", (unsigned long long)t->last_seq);
    return strstr(rig_take(ws), expected) != NULL;
}

static void test_wake__socket_drained__written_without_writeable(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    open_session(&wsi);
    subscribe(&wsi, t);
    rig_run(&wsi);
    for (int i = 0; i < 3; i++) {
        unsigned writes = wsi.writes;
        rig_add(t, 2);
        rig_wake();
        assert_int_equal(wsi.writes, writes); /* not within the hub's call */
        assert_true(rig_turn());
        assert_int_equal(wsi.writes, writes + 1);
        assert_true(has_last_line(&wsi, t));
        assert_false(wsi.asked);
        assert_false(rig.turn_due);
    }
    rig_close(&wsi);
}

static void test_wake__choked__waits_for_writeable(void **state)
{
    struct topic *t = rig_topic(1);
    unsigned writes;

    (void)state;
    open_session(&wsi);
    subscribe(&wsi, t);
    rig_run(&wsi);
    rig_add(t, 1500);
    rig_wake();
    wsi.room = 1000;
    assert_true(rig_turn());
    assert_true(wsi.partial && wsi.asked);
    writes = wsi.writes;
    rig_add(t, 2);
    rig_wake();
    assert_false(rig_turn()); /* not even in line */
    wsi.asked = false;
    assert_int_equal(stream_writeable(wsi.session), 0); /* libwebsockets still has a rest */
    assert_true(wsi.asked && !rig.turn_due);
    wsi.partial = false;
    rig_run(&wsi);
    assert_int_equal(wsi.writes, writes + 1);
    assert_true(has_last_line(&wsi, t));
    rig_close(&wsi);
}

static void test_wake__libwebsockets_own_rest__asks_before_writing(void **state)
{
    struct topic *t = rig_topic(1);
    unsigned writes;

    (void)state;
    open_session(&wsi);
    subscribe(&wsi, t);
    rig_run(&wsi);
    writes = wsi.writes;
    rig_add(t, 2);
    rig_wake();
    wsi.partial = true; /* its pong did not fit */
    assert_true(rig_turn());
    assert_int_equal(wsi.writes, writes);
    assert_true(wsi.asked);
    wsi.partial = false;
    rig_run(&wsi);
    assert_true(has_last_line(&wsi, t));
    rig_close(&wsi);
}

static void test_writeable__spurious__writes_nothing(void **state)
{
    unsigned writes;

    (void)state;
    open_session(&wsi);
    writes = wsi.writes;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stream_writeable(wsi.session), 0);
        assert_true(rig_turn());
        assert_false(rig_turn());
    }
    assert_int_equal(wsi.writes, writes);
    assert_false(wsi.asked);
    rig_close(&wsi);
}

/* Each has 1.3 MiB to read: more than a turn's bytes for all. */
static void test_turn__more_than_its_bytes__the_rest_comes_first_next_time(void **state)
{
    struct topic *t = rig_topic(1);
    unsigned turns = 0, served, most = 0, least = 1000;

    (void)state;
    for (int i = 0; i < 8; i++)
        rig_add(t, 5000);
    for (size_t i = 0; i < READERS; i++)
        open_session(&readers[i]);
    for (size_t i = 0; i < READERS; i++)
        subscribe(&readers[i], t);
    while (rig_turn()) {
        turns++;
        for (size_t i = 0; i < READERS; i++) {
            most = readers[i].writes > most ? readers[i].writes : most;
            least = i == 0 || readers[i].writes < least ? readers[i].writes : least;
        }
        assert_true(most - least <= 1); /* nobody is served twice while another waits */
        most = 0;
    }
    assert_true(turns > 4 && turns < 40);
    for (served = 0; served < READERS; served++) {
        assert_true(has_last_line(&readers[served], t));
        rig_close(&readers[served]);
    }
}

static void test_turn__takes_its_time__the_rest_comes_next_time(void **state)
{
    struct topic *t = rig_topic(1);
    unsigned turns = 0;

    (void)state;
    for (size_t i = 0; i < READERS; i++) {
        open_session(&readers[i]);
        subscribe(&readers[i], t);
    }
    while (rig_turn()) {
    }
    rig_add(t, 2);
    rig_wake();
    for (rig.us_a_look = 1000; rig_turn(); turns++) {
    }
    assert_true(turns >= READERS / 5 && turns <= READERS);
    for (size_t i = 0; i < READERS; i++) {
        assert_true(has_last_line(&readers[i], t));
        rig_close(&readers[i]);
    }
}

static void test_turn__one_socket_is_dead__others_are_served(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        open_session(&readers[i]);
        subscribe(&readers[i], t);
    }
    while (rig_turn()) {
    }
    rig_add(t, 2);
    rig_wake();
    readers[1].write_fails = true;
    assert_true(rig_turn());
    assert_null(readers[1].session);
    assert_true(has_last_line(&readers[0], t) && has_last_line(&readers[2], t));
    for (size_t i = 0; i < 3; i++)
        rig_close(&readers[i]);
}

static void test_peer_left__what_waits_is_dropped__nothing_follows_its_close(void **state)
{
    struct topic *t = rig_topic(1);
    unsigned writes;

    (void)state;
    open_session(&wsi);
    subscribe(&wsi, t);
    rig_run(&wsi);
    rig_add(t, 2);
    rig_wake();
    writes = wsi.writes;
    assert_int_equal(stream_peer_left(wsi.session), 0);
    rig_run(&wsi);
    rig_add(t, 2);
    rig_wake();
    stream_close(rig_stream(&wsi), 1001, "leaving");
    rig_run(&wsi);
    assert_int_equal(wsi.writes, writes);
    assert_false(wsi.closed); /* libwebsockets ends it, once it has answered */
    rig_close(&wsi);
}

static void test_closed__while_in_line__forgotten(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    open_session(&wsi);
    subscribe(&wsi, t);
    rig_run(&wsi);
    rig_add(t, 2);
    rig_wake();
    rig_close(&wsi);
    assert_true(rig_turn());
    assert_false(rig_turn());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_wake__socket_drained__written_without_writeable),
        TEST(test_wake__choked__waits_for_writeable),
        TEST(test_wake__libwebsockets_own_rest__asks_before_writing),
        TEST(test_writeable__spurious__writes_nothing),
        TEST(test_turn__more_than_its_bytes__the_rest_comes_first_next_time),
        TEST(test_turn__takes_its_time__the_rest_comes_next_time),
        TEST(test_turn__one_socket_is_dead__others_are_served),
        TEST(test_peer_left__what_waits_is_dropped__nothing_follows_its_close),
        TEST(test_closed__while_in_line__forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
