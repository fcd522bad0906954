#include "server_rig.h"

#include "base/log.h"
#include "gateway/protocol.h"

#include <sys/socket.h>

#define UPGRADE                                                                           \
    "GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static void expect_upgrade(const char *protocol, bool echoed)
{
    struct buf text CLEANUP_BUF = {.max = 1024};
    char got[1024] = "";
    size_t n = 0;
    int fd = rig_connect();
    unsigned established = rig.established, messages = rig.messages, closed = rig.closed;
    assert_int_equal(buf_printf(&text, UPGRADE "%s\r\n", protocol), 0);
    rig_send(fd, text.data, text.len);
    while (!strstr(got, "\r\n\r\n")) {
        rig_turns(1);
        ssize_t len = recv(fd, got + n, sizeof(got) - 1 - n, 0);
        n += len > 0 ? (size_t)len : 0;
    }
    assert_non_null(strstr(got, " 101 "));
    assert_int_equal(strstr(got, "tailgate.v1") != NULL, echoed);
    while (rig.established == established)
        rig_turns(1);
    /* a pong, then "hi", both masked with zeros */
    rig_send(fd, "\x8a\x81\0\0\0\0x", 7);
    rig_send(fd, "\x81\x82\0\0\0\0hi", 8);
    while (rig.closed == closed)
        rig_turns(1);
    assert_int_equal(rig.messages, messages + 101);
    (void)close(fd);
}

static void test_protocol__upgrade__with_and_without_subprotocol(void **state)
{
    (void)state;
    expect_upgrade("Sec-WebSocket-Protocol: tailgate.v1\r\n", true);
    expect_upgrade("", false);
    assert_int_equal(rig.filtered, 2);
}

static void test_protocol__upgraded__is_left_alone_by_the_sweep(void **state)
{
    (void)state;
    int fd = rig_connect();
    rig_send(fd, UPGRADE "\r\n", strlen(UPGRADE) + 2);
    while (rig.established == 0)
        rig_turns(1);
    struct connection *c = LIST_ENTRY(rig.server->connections.next, struct connection, link);
    c->waiting_since_ms = 0;
    connections_sweep(rig.server);
    rig_turns(3);
    assert_int_equal(rig.closed, 0);
    server_leave(rig.server, NULL, NULL);
    assert_int_equal(rig.left, 1); /* the streams close their own */
    (void)close(fd);
    while (rig.closed == 0)
        rig_turns(1);
}

static void test_protocol__h2c__refused(void **state)
{
    struct answer a;
    (void)state;
    rig_request("GET /livez",
                "!Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
                NULL, &a);
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body.data, "only upgrades to websocket"));
    answer_done(&a);
}

static void on_record(void *user, enum log_level level, const char *request_id, const char *json)
{
    (void)level;
    (void)request_id;
    (void)!str_copy(user, 1024, json);
}

static void test_protocol_log__token__cut_out(void **state)
{
    char record[1024] = "";
    (void)state;
    assert_int_equal(log_add_sink(on_record, record), 0);
    protocol_log(LLL_ERR, "trouble at /api/v1/stream?token=SECRET more\n");
    assert_non_null(strstr(record, "trouble at"));
    assert_null(strstr(record, "SECRET"));
    assert_non_null(strstr(record, "error"));
    protocol_log(LLL_ERR, "more at /api/v1/ws?ticket=SECRET more\n");
    log_remove_sink(on_record, record);
    assert_non_null(strstr(record, "more at"));
    assert_null(strstr(record, "SECRET"));
}

static void test_protocol_table__frames_fit_one_write(void **state)
{
    (void)state;
    for (const struct lws_protocols *p = protocol_table; p->name; p++)
        assert_true(p->tx_packet_size >= 128u << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_protocol__upgrade__with_and_without_subprotocol,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_protocol__upgraded__is_left_alone_by_the_sweep,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_protocol__h2c__refused, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_protocol_log__token__cut_out, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_protocol_table__frames_fit_one_write, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
