#include "orchestrator/audit.h"

#include "fake.h"
#include "fake_team.h"

#include <stdio.h>
#include <string.h>

static const struct principal admin = {.role = ROLE_ADMIN, .key_id = 3, .email = "a@x"};
static const struct principal developer = {.role = ROLE_DEVELOPER, .email = "d@x"};

static int setup(void **state)
{
    fake_team_reset();
    return fake_setup(state);
}

static void deny(struct world *w, const struct principal *who, const char *address,
                 const char *resource)
{
    const struct caller by = {who, address, "r1"};
    audit_denied(w->o, &by, "secrets.read", resource, "FORBIDDEN", false);
}

static void deny_unknown(struct world *w, const char *address)
{
    const struct caller by = {NULL, address, "r2"};
    audit_denied(w->o, &by, "session.use", "", "INVALID_API_KEY", true);
}

static uint64_t dropped(const struct world *w)
{
    return w->o->audit_dropped;
}

static void answer(int err)
{
    struct fake_team_call c = fake_team_take(TEAM_AUDIT_WRITE);
    c.fn.batch(c.user, err, NULL);
}

static void test_audit_denied__alike_and_others__one_write(void **state)
{
    struct world *w = *state;
    deny(w, &developer, "10.0.0.1", "secrets/a");
    deny(w, &developer, "10.0.0.1", "secrets/a");
    deny(w, &developer, "10.0.0.1", "secrets/b");
    deny(w, &admin, "10.0.0.1", "secrets/a");
    assert_int_equal(fake_team_waiting(TEAM_AUDIT_WRITE), 0);
    fake_pass(AUDIT_FLUSH_MS);
    struct fake_team_call c = fake_team_take(TEAM_AUDIT_WRITE);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.rows[0].count, 2);
    assert_string_equal(c.rows[0].email, "d@x");
    assert_string_equal(c.rows[0].address, "10.0.0.1");
    assert_string_equal(c.rows[0].request_id, "r1");
    assert_string_equal(c.rows[0].action, "secrets.read");
    assert_string_equal(c.rows[0].resource, "secrets/a");
    assert_string_equal(c.rows[0].result, "FORBIDDEN");
    assert_string_equal(c.rows[1].resource, "secrets/b");
    deny(w, &developer, "10.0.0.1", "secrets/a"); /* while the first are under way */
    fake_pass(AUDIT_FLUSH_MS);
    assert_int_equal(fake_team_waiting(TEAM_AUDIT_WRITE), 0);
    c.fn.batch(c.user, 0, NULL);
    fake_pass(AUDIT_FLUSH_MS);
    c = fake_team_take(TEAM_AUDIT_WRITE);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.rows[0].count, 1);
    c.fn.batch(c.user, 0, NULL);
    fake_pass(10 * AUDIT_FLUSH_MS);
    assert_int_equal(fake_team_waiting(TEAM_AUDIT_WRITE), 0);
    assert_int_equal(dropped(w), 0);
}

static void test_audit_denied__unknown_keys__one_row_a_minute_an_address(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 100; i++)
        deny_unknown(w, "10.0.0.1");
    fake_pass(AUDIT_FLUSH_MS);
    struct fake_team_call c = fake_team_take(TEAM_AUDIT_WRITE);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.rows[0].count, 100);
    c.fn.batch(c.user, 0, NULL);
    for (int i = 0; i < 50; i++)
        deny_unknown(w, "10.0.0.1");
    fake_pass(AUDIT_UNKNOWN_MS - 2 * AUDIT_FLUSH_MS);
    assert_int_equal(fake_team_waiting(TEAM_AUDIT_WRITE), 0);
    fake_pass(3 * AUDIT_FLUSH_MS);
    c = fake_team_take(TEAM_AUDIT_WRITE);
    assert_int_equal(c.rows[0].count, 50);
    c.fn.batch(c.user, 0, NULL);
    fake_pass(AUDIT_UNKNOWN_MS + 3 * AUDIT_FLUSH_MS); /* then it is forgotten */
    deny_unknown(w, "10.0.0.1");
    fake_pass(AUDIT_FLUSH_MS);
    answer(0);
}

static void test_audit_denied__too_many_addresses_or_kinds__counted(void **state)
{
    struct world *w = *state;
    char text[32];
    for (int i = 0; i < AUDIT_UNKNOWN_MAX + 5; i++) {
        (void)snprintf(text, sizeof text, "10.0.0.%d", i);
        deny_unknown(w, text);
    }
    assert_int_equal(dropped(w), 5);
    size_t room = fake_opts(w).audit_queue_max - AUDIT_UNKNOWN_MAX;
    for (size_t i = 0; i < room + 3; i++) {
        (void)snprintf(text, sizeof text, "secrets/%zu", i);
        deny(w, &developer, "10.0.0.1", text);
    }
    assert_int_equal(dropped(w), 8);
}

static void test_audit_denied__store_fails__again_or_dropped(void **state)
{
    struct world *w = *state;
    deny(w, &developer, "10.0.0.1", "a");
    fake_pass(AUDIT_FLUSH_MS);
    answer(ERR_DB_AWAY);
    deny(w, &developer, "10.0.0.1", "a");
    fake_pass(5000);
    struct fake_team_call c = fake_team_take(TEAM_AUDIT_WRITE);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.rows[0].count, 2);
    c.fn.batch(c.user, ERR_DB, NULL);
    assert_int_equal(dropped(w), 2);
    fake_team_returns(ERR_LIMIT);
    deny(w, &developer, "10.0.0.1", "b");
    fake_pass(AUDIT_FLUSH_MS);
    fake_team_returns(0);
    fake_pass(5000);
    answer(0);
}

static void test_audit_denied__long_texts__cut_at_a_character(void **state)
{
    struct world *w = *state;
    char text[2 * AUDIT_RESOURCE_MAX];
    memset(text, 'a', sizeof text);
    text[AUDIT_RESOURCE_MAX - 2] = '\xc3'; /* two bytes that the cut would part */
    text[AUDIT_RESOURCE_MAX - 1] = '\xa4';
    text[sizeof text - 1] = '\0';
    deny(w, &developer, NULL, text);
    fake_pass(AUDIT_FLUSH_MS);
    struct fake_team_call c = fake_team_take(TEAM_AUDIT_WRITE);
    assert_int_equal(strlen(c.rows[0].resource), AUDIT_RESOURCE_MAX - 2);
    assert_string_equal(c.rows[0].address, "");
    c.fn.batch(c.user, 0, NULL);
}

static void test_audit__server_leaves_and_ends__written_and_freed(void **state)
{
    struct world *w = *state;
    audit_flush(w->o); /* nothing yet */
    deny(w, &developer, "10.0.0.1", "a");
    orchestrator_leave(w->o);
    struct fake_team_call c = fake_team_take(TEAM_AUDIT_WRITE);
    deny(w, &developer, "10.0.0.1", "b");
    orchestrator_free(w->o);
    w->o = NULL;
    c.fn.batch(c.user, 0, NULL);
}

static void count(void *user)
{
    (*(int *)user)++;
}

static void test_audit_drain__answer_comes__then_done(void **state)
{
    struct world *w = *state;
    int done = 0;
    audit_drain(w->o, count, &done); /* nothing yet */
    assert_int_equal(done, 1);
    deny(w, &developer, "10.0.0.1", "a");
    audit_drain(w->o, count, &done);
    assert_int_equal(done, 1);
    answer(ERR_DB_AWAY);
    assert_int_equal(done, 2);
}

struct listed {
    int calls, err;
    size_t n;
};

static void on_list(void *user, const struct problem *p, const struct audit_entry *rows, size_t n)
{
    struct listed *l = user;
    l->calls++;
    l->err = p ? p->err : 0;
    l->n = n;
    assert_true(!p == !!rows);
}

static void test_audit_list__admins_only__rows_or_problem(void **state)
{
    struct world *w = *state;
    const struct audit_filter f = {.limit = 7, .before_id = 9};
    const struct audit_entry entry = {.audit_id = 1};
    struct listed l = {0};
    struct problem p;
    assert_int_equal(audit_list(w->o, &developer, &f, on_list, &l, &p), ERR_FORBIDDEN);
    assert_int_equal(audit_list(w->o, &admin, &f, on_list, &l, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_AUDIT_LIST);
    assert_int_equal(c.filter.limit, 7);
    assert_int_equal(c.filter.before_id, 9);
    c.fn.audit(c.user, 0, &entry, 1);
    assert_int_equal(l.n, 1);
    assert_int_equal(audit_list(w->o, &admin, &f, on_list, &l, &p), 0);
    c = fake_team_take(TEAM_AUDIT_LIST);
    c.fn.audit(c.user, ERR_DB_AWAY, NULL, 0);
    assert_int_equal(l.err, ERR_DB_AWAY);
    fake_team_returns(ERR_NOMEM);
    assert_int_equal(audit_list(w->o, &admin, &f, on_list, &l, &p), ERR_NOMEM);
    fake_team_returns(0);
    assert_int_equal(audit_list(w->o, &admin, &f, on_list, &l, &p), 0);
    c = fake_team_take(TEAM_AUDIT_LIST);
    orchestrator_free(w->o);
    w->o = NULL;
    assert_int_equal(l.err, ERR_CLOSED);
    c.fn.audit(c.user, 0, &entry, 1);
    assert_int_equal(l.calls, 3);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_audit_denied__alike_and_others__one_write),
        ROW(test_audit_denied__unknown_keys__one_row_a_minute_an_address),
        ROW(test_audit_denied__too_many_addresses_or_kinds__counted),
        ROW(test_audit_denied__store_fails__again_or_dropped),
        ROW(test_audit_denied__long_texts__cut_at_a_character),
        ROW(test_audit__server_leaves_and_ends__written_and_freed),
        ROW(test_audit_drain__answer_comes__then_done),
        ROW(test_audit_list__admins_only__rows_or_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
