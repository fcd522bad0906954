#include "orchestrator/keys.h"
#include "orchestrator/tickets.h"

#include "fake.h"

#include <string.h>

#define EXPIRES_US 1700000030000000
#define TICKET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-A"

struct answer {
    int calls, err;
    struct problem p;
    char ticket[TICKET_LEN + 1];
    int64_t expires_us;
    struct principal who;
};

static void note(struct answer *a, const struct problem *p)
{
    a->calls++;
    a->err = p ? p->err : 0;
    if (p)
        a->p = *p;
}

static void on_ticket(void *user, const struct problem *p, const char *ticket, int64_t expires_us)
{
    struct answer *a = user;
    note(a, p);
    assert_true(!p == !!ticket);
    if (ticket) {
        assert_int_equal(strlen(ticket), TICKET_LEN);
        memcpy(a->ticket, ticket, TICKET_LEN + 1);
    }
    a->expires_us = expires_us;
}

static void on_principal(void *user, const struct problem *p, const struct principal *who)
{
    struct answer *a = user;
    note(a, p);
    assert_true(!p == !!who);
    if (who)
        a->who = *who;
}

/* Asks, and lets the store answer. */
static void make(struct world *w, struct answer *a, int err)
{
    struct principal who = fake_who(ROLE_VIEWER, "v@x");
    struct problem p;
    who.key_id = 11;
    assert_int_equal(orchestrator_ticket_make(w->o, &who, on_ticket, a, &p), 0);
    assert_int_equal(a->calls, 0);
    struct fake_call c = fake_take(CALL_TICKET);
    assert_int_equal(c.user_key, 11);
    c.fn.ticket(c.user, err, err ? 0 : EXPIRES_US);
    assert_int_equal(a->calls, 1);
    if (err == 0) {
        uint8_t hash[API_KEY_HASH_LEN];
        api_key_hash(a->ticket, hash);
        assert_memory_equal(c.bytes, hash, sizeof hash);
    }
}

static void test_ticket_make__stored__random_url_safe_text(void **state)
{
    static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_";
    struct answer one = {0}, two = {0};
    make(*state, &one, 0);
    make(*state, &two, 0);
    assert_int_equal(one.err, 0);
    assert_int_equal(one.expires_us, EXPIRES_US);
    assert_int_equal(strspn(one.ticket, url_safe), TICKET_LEN);
    assert_string_not_equal(one.ticket, two.ticket);
}

static void test_ticket_redeem__made__whose_it_is(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_VIEWER, "v@x");
    struct answer made = {0}, a = {0};
    struct problem p;
    uint8_t hash[API_KEY_HASH_LEN];
    make(w, &made, 0);
    assert_int_equal(orchestrator_ticket_redeem(w->o, made.ticket, on_principal, &a, &p), 0);
    struct fake_call c = fake_take(CALL_REDEEM);
    api_key_hash(made.ticket, hash);
    assert_memory_equal(c.bytes, hash, sizeof hash);
    c.fn.principal(c.user, 0, &who);
    assert_int_equal(a.calls, 1);
    assert_string_equal(a.who.email, "v@x");
}

static void test_ticket_redeem__ill_formed__bad_key_without_the_database(void **state)
{
    static const char *const rows[] = {"", "abc", TICKET "A",
                                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+A",
                                       /* bits behind the last byte */
                                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_"};
    struct world *w = *state;
    struct answer a = {0};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        assert_int_equal(orchestrator_ticket_redeem(w->o, rows[i], on_principal, &a, &p),
                         ERR_BAD_KEY);
        assert_string_equal(p.details, "the ticket is unknown, used or expired");
    }
    assert_int_equal(fake_waiting(CALL_REDEEM), 0);
    assert_int_equal(a.calls, 0);
}

static const struct {
    int err, redeemed, made;
} rows[] = {
    {ERR_BAD_KEY, ERR_BAD_KEY, 0},
    {ERR_DB_AWAY, ERR_DB_AWAY, ERR_DB_AWAY},
    {ERR_DB, ERR_DB, ERR_DB},
    {ERR_CLOSED, ERR_CLOSED, ERR_CLOSED},
};

static void test_ticket__store_answers__table(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = {0}, m = {0};
        struct problem p;
        assert_int_equal(orchestrator_ticket_redeem(w->o, TICKET, on_principal, &a, &p), 0);
        fake_answer_principal(CALL_REDEEM, rows[i].err, NULL);
        assert_int_equal(a.err, rows[i].redeemed);
        assert_true(a.p.details[0] != '\0');
        if (rows[i].made == 0)
            continue;
        make(w, &m, rows[i].err);
        assert_int_equal(m.err, rows[i].made);
        assert_string_equal(m.p.error, "failed to create ticket");
        assert_int_equal(m.expires_us, 0);
    }
}

static void test_ticket__store_refuses__problem_at_once(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_VIEWER, "v@x");
    struct answer a = {0};
    struct problem p;
    fake_stores_return(ERR_DB_AWAY);
    assert_int_equal(orchestrator_ticket_make(w->o, &who, on_ticket, &a, &p), ERR_DB_AWAY);
    assert_int_equal(orchestrator_ticket_redeem(w->o, TICKET, on_principal, &a, &p), ERR_DB_AWAY);
    assert_int_equal(a.calls, 0);
}

static void test_ticket__freed_before_the_answer__closed(void **state)
{
    struct world *w = *state;
    struct principal who = fake_who(ROLE_VIEWER, "v@x");
    struct answer made = {0}, a = {0};
    struct problem p;
    assert_int_equal(orchestrator_ticket_make(w->o, &who, on_ticket, &made, &p), 0);
    assert_int_equal(orchestrator_ticket_redeem(w->o, TICKET, on_principal, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(made.err, ERR_CLOSED);
    assert_int_equal(a.err, ERR_CLOSED);
    struct fake_call c = fake_take(CALL_TICKET);
    c.fn.ticket(c.user, ERR_CLOSED, 0);
    fake_answer_principal(CALL_REDEEM, ERR_CLOSED, NULL);
    assert_int_equal(made.calls, 1);
    assert_int_equal(a.calls, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ticket_make__stored__random_url_safe_text),
        TEST(test_ticket_redeem__made__whose_it_is),
        TEST(test_ticket_redeem__ill_formed__bad_key_without_the_database),
        TEST(test_ticket__store_answers__table),
        TEST(test_ticket__store_refuses__problem_at_once),
        TEST(test_ticket__freed_before_the_answer__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
