/* A reader's connection: opened and upgraded one by one, then read as epoll says. */
#include "line.h"
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REST_MAX (1u << 20)

void die(const char *what)
{
    perror(what);
    exit(1);
}

static void send_all(struct reader *r, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(r->fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            die("send");
        p += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

/* Masked with zeros, which leaves the payload as it is. At most 125 bytes, or 65535 with a longer
 * header. */
static void send_frame(struct reader *r, unsigned opcode, const char *p, size_t len)
{
    char frame[1024] = {(char)(0x80u | opcode)};
    size_t header = len > 125 ? 8 : 6;

    if (len > sizeof frame - header)
        return;
    if (len > 125) {
        frame[1] = (char)(0x80u | 126u);
        frame[2] = (char)(len >> 8);
        frame[3] = (char)len;
    } else {
        frame[1] = (char)(0x80u | len);
    }
    if (len > 0)
        memcpy(frame + header, p, len);
    send_all(r, frame, header + len);
}

void reader_pong(const struct load *l, struct reader *r, const char *payload, size_t len)
{
    if (l->o.protocol == PROTOCOL_NATS)
        send_all(r, "PONG\r\n", 6);
    else
        send_frame(r, 10, payload, len);
}

void reader_subscribe(struct load *l, struct reader *r)
{
    char text[512], from[64] = "";
    int n;

    if (l->o.protocol != PROTOCOL_V1 || !r->exec)
        return;
    if (l->o.tail >= 0)
        (void)snprintf(from, sizeof from, ",\"tail\":%lld", (long long)l->o.tail);
    else if (l->o.after >= 0)
        (void)snprintf(from, sizeof from, ",\"after\":%lld", (long long)l->o.after);
    n = snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"execution_id\":\"%s\"%s}", r->exec,
                 from);
    r->asked_us = bench_now_us();
    send_frame(r, 1, text, (size_t)n);
}

static void upgrade(struct load *l, struct reader *r)
{
    char text[2048];
    int n = snprintf(
        text, sizeof text,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n%s%s%s%s\r\n",
        l->o.path, l->o.port,
        l->o.protocol == PROTOCOL_V1 ? "Sec-WebSocket-Protocol: tailgate.v1\r\n" : "",
        l->o.key ? "X-API-Key: " : "", l->o.key ? l->o.key : "", l->o.key ? "\r\n" : "");
    size_t len = 0;
    char *end = NULL;

    if (n < 0 || (size_t)n >= sizeof text)
        die("path");
    send_all(r, text, (size_t)n);
    while (!end) {
        ssize_t got = read(r->fd, l->in + len, RECV_BYTES - len - 1);
        if (got <= 0)
            die("upgrade");
        len += (size_t)got;
        l->in[len] = '\0';
        end = strstr(l->in, "\r\n\r\n");
    }
    if (strncmp(l->in, "HTTP/1.1 101", 12) != 0) {
        (void)fprintf(stderr, "refused: %.200s\n", l->in);
        exit(1);
    }
    r->rest_len = len - (size_t)(end + 4 - l->in);
    if (r->rest_len > 0) {
        r->rest = malloc(r->rest_len);
        if (!r->rest)
            die("malloc");
        memcpy(r->rest, end + 4, r->rest_len);
    }
}

static void greet_nats(struct load *l, struct reader *r)
{
    char text[256];
    int n = snprintf(text, sizeof text, "CONNECT {\"verbose\":false}\r\nSUB %s 1\r\nPING\r\n",
                     l->o.subject);
    send_all(r, text, (size_t)n);
}

void reader_open(struct load *l, struct reader *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)strtoul(l->o.port, NULL, 10)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&a, sizeof a))
        die("connect");
    (void)setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (l->o.protocol == PROTOCOL_NATS)
        greet_nats(l, r);
    else
        upgrade(l, r);
    if (fcntl(r->fd, F_SETFL, O_NONBLOCK))
        die("fcntl");
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = r};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, r->fd, &e))
        die("epoll_ctl");
    reader_subscribe(l, r);
}

static void keep_rest(struct reader *r, const char *p, size_t len)
{
    char *rest = len > 0 ? malloc(len) : NULL;
    if (len > 0 && (!rest || len > REST_MAX))
        die("a frame too large");
    if (rest)
        memcpy(rest, p, len);
    free(r->rest);
    r->rest = rest;
    r->rest_len = len;
}

/* One recv, behind what was left over. */
void reader_recv(struct load *l, struct reader *r)
{
    size_t len = r->rest_len;

    if (len > 0)
        memcpy(l->in, r->rest, len);
    ssize_t n = recv(r->fd, l->in + len, RECV_BYTES, 0);
    if (n < 0 && errno == EAGAIN)
        n = 0;
    else if (n <= 0) {
        if (r->state != READER_DONE)
            note_error(l, r, "connection lost", 0);
        (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, r->fd, NULL);
        if (r->state != READER_DONE) {
            l->t.ready += r->state == READER_WAITING;
            l->t.done++;
            r->state = READER_DONE;
        }
        return;
    }
    l->now_us = bench_now_us();
    l->t.bytes += (uint64_t)n;
    l->t.recvs++;
    len += (size_t)n;
    size_t taken = check_bytes(l, r, l->in, len);
    keep_rest(r, l->in + taken, len - taken);
}
