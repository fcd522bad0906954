#include "server_rig.h"

/* Bigger than every buffer on the way: a page of commands, streamed. */
static char *big_command(void)
{
    char *command = calloc(1, 50001);
    assert_non_null(command);
    memset(command, 'y', 50000);
    return command;
}

static const char all[] =
    "GET /api/v1/executions?limit=0 HTTP/1.1\r\nHost: x\r\nX-API-Key: tg_good\r\n\r\n";

static void test_stream__slow_reader__takes_pages_as_it_reads(void **state)
{
    struct answer a;
    (void)state;
    rig.world.row.command = big_command();
    rig.world.rows = 250;
    int fd = rig_connect();
    rig_send(fd, all, sizeof(all) - 1);
    for (int i = 0; i < 300; i++)
        rig_turns(1);
    assert_in_range(rig.world.lists, 1, 2); /* the third page waits for the reader */
    rig_receive(fd, &a, true);
    assert_int_equal(rig.world.lists, 3);
    assert_true(a.chunked);
    assert_true(a.body.len > 12500000);
    answer_done(&a);
    (void)close(fd);
    free(rig.world.row.command);
}

static void test_stream__keep_alive__next_request_follows(void **state)
{
    struct answer a;
    (void)state;
    rig.world.rows = 120;
    int fd = rig_connect();
    for (int i = 0; i < 5; i++) {
        rig_send(fd, all, sizeof(all) - 1);
        rig_receive(fd, &a, true);
        assert_int_equal(a.status, 200);
        assert_true(a.chunked);
        answer_done(&a);
    }
    (void)close(fd);
}

static void test_stream__http10__until_the_close(void **state)
{
    static const char request[] =
        "GET /api/v1/executions?limit=0 HTTP/1.0\r\nX-API-Key: tg_good\r\n\r\n";
    struct answer a;
    (void)state;
    rig.world.rows = 3;
    int fd = rig_connect();
    rig_send(fd, request, sizeof(request) - 1);
    rig_receive(fd, &a, true);
    assert_null(answer_header(&a, "Transfer-Encoding"));
    assert_string_equal(answer_header(&a, "Connection"), "close");
    assert_int_equal(a.body.data[0], '[');
    assert_int_equal(a.body.data[a.body.len - 1], ']');
    answer_done(&a);
    (void)close(fd);
}

static void test_stream__reader_stalls_with_input_waiting__no_spinning(void **state)
{
    struct answer a;
    (void)state;
    rig.world.row.command = big_command();
    rig.world.rows = 250;
    int fd = rig_connect();
    rig_send(fd, all, sizeof(all) - 1);
    while (rig.world.lists == 0)
        rig_turns(1);
    rig_send(fd, all, sizeof(all) - 1); /* waits in the socket */
    struct connection *c = LIST_ENTRY(rig.server->connections.next, struct connection, link);
    int64_t end_ms = clock_mono_ms() + 60000;
    while (!(c->reading_paused && c->wants_write)) { /* the sweep saw it */
        assert_true(clock_mono_ms() < end_ms);
        rig_turns(1);
    }
    for (int i = 0; i < 2; i++) {
        rig_receive(fd, &a, true);
        assert_true(a.chunked);
        answer_done(&a);
    }
    (void)close(fd);
    free(rig.world.row.command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stream__slow_reader__takes_pages_as_it_reads,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_stream__keep_alive__next_request_follows, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_stream__http10__until_the_close, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_stream__reader_stalls_with_input_waiting__no_spinning,
                                        rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
