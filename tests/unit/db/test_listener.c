/* LISTEN and NOTIFY on a real server. */
#include "base/err.h"
#include "db/listener.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const channels[] = {"tg_logs", "Tg State"};

struct ear {
    struct db_listener *listener;
    int connects, hints;
    bool free_on_hint, free_on_connect;
    char last[128];
};

static void on_notify(void *user, const char *channel, const char *payload)
{
    struct ear *e = user;
    e->hints++;
    snprintf(e->last, sizeof(e->last), "%s:%s", channel, payload);
    if (e->free_on_hint)
        db_listener_free(e->listener);
}

static void on_connect(void *user)
{
    struct ear *e = user;
    e->connects++;
    if (e->free_on_connect)
        db_listener_free(e->listener);
}

static void listen_to(struct fixture *f, struct ear *e)
{
    assert_int_equal(
        db_listener_new(f->loop, f->conninfo, channels, 2, on_notify, on_connect, e, &e->listener),
        0);
    await_count(f->loop, &e->connects, 1);
}

static void test_db_listener__from_outside_and_from_each_other__heard(void **state)
{
    struct fixture *f = *state;
    struct ear a = {0}, b = {0};
    listen_to(f, &a);
    listen_to(f, &b);
    sql_exec(f, "NOTIFY \"Tg State\", 'x''y'");
    await_count(f->loop, &a.hints, 1);
    await_count(f->loop, &b.hints, 1);
    assert_string_equal(a.last, "Tg State:x'y");
    sql_exec(f, "NOTIFY other, 'not ours'");
    db_listener_notify(a.listener, "tg_logs", "17");
    await_count(f->loop, &b.hints, 2);
    assert_string_equal(b.last, "tg_logs:17");
    db_listener_free(a.listener);
    db_listener_free(b.listener);
}

static void test_db_listener_notify__same_pair_in_one_turn__sent_once(void **state)
{
    struct fixture *f = *state;
    struct ear a = {0};
    char text[32];
    listen_to(f, &a);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 200; i++) { /* several groups */
            snprintf(text, sizeof(text), "%d", i);
            db_listener_notify(a.listener, "tg_logs", text);
        }
    db_listener_notify(a.listener, "Tg State", "end");
    while (strcmp(a.last, "Tg State:end") != 0)
        await_count(f->loop, &a.hints, a.hints + 1);
    assert_int_equal(a.hints, 201);
    db_listener_free(a.listener);
}

static void test_db_listener_notify__too_many_or_impossible__dropped(void **state)
{
    struct fixture *f = *state;
    struct ear a = {0};
    char text[32], *large = malloc(9000);
    assert_non_null(large);
    memset(large, 'x', 8999);
    large[8999] = '\0';
    listen_to(f, &a);
    db_listener_notify(a.listener, "tg_logs", large);
    db_listener_notify(a.listener, large, "x");
    db_listener_notify(a.listener, "", "x");
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "%d", i);
        db_listener_notify(a.listener, "tg_logs", text);
    }
    await_count(f->loop, &a.hints, 4096);
    db_listener_notify(a.listener, "tg_logs", "last");
    await_count(f->loop, &a.hints, 4097);
    assert_string_equal(a.last, "tg_logs:last");
    db_listener_free(a.listener);
    free(large);
}

static void test_db_listener__connection_lost__connects_and_listens_again(void **state)
{
    struct fixture *f = *state;
    struct ear a = {0};
    listen_to(f, &a);
    sql_exec(f, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
                "'tailgated listener' AND datname = current_database()");
    await_count(f->loop, &a.connects, 2);
    sql_exec(f, "NOTIFY tg_logs, 'again'");
    await_count(f->loop, &a.hints, 1);
    db_listener_free(a.listener);
}

static void test_db_listener_notify__while_away__dropped(void **state)
{
    struct fixture *f = *state;
    struct ear a = {0};
    assert_int_equal(
        db_listener_new(f->loop, f->conninfo, channels, 2, on_notify, on_connect, &a, &a.listener),
        0);
    db_listener_notify(a.listener, "tg_logs", "early");
    await_count(f->loop, &a.connects, 1);
    db_listener_notify(a.listener, "tg_logs", "now");
    await_count(f->loop, &a.hints, 1);
    assert_string_equal(a.last, "tg_logs:now");
    db_listener_free(a.listener);
}

static void test_db_listener_free__inside_its_callbacks__quiet(void **state)
{
    struct fixture *f = *state;
    struct ear a = {.free_on_connect = true}, b = {.free_on_hint = true};
    listen_to(f, &a);
    listen_to(f, &b);
    sql_exec(f, "NOTIFY tg_logs, 'one'; NOTIFY tg_logs, 'two'");
    await_count(f->loop, &b.hints, 1);
    for (int i = 0; i < 10; i++)
        assert_int_equal(loop_turn(f->loop, 10), 0);
    assert_int_equal(b.hints, 1);
    db_listener_free(NULL);
}

static void test_db_listener_new__bad_names__invalid(void **state)
{
    struct fixture *f = *state;
    char name[70];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    const char *const rows[] = {"", "a\"; DROP TABLE users; --", name};
    struct db_listener *d = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(
            db_listener_new(f->loop, f->conninfo, &rows[i], 1, on_notify, on_connect, NULL, &d),
            ERR_INVALID);
    assert_int_equal(
        db_listener_new(f->loop, "nonsense", channels, 2, on_notify, on_connect, NULL, &d),
        ERR_INVALID);
    assert_null(d);
}

static void test_db_listener_new__no_channels__can_notify(void **state)
{
    struct fixture *f = *state;
    struct ear a = {0}, b = {0};
    listen_to(f, &b);
    assert_int_equal(
        db_listener_new(f->loop, f->conninfo, NULL, 0, on_notify, on_connect, &a, &a.listener), 0);
    await_count(f->loop, &a.connects, 1);
    db_listener_notify(a.listener, "tg_logs", "x");
    await_count(f->loop, &b.hints, 1);
    assert_int_equal(a.hints, 0);
    db_listener_free(a.listener);
    db_listener_free(b.listener);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_db_listener__from_outside_and_from_each_other__heard),
        ROW(test_db_listener_notify__same_pair_in_one_turn__sent_once),
        ROW(test_db_listener_notify__too_many_or_impossible__dropped),
        ROW(test_db_listener__connection_lost__connects_and_listens_again),
        ROW(test_db_listener_notify__while_away__dropped),
        ROW(test_db_listener_free__inside_its_callbacks__quiet),
        ROW(test_db_listener_new__bad_names__invalid),
        ROW(test_db_listener_new__no_channels__can_notify),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
