#include "server_rig.h"

#include "gateway/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

static unsigned emfile; /* so many accepts fail with it */
static int last_accepted = -1;
static bool no_reserve; /* /dev/null cannot be opened */
int __real_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    if (emfile > 0) {
        emfile--;
        errno = EMFILE;
        return -1;
    }
    int accepted = __real_accept4(fd, sa, len, flags);
    if (accepted >= 0)
        last_accepted = accepted;
    return accepted;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    if (no_reserve && strcmp(path, "/dev/null") == 0) {
        errno = EMFILE;
        return -1;
    }
    return __real_open(path, flags, 0);
}

static struct rlimit limit = {1024, 4096};
int __wrap_getrlimit(__rlimit_resource_t what, struct rlimit *ret);
int __wrap_getrlimit(__rlimit_resource_t what, struct rlimit *ret)
{
    (void)what;
    *ret = limit;
    return 0;
}

int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *to);
int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *to)
{
    (void)what;
    limit = *to;
    return 0;
}

static void test_listen_connections_max__table(void **state)
{
    static const struct {
        rlim_t soft, hard;
        size_t wanted, got;
        rlim_t soft_after;
    } rows[] = {
        {1024, 20000, 10000, 10000, 10512},          {20000, 20000, 10000, 10000, 20000},
        {1024, 4096, 10000, 4096 - 512, 4096},       {256, 256, 10000, 128, 256},
        {1u << 30, 1u << 30, 10000, 10000, 1048576},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        limit = (struct rlimit){rows[i].soft, rows[i].hard};
        assert_int_equal(listen_connections_max(rows[i].wanted), rows[i].got);
        assert_int_equal(limit.rlim_cur, rows[i].soft_after);
        assert_int_equal(limit.rlim_max, rows[i].hard);
    }
}

static void test_listen_address_split__table(void **state)
{
    static const struct {
        const char *address, *host, *port; /* host NULL: refused */
    } rows[] = {
        {"127.0.0.1:80", "127.0.0.1", "80"},
        {"[::1]:0", "::1", "0"},
        {":8080", "", "8080"},
        {"*:8080", "", "8080"},
        {"name:65535", "name", "65535"},
        {"name:65536", NULL, NULL},
        {"name", NULL, NULL},
        {"name:", NULL, NULL},
        {"::1:80", NULL, NULL},
        {"name:8x", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char host[16], port[8];
        int err = listen_address_split(rows[i].address, host, sizeof(host), port);
        assert_int_equal(err, rows[i].host ? 0 : ERR_INVALID);
        if (!err) {
            assert_string_equal(host, rows[i].host);
            assert_string_equal(port, rows[i].port);
        }
    }
    char host[4], port[8];
    assert_int_equal(listen_address_split("12345:1", host, sizeof(host), port), ERR_INVALID);
}

static int try_listen(const char *address, bool insecure, char *url)
{
    struct listener *l = NULL;
    struct buf error CLEANUP_BUF = {.max = 1024};
    rig.options.insecure_http = insecure;
    int err = listener_open(rig.server, address, &error, url, 300, &l);
    assert_true((err != 0) == (error.len > 0));
    listener_free(l);
    return err;
}

static void test_listener_open__table(void **state)
{
    char url[300], same[64];
    (void)state;
    assert_int_equal(try_listen("127.0.0.1:0", false, url), 0);
    assert_true(str_starts_with(url, "http://127.0.0.1:"));
    assert_int_equal(try_listen("localhost:0", false, url), 0);
    assert_int_equal(try_listen("*:0", false, url), ERR_INVALID);
    assert_int_equal(try_listen("*:0", true, url), 0);
    assert_int_equal(try_listen("0.0.0.0:0", true, url), 0);
    assert_int_equal(try_listen("nonsense", true, url), ERR_INVALID);
    assert_int_equal(try_listen("no such name:1", true, url), ERR_INVALID);
    (void)snprintf(same, sizeof(same), "127.0.0.1:%d", rig.port);
    assert_int_equal(try_listen(same, false, url), ERR_INVALID); /* in use */
}

/* The kernel doubles what is set, for its own book-keeping (socket(7)). */
static void test_accept__send_buffer__as_set(void **state)
{
    int bytes = 0;
    socklen_t len = sizeof(bytes);
    (void)state;
    int fd = rig_connect();
    rig_turns(3);
    assert_int_equal(getsockopt(last_accepted, SOL_SOCKET, SO_SNDBUF, &bytes, &len), 0);
    assert_int_equal(bytes, 2 * (int)rig.options.socket_send_bytes);
    (void)close(fd);
}

static void test_accept__beyond_the_maximum__503_and_recovers(void **state)
{
    int held[4];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        held[i] = rig_connect();
    while (rig.server->connections_count < ARRAY_SIZE(held))
        rig_turns(1);
    for (int i = 0; i < 40; i++) { /* more than linger at a time */
        struct answer a;
        int fd = rig_connect();
        rig_receive(fd, &a, true);
        assert_int_equal(a.status, 503);
        assert_non_null(strstr(a.body.data, "\"code\":\"SERVICE_UNAVAILABLE\""));
        assert_string_equal(answer_header(&a, "Retry-After"), "1");
        answer_done(&a);
        (void)close(fd);
    }
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        (void)close(held[i]);
    while (rig.server->connections_count > 0)
        rig_turns(1);
    rig_expect("GET /livez", "!", NULL, 200, "ok");
    int64_t end_ms = clock_mono_ms() + 900; /* the refused ones are let go */
    while (clock_mono_ms() < end_ms)
        rig_turns(1);
}

static void test_accept__no_descriptor_left__refused_with_the_reserve(void **state)
{
    struct answer a;
    (void)state;
    emfile = 1;
    int fd = rig_connect();
    rig_receive(fd, &a, true);
    assert_int_equal(a.status, 503);
    answer_done(&a);
    (void)close(fd);
    rig_expect("GET /livez", "!", NULL, 200, "ok");
}

static void test_accept__not_even_the_reserve__pauses_without_spinning(void **state)
{
    (void)state;
    emfile = 1000;
    no_reserve = true;
    int fd = rig_connect();
    for (int i = 0; i < 50; i++)
        rig_turns(1);
    assert_true(emfile > 990); /* it did not try all the time */
    emfile = 0;
    no_reserve = false;
    (void)close(fd);
    rig_expect("GET /livez", "!", NULL, 200, "ok");
}

static int setup_few(void **state)
{
    (void)state;
    limit = (struct rlimit){20000, 20000};
    char *flags[] = {(char *)"--max-connections", (char *)"4", NULL};
    rig_start(flags);
    return 0;
}

static int setup_small_buffer(void **state)
{
    (void)state;
    char *flags[] = {(char *)"--socket-send-buffer", (char *)"32KiB", NULL};
    rig_start(flags);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_accept__send_buffer__as_set, setup_few, rig_teardown),
        cmocka_unit_test_setup_teardown(test_accept__send_buffer__as_set, setup_small_buffer,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_listen_connections_max__table, setup_few,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_listen_address_split__table, setup_few, rig_teardown),
        cmocka_unit_test_setup_teardown(test_listener_open__table, setup_few, rig_teardown),
        cmocka_unit_test_setup_teardown(test_accept__beyond_the_maximum__503_and_recovers,
                                        setup_few, rig_teardown),
        cmocka_unit_test_setup_teardown(test_accept__no_descriptor_left__refused_with_the_reserve,
                                        setup_few, rig_teardown),
        cmocka_unit_test_setup_teardown(test_accept__not_even_the_reserve__pauses_without_spinning,
                                        setup_few, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
