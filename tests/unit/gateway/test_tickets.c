#include "server_rig.h"

#define TICKETS "POST /api/v1/tickets"

static void test_tickets__asked__201(void **state)
{
    struct answer a;
    (void)state;
    rig_request(TICKETS, "", NULL, &a);
    assert_int_equal(a.status, 201);
    assert_string_equal(a.body.data,
                        "{\"ticket\":\"TICKET\",\"expires_at\":\"2023-11-14T22:13:50.000Z\"}");
    assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
    answer_done(&a);
}

static void test_tickets__problems__answered(void **state)
{
    (void)state;
    rig_expect(TICKETS, "!", NULL, 401, "API key is required");
    rig_expect("GET /api/v1/tickets", "", NULL, 405, "method");
    (void)problem_set(&rig.world.problem, ERR_DB_AWAY, "failed to create ticket", "away");
    rig_expect(TICKETS, "", NULL, 503, "DATABASE_ERROR");
    rig.world.refuses = true;
    rig_expect(TICKETS, "", NULL, 503, "failed to create ticket");
}

static void test_tickets__client_gone_before_the_answer__nothing(void **state)
{
    static const char request[] = TICKETS " HTTP/1.1\r\nX-API-Key: " RIG_KEY "\r\n\r\n";
    (void)state;
    rig.world.holds = true;
    int fd = rig_connect();
    rig_send(fd, request, sizeof(request) - 1);
    while (rig.world.held == 0)
        rig_turns(1);
    rig_release(); /* whose key it is; the ticket is asked for */
    assert_int_equal(rig.world.held, 1);
    (void)close(fd);
    rig_turns(20);
    rig_release();
    rig.world.holds = false;
    rig_expect(TICKETS, "", NULL, 201, "TICKET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tickets__asked__201, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_tickets__problems__answered, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_tickets__client_gone_before_the_answer__nothing,
                                        rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
