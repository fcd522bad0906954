/* Showing and listing for a person. */
#include "fake.h"

#include <string.h>

struct answer {
    int calls, err;
    struct problem p;
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
}

static void listed(void *user, const struct problem *p, const struct execution *rows, size_t n)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
    a->n = n;
    assert_true(p == NULL || (rows == NULL && n == 0));
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
        TEST(test_get__role_and_outcome__table),          TEST(test_get__store_refuses_or_freed),
        TEST(test_list__role__sees_what_it_may),          TEST(test_list__errors),
        TEST(test_list__freed_before_the_answer__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
