/* The rig's server and client. */
#include "server_rig.h"

#include "gateway/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 60000

struct rig rig;

void rig_start(char *const flags[])
{
    struct buf error CLEANUP_BUF = {.max = 1024};
    const char *special = NULL;
    char *argv[32] = {(char *)"tailgated", (char *)"--listen", (char *)"127.0.0.1:0"};
    int argc = 3;
    while (flags && *flags)
        argv[argc++] = *flags++;
    memset(&rig, 0, sizeof(rig));
    rig.auto_wake = true;
    rig.world.is_ready = true;
    rig.world.row.state = (struct exec_state){.status = EXEC_RUNNING,
                                              .version = 2,
                                              .exit_code = EXIT_CODE_NONE,
                                              .started_at_us = 1700000000000000};
    assert_int_equal(execution_id_parse(RIG_ID, &rig.world.row.id), 0);
    rig.world.row.key = execution_id_key(&rig.world.row.id);
    rig.world.row.command = (char *)"echo hi";
    rig.world.row.image_id = (char *)"host";
    rig.world.row.created_by = (char *)"dev@example.org";
    char *const none[] = {NULL};
    assert_int_equal(config_load(&options_table, &rig.options, argc, argv, none, &error, &special),
                     0);
    assert_int_equal(loop_new(&rig.loop), 0);
    assert_int_equal(server_new(rig.loop, &rig.options, (struct hub *)(void *)&rig,
                                (struct orchestrator *)(void *)&rig, &rig.server),
                     0);
    assert_int_equal(server_listen(rig.server, &error, &rig.url), 0);
    rig.port = atoi(strrchr(rig.url, ':') + 1);
}

void rig_stop(void)
{
    rig.world.holds = false;
    rig_release();
    rig_turns(3);
    server_free(rig.server);
    rig_release();
    rig_turns(3);
    loop_free(rig.loop);
    config_done(&options_table, &rig.options);
    for (size_t i = rig.steps_done; i < rig.steps_count; i++)
        chunk_unref(rig.steps[i].chunk);
    assert_int_equal(rig.cursors_open, 0);
    assert_int_equal(rig.topics_open, 0);
}

int rig_setup(void **state)
{
    (void)state;
    rig_start(NULL);
    return 0;
}

int rig_teardown(void **state)
{
    (void)state;
    rig_stop();
    return 0;
}

void rig_turns(int n)
{
    while (n-- > 0)
        assert_int_equal(loop_turn(rig.loop, 1), 0);
}

void rig_until(bool (*done)(void *), void *user)
{
    int64_t end_ms = clock_mono_ms() + DEADLINE_MS;
    while (!done(user)) {
        assert_true(clock_mono_ms() < end_ms);
        rig_turns(1);
    }
}

struct chunk *rig_chunk(uint64_t first_seq, ...)
{
    struct chunk_builder *b;
    struct chunk *c = NULL;
    va_list ap;
    int64_t time_us = 1700000000000000;
    assert_int_equal(chunk_builder_new(&b), 0);
    va_start(ap, first_seq);
    for (int stream = va_arg(ap, int); stream; stream = va_arg(ap, int)) {
        int flags = va_arg(ap, int);
        const char *text = va_arg(ap, const char *);
        assert_int_equal(
            chunk_builder_add(b, time_us++, (uint8_t)stream, (uint8_t)flags, text, strlen(text)),
            0);
    }
    va_end(ap);
    assert_int_equal(chunk_builder_finish(b, rig.world.row.key, first_seq, &c), 0);
    chunk_builder_free(b);
    return c;
}

void rig_step(int err, struct chunk *chunk)
{
    assert_true(rig.steps_count < RIG_STEPS);
    rig.steps[rig.steps_count++] = (struct rig_step){.err = err, .chunk = chunk};
}

/* ---- the client ---- */

/* What was received of one connection and not looked at yet. */
static struct {
    int fd;
    size_t at, len;
    unsigned char bytes[65536];
} in;

int rig_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)rig.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    in.fd = -1;        /* a descriptor may come back */
    int small = 65536; /* so that a reader that stalls is soon felt */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

void rig_send(int fd, const char *bytes, size_t len)
{
    int64_t end_ms = clock_mono_ms() + DEADLINE_MS;
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return; /* refused early; the answer tells */
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
        assert_true(clock_mono_ms() < end_ms);
        rig_turns(1);
    }
}

/* One byte; -1 at the end of the stream. */
static int next_byte(int fd)
{
    if (in.fd == fd && in.at < in.len)
        return in.bytes[in.at++];
    int64_t end_ms = clock_mono_ms() + DEADLINE_MS;
    in.fd = fd;
    for (;;) {
        ssize_t n = recv(fd, in.bytes, sizeof(in.bytes), 0);
        in.at = in.len = 0;
        if (n > 0) {
            in.len = (size_t)n;
            return in.bytes[in.at++];
        }
        if (n == 0 || errno != EAGAIN)
            return -1;
        assert_true(clock_mono_ms() < end_ms);
        rig_turns(1);
    }
}

/* Up to and with LF, CR LF cut. False at the end of the stream. */
static bool next_line(int fd, char *ret, size_t size)
{
    size_t n = 0;
    for (int c = next_byte(fd); c != '\n'; c = next_byte(fd)) {
        if (c < 0)
            return false;
        assert_true(n + 1 < size);
        ret[n++] = (char)c;
    }
    if (n > 0 && ret[n - 1] == '\r')
        n--;
    ret[n] = '\0';
    return true;
}

static void take_bytes(int fd, struct answer *a, size_t n)
{
    while (n > 0) {
        int c = next_byte(fd);
        if (c < 0) {
            a->eof = true;
            return;
        }
        assert_int_equal(buf_append_char(&a->body, (char)c), 0);
        size_t more = in.len - in.at < n - 1 ? in.len - in.at : n - 1;
        assert_int_equal(buf_append(&a->body, in.bytes + in.at, more), 0);
        in.at += more;
        n -= 1 + more;
    }
}

static void take_chunks(int fd, struct answer *a)
{
    char line[64];
    for (;;) {
        if (!next_line(fd, line, sizeof(line)))
            break;
        size_t n = strtoul(line, NULL, 16);
        take_bytes(fd, a, n);
        if (a->eof || !next_line(fd, line, sizeof(line)))
            break;
        if (n == 0) {
            a->chunked = true;
            return;
        }
    }
    a->eof = true;
}

void rig_receive(int fd, struct answer *ret, bool has_body)
{
    char line[2048];
    size_t len = 0;
    memset(ret, 0, sizeof(*ret));
    buf_init(&ret->body, 64u << 20);
    if (!next_line(fd, line, sizeof(line))) {
        ret->eof = true;
        return;
    }
    assert_true(sscanf(line, "HTTP/1.1 %d", &ret->status) == 1);
    while (next_line(fd, line, sizeof(line)) && *line)
        len += (size_t)snprintf(ret->head + len, sizeof(ret->head) - len, "%s\n", line);
    const char *length = answer_header(ret, "Content-Length");
    if (ret->status == 100)
        return;
    if (has_body && length)
        take_bytes(fd, ret, strtoul(length, NULL, 10));
    else if (has_body && answer_header(ret, "Transfer-Encoding"))
        take_chunks(fd, ret);
    else if (has_body && ret->status != 204)
        take_bytes(fd, ret, SIZE_MAX);
}

void answer_done(struct answer *a)
{
    buf_done(&a->body);
}

const char *answer_header(const struct answer *a, const char *name)
{
    static char value[2048];
    size_t n = strlen(name);
    for (const char *line = a->head; *line; line = strchr(line, '\n') + 1) {
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + n + 2, "\n"),
                           line + n + 2);
            return value;
        }
    }
    return NULL;
}

void rig_request(const char *line, const char *headers, const char *body, struct answer *ret)
{
    struct buf text CLEANUP_BUF = {.max = 4u << 20};
    bool keyless = *headers == '!';
    int fd = rig_connect();
    assert_int_equal(buf_printf(&text, "%s HTTP/1.1\r\nHost: gate.example\r\n%s%s", line,
                                keyless ? "" : "X-API-Key: " RIG_KEY "\r\n", headers + keyless),
                     0);
    if (body)
        assert_int_equal(buf_printf(&text, "Content-Length: %zu\r\n", strlen(body)), 0);
    assert_int_equal(buf_printf(&text, "\r\n%s", body ? body : ""), 0);
    rig_send(fd, text.data, text.len);
    rig_receive(fd, ret, strncmp(line, "HEAD ", 5) != 0);
    (void)close(fd);
    rig_turns(2);
}

void rig_expect(const char *line, const char *headers, const char *body, int status,
                const char *text)
{
    struct answer a;
    rig_request(line, headers, body, &a);
    if (a.status != status || (text && !strstr(a.body.data ? a.body.data : "", text)))
        fail_msg("%s: %d %s", line, a.status, a.body.data ? a.body.data : "");
    if (status != 100 && a.status)
        assert_non_null(answer_header(&a, "X-Request-ID"));
    answer_done(&a);
}

void rig_expect_eof(int fd)
{
    assert_int_equal(next_byte(fd), -1);
}
