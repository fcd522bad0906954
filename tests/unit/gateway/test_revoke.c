#include "gateway/revoke.h"
#include "rig_people.h"

#define PATH "GET /api/v1/executions/" RIG_ID "/logs.txt?follow=1 HTTP/1.1\r\n"

/* A download that goes on: its first line was sent. */
static int open_download(void)
{
    static const char request[] = PATH "X-API-Key: " RIG_KEY "\r\n\r\n";
    rig.world.row.state.status = EXEC_RUNNING;
    rig.states_count = 0;
    rig_step(0, rig_chunk(1, 'o', 0, "one", 0));
    size_t done = rig.steps_done;
    int fd = rig_connect();
    rig_send(fd, request, sizeof(request) - 1);
    while (rig.steps_done == done)
        rig_turns(1);
    rig_turns(3);
    return fd;
}

static void test_server_revoke__download_of_the_user__cut(void **state)
{
    (void)state;
    struct answer a;
    int fd = open_download();
    rig_people.revoked_user = 1;
    server_revoke(rig.server, NULL);
    assert_int_equal(rig_people.calls, 1); /* streams are told as well */
    rig_receive(fd, &a, true);
    assert_string_equal(a.body.data, "one\n");
    assert_true(a.eof);
    assert_false(a.chunked && strstr(a.head, "Content-Length"));
    answer_done(&a);
    (void)close(fd);
    server_revoke(rig.server, NULL); /* nothing is left to end */
}

static void test_server_revoke__others_and_whole_answers__left_alone(void **state)
{
    (void)state;
    int fd = open_download();
    int idle = rig_connect();
    rig_turns(2);
    rig_people.revoked_user = 2;
    server_revoke(rig.server, NULL);
    rig_turns(3);
    assert_int_equal(rig.cursors_open, 1);
    rig_people.revoked_user = 1;
    rig.world.holds = true; /* a call under way when its user is revoked is answered */
    static const char request[] = "GET /api/v1/users HTTP/1.1\r\nX-API-Key: " RIG_KEY "\r\n\r\n";
    rig_send(idle, request, sizeof(request) - 1);
    while (rig.world.held == 0)
        rig_turns(1);
    server_revoke(rig.server, NULL);
    rig.world.holds = false;
    rig_release();
    struct answer a;
    rig_receive(idle, &a, true);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    (void)close(idle);
    rig_receive(fd, &a, true);
    assert_true(a.eof);
    answer_done(&a);
    (void)close(fd);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, rig_people_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_server_revoke__download_of_the_user__cut),
        ROW(test_server_revoke__others_and_whole_answers__left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
