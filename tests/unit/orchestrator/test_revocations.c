#include "orchestrator/revocations.h"

#include "db/listener.h"

#include "fake_people.h"

#include <string.h>

/* ---- the listener ---- */
static db_notify_fn notify;
static loop_fn connected;
static void *listener_user;
static int listener_err;
static unsigned listeners;

int __wrap_db_listener_new(struct loop *l, const char *conninfo, const char *const *channels,
                           size_t count, db_notify_fn on_notify, loop_fn on_connect, void *user,
                           struct db_listener **ret);
int __wrap_db_listener_new(struct loop *l UNUSED, const char *conninfo, const char *const *channels,
                           size_t count, db_notify_fn on_notify, loop_fn on_connect, void *user,
                           struct db_listener **ret)
{
    if (listener_err)
        return listener_err;
    assert_string_equal(conninfo, "db");
    assert_int_equal(count, 1);
    assert_string_equal(channels[0], "tailgate_revoked");
    notify = on_notify;
    connected = on_connect;
    listener_user = user;
    listeners++;
    *ret = NULL;
    return 0;
}

void __wrap_db_listener_free(struct db_listener *d);
void __wrap_db_listener_free(struct db_listener *d UNUSED)
{
    listeners--;
}

/* ---- what is reported ---- */
static unsigned reports;
static bool ada_all, ada_one, bob_one, bob_other;

static void on_revoked(void *user UNUSED, const struct revoked *list)
{
    const struct principal ada = {.user_key = 5, .key_id = 50}, token = {.user_key = 5};
    const struct principal bob = {.user_key = 6, .key_id = 60}, other = {.user_key = 6};
    reports++;
    ada_all = revoked_has(list, &token);
    ada_one = revoked_has(list, &ada);
    bob_one = revoked_has(list, &bob);
    bob_other = revoked_has(list, &other);
}

static struct revocations *revocations;

static int setup(void **state)
{
    listener_err = 0;
    reports = listeners = 0;
    revocations = NULL;
    return fake_people_setup(state);
}

static void start(void)
{
    assert_int_equal(revocations_new(NULL, "db", NULL, on_revoked, NULL, &revocations), 0);
    fake_pass(0);
}

static bool is_asked(void)
{
    return fake_people.call != NULL;
}

static void answer(int err, const struct store_revocation *rows, size_t n, int64_t now_us)
{
    assert_true(is_asked());
    fake_people.call = NULL;
    fake_people.fn.revocations(fake_people.user, err, rows, n, now_us);
}

static void test_revocations__poll__asked_with_an_overlap(void **state UNUSED)
{
    static const struct store_revocation rows[] = {{5, 0}, {6, 60}};
    start();
    assert_true(fake_people.since_us > INT64_C(3000000000000000)); /* nothing yet */
    answer(0, NULL, 0, 1000000000);
    assert_int_equal(reports, 0);
    fake_pass(REVOCATIONS_POLL_MS - 1);
    assert_false(is_asked());
    fake_pass(1);
    assert_int_equal(fake_people.since_us, 940000000);
    answer(0, rows, ARRAY_SIZE(rows), 1000500000);
    assert_int_equal(reports, 1);
    assert_true(ada_all && ada_one && bob_one && !bob_other);
    revocations_free(revocations);
    assert_int_equal(listeners, 0);
}

static void test_revocations__hint__asked_at_once(void **state UNUSED)
{
    start();
    notify(listener_user, "tailgate_revoked", ""); /* while asking: once more behind it */
    notify(listener_user, "tailgate_revoked", "");
    answer(0, NULL, 0, 1);
    assert_true(is_asked());
    answer(0, NULL, 0, 2);
    assert_false(is_asked());
    connected(listener_user);
    assert_true(is_asked());
    answer(0, NULL, 0, 3);
    revocations_free(revocations);
}

static void test_revocations__database_away__asked_for_all_since(void **state UNUSED)
{
    start();
    answer(0, NULL, 0, 1000000000);
    fake_pass(REVOCATIONS_POLL_MS);
    notify(listener_user, "tailgate_revoked", "");
    answer(ERR_DB_AWAY, NULL, 0, 0); /* the next poll tries again, not this very moment */
    assert_false(is_asked());
    fake_people.ret = ERR_LIMIT;
    fake_pass(REVOCATIONS_POLL_MS);
    assert_false(is_asked());
    fake_people.ret = 0;
    fake_pass(REVOCATIONS_POLL_MS);
    assert_int_equal(fake_people.since_us, 940000000);
    fake_pass(REVOCATIONS_POLL_MS); /* one at a time */
    answer(0, NULL, 0, 2000000000);
    assert_false(is_asked());
    revocations_free(revocations);
}

static void test_revocations__freed_while_asking__answer_frees(void **state UNUSED)
{
    static const struct store_revocation rows[] = {{5, 0}};
    start();
    revocations_free(revocations);
    revocations_free(NULL);
    answer(0, rows, 1, 1);
    assert_int_equal(reports, 0);
}

static void test_revocations_new__no_listener__error(void **state UNUSED)
{
    listener_err = ERR_INVALID;
    assert_int_equal(revocations_new(NULL, "db", NULL, on_revoked, NULL, &revocations),
                     ERR_INVALID);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_revocations__poll__asked_with_an_overlap),
        TEST(test_revocations__hint__asked_at_once),
        TEST(test_revocations__database_away__asked_for_all_since),
        TEST(test_revocations__freed_while_asking__answer_frees),
        TEST(test_revocations_new__no_listener__error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
