#include "orchestrator/trace.h"

#include "base/json.h"
#include "base/log.h"
#include "db/store_trace.h"

#include "fake.h"
#include "fake_team.h"

#include <stdio.h>
#include <string.h>

static const struct principal admin = {.role = ROLE_ADMIN, .email = "a@x"};
static const struct principal developer = {.role = ROLE_DEVELOPER, .email = "d@x"};

static int setup(void **state)
{
    fake_team_reset();
    int r = fake_setup(state);
    struct world *w = *state;
    return r ? r : trace_begin(w->o);
}

static void say(const char *request_id, const char *msg)
{
    log_set_request_id(request_id);
    log_error(msg, "n", "1");
    log_set_request_id(NULL);
}

static uint64_t dropped(const struct world *w)
{
    return w->o->trace_dropped;
}

/* The records that a write holds; fails the test when they are no JSON array. */
static size_t records(const struct fake_team_call *c)
{
    struct problem p;
    json_t *doc CLEANUP_JSON = NULL;
    assert_int_equal(json_parse(c->text, strlen(c->text), &doc, &p), 0);
    assert_true(json_is_array(doc));
    return json_array_size(doc);
}

static void test_trace__records_of_requests__one_write(void **state UNUSED)
{
    say("r1", "one");
    say(NULL, "of no request");
    say("r2", "two");
    assert_int_equal(fake_team_waiting(TEAM_TRACE_WRITE), 0);
    fake_pass(TRACE_FLUSH_MS);
    struct fake_team_call c = fake_team_take(TEAM_TRACE_WRITE);
    assert_int_equal(records(&c), 2);
    assert_non_null(strstr(c.text, "\"request_id\":\"r1\""));
    assert_null(strstr(c.text, "of no request"));
    say("r3", "three"); /* waits while the first are under way */
    fake_pass(TRACE_FLUSH_MS);
    assert_int_equal(fake_team_waiting(TEAM_TRACE_WRITE), 0);
    c.fn.batch(c.user, 0, NULL);
    fake_pass(TRACE_FLUSH_MS);
    c = fake_team_take(TEAM_TRACE_WRITE);
    assert_int_equal(records(&c), 1);
    c.fn.batch(c.user, 0, NULL);
    fake_pass(TRACE_FLUSH_MS);
    assert_int_equal(fake_team_waiting(TEAM_TRACE_WRITE), 0);
}

static void test_trace__nothing_to_write__sweeps_all_the_same(void **state)
{
    struct world *w = *state;
    fake_pass(60000);
    struct fake_team_call c = fake_team_take(TEAM_TRACE_WRITE);
    assert_int_equal(records(&c), 0);
    assert_int_equal(c.retention_ms, fake_opts(w).trace_retention_ms);
    fake_set_affected(STORE_TRACE_SWEPT); /* there is more: go on at once */
    c.fn.batch(c.user, 0, NULL);
    fake_pass(TRACE_FLUSH_MS);
    c = fake_team_take(TEAM_TRACE_WRITE);
    fake_set_affected(0);
    c.fn.batch(c.user, 0, NULL);
}

static void test_trace__store_fails__again_or_dropped(void **state)
{
    struct world *w = *state;
    say("r1", "one");
    fake_pass(TRACE_FLUSH_MS);
    struct fake_team_call c = fake_team_take(TEAM_TRACE_WRITE);
    c.fn.batch(c.user, ERR_DB_AWAY, NULL);
    say("r1", "two");
    fake_pass(2000);
    c = fake_team_take(TEAM_TRACE_WRITE);
    assert_int_equal(records(&c), 1); /* the same again; what came meanwhile follows */
    c.fn.batch(c.user, ERR_DB, NULL);
    assert_int_equal(dropped(w), 1);
    fake_pass(2000);
    c = fake_team_take(TEAM_TRACE_WRITE);
    assert_non_null(strstr(c.text, "two"));
    c.fn.batch(c.user, 0, NULL);
    fake_team_returns(ERR_LIMIT);
    say("r1", "three");
    fake_pass(TRACE_FLUSH_MS);
    fake_team_returns(0);
    fake_pass(2000);
    c = fake_team_take(TEAM_TRACE_WRITE);
    assert_non_null(strstr(c.text, "three"));
    c.fn.batch(c.user, 0, NULL);
}

static void test_trace__no_room__counted_and_well_formed(void **state)
{
    struct world *w = *state;
    size_t max = fake_opts(w).trace_queue_bytes;
    for (size_t i = 0; i < max / 50; i++)
        say("r1", "a record of more than fifty bytes, time and level included");
    assert_true(dropped(w) > 0);
    fake_pass(TRACE_FLUSH_MS);
    struct fake_team_call c = fake_team_take(TEAM_TRACE_WRITE);
    assert_true(records(&c) > 0);
    c.fn.batch(c.user, 0, NULL);
}

static void test_trace__server_ends__freed_with_the_answer(void **state)
{
    struct world *w = *state;
    say("r1", "one");
    fake_pass(TRACE_FLUSH_MS);
    struct fake_team_call c = fake_team_take(TEAM_TRACE_WRITE);
    say("r1", "two");
    orchestrator_free(w->o);
    w->o = NULL;
    say("r1", "three"); /* no sink is left */
    c.fn.batch(c.user, ERR_CLOSED, NULL);
}

struct got {
    int calls, err;
    size_t n;
};

static void on_trace(void *user, const struct problem *p, const struct trace *t)
{
    struct got *g = user;
    g->calls++;
    g->err = p ? p->err : 0;
    g->n = t ? t->count : 0;
}

static void test_trace_get__admins_only__trace_or_problem(void **state)
{
    struct world *w = *state;
    const struct trace t = {.count = 3};
    struct got g = {0};
    struct problem p;
    assert_int_equal(trace_get(w->o, &developer, "r1", on_trace, &g, &p), ERR_FORBIDDEN);
    assert_int_equal(trace_get(w->o, &admin, "", on_trace, &g, &p), ERR_INVALID);
    assert_int_equal(trace_get(w->o, &admin, "r1", on_trace, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_TRACE_GET);
    assert_string_equal(c.text, "r1");
    c.fn.trace(c.user, 0, &t);
    assert_int_equal(g.n, 3);
    assert_int_equal(trace_get(w->o, &admin, "r1", on_trace, &g, &p), 0);
    c = fake_team_take(TEAM_TRACE_GET);
    c.fn.trace(c.user, ERR_DB_AWAY, NULL);
    assert_int_equal(g.err, ERR_DB_AWAY);
    fake_team_returns(ERR_NOMEM);
    assert_int_equal(trace_get(w->o, &admin, "r1", on_trace, &g, &p), ERR_NOMEM);
    fake_team_returns(0);
    assert_int_equal(trace_get(w->o, &admin, "r1", on_trace, &g, &p), 0);
    c = fake_team_take(TEAM_TRACE_GET);
    orchestrator_free(w->o);
    w->o = NULL;
    assert_int_equal(g.err, ERR_CLOSED);
    c.fn.trace(c.user, 0, &t);
    assert_int_equal(g.calls, 3);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_trace__records_of_requests__one_write),
        ROW(test_trace__nothing_to_write__sweeps_all_the_same),
        ROW(test_trace__store_fails__again_or_dropped),
        ROW(test_trace__no_room__counted_and_well_formed),
        ROW(test_trace__server_ends__freed_with_the_answer),
        ROW(test_trace_get__admins_only__trace_or_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
