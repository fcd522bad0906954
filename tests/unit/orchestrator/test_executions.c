/* Running, showing and listing for a person. */
#include "fake.h"

#include <stdio.h>
#include <string.h>

struct answer {
    int calls, err;
    struct problem p;
    struct exec_state state;
    size_t n;
};

static void answered(void *user, const struct problem *p, const struct execution *e)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
    assert_true(!p == !!e);
    if (p)
        a->p = *p;
    else
        a->state = e->state;
}

static void listed(void *user, const struct problem *p, const struct execution *rows, size_t n)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
    a->n = n;
    assert_true(p == NULL || (rows == NULL && n == 0));
}

static struct run_request request(void)
{
    return (struct run_request){
        .command = "echo hi", .timeout_s = 5, .grace_s = 2, .request_id = "req-1"};
}

static int run(struct world *w, enum role role, struct answer *a, struct problem *p)
{
    const struct principal who = fake_who(role, "dev@x");
    const struct run_request r = request();
    return orchestrator_run(w->o, &who, &r, answered, a, p);
}

static void test_run__accepted__row_then_answer_then_start(void **state)
{
    struct world *w = *state;
    const struct principal who = fake_who(ROLE_DEVELOPER, "dev@x");
    struct env_var env[] = {{"A", "1"}};
    struct run_request r = request();
    struct execution row = fake_row(1, EXEC_STARTING);
    struct answer a = {0};
    struct problem p;
    r.env = env;
    r.env_count = 1;
    assert_int_equal(orchestrator_run(w->o, &who, &r, answered, &a, &p), 0);
    env[0].value = NULL; /* borrowed for the call only */
    struct fake_call c = fake_take(CALL_CREATE);
    assert_string_equal(c.created_by, "dev@x");
    assert_string_equal(c.request_id, "req-1");
    assert_int_equal(c.timeout_s, 5);
    assert_int_equal(c.grace_s, 2);
    assert_int_equal(a.calls, 0);
    c.fn.execution(c.user, 0, &row);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, 0);
    assert_int_equal(a.state.status, EXEC_STARTING);
    assert_int_equal(fake_engine.starts, 1);
    assert_int_equal(orchestrator_live_count(w->o), 1);
}

static void test_run__viewer__forbidden(void **state)
{
    struct answer a = {0};
    struct problem p;
    assert_int_equal(run(*state, ROLE_VIEWER, &a, &p), ERR_FORBIDDEN);
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
}

static void test_run__bad_request__nothing_created(void **state)
{
    struct world *w = *state;
    const struct principal who = fake_who(ROLE_ADMIN, "a@x");
    const struct run_request r = {.timeout_s = -1, .grace_s = -1};
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_run(w->o, &who, &r, answered, &a, &p), ERR_INVALID);
    assert_string_equal(p.details, "command is required");
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
}

static void test_run__at_the_limit__limit(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_LIMIT); /* rows on their way count */
    fake_answer_execution(CALL_CREATE, ERR_DB, NULL);
    for (uint32_t i = 0; i < 3; i++) {
        struct execution row = fake_row(i + 1, EXEC_STARTING);
        fake_answer_execution(CALL_CREATE, 0, &row);
    }
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_LIMIT);
    assert_non_null(strstr(p.details, "4 executions"));
    fake_answer_execution(CALL_CREATE, ERR_DB, NULL);
}

static void test_run__leaving_or_not_started__closed(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_CLOSED);
    assert_non_null(strstr(p.details, "starting"));
    w->o->is_started = true;
    orchestrator_leave(w->o);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_CLOSED);
    assert_non_null(strstr(p.details, "shutting down"));
}

static void test_run__database_away__problem(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    fake_answer_execution(CALL_CREATE, ERR_DB_AWAY, NULL);
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_string_equal(a.p.error, "failed to run command");
    fake_stores_return(ERR_DB_AWAY);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_DB_AWAY);
    assert_int_equal(w->o->creating, 0);
}

static void test_run__freed_before_the_answer__closed(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct execution row = fake_row(1, EXEC_STARTING);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(a.err, ERR_CLOSED);
    fake_answer_execution(CALL_CREATE, 0, &row);
    assert_int_equal(a.calls, 1);
    assert_int_equal(fake_engine.starts, 0);
}

struct get_row {
    enum role role;
    const char *email;
    enum action action;
    int err, wanted;
};
static const struct get_row get_rows[] = {
    {ROLE_ADMIN, "a@x", ACTION_READ, 0, 0},
    {ROLE_VIEWER, "v@x", ACTION_READ, 0, 0},
    {ROLE_VIEWER, "v@x", ACTION_STOP, 0, ERR_FORBIDDEN},
    {ROLE_DEVELOPER, "dev@x", ACTION_STOP, 0, 0},
    {ROLE_DEVELOPER, "other@x", ACTION_READ, 0, ERR_FORBIDDEN},
    {ROLE_ADMIN, "a@x", ACTION_READ, ERR_NOT_FOUND, ERR_NOT_FOUND},
    {ROLE_DEVELOPER, "other@x", ACTION_READ, ERR_NOT_FOUND, ERR_NOT_FOUND},
    {ROLE_ADMIN, "a@x", ACTION_READ, ERR_DB_AWAY, ERR_DB_AWAY},
    {ROLE_ADMIN, "a@x", ACTION_READ, ERR_TIMEOUT, ERR_DB_AWAY},
};

static void test_get__role_and_outcome__table(void **state)
{
    struct world *w = *state;
    const struct execution row = fake_row(1, EXEC_RUNNING);
    for (size_t i = 0; i < ARRAY_SIZE(get_rows); i++) {
        const struct get_row *g = &get_rows[i];
        const struct principal who = fake_who(g->role, g->email);
        struct answer a = {0};
        struct problem p;
        assert_int_equal(orchestrator_get(w->o, &who, g->action, &row.id, answered, &a, &p), 0);
        fake_answer_execution(CALL_GET, g->err, g->err ? NULL : &row);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, g->wanted);
        if (g->wanted == ERR_NOT_FOUND)
            assert_string_equal(a.p.details, "execution not found");
    }
}

static void test_get__store_refuses_or_freed(void **state)
{
    struct world *w = *state;
    const struct execution row = fake_row(1, EXEC_RUNNING);
    const struct principal who = fake_who(ROLE_ADMIN, "a@x");
    struct answer a = {0};
    struct problem p;
    fake_stores_return(ERR_LIMIT);
    assert_int_equal(orchestrator_get(w->o, &who, ACTION_READ, &row.id, answered, &a, &p),
                     ERR_DB_AWAY);
    fake_stores_return(0);
    assert_int_equal(orchestrator_get(w->o, &who, ACTION_READ, &row.id, answered, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    fake_answer_execution(CALL_GET, 0, &row);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, ERR_CLOSED);
}

struct list_row {
    enum role role;
    const char *asked, *wanted; /* created_by; NULL = all */
    bool empty;
};
static const struct list_row list_rows[] = {
    {ROLE_ADMIN, NULL, "", false},         {ROLE_VIEWER, "dev@x", "dev@x", false},
    {ROLE_DEVELOPER, NULL, "me@x", false}, {ROLE_DEVELOPER, "me@x", "me@x", false},
    {ROLE_DEVELOPER, "dev@x", NULL, true},
};

static void test_list__role__sees_what_it_may(void **state)
{
    struct world *w = *state;
    const struct execution rows[2] = {fake_row(2, EXEC_RUNNING), fake_row(1, EXEC_FAILED)};
    for (size_t i = 0; i < ARRAY_SIZE(list_rows); i++) {
        const struct principal who = fake_who(list_rows[i].role, "me@x");
        const struct execution_filter f = {.status_mask = 3,
                                           .created_by = list_rows[i].asked,
                                           .since_us = 4,
                                           .until_us = 5,
                                           .before_key = 6,
                                           .limit = 10};
        struct answer a = {0};
        struct problem p;
        assert_int_equal(orchestrator_list(w->o, &who, &f, listed, &a, &p), 0);
        assert_int_equal(a.calls, 0);
        if (list_rows[i].empty) {
            fake_pass(0);
            assert_int_equal(a.n, 0);
        } else {
            struct fake_call c = fake_take(CALL_LIST);
            assert_string_equal(c.created_by, list_rows[i].wanted);
            assert_int_equal(c.filter.status_mask, 3);
            assert_int_equal(c.filter.since_us, 4);
            assert_int_equal(c.filter.until_us, 5);
            assert_int_equal(c.filter.before_key, 6);
            assert_int_equal(c.filter.limit, 10);
            c.fn.executions(c.user, 0, rows, 2);
            assert_int_equal(a.n, 2);
        }
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, 0);
    }
}

static void test_list__errors(void **state)
{
    struct world *w = *state;
    const struct execution_filter f = {.limit = 10};
    const struct principal who = fake_who(ROLE_ADMIN, "a@x"),
                           nobody = fake_who((enum role)9, "n@x");
    struct answer a = {0};
    struct problem p;
    assert_int_equal(orchestrator_list(w->o, &nobody, &f, listed, &a, &p), ERR_FORBIDDEN);
    fake_stores_return(ERR_DB_AWAY);
    assert_int_equal(orchestrator_list(w->o, &who, &f, listed, &a, &p), ERR_DB_AWAY);
    fake_stores_return(0);
    assert_int_equal(orchestrator_list(w->o, &who, &f, listed, &a, &p), 0);
    fake_answer_rows(CALL_LIST, ERR_DB, NULL, 0);
    assert_int_equal(a.err, ERR_DB);
}

static void test_list__freed_before_the_answer__closed(void **state)
{
    struct world *w = *state;
    const struct execution_filter others = {.limit = 10, .created_by = "other@x"};
    const struct execution_filter all = {.limit = 10};
    const struct principal dev = fake_who(ROLE_DEVELOPER, "dev@x");
    struct answer asked = {0}, empty = {0};
    struct problem p;
    assert_int_equal(orchestrator_list(w->o, &dev, &all, listed, &asked, &p), 0);
    assert_int_equal(orchestrator_list(w->o, &dev, &others, listed, &empty, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(asked.err, ERR_CLOSED);
    assert_int_equal(empty.err, ERR_CLOSED);
    fake_answer_rows(CALL_LIST, 0, NULL, 0);
    fake_pass(10);
    assert_int_equal(asked.calls + empty.calls, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_run__accepted__row_then_answer_then_start),
        TEST(test_run__viewer__forbidden),
        TEST(test_run__bad_request__nothing_created),
        TEST(test_run__at_the_limit__limit),
        cmocka_unit_test_setup_teardown(test_run__leaving_or_not_started__closed,
                                        fake_setup_unstarted, fake_teardown),
        TEST(test_run__database_away__problem),
        TEST(test_run__freed_before_the_answer__closed),
        TEST(test_get__role_and_outcome__table),
        TEST(test_get__store_refuses_or_freed),
        TEST(test_list__role__sees_what_it_may),
        TEST(test_list__errors),
        TEST(test_list__freed_before_the_answer__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
