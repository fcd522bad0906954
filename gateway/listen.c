/* The listening socket, and what is done when there are too many connections. */
#include "gateway/listen.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/connection.h"
#include "gateway/server_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH 64
#define PAUSE_MS 100
/* PostgreSQL connections, spools, runners' pipes, the loop's own. */
#define RESERVED_FDS 512u
/* Above this libwebsockets' table of descriptors costs more than it is worth. */
#define FDS_MAX 1048576u
/* Refused peers that are given time to read the 503 before the close resets the connection. */
#define LINGER_MAX 32u
#define LINGER_MS 500

#define REFUSAL                                                             \
    "{\"error\":\"too many connections\",\"code\":\"SERVICE_UNAVAILABLE\"," \
    "\"details\":\"try again in a few seconds\"}"
_Static_assert(sizeof(REFUSAL) - 1 == 100, "its Content-Length says so");

struct listener {
    struct server *server;
    int fd, reserve_fd;
    struct loop_poll *poll;
    struct loop_timer *pause, *linger_timer;
    struct {
        int fd;
        int64_t until_ms;
    } lingering[LINGER_MAX];
    size_t lingering_count;
    bool said_full;
};

/* ---- refusing ---- */

static void linger_drop_first(struct listener *l)
{
    char rest[4096];
    int fd = l->lingering[0].fd;
    while (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
        ;
    (void)close(fd);
    l->lingering_count--;
    memmove(&l->lingering[0], &l->lingering[1], l->lingering_count * sizeof(l->lingering[0]));
}

static void on_linger(void *user)
{
    struct listener *l = user;
    int64_t now_ms = clock_mono_ms();
    while (l->lingering_count > 0 && l->lingering[0].until_ms <= now_ms)
        linger_drop_first(l);
    if (l->lingering_count > 0)
        loop_timer_start(l->linger_timer, LINGER_MS / 2, 0);
}

static void linger(struct listener *l, int fd)
{
    if (l->lingering_count == LINGER_MAX)
        linger_drop_first(l);
    l->lingering[l->lingering_count].fd = fd;
    l->lingering[l->lingering_count++].until_ms = clock_mono_ms() + LINGER_MS;
    if (!loop_timer_is_active(l->linger_timer))
        loop_timer_start(l->linger_timer, LINGER_MS, 0);
}

static void refuse(struct listener *l, int fd, bool keep)
{
    static const char answer[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Content-Length: 100\r\nRetry-After: 1\r\nConnection: close\r\n\r\n" REFUSAL;
    if (!l->said_full) {
        l->said_full = true;
        log_warn("connections refused", "max", LOG_NUM(l->server->connections_max));
    }
    if (!l->server->is_tls)
        (void)!send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    if (keep)
        linger(l, fd);
    else
        (void)close(fd);
}

/* ---- accepting ---- */

static void on_pause_over(void *user)
{
    struct listener *l = user;
    if (l->reserve_fd < 0)
        l->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (loop_poll_start(l->poll, LOOP_READ))
        loop_timer_start(l->pause, PAUSE_MS, 0);
}

static void pause_accepting(struct listener *l)
{
    (void)!loop_poll_start(l->poll, 0);
    loop_timer_start(l->pause, PAUSE_MS, 0);
}

/* No descriptor is left: takes the peer with the reserved one. ERR_LIMIT: not even that. */
static int refuse_with_reserve(struct listener *l)
{
    if (l->reserve_fd < 0)
        return ERR_LIMIT;
    (void)close(l->reserve_fd);
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        refuse(l, fd, false);
    l->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && l->reserve_fd >= 0 ? 0 : ERR_LIMIT;
}

static void take(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    struct server *s = l->server;
    char peer[ADDRESS_TEXT_SIZE];
    int on = 1;
    if (s->connections_count >= s->connections_max) {
        refuse(l, fd, true);
        return;
    }
    l->said_full = false;
    address_text((const struct sockaddr *)(const void *)from, peer);
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) != 0)
        log_debug("setsockopt", "errno", LOG_NUM(errno));
    int err = connection_adopt(s, fd, peer);
    if (err)
        log_warn("connection not adopted", "error", err_name(err), "peer", peer);
}

static void on_accept(void *user, unsigned events, int error)
{
    struct listener *l = user;
    (void)events;
    if (error)
        log_warn("listening socket", "errno", LOG_NUM(error));
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof(from);
        int fd = accept4(l->fd, (void *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(l, fd, &from);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
        if ((errno != EMFILE && errno != ENFILE) || refuse_with_reserve(l)) {
            log_warn("accept", "errno", LOG_NUM(errno));
            pause_accepting(l);
            return;
        }
    }
}

/* ---- opening ---- */

int listen_address_split(const char *address, char *ret_host, size_t size, char ret_port[8])
{
    const char *colon = strrchr(address, ':');
    int64_t port;
    if (!colon || str_to_i64(colon + 1, 0, 65535, &port))
        return ERR_INVALID;
    const char *from = address;
    size_t len = (size_t)(colon - address);
    if (len >= 2 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    } else if (memchr(from, ':', len)) {
        return ERR_INVALID; /* an IPv6 address needs its brackets */
    }
    if (len == 1 && *from == '*')
        len = 0;
    if (len >= size)
        return ERR_INVALID;
    memcpy(ret_host, from, len);
    ret_host[len] = '\0';
    (void)snprintf(ret_port, 8, "%d", (int)port);
    return 0;
}

static int fail(struct buf *error, const char *address, const char *why)
{
    buf_clear(error);
    (void)!buf_printf(error, "--listen %s: %s", address, why);
    return ERR_INVALID;
}

/* Set before listening, so that accepted sockets inherit it: left alone the kernel takes megabytes
 * for a reader that stands still. */
static void bound_send_buffer(int fd, uint64_t bytes)
{
    int n = (int)bytes;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n)) != 0)
        log_warn("SO_SNDBUF was not set", "errno", strerror(errno));
}

static int bind_socket(const struct options *o, const struct addrinfo *a)
{
    int on = 1, off = 0;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bound_send_buffer(fd, o->socket_send_bytes);
    if (a->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

/* The addresses of --listen, all of them allowed. freeaddrinfo is the caller's. */
static int resolve(const struct options *o, const char *address, struct buf *error,
                   struct addrinfo **ret)
{
    char host[256], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST};
    struct addrinfo *list = NULL;
    if (listen_address_split(address, host, sizeof(host), port))
        return fail(error, address, "must be HOST:PORT");
    int failed = getaddrinfo(*host ? host : "::", port, &hints, &list);
    if (failed) {
        hints.ai_flags = AI_PASSIVE | AI_ADDRCONFIG;
        failed = getaddrinfo(host, port, &hints, &list);
    }
    if (failed)
        return fail(error, address, gai_strerror(failed));
    for (struct addrinfo *a = list; a; a = a->ai_next) {
        if (!address_is_loopback(a->ai_addr) && str_is_empty(o->tls_cert) && !o->insecure_http) {
            freeaddrinfo(list);
            return fail(error, address,
                        "plain HTTP on other than loopback needs --tls-cert and --tls-key, or "
                        "--insecure-http");
        }
    }
    *ret = list;
    return 0;
}

int listen_address_check(const struct options *o, struct buf *error)
{
    struct addrinfo *list = NULL;
    int err = resolve(o, o->listen, error, &list);
    if (!err)
        freeaddrinfo(list);
    return err;
}

/* Binds the first address that works. */
static int bind_address(const struct server *s, const char *address, struct buf *error, int *ret_fd)
{
    struct addrinfo *list = NULL;
    char any_v4[16];
    int fd = -1;
    int err = resolve(s->options, address, error, &list);
    if (err)
        return err;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = bind_socket(s->options, a);
    int failed = errno;
    freeaddrinfo(list);
    if (fd < 0 && (failed == EAFNOSUPPORT || failed == EADDRNOTAVAIL) &&
        (*address == ':' || *address == '*')) {
        (void)snprintf(any_v4, sizeof(any_v4), "0.0.0.0%s", strrchr(address, ':'));
        return bind_address(s, any_v4, error, ret_fd); /* a kernel without IPv6 */
    }
    if (fd < 0)
        return fail(error, address, strerror(failed));
    *ret_fd = fd;
    return 0;
}

/* What was bound, asked from the kernel. */
static int bound_url(const struct server *s, int fd, char *ret_url, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } sa;
    socklen_t len = sizeof(sa);
    char host[ADDRESS_TEXT_SIZE];
    memset(&sa, 0, sizeof(sa));
    if (getsockname(fd, &sa.any, &len) != 0)
        return ERR_SYS;
    address_text(&sa.any, host);
    unsigned port = ntohs(sa.any.sa_family == AF_INET6 ? sa.v6.sin6_port : sa.v4.sin_port);
    bool v6 = strchr(host, ':') != NULL;
    int n = snprintf(ret_url, size, "%s://%s%s%s:%u", s->is_tls ? "https" : "http", v6 ? "[" : "",
                     host, v6 ? "]" : "", port);
    return n > 0 && (size_t)n < size ? 0 : ERR_SYS;
}

int listener_open(struct server *s, const char *address, struct buf *error, char *ret_url,
                  size_t size, struct listener **ret)
{
    int fd = -1;
    int err = bind_address(s, address, error, &fd);
    if (err)
        return err;
    struct listener *l = calloc(1, sizeof(*l));
    if (!l) {
        (void)close(fd);
        return fail(error, address, "out of memory");
    }
    l->server = s;
    l->fd = fd;
    l->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (bound_url(s, fd, ret_url, size) || loop_timer_new(s->loop, on_pause_over, l, &l->pause) ||
        loop_timer_new(s->loop, on_linger, l, &l->linger_timer) ||
        loop_poll_new(s->loop, fd, on_accept, l, &l->poll) || loop_poll_start(l->poll, LOOP_READ)) {
        listener_free(l);
        return fail(error, address, "cannot be watched");
    }
    *ret = l;
    return 0;
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    loop_poll_free(l->poll);
    loop_timer_free(l->pause);
    loop_timer_free(l->linger_timer);
    while (l->lingering_count > 0)
        linger_drop_first(l);
    if (l->reserve_fd >= 0)
        (void)close(l->reserve_fd);
    (void)close(l->fd);
    free(l);
}

size_t listen_connections_max(size_t wanted)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)wanted + RESERVED_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    rlim_t soft = limit.rlim_cur;
    if (soft < need)
        soft = need < limit.rlim_max ? need : limit.rlim_max;
    if (soft > FDS_MAX)
        soft = FDS_MAX;
    if (soft != limit.rlim_cur) {
        limit.rlim_cur = soft;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            log_warn("setrlimit", "errno", LOG_NUM(errno));
    }
    if (soft >= need)
        return wanted;
    size_t left = soft > 2 * RESERVED_FDS ? (size_t)soft - RESERVED_FDS : (size_t)soft / 2;
    log_warn("the descriptor limit allows fewer connections", "wanted", LOG_NUM(wanted), "max",
             LOG_NUM(left));
    return left;
}
