/* What the kernel tells of a connection, and of what is none. */
#include "gateway/socket_info.h"

#include "tests/unit/base/unit.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connected(int *ret_peer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listening = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listening >= 0 && fd >= 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    *ret_peer = accept(listening, NULL, NULL);
    assert_true(*ret_peer >= 0);
    close(listening);
    return fd;
}

static void test_socket_info__connection__its_state_and_bytes(void **state)
{
    char bytes[1000] = {0};
    int peer = -1, fd = connected(&peer);
    assert_int_equal(socket_info(fd).tcpi_state, 1); /* TCP_ESTABLISHED */
    assert_int_equal(write(fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
    assert_int_equal(recv(peer, bytes, sizeof bytes, MSG_WAITALL), (ssize_t)sizeof bytes);
    assert_int_equal(socket_info(peer).tcpi_bytes_received, sizeof bytes);
    close(peer);
    close(fd);
    (void)state;
}

static void test_socket_info__no_connection__zeros(void **state)
{
    static const struct tcp_info zeros;
    int fds[2];
    struct tcp_info info = socket_info(-1);
    assert_memory_equal(&info, &zeros, sizeof zeros);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    info = socket_info(fds[0]);
    assert_memory_equal(&info, &zeros, sizeof zeros);
    close(fds[0]);
    close(fds[1]);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_socket_info__connection__its_state_and_bytes),
        cmocka_unit_test(test_socket_info__no_connection__zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
