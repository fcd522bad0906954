/*
 * The yardstick: as little as a program can do to send lines to N WebSocket readers. Frames with
 * the bytes of tailgate.v1 are made beforehand in one ring; each reader has a position in it;
 * nothing is stored, made or checked.
 *
 *   bench_bare READERS LINES RATE FRAME_LINES LINE_BYTES RING_LINES
 *
 * Prints its port, takes READERS connections, tells each that it is live, and waits for a line on
 * stdin. Then LINES lines go to every reader: RATE a second, a frame at a time, or all at once with
 * RATE 0. RING_LINES is a multiple of FRAME_LINES; sequence numbers begin again at 1 with each
 * round. Prints its own CPU time and ends.
 */
#include "line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SNDBUF_BYTES (128 << 10) /* as tailgated's */
#define WRITE_MAX (128u << 10)
#define EVENTS_MAX 512
#define TEXT_AT "\",\"first\":"

struct peer {
    int fd;
    bool is_armed;
    uint64_t sent; /* bytes since the beginning, over all rounds */
};

struct bare {
    uint64_t lines, rate, frame_lines, line_bytes, ring_lines;
    char *ring;
    size_t ring_len, frame_len;
    uint64_t total, open; /* bytes: to send, and that may be sent by now */
    struct peer *peers;
    size_t n, n_done;
    int epoll;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* One frame: header, {"type":"logs",…,"first":N,"lines":[[…],…]}. */
static size_t put_frame(const struct bare *b, char *p, size_t room, uint64_t first)
{
    char *body = p + 10;
    const char *end = p + room;
    char text[4096];
    int n = snprintf(body, room - 10,
                     "{\"type\":\"logs\",\"execution_id\":\"%032d" TEXT_AT "%010llu,\"lines\":[", 0,
                     (unsigned long long)first);
    char *at = body + n;

    line_fill(text, b->line_bytes - 1);
    for (uint64_t i = 0; i < b->frame_lines; i++) {
        line_put_digits(text, LINE_NUMBER_DIGITS, first + i);
        line_put_digits(text + LINE_STAMP_AT, LINE_STAMP_DIGITS, bench_now_us());
        at += snprintf(at, (size_t)(end - at), "%s[1700000000000,\"o\",\"%.*s\"]", i ? "," : "",
                       (int)b->line_bytes - 1, text);
    }
    at += snprintf(at, (size_t)(end - at), "]}");
    uint64_t len = (uint64_t)(at - body);
    p[0] = (char)0x81;
    p[1] = 127;
    for (unsigned i = 0; i < 8; i++)
        p[2 + i] = (char)(len >> (56 - 8 * i));
    return (size_t)len + 10;
}

static void make_ring(struct bare *b)
{
    size_t frames = b->ring_lines / b->frame_lines;
    size_t room = frames * (b->frame_lines * (b->line_bytes + 32) + 256) + 4096;
    b->ring = malloc(room);
    if (!b->ring)
        die("malloc");
    for (size_t i = 0; i < frames; i++) {
        b->frame_len =
            put_frame(b, b->ring + b->ring_len, room - b->ring_len, i * b->frame_lines + 1);
        b->ring_len += b->frame_len;
    }
    b->lines -= b->lines % b->frame_lines;
    b->total = b->lines / b->frame_lines * b->frame_len;
}

static int listen_loopback(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        die("listen");
    (void)printf("port %d\n", ntohs(a.sin_port));
    (void)fflush(stdout);
    return fd;
}

/* The load client does not look at Sec-WebSocket-Accept. */
static void welcome(int fd)
{
    static const char answer[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Protocol: tailgate.v1\r\n\r\n"
        "\x81\x0f{\"type\":\"live\"}";
    char request[4096];
    size_t len = 0;
    int size = SNDBUF_BYTES, on = 1;

    for (;;) {
        ssize_t n = read(fd, request + len, sizeof request - 1 - len);
        if (n <= 0)
            die("read");
        len += (size_t)n;
        request[len] = '\0';
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (write(fd, answer, sizeof answer - 1) < 0)
        die("write");
}

static void take_peers(struct bare *b)
{
    int fd = listen_loopback();
    b->peers = calloc(b->n, sizeof *b->peers);
    b->epoll = epoll_create1(0);
    if (!b->peers || b->epoll < 0)
        die("epoll");
    for (size_t i = 0; i < b->n; i++) {
        b->peers[i].fd = accept(fd, NULL, NULL);
        if (b->peers[i].fd < 0)
            die("accept");
        welcome(b->peers[i].fd);
        struct epoll_event e = {.data.ptr = &b->peers[i]};
        if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->peers[i].fd, &e))
            die("epoll_ctl");
    }
    (void)close(fd);
}

static void arm(struct bare *b, struct peer *p, bool on)
{
    struct epoll_event e = {.events = on ? EPOLLOUT : 0, .data.ptr = p};
    if (p->is_armed != on && epoll_ctl(b->epoll, EPOLL_CTL_MOD, p->fd, &e))
        die("epoll_ctl");
    p->is_armed = on;
}

/* One write, of what is open to the peer and lies in one piece. */
static void push(struct bare *b, struct peer *p)
{
    size_t at = p->sent % b->ring_len, n = b->ring_len - at;
    if (n > b->open - p->sent)
        n = b->open - p->sent;
    if (n > WRITE_MAX)
        n = WRITE_MAX;
    if (n > 0) {
        ssize_t w = send(p->fd, b->ring + at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (w < 0 && errno != EAGAIN)
            die("send");
        p->sent += w > 0 ? (uint64_t)w : 0;
        b->n_done += p->sent == b->total;
    }
    arm(b, p, p->sent < b->open);
}

static void stream(struct bare *b)
{
    struct epoll_event events[EVENTS_MAX];
    const uint64_t begin = bench_now_us();

    b->open = b->rate ? 0 : b->total;
    for (size_t i = 0; i < b->n; i++)
        push(b, &b->peers[i]);
    while (b->n_done < b->n) {
        int wait_ms = -1;
        if (b->open < b->total) {
            uint64_t frames = (bench_now_us() - begin) * b->rate / 1000000u / b->frame_lines;
            uint64_t open = frames * b->frame_len < b->total ? frames * b->frame_len : b->total;
            if (open > b->open) {
                b->open = open;
                for (size_t i = 0; i < b->n; i++)
                    if (!b->peers[i].is_armed)
                        push(b, &b->peers[i]);
            }
            wait_ms = 1;
        }
        int n = epoll_wait(b->epoll, events, EVENTS_MAX, wait_ms);
        for (int i = 0; i < n; i++)
            push(b, events[i].data.ptr);
    }
}

static double cpu_seconds(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void wait_for_line(void)
{
    for (int c = getchar(); c != '\n' && c != EOF;)
        c = getchar();
}

int main(int argc, char **argv)
{
    struct bare b = {0};
    uint64_t *const numbers[] = {&b.lines, &b.rate, &b.frame_lines, &b.line_bytes, &b.ring_lines};

    if (argc != 7)
        return 2;
    b.n = strtoull(argv[1], NULL, 10);
    for (int i = 0; i < 5; i++)
        *numbers[i] = strtoull(argv[i + 2], NULL, 10);
    if (b.frame_lines == 0 || b.ring_lines % b.frame_lines != 0 || b.line_bytes > 4000 ||
        b.line_bytes < 40)
        return 2;
    make_ring(&b);
    take_peers(&b);
    wait_for_line();
    double cpu = cpu_seconds();
    uint64_t begin = bench_now_us();
    stream(&b);
    cpu = cpu_seconds() - cpu;
    (void)printf("{\"lines\":%llu,\"cpu_s\":%.6f,\"seconds\":%.6f,\"ns_per_line\":%.1f}\n",
                 (unsigned long long)(b.lines * b.n), cpu, (double)(bench_now_us() - begin) / 1e6,
                 cpu * 1e9 / (double)(b.lines * b.n));
    (void)fflush(stdout);
    wait_for_line(); /* readers still read what the kernel holds */
    return 0;
}
