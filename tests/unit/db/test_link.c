/* One kept-up connection against a fake libpq on a socket pair; the clock of its timers runs fast.
 */
#include "base/clock.h"
#include "base/err.h"
#include "db/link.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CONNECTION ((PGconn *)&fake) /* never looked into */
#define SPEED 50                     /* of the timers */

/* ---- libpq's part ---- */

static struct {
    int sockets[2];
    const char *polls; /* r reading, w writing, k ok, f failed; the last stays */
    int starts, finishes, flushes;
    bool start_is_null, start_is_bad, nonblocking_fails, no_socket;
    int flush_left; /* PQflush: 1 so many times */
    bool flush_fails, consume_fails;
} fake;

PGconn *__wrap_PQconnectStartParams(const char *const *keywords, const char *const *values,
                                    int expand);
PGconn *__wrap_PQconnectStartParams(const char *const *keywords, const char *const *values,
                                    int expand)
{
    assert_int_equal(expand, 0);
    for (int i = 0; keywords[i]; i++)
        assert_non_null(values[i]);
    fake.starts++;
    return fake.start_is_null ? NULL : CONNECTION;
}

PostgresPollingStatusType __wrap_PQconnectPoll(PGconn *pg);
PostgresPollingStatusType __wrap_PQconnectPoll(PGconn *pg)
{
    (void)pg;
    char c = fake.polls[0];
    if (fake.polls[1])
        fake.polls++;
    return c == 'r'   ? PGRES_POLLING_READING
           : c == 'w' ? PGRES_POLLING_WRITING
           : c == 'k' ? PGRES_POLLING_OK
                      : PGRES_POLLING_FAILED;
}

ConnStatusType __wrap_PQstatus(const PGconn *pg);
ConnStatusType __wrap_PQstatus(const PGconn *pg)
{
    (void)pg;
    return fake.start_is_bad ? CONNECTION_BAD : CONNECTION_STARTED;
}

int __wrap_PQsocket(const PGconn *pg);
int __wrap_PQsocket(const PGconn *pg)
{
    (void)pg;
    return fake.no_socket ? -1 : fake.sockets[0];
}

int __wrap_PQsetnonblocking(PGconn *pg, int on);
int __wrap_PQsetnonblocking(PGconn *pg, int on)
{
    (void)pg;
    assert_int_equal(on, 1);
    return fake.nonblocking_fails ? -1 : 0;
}

char *__wrap_PQerrorMessage(const PGconn *pg);
char *__wrap_PQerrorMessage(const PGconn *pg)
{
    static char message[] = "first line\nsecond line";
    (void)pg;
    return message;
}

int __wrap_PQconsumeInput(PGconn *pg);
int __wrap_PQconsumeInput(PGconn *pg)
{
    char byte;
    (void)pg;
    assert_true(read(fake.sockets[0], &byte, 1) <= 1);
    return !fake.consume_fails;
}

int __wrap_PQflush(PGconn *pg);
int __wrap_PQflush(PGconn *pg)
{
    (void)pg;
    fake.flushes++;
    if (fake.flush_fails)
        return -1;
    return fake.flush_left > 0 ? fake.flush_left-- > 0 : 0;
}

void __wrap_PQfinish(PGconn *pg);
void __wrap_PQfinish(PGconn *pg)
{
    fake.finishes += pg != NULL;
}

static PQnoticeProcessor notice;
PQnoticeProcessor __wrap_PQsetNoticeProcessor(PGconn *pg, PQnoticeProcessor fn, void *user);
PQnoticeProcessor __wrap_PQsetNoticeProcessor(PGconn *pg, PQnoticeProcessor fn, void *user)
{
    (void)pg;
    (void)user;
    notice = fn;
    return NULL;
}

void __real_loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms);
void __wrap_loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms);
void __wrap_loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms)
{
    __real_loop_timer_start(t, delay_ms / SPEED, repeat_ms / SPEED);
}

/* ---- the tests ---- */

struct place {
    struct loop *loop;
    struct db_link *link;
    int ups, inputs, downs, losses;
    bool had_pg, free_when_down, free_when_up;
    char why[64];
};

static void on_up(void *user)
{
    struct place *p = user;
    p->ups++;
    if (p->free_when_up) {
        db_link_free(p->link);
        p->link = NULL;
    }
}

static void on_input(void *user)
{
    ((struct place *)user)->inputs++;
}

static void on_down(void *user, PGconn *pg, bool was_up, const char *why)
{
    struct place *p = user;
    p->downs++;
    p->losses += was_up;
    p->had_pg = pg != NULL;
    snprintf(p->why, sizeof(p->why), "%s", why);
    if (p->free_when_down) {
        db_link_free(p->link);
        p->link = NULL;
    }
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    memset(&fake, 0, sizeof(fake));
    fake.polls = "k";
    *state = p;
    if (!p || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fake.sockets) != 0)
        return -1;
    return loop_new(&p->loop);
}

static int teardown(void **state)
{
    struct place *p = *state;
    db_link_free(p->link);
    loop_free(p->loop);
    close(fake.sockets[0]);
    close(fake.sockets[1]);
    free(p);
    return 0;
}

static void make(struct place *p, const char *conninfo)
{
    static const struct db_link_callbacks callbacks = {on_up, on_input, on_down};
    const struct db_link_opts opts = {.conninfo = conninfo};
    assert_int_equal(db_link_new(p->loop, &opts, &callbacks, p, &p->link), 0);
    assert_int_equal(fake.starts, 0); /* the next turn */
}

static void make_ready(struct place *p)
{
    make(p, "host=/run");
    await_count(p->loop, &p->ups, 1);
}

static void test_connect__several_steps__ready(void **state)
{
    struct place *p = *state;
    fake.polls = "wwrrk";
    assert_int_equal(write(fake.sockets[1], "x", 1), 1); /* readable all the time */
    make(p, "host=/run");
    assert_null(db_link_pg(p->link));
    await_count(p->loop, &p->ups, 1);
    assert_true(db_link_is_ready(p->link));
    assert_ptr_equal(db_link_pg(p->link), CONNECTION);
    notice(NULL, "NOTICE: goes to the log\n");
    await_count(p->loop, &p->inputs, 1);
    assert_int_equal(p->downs, 0);
}

struct failure_row {
    const char *what;
    const char *polls;
    bool null, bad, nonblocking, no_socket;
    const char *why;
};

static void test_connect__failures__down_and_tried_again(void **state)
{
    struct place *p = *state;
    static const struct failure_row rows[] = {
        {"out of memory", "k", true, false, false, false, "out of memory"},
        {"refused at once", "k", false, true, false, false, "first line"},
        {"refused later", "wf", false, false, false, false, "first line"},
        {"cannot be non-blocking", "wk", false, false, true, false, "cannot watch the connection"},
        {"no descriptor", "w", false, false, false, true, "cannot watch the connection"},
        {"never answers", "r", false, false, false, false, "no answer in time"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        fake.starts = p->downs = p->ups = fake.finishes = 0;
        fake.polls = rows[i].polls;
        fake.start_is_null = rows[i].null;
        fake.start_is_bad = rows[i].bad;
        fake.nonblocking_fails = rows[i].nonblocking;
        fake.no_socket = rows[i].no_socket;
        make(p, "host=/run");
        await_count(p->loop, &p->downs, 1);
        if (strcmp(p->why, rows[i].why) != 0)
            fail_msg("%s: %s", rows[i].what, p->why);
        assert_int_equal(p->losses, 0);
        assert_int_equal(p->had_pg, !rows[i].null);
        /* On a busy machine the next attempt may have failed, too. */
        assert_int_equal(fake.finishes, rows[i].null ? 0 : p->downs);
        fake.polls = "k";
        fake.start_is_null = fake.start_is_bad = fake.nonblocking_fails = fake.no_socket = false;
        await_count(p->loop, &p->ups, 1);
        assert_int_equal(fake.starts, p->downs + 1);
        db_link_free(p->link);
        p->link = NULL;
    }
}

static void test_backoff__again_and_again__at_most_its_maximum(void **state)
{
    struct place *p = *state;
    fake.start_is_bad = true;
    int64_t took_ms = INT64_MAX;
    for (int i = 0; i < 5 && took_ms >= 6000; i++) { /* the best one: a busy machine is late */
        db_link_free(p->link);
        p->link = NULL;
        p->downs = 0;
        int64_t begin = clock_mono_ms();
        make(p, "host=/run");
        await_count(p->loop, &p->downs, 12);
        took_ms = clock_mono_ms() - begin;
    }
    /* Doubling without an end would be 400 s / SPEED; bounded it is less than 40 s / SPEED. */
    assert_true(took_ms < 6000);
}

static void test_connection_lost__consume_fails__down_with_its_first_line(void **state)
{
    struct place *p = *state;
    make_ready(p);
    fake.consume_fails = true;
    assert_int_equal(write(fake.sockets[1], "x", 1), 1);
    await_count(p->loop, &p->downs, 1);
    assert_int_equal(p->losses, 1);
    assert_true(p->had_pg);
    assert_string_equal(p->why, "first line");
    assert_int_equal(p->inputs, 0);
    fake.consume_fails = false;
    await_count(p->loop, &p->ups, 2);
}

static void test_flush__socket_is_full__goes_on_when_writable(void **state)
{
    struct place *p = *state;
    make_ready(p);
    fake.flush_left = 3;
    assert_int_equal(db_link_flush(p->link), 0);
    await_count(p->loop, &fake.flushes, 4);
    assert_int_equal(p->downs, 0);
    /* Then it is quiet again. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_turn(p->loop, 1), 0);
    assert_int_equal(fake.flushes, 4);
    assert_int_equal(p->inputs, 0);
}

static void test_flush__fails__away_or_down(void **state)
{
    struct place *p = *state;
    make_ready(p);
    fake.flush_fails = true;
    assert_int_equal(db_link_flush(p->link), ERR_DB_AWAY);
    fake.flush_fails = false;
    fake.flush_left = 1;
    assert_int_equal(db_link_flush(p->link), 0);
    fake.flush_fails = true; /* the second time, from the loop */
    await_count(p->loop, &p->downs, 1);
}

static void test_db_link_drop__ready_or_not__down_once(void **state)
{
    struct place *p = *state;
    make_ready(p);
    db_link_drop(p->link, "because");
    assert_int_equal(p->downs, 1);
    assert_string_equal(p->why, "because");
    db_link_drop(p->link, "again");
    assert_int_equal(p->downs, 1);
    await_count(p->loop, &p->ups, 2);
    db_link_drop(p->link, "");
    assert_string_equal(p->why, "connection lost");
}

static void test_db_link_free__inside_callbacks__quiet(void **state)
{
    struct place *p = *state;
    p->free_when_up = true;
    make(p, "host=/run");
    await_count(p->loop, &p->ups, 1);
    assert_null(p->link);
    p->free_when_up = false;
    p->free_when_down = true;
    fake.start_is_bad = true;
    fake.starts = 0;
    make(p, "host=/run");
    await_count(p->loop, &p->downs, 1);
    assert_null(p->link);
    assert_int_equal(fake.finishes, 2);
    assert_int_equal(loop_turn(p->loop, 5), 0);
    assert_int_equal(fake.starts, 1);
}

static void test_db_link_state_name__known_and_not__text(void **state)
{
    (void)state;
    assert_string_equal(db_link_state_name(DB_LINK_IDLE), "idle");
    assert_string_equal(db_link_state_name(DB_LINK_BACKOFF), "backoff");
    assert_string_equal(db_link_state_name((enum db_link_state)99), "unknown");
    db_link_free(NULL);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_connect__several_steps__ready),
        ROW(test_connect__failures__down_and_tried_again),
        ROW(test_backoff__again_and_again__at_most_its_maximum),
        ROW(test_connection_lost__consume_fails__down_with_its_first_line),
        ROW(test_flush__socket_is_full__goes_on_when_writable),
        ROW(test_flush__fails__away_or_down),
        ROW(test_db_link_drop__ready_or_not__down_once),
        ROW(test_db_link_free__inside_callbacks__quiet),
        ROW(test_db_link_state_name__known_and_not__text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
