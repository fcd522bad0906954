/* Stopping for a person: states, owners, waiting for the commit. */
#include "fake.h"

#include <stdio.h>
#include <string.h>

struct answer {
    int calls, err;
    struct problem p;
    enum exec_status status;
    bool stopped_now;
};

static void answered(void *user, const struct problem *p, const struct execution *e,
                     bool stopped_now)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
    a->stopped_now = stopped_now;
    if (p)
        a->p = *p;
    else
        a->status = e->state.status;
}

static void ask(struct world *w, const struct execution *row, struct answer *a)
{
    const struct principal who = fake_who(ROLE_OPERATOR, "op@x");
    const struct caller by = {&who, "192.0.2.1", "req-9"};
    struct problem p;
    assert_int_equal(orchestrator_kill(w->o, &by, &row->id, answered, a, &p), 0);
    assert_int_equal(a->calls, 0);
}

/* The row is read, and told in the audit when it can be stopped. */
static void got(const struct execution *row)
{
    fake_answer_execution(CALL_GET, 0, row);
    if (fake_waiting(CALL_KILL_AUDIT) > 0)
        fake_answer_batch(CALL_KILL_AUDIT, 0);
}

static struct live *running(struct world *w, enum exec_status status)
{
    struct live *l = fake_live(w, 1, status);
    fake_engine.started(fake_engine.user, 0, NULL);
    return l;
}

static void test_kill__live__terminating_committed_then_stopped_then_answered(void **state)
{
    struct world *w = *state;
    for (int s = EXEC_STARTING; s <= EXEC_RUNNING; s++) {
        struct execution row = fake_row(1, (enum exec_status)s);
        struct live *l = running(w, row.state.status);
        struct answer a = {0};
        fake_engine.stops = 0;
        ask(w, &row, &a);
        got(&row);
        assert_int_equal(a.calls, 0);
        assert_int_equal(fake_engine.stops, 0);
        assert_string_equal(l->feed->transitions[0].cause, "killed by op@x");
        assert_string_equal(l->feed->transitions[0].request_id, "req-9");
        fake_commit(l->feed);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.status, EXEC_TERMINATING);
        assert_true(a.stopped_now);
        assert_int_equal(fake_engine.stops, 1);
        live_free(l);
    }
}

static void test_kill__pending__stopped_by_a_statement(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_PENDING);
    struct answer a = {0};
    row.owner = (char *)(uintptr_t) "";
    ask(w, &row, &a);
    got(&row);
    struct fake_call c = fake_take(CALL_CANCEL);
    assert_int_equal(c.to[0].status, EXEC_STOPPED);
    assert_int_equal(c.to[0].exit_code, 130);
    c.fn.batch(c.user, 0, NULL);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.status, EXEC_STOPPED);
    assert_true(a.stopped_now);
    assert_int_equal(fake_published.status, EXEC_STOPPED);
    assert_int_equal(fake_waiting(CALL_DEQUEUE), 1); /* others may follow */
}

static void test_kill__pending_left_the_queue__asked_again(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_PENDING);
    struct answer a = {0};
    ask(w, &row, &a);
    got(&row);
    fake_answer_batch(CALL_CANCEL, ERR_STALE);
    struct live *l = running(w, EXEC_STARTING);
    fake_pass(0);
    row = fake_row(1, EXEC_STARTING);
    got(&row);
    fake_commit(l->feed);
    assert_int_equal(a.status, EXEC_TERMINATING);
}

/* Of the audit and of what ends one that waits. */
static void test_kill__database_fails__nothing_stopped(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING), waits = fake_row(2, EXEC_PENDING);
    struct live *l = running(w, EXEC_RUNNING);
    struct answer a = {0}, b = {0}, c = {0};
    ask(w, &row, &a);
    fake_answer_execution(CALL_GET, 0, &row);
    fake_answer_batch(CALL_KILL_AUDIT, ERR_DB_AWAY);
    assert_int_equal(a.err, ERR_DB_AWAY);
    ask(w, &waits, &b);
    got(&waits);
    fake_answer_batch(CALL_CANCEL, ERR_DB);
    assert_int_equal(b.err, ERR_DB);
    ask(w, &row, &c);
    struct fake_call get = fake_take(CALL_GET);
    fake_stores_return(ERR_NOMEM);
    get.fn.execution(get.user, 0, &row);
    assert_int_equal(c.err, ERR_NOMEM);
    assert_int_equal(l->feed->count, 0);
}

static void test_kill__ended_before_the_audit__row_read_again(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    struct live *l = running(w, EXEC_RUNNING);
    struct answer a = {0};
    ask(w, &row, &a);
    fake_set_affected(0);
    got(&row);
    fake_pass(0);
    row = fake_row(1, EXEC_SUCCEEDED);
    got(&row);
    assert_int_equal(a.status, EXEC_SUCCEEDED);
    assert_false(a.stopped_now);
    assert_int_equal(l->feed->count, 0);
}

static void test_kill__freed_while_writing__closed(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING), waits = fake_row(2, EXEC_PENDING);
    struct answer a = {0}, b = {0};
    (void)running(w, EXEC_RUNNING);
    ask(w, &row, &a);
    fake_answer_execution(CALL_GET, 0, &row);
    ask(w, &waits, &b);
    fake_answer_execution(CALL_GET, 0, &waits);
    orchestrator_free(TAKE_PTR(w->o));
    fake_answer_batch(CALL_KILL_AUDIT, 0);
    fake_answer_batch(CALL_CANCEL, 0);
    assert_int_equal(a.err, ERR_CLOSED);
    assert_int_equal(b.err, ERR_CLOSED);
    assert_int_equal(a.calls + b.calls, 2);
}

static void test_kill__ended_or_terminating__as_it_is(void **state)
{
    struct world *w = *state;
    for (int s = EXEC_TERMINATING; s < EXEC_STATUS_COUNT; s++) {
        struct execution row = fake_row(1, (enum exec_status)s);
        struct answer a = {0};
        ask(w, &row, &a);
        got(&row);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, 0);
        assert_int_equal(a.status, s);
        assert_false(a.stopped_now);
    }
}

static void test_kill__two_at_once__one_stops_both_answered(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    struct live *l = running(w, EXEC_RUNNING);
    struct answer a = {0}, b = {0};
    ask(w, &row, &a);
    ask(w, &row, &b);
    got(&row);
    got(&row);
    assert_int_equal(l->feed->count, 1);
    assert_int_equal(a.calls + b.calls, 0);
    fake_commit(l->feed);
    assert_true(a.stopped_now);
    assert_false(b.stopped_now);
    assert_int_equal(b.status, EXEC_TERMINATING);
}

static void test_kill__end_is_on_its_way__answered_with_it(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    struct live *l = running(w, EXEC_RUNNING);
    struct answer a = {0};
    const struct spool_exit x = {0};
    l->feed->cb.on_exit(l->feed->user, &x);
    ask(w, &row, &a);
    got(&row);
    assert_int_equal(a.calls, 0);
    fake_commit(l->feed);
    assert_int_equal(a.status, EXEC_SUCCEEDED);
    assert_false(a.stopped_now);
    assert_int_equal(fake_engine.stops, 0);
}

static void test_kill__no_memory_for_the_transition__answered_after_it(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    struct live *l = running(w, EXEC_RUNNING);
    struct answer a = {0};
    ask(w, &row, &a);
    fake_transition_returns(ERR_NOMEM);
    got(&row);
    fake_transition_returns(0);
    fake_pass(6000);
    assert_int_equal(a.calls, 0);
    fake_commit(l->feed);
    assert_int_equal(a.status, EXEC_TERMINATING);
    assert_true(a.stopped_now);
}

static void test_kill__committed_before_we_wait__answered_on_the_next_turn(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    struct live *l = running(w, EXEC_RUNNING);
    struct answer a = {0};
    ask(w, &row, &a);
    l->row.state = l->feed->state = fake_row(1, EXEC_TERMINATING).state;
    got(&row); /* read before that commit */
    assert_int_equal(a.calls, 0);
    fake_pass(0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.status, EXEC_TERMINATING);
    assert_false(a.stopped_now);
}

struct err_row {
    enum role role;
    const char *email;
    int err, wanted;
};
static const struct err_row err_rows[] = {
    {ROLE_VIEWER, "v@x", 0, ERR_FORBIDDEN},
    {ROLE_DEVELOPER, "other@x", 0, ERR_FORBIDDEN},
    {ROLE_ADMIN, "a@x", ERR_NOT_FOUND, ERR_NOT_FOUND},
    {ROLE_ADMIN, "a@x", ERR_DB_AWAY, ERR_DB_AWAY},
    {ROLE_ADMIN, "a@x", ERR_TIMEOUT, ERR_DB_AWAY},
};

static void test_kill__refused__table(void **state)
{
    struct world *w = *state;
    const struct execution row = fake_row(1, EXEC_RUNNING);
    struct live *l = running(w, EXEC_RUNNING);
    for (size_t i = 0; i < ARRAY_SIZE(err_rows); i++) {
        const struct principal who = fake_who(err_rows[i].role, err_rows[i].email);
        const struct caller by = {&who, NULL, NULL};
        struct answer a = {0};
        struct problem p;
        assert_int_equal(orchestrator_kill(w->o, &by, &row.id, answered, &a, &p), 0);
        fake_answer_execution(CALL_GET, err_rows[i].err, err_rows[i].err ? NULL : &row);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, err_rows[i].wanted);
        if (err_rows[i].wanted == ERR_NOT_FOUND) {
            assert_string_equal(a.p.error, "failed to kill execution");
            assert_string_equal(a.p.details, "execution not found");
        }
    }
    assert_int_equal(l->feed->count, 0);
}

static void test_kill__another_gateways__says_which(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    struct answer a = {0};
    row.owner = (char *)(uintptr_t) "gw-two";
    ask(w, &row, &a);
    got(&row);
    assert_int_equal(a.err, ERR_CLOSED);
    assert_non_null(strstr(a.p.details, "gw-two"));
}

struct tellings {
    unsigned count;
    int64_t key;
    char email[32], request_id[32];
};

static void tell(void *user, int64_t execution_key, const char *email, const char *request_id)
{
    struct tellings *t = user;
    t->count++;
    t->key = execution_key;
    (void)snprintf(t->email, sizeof t->email, "%s", email);
    (void)snprintf(t->request_id, sizeof t->request_id, "%s", request_id);
}

static struct execution foreign_row(enum exec_status status)
{
    struct execution row = fake_row(1, status);
    row.owner = (char *)(uintptr_t) "gw-two";
    return row;
}

/* Its gateway is told in the asker's name, and the answer waits until the row shows it. */
static void test_kill__another_gateways__told_until_the_row_shows_it(void **state)
{
    static const struct {
        enum exec_status becomes;
        bool stopped_now;
    } rows[] = {{EXEC_TERMINATING, true}, {EXEC_STOPPED, true}, {EXEC_SUCCEEDED, false}};
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct execution row = foreign_row(EXEC_RUNNING);
        const struct execution after = foreign_row(rows[i].becomes);
        struct tellings t = {0};
        struct answer a = {0};
        orchestrator_tell_stop(w->o, tell, &t);
        ask(w, &row, &a);
        assert_int_equal(t.count, 0); /* not before the audit knows */
        got(&row);
        assert_int_equal(t.count, 1);
        assert_int_equal(t.key, row.key);
        assert_string_equal(t.email, "op@x");
        assert_string_equal(t.request_id, "req-9");
        for (int look = 0; look < 50; look++) { /* 2.5 s: told twice more */
            fake_pass(50);
            got(&row);
        }
        assert_int_equal(t.count, 3);
        assert_int_equal(a.calls, 0);
        fake_pass(50);
        got(&after);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.status, rows[i].becomes);
        assert_int_equal(a.stopped_now, rows[i].stopped_now);
    }
}

static void test_kill__another_gateways_never_answers__says_which(void **state)
{
    struct world *w = *state;
    const struct execution row = foreign_row(EXEC_RUNNING);
    struct tellings t = {0};
    struct answer a = {0};
    orchestrator_tell_stop(w->o, tell, &t);
    ask(w, &row, &a);
    got(&row);
    int looks = 0;
    for (; looks < 1000 && a.calls == 0; looks++) {
        fake_pass(50);
        got(&row);
    }
    assert_int_equal(looks, 200); /* ten seconds */
    assert_int_equal(t.count, 10);
    assert_int_equal(a.err, ERR_CLOSED);
    assert_non_null(strstr(a.p.details, "gw-two"));
}

static void test_kill__row_just_created__tried_again(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_STARTING);
    struct answer a = {0};
    ask(w, &row, &a);
    got(&row);
    fake_pass(50);
    struct live *l = running(w, EXEC_STARTING);
    got(&row);
    fake_commit(l->feed);
    assert_int_equal(a.status, EXEC_TERMINATING);
}

static void test_kill__never_here__gives_up(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_STARTING);
    struct answer a = {0};
    ask(w, &row, &a);
    for (int i = 0; i < 100 && a.calls == 0; i++) {
        got(&row);
        fake_pass(50);
    }
    assert_int_equal(a.err, ERR_CLOSED);
    assert_int_equal(fake_waiting(CALL_GET), 0);
}

static void test_kill__store_refuses__problem(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_STARTING);
    const struct principal who = fake_who(ROLE_ADMIN, "a@x");
    const struct caller by = fake_caller(&who);
    struct answer a = {0};
    struct problem p;
    fake_stores_return(ERR_LIMIT);
    assert_int_equal(orchestrator_kill(w->o, &by, &row.id, answered, &a, &p), ERR_DB_AWAY);
    fake_stores_return(0);
    ask(w, &row, &a);
    got(&row);
    fake_stores_return(ERR_LIMIT); /* at the second try */
    fake_pass(50);
    assert_int_equal(a.err, ERR_DB_AWAY);
}

static void test_kill__forgotten_while_waiting__closed(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_RUNNING);
    struct live *l = running(w, EXEC_RUNNING);
    struct answer a = {0};
    ask(w, &row, &a);
    got(&row);
    l->feed->cb.on_break(l->feed->user, FEED_STALE, "fence");
    fake_pass(0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, ERR_CLOSED);
}

static void test_kill__freed_while_asking_waiting_or_trying(void **state)
{
    struct world *w = *state;
    struct execution here = fake_row(1, EXEC_RUNNING), nowhere = fake_row(2, EXEC_RUNNING);
    struct answer waiting = {0}, trying = {0}, asking = {0};
    (void)running(w, EXEC_RUNNING);
    ask(w, &here, &waiting);
    got(&here);
    ask(w, &nowhere, &trying);
    got(&nowhere);
    ask(w, &here, &asking);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(waiting.err, ERR_CLOSED);
    assert_int_equal(trying.err, ERR_CLOSED);
    assert_int_equal(asking.err, ERR_CLOSED);
    got(&here);
    assert_int_equal(waiting.calls + trying.calls + asking.calls, 3);
}

static void test_kill__not_started__closed_but_leaving_is_fine(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_FAILED);
    const struct principal who = fake_who(ROLE_ADMIN, "a@x");
    const struct caller by = fake_caller(&who);
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_kill(w->o, &by, &row.id, answered, &a, &p), ERR_CLOSED);
    w->o->is_started = true;
    orchestrator_leave(w->o);
    ask(w, &row, &a);
    got(&row);
    assert_int_equal(a.err, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_kill__live__terminating_committed_then_stopped_then_answered),
        TEST(test_kill__pending__stopped_by_a_statement),
        TEST(test_kill__pending_left_the_queue__asked_again),
        TEST(test_kill__database_fails__nothing_stopped),
        TEST(test_kill__ended_before_the_audit__row_read_again),
        TEST(test_kill__freed_while_writing__closed),
        TEST(test_kill__ended_or_terminating__as_it_is),
        TEST(test_kill__two_at_once__one_stops_both_answered),
        TEST(test_kill__end_is_on_its_way__answered_with_it),
        TEST(test_kill__no_memory_for_the_transition__answered_after_it),
        TEST(test_kill__committed_before_we_wait__answered_on_the_next_turn),
        TEST(test_kill__refused__table),
        TEST(test_kill__another_gateways__says_which),
        TEST(test_kill__another_gateways__told_until_the_row_shows_it),
        TEST(test_kill__another_gateways_never_answers__says_which),
        TEST(test_kill__row_just_created__tried_again),
        TEST(test_kill__never_here__gives_up),
        TEST(test_kill__store_refuses__problem),
        TEST(test_kill__forgotten_while_waiting__closed),
        TEST(test_kill__freed_while_asking_waiting_or_trying),
        cmocka_unit_test_setup_teardown(test_kill__not_started__closed_but_leaving_is_fine,
                                        fake_setup_unstarted, fake_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
