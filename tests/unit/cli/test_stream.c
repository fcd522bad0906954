/* The connection: handshake, fragments, sending, and every way to end. */
#include "fake_lws.h"

#include "cli/stream.h"
#include "tests/unit/base/unit.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct settings settings = {
    .endpoint = {.host = "h", .port = 8080, .authority = "h:8080", .base = "/api/v1"},
    .api_key = (char *)"tg_key",
};
static bool fcntl_fails;

int __real_fcntl(int fd, int command, int argument);
int __wrap_fcntl(int fd, int command, int argument);
int __wrap_fcntl(int fd, int command, int argument)
{
    return fcntl_fails ? -1 : __real_fcntl(fd, command, argument);
}

static struct {
    char log[4096];
    size_t longest;
    int message_result;
    struct stream_end end;
} seen;

static void note(const char *what, const char *text, size_t len)
{
    size_t used = strlen(seen.log);
    (void)snprintf(seen.log + used, sizeof seen.log - used, "%s%.*s ", what,
                   (int)(len < 50 ? len : 50), text);
    seen.longest = len > seen.longest ? len : seen.longest;
}

static void on_opened(void *user)
{
    assert_ptr_equal(user, &seen);
    note("opened", "", 0);
}

static int on_message(void *user UNUSED, const char *text, size_t len)
{
    note("message:", text, len);
    return seen.message_result;
}

static void on_lost(void *user UNUSED, const struct stream_end *end)
{
    seen.end = *end;
    note("lost", "", 0);
}

static void on_timer(void *user UNUSED)
{
    note("timer", "", 0);
}

static void on_signal(void *user UNUSED)
{
    note("signal", "", 0);
}

static const struct stream_events events = {.opened = on_opened,
                                            .message = on_message,
                                            .lost = on_lost,
                                            .timer = on_timer,
                                            .signal = on_signal};
static struct interrupt intr;
static struct stream *stream;

static void open_stream(const struct fake_step *steps, size_t count)
{
    struct problem p = {0};
    memset(&seen, 0, sizeof seen);
    fake_lws_reset(steps, count);
    assert_int_equal(interrupt_init(&intr), 0);
    assert_int_equal(stream_new(&settings, &intr, &events, &seen, &stream, &p), 0);
}

static void close_stream(void)
{
    assert_string_equal(fake_lws.complaint, "");
    stream_free(stream);
    assert_int_equal(fake_lws.destroyed, 1);
    interrupt_done(&intr);
}

static void turns(size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(stream_turn(stream), 0);
}

static void test_stream_connect__plain__address_path_and_key(void **state UNUSED)
{
    static const struct fake_step steps[] = {{.type = STEP_OPEN}};
    open_stream(steps, 1);
    stream_connect(stream);
    turns(1);
    assert_string_equal(fake_lws.address, "h");
    assert_string_equal(fake_lws.host, "h:8080");
    assert_string_equal(fake_lws.path, "/api/v1/ws");
    assert_string_equal(fake_lws.header, "x-api-key: tg_key");
    assert_int_equal(fake_lws.port, 8080);
    assert_int_equal(fake_lws.ssl & LCCSCF_USE_SSL, 0);
    assert_true((fake_lws.ssl & LCCSCF_HTTP_NO_FOLLOW_REDIRECT) != 0);
    close_stream();
    assert_string_equal(seen.log, "opened "); /* no lost after stream_free */
}

static void test_stream_connect__tls__certificates_are_checked(void **state UNUSED)
{
    settings.endpoint.tls = true;
    settings.ca_file = (char *)"/ca.pem";
    open_stream(NULL, 0);
    stream_connect(stream);
    assert_int_equal(fake_lws.ssl, LCCSCF_USE_SSL | LCCSCF_HTTP_NO_FOLLOW_REDIRECT);
    assert_string_equal(fake_lws.ca_file, "/ca.pem");
    settings.endpoint.tls = false;
    settings.ca_file = NULL;
    close_stream();
}

static void test_stream_connect__tls_fails__certificate_is_hinted_at(void **state UNUSED)
{
    static const struct fake_step steps[] = {{STEP_REFUSE, "connect SSL err 1", 0}};
    settings.endpoint.tls = true;
    open_stream(steps, 1);
    stream_connect(stream);
    turns(1);
    settings.endpoint.tls = false;
    assert_string_equal(seen.end.reason,
                        "h:8080: connect SSL err 1 (is the certificate trusted? see --ca-file)");
    close_stream();
}

static void test_stream__messages_whole_and_in_fragments__assembled(void **state UNUSED)
{
    static const struct fake_step steps[] = {
        {.type = STEP_OPEN},
        {.type = STEP_TEXT, .text = "one"},
        {.type = STEP_FRAGMENT, .text = "tw"},
        {.type = STEP_FRAGMENT, .text = "o"},
        {.type = STEP_TEXT, .text = "!"},
        {.type = STEP_TEXT, .text = "three"},
    };
    open_stream(steps, ARRAY_SIZE(steps));
    stream_connect(stream);
    turns(ARRAY_SIZE(steps));
    assert_string_equal(seen.log, "opened message:one message:two! message:three ");
    close_stream();
}

static void test_stream__message_over_the_bound__lost_with_1009(void **state UNUSED)
{
    static char block[STREAM_MESSAGE_MAX / 2 + 1];
    memset(block, 'x', sizeof block - 1);
    const struct fake_step steps[] = {
        {.type = STEP_OPEN},
        {.type = STEP_FRAGMENT, .text = block},
        {.type = STEP_FRAGMENT, .text = block},
        {.type = STEP_FRAGMENT, .text = "x"},
    };
    open_stream(steps, ARRAY_SIZE(steps));
    stream_connect(stream);
    turns(4);
    assert_string_equal(seen.log, "opened lost ");
    assert_int_equal(seen.end.close_code, 1009);
    close_stream();
}

static void test_stream__endings__described(void **state UNUSED)
{
    static const struct {
        struct fake_step step;
        int close_code, http_status;
        const char *reason;
    } rows[] = {
        {{STEP_CLOSE, "server leaving", 1001}, 1001, 0, "server leaving"},
        {{STEP_CLOSE, NULL, 1013}, 1013, 0, ""},
        {{STEP_CLOSE, NULL, 0}, 0, 0, ""},
        {{STEP_REFUSE, "HS: ws upgrade unauthorized", 401}, 0, 401, "HTTP status 401"},
        {{STEP_REFUSE, "Unable to connect", 0}, 0, 0, "h:8080: Unable to connect"},
        {{STEP_REFUSE, NULL, 0}, 0, 0, "h:8080: cannot connect"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct fake_step steps[] = {{.type = STEP_OPEN}, rows[i].step};
        bool is_open = rows[i].step.type == STEP_CLOSE;
        open_stream(is_open ? steps : steps + 1, is_open ? 2 : 1);
        stream_connect(stream);
        turns(is_open ? 2 : 1);
        assert_string_equal(seen.log, is_open ? "opened lost " : "lost ");
        assert_int_equal(seen.end.close_code, rows[i].close_code);
        assert_int_equal(seen.end.http_status, rows[i].http_status);
        assert_string_equal(seen.end.reason, rows[i].reason);
        close_stream();
    }
}

static void test_stream__lost_in_a_fragment__next_connection_is_clean(void **state UNUSED)
{
    static const struct fake_step steps[] = {
        {.type = STEP_OPEN},
        {.type = STEP_FRAGMENT, .text = "half"},
        {.type = STEP_CLOSE, .code = 1001},
        {.type = STEP_OPEN},
        {.type = STEP_TEXT, .text = "whole"},
        {.type = STEP_CLOSE},
    };
    open_stream(steps, ARRAY_SIZE(steps));
    stream_connect(stream);
    turns(3);
    stream_connect(stream);
    turns(3);
    assert_string_equal(seen.log, "opened lost opened message:whole lost ");
    assert_int_equal(seen.end.close_code, 0);
    close_stream();
}

static void test_stream_connect__fails_at_once__lost_once(void **state UNUSED)
{
    open_stream(NULL, 0);
    fake_lws.no_connection = true;
    stream_connect(stream);
    assert_string_equal(seen.log, "lost ");
    assert_string_equal(seen.end.reason, "cannot connect");
    close_stream();
}

static void test_stream__message_callback_refuses__closed(void **state UNUSED)
{
    static const struct fake_step steps[] = {{.type = STEP_OPEN},
                                             {.type = STEP_FRAGMENT, .text = "x"},
                                             {.type = STEP_TEXT, .text = "y"}};
    open_stream(steps, 3);
    seen.message_result = -1;
    stream_connect(stream);
    turns(3);
    assert_string_equal(seen.log, "opened message:xy lost ");
    close_stream();
}

static void test_stream_send__message__written_when_writeable(void **state UNUSED)
{
    static const struct fake_step steps[] = {
        {.type = STEP_OPEN}, {.type = STEP_WRITE}, {.type = STEP_WRITE}, {.type = STEP_CLOSE}};
    static char big[STREAM_SEND_MAX + 1];
    open_stream(steps, 4);
    assert_int_equal(stream_send(stream, "x", 1), ERR_CLOSED);
    stream_connect(stream);
    turns(1);
    assert_int_equal(stream_send(stream, "hello", 5), 0);
    turns(1);
    assert_int_equal(fake_lws.sent_count, 1);
    assert_string_equal(fake_lws.sent[0], "hello");
    assert_int_equal(stream_send(stream, big, sizeof big), ERR_TOO_LARGE);
    fake_lws.wants_write = true; /* WRITEABLE comes unasked at times */
    turns(1);
    assert_int_equal(fake_lws.sent_count, 1);
    turns(1);
    assert_int_equal(stream_send(stream, "x", 1), ERR_CLOSED);
    close_stream();
}

static void test_stream_send__short_write__lost(void **state UNUSED)
{
    static const struct fake_step steps[] = {{.type = STEP_OPEN}, {.type = STEP_WRITE}};
    open_stream(steps, 2);
    stream_connect(stream);
    turns(1);
    fake_lws.short_write = true;
    assert_int_equal(stream_send(stream, "hello", 5), 0);
    turns(1);
    assert_string_equal(seen.log, "opened lost ");
    close_stream();
}

static void test_stream__timer_and_signal__called_back(void **state UNUSED)
{
    static const struct fake_step steps[] = {
        {.type = STEP_TIMER}, {.type = STEP_SIGNAL, .code = SIGINT}, {.type = STEP_BREAK}};
    open_stream(steps, 3);
    stream_start_timer(stream, 250);
    assert_int_equal(fake_lws.delays_ms[0], 250);
    turns(2);
    assert_string_equal(seen.log, "timer signal ");
    assert_true(interrupt_is_pending(&intr));
    assert_int_equal(stream_turn(stream), ERR_SYS);
    close_stream();
}

static void test_stream_new__each_failure__nothing_left(void **state UNUSED)
{
    struct problem p = {0};
    assert_int_equal(interrupt_init(&intr), 0);
    for (int i = 0; i < 4; i++) {
        stream = NULL;
        fake_lws_reset(NULL, 0);
        fake_lws.no_context = i == 0;
        fake_lws.no_vhost = i == 1;
        fake_lws.no_adoption = i == 2;
        fcntl_fails = i == 3;
        settings.ca_file = i == 0 ? (char *)"/ca.pem" : NULL;
        assert_int_equal(stream_new(&settings, &intr, &events, &seen, &stream, &p), ERR_SYS);
        assert_null(stream);
        assert_int_equal(fake_lws.contexts, fake_lws.destroyed);
        assert_int_equal(strstr(p.details, "--ca-file") != NULL, i == 0);
    }
    fcntl_fails = false;
    settings.ca_file = NULL;
    stream_free(NULL);
    interrupt_done(&intr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_connect__plain__address_path_and_key),
        cmocka_unit_test(test_stream_connect__tls__certificates_are_checked),
        cmocka_unit_test(test_stream_connect__tls_fails__certificate_is_hinted_at),
        cmocka_unit_test(test_stream__messages_whole_and_in_fragments__assembled),
        cmocka_unit_test(test_stream__message_over_the_bound__lost_with_1009),
        cmocka_unit_test(test_stream__endings__described),
        cmocka_unit_test(test_stream__lost_in_a_fragment__next_connection_is_clean),
        cmocka_unit_test(test_stream_connect__fails_at_once__lost_once),
        cmocka_unit_test(test_stream__message_callback_refuses__closed),
        cmocka_unit_test(test_stream_send__message__written_when_writeable),
        cmocka_unit_test(test_stream_send__short_write__lost),
        cmocka_unit_test(test_stream__timer_and_signal__called_back),
        cmocka_unit_test(test_stream_new__each_failure__nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
