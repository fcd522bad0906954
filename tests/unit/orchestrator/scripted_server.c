#include "scripted_server.h"

#include "../base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct peer {
    struct scripted_server *server;
    struct loop_poll *poll;
    int fd;
    size_t len;
    char request[8192];
};

struct scripted_server {
    struct loop *loop;
    struct loop_poll *poll;
    int fd;
    char path[64];
    const char *const *answers;
    size_t n, count, accepted;
    struct peer peers[SCRIPTED_REQUESTS_MAX];
};

static bool is_whole(const struct peer *p)
{
    const char *end = strstr(p->request, "\r\n\r\n");
    const char *length = strcasestr(p->request, "\r\nContent-Length:");
    if (!end)
        return false;
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return p->len >= (size_t)(end + 4 - p->request) + body;
}

static void hang_up(struct peer *p)
{
    loop_poll_free(p->poll);
    p->poll = NULL;
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
}

static void on_bytes(void *user, unsigned events, int error)
{
    struct peer *p = user;
    struct scripted_server *s = p->server;
    (void)events;
    ssize_t n = error ? 0 : read(p->fd, p->request + p->len, sizeof(p->request) - 1 - p->len);
    if (n <= 0) {
        hang_up(p);
        return;
    }
    p->len += (size_t)n;
    if (!is_whole(p))
        return;
    assert_true(s->count < s->n);
    const char *answer = s->answers[s->count++];
    if (!answer)
        return;
    assert_int_equal(write(p->fd, answer, strlen(answer)), strlen(answer));
    hang_up(p);
}

static void on_peer(void *user, unsigned events, int error)
{
    struct scripted_server *s = user;
    (void)events;
    assert_int_equal(error, 0);
    assert_true(s->accepted < SCRIPTED_REQUESTS_MAX);
    struct peer *p = &s->peers[s->accepted++];
    p->server = s;
    p->fd = accept(s->fd, NULL, NULL);
    assert_true(p->fd >= 0);
    assert_int_equal(loop_poll_new(s->loop, p->fd, on_bytes, p, &p->poll), 0);
    assert_int_equal(loop_poll_start(p->poll, LOOP_READ), 0);
}

void scripted_server_new(struct loop *l, const char *const *answers, size_t n,
                         struct scripted_server **ret)
{
    struct scripted_server *s = calloc(1, sizeof(*s));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static int made;
    assert_non_null(s);
    s->loop = l;
    s->answers = answers;
    s->n = n;
    (void)snprintf(s->path, sizeof(s->path), "/tmp/scripted.%ld.%d", (long)getpid(), made++);
    (void)unlink(s->path);
    memcpy(address.sun_path, s->path, strlen(s->path));
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    assert_int_equal(loop_poll_new(l, s->fd, on_peer, s, &s->poll), 0);
    assert_int_equal(loop_poll_start(s->poll, LOOP_READ), 0);
    *ret = s;
}

void scripted_server_free(struct scripted_server *s)
{
    for (size_t i = 0; i < s->accepted; i++)
        hang_up(&s->peers[i]);
    loop_poll_free(s->poll);
    (void)close(s->fd);
    (void)unlink(s->path);
    free(s);
}

const char *scripted_server_path(const struct scripted_server *s)
{
    return s->path;
}

size_t scripted_server_count(const struct scripted_server *s)
{
    return s->count;
}

const char *scripted_server_request(const struct scripted_server *s, size_t n)
{
    assert_true(n < s->accepted);
    return s->peers[n].request;
}

const char *scripted_json(int status, const char *body)
{
    static char texts[SCRIPTED_REQUESTS_MAX][4096];
    static size_t next;
    char *text = texts[next++ % SCRIPTED_REQUESTS_MAX];
    (void)snprintf(text, sizeof(texts[0]),
                   "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n%s",
                   status, strlen(body), body);
    return text;
}
