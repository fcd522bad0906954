/* hints.c between a hub and a listener that only take note. */
#include "base/err.h"
#include "db/listener.h"
#include "logs/hub.h"
#include "orchestrator/hints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fake {
    int listener_error;
    db_notify_fn on_notify;
    void *listener_user;
    hub_publish_fn on_publish;
    void *publish_user;
    int64_t poked;
    unsigned pokes, listeners;
    char channel[32], payload[512];
    unsigned stops, changes;
    hub_publish_fn on_state;
    void *state_user;
    int64_t stopped;
    char email[300], request_id[80];
};
static struct fake fake;

int __wrap_db_listener_new(struct loop *l, const char *conninfo, const char *const *channels,
                           size_t count, db_notify_fn on_notify, loop_fn on_connect, void *user,
                           struct db_listener **ret);
void __wrap_db_listener_free(struct db_listener *d);
void __wrap_db_listener_notify(struct db_listener *d, const char *channel, const char *payload);
void __wrap_hub_on_publish(struct hub *h, hub_publish_fn fn, void *user);
void __wrap_hub_on_state(struct hub *h, hub_publish_fn fn, void *user);
void __wrap_hub_poke(struct hub *h, int64_t execution_key);

int __wrap_db_listener_new(struct loop *l UNUSED, const char *conninfo, const char *const *channels,
                           size_t count, db_notify_fn on_notify, loop_fn on_connect, void *user,
                           struct db_listener **ret)
{
    if (fake.listener_error)
        return fake.listener_error;
    assert_string_equal(conninfo, "host=/run/pg");
    assert_int_equal(count, 3);
    assert_string_equal(channels[0], "tailgate_log");
    assert_string_equal(channels[1], "tailgate_list");
    assert_string_equal(channels[2], "tailgate_stop");
    fake.on_notify = on_notify;
    fake.listener_user = user;
    fake.listeners++;
    on_connect(user);
    *ret = (struct db_listener *)&fake;
    return 0;
}

void __wrap_db_listener_free(struct db_listener *d)
{
    assert_ptr_equal(d, &fake);
    fake.listeners--;
}

void __wrap_db_listener_notify(struct db_listener *d, const char *channel, const char *payload)
{
    assert_ptr_equal(d, &fake);
    (void)snprintf(fake.channel, sizeof fake.channel, "%s", channel);
    (void)snprintf(fake.payload, sizeof fake.payload, "%s", payload);
}

void __wrap_hub_on_publish(struct hub *h, hub_publish_fn fn, void *user)
{
    assert_ptr_equal(h, &fake);
    fake.on_publish = fn;
    fake.publish_user = user;
}

void __wrap_hub_on_state(struct hub *h, hub_publish_fn fn, void *user)
{
    assert_ptr_equal(h, &fake);
    fake.on_state = fn;
    fake.state_user = user;
}

void __wrap_hub_poke(struct hub *h, int64_t execution_key)
{
    assert_ptr_equal(h, &fake);
    fake.poked = execution_key;
    fake.pokes++;
}

static void on_stop(void *user, int64_t execution_key, const char *email, const char *request_id)
{
    assert_ptr_equal(user, &fake);
    fake.stops++;
    fake.stopped = execution_key;
    (void)snprintf(fake.email, sizeof fake.email, "%s", email);
    (void)snprintf(fake.request_id, sizeof fake.request_id, "%s", request_id);
}

static int setup(void **state)
{
    memset(&fake, 0, sizeof fake);
    return hints_new(NULL, "host=/run/pg", (struct hub *)&fake, (struct hints **)state);
}

static int teardown(void **state)
{
    hints_free(*state);
    return fake.listeners == 0 && !fake.on_publish && !fake.on_state ? 0 : -1;
}

static void test_hints__published__told_with_the_key(void **state UNUSED)
{
    fake.on_publish(fake.publish_user, INT64_MAX);
    assert_string_equal(fake.channel, "tailgate_log");
    assert_string_equal(fake.payload, "9223372036854775807");
}

static void test_hints__notified__hub_looks(void **state UNUSED)
{
    fake.on_notify(fake.listener_user, "tailgate_log", "89275829387266");
    assert_int_equal(fake.poked, 89275829387266);
}

static void on_change(void *user)
{
    assert_ptr_equal(user, &fake);
    fake.changes++;
}

/* Whoever shows the list is told that it changed, here and elsewhere, and after each reconnect. */
static void test_hints__states__told_and_heard_without_a_key(void **state)
{
    fake.on_state(fake.state_user, 17);
    assert_string_equal(fake.channel, "tailgate_list");
    assert_string_equal(fake.payload, "");
    fake.on_notify(fake.listener_user, "tailgate_list", ""); /* nobody listens yet */
    hints_on_change(*state, on_change, &fake);
    fake.on_notify(fake.listener_user, "tailgate_list", "");
    assert_int_equal(fake.changes, 1);
    assert_int_equal(fake.pokes, 0);
}

static void test_hints__foreign_payload__ignored(void **state UNUSED)
{
    static const char *const payloads[] = {"", "x", "0", "-1", "1x", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(payloads); i++)
        fake.on_notify(fake.listener_user, "tailgate_log", payloads[i]);
    assert_int_equal(fake.pokes, 0);
}

static void test_hints_stop__told__heard_with_all(void **state)
{
    char email[255];
    memset(email, 'e', sizeof email - 1);
    email[sizeof email - 1] = '\0';
    const struct {
        int64_t key;
        const char *email, *request_id, *want;
    } rows[] = {
        {17, "op@x", "req-9", "17 req-9 op@x"},
        {INT64_MAX, "a b@x", "", "9223372036854775807 - a b@x"}, /* an address may be odd */
        {1, email, "0123456789012345678901234567890123456789012345678901234567890123", NULL},
    };
    hints_on_stop(*state, on_stop, &fake);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        hints_tell_stop(*state, rows[i].key, rows[i].email, rows[i].request_id);
        assert_string_equal(fake.channel, "tailgate_stop");
        if (rows[i].want)
            assert_string_equal(fake.payload, rows[i].want);
        fake.on_notify(fake.listener_user, fake.channel, fake.payload);
        assert_int_equal(fake.stops, i + 1);
        assert_int_equal(fake.stopped, rows[i].key);
        assert_string_equal(fake.email, rows[i].email);
        assert_string_equal(fake.request_id, rows[i].request_id);
    }
    assert_int_equal(fake.pokes, 0);
}

static void test_hints_stop__foreign_payload__ignored(void **state)
{
    static const char *const payloads[] = {"",   "1",     "1 ",      "1 -",      "1 - ",
                                           "- ", "x - a", "0 - a@b", "-1 - a@b", "1 -a@b"};
    char large[2000];
    memset(large, '1', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    fake.on_notify(fake.listener_user, "tailgate_stop", "1 - nobody@listens");
    hints_on_stop(*state, on_stop, &fake);
    for (size_t i = 0; i < ARRAY_SIZE(payloads); i++)
        fake.on_notify(fake.listener_user, "tailgate_stop", payloads[i]);
    fake.on_notify(fake.listener_user, "tailgate_stop", large);
    fake.payload[0] = '\0';
    hints_tell_stop(*state, 1, large, "");
    assert_string_equal(fake.payload, "");
    assert_int_equal(fake.stops, 0);
}

static void test_hints_new__listener_fails__nothing_is_wired(void **state UNUSED)
{
    struct hints *h = NULL;
    memset(&fake, 0, sizeof fake);
    fake.listener_error = ERR_NOMEM;
    assert_int_equal(hints_new(NULL, "", (struct hub *)&fake, &h), ERR_NOMEM);
    assert_null(h);
    assert_null(fake.on_publish);
    hints_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hints__published__told_with_the_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hints__notified__hub_looks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hints__states__told_and_heard_without_a_key, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_hints__foreign_payload__ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hints_stop__told__heard_with_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hints_stop__foreign_payload__ignored, setup, teardown),
        cmocka_unit_test(test_hints_new__listener_fails__nothing_is_wired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
