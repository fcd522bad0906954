/* The seams of the stream tests: libwebsockets' sockets, the clock, timers and system calls. */
#include "stream_rig.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define WRAP(type, name, ...)        \
    type __wrap_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)

WRAP(int, lws_write, struct lws *wsi, unsigned char *p, size_t len, enum lws_write_protocol how)
{
    size_t end = 0, n;
    const uint8_t *payload;

    if (wsi->write_fails)
        return -1;
    assert_false(wsi->partial);
    assert_true(how == LWS_WRITE_RAW || how == LWS_WRITE_HTTP_HEADERS);
    while (how == LWS_WRITE_RAW && end < len)
        end += rig_parse_frame(p + end, len - end, &payload, &n);
    assert_int_equal(buf_append(&wsi->sent, p, len), 0);
    wsi->writes++;
    if (len > wsi->largest_write)
        wsi->largest_write = len;
    wsi->last_ptr = p;
    if (wsi->room > 0)
        wsi->partial = len > wsi->room;
    return (int)len;
}
WRAP(int, lws_callback_on_writable, struct lws *wsi)
{
    wsi->asked = true;
    return 1;
}
WRAP(int, lws_partial_buffered, struct lws *wsi)
{
    return wsi->partial;
}
WRAP(void, lws_close_reason, struct lws *wsi, enum lws_close_status status, unsigned char *p,
     size_t len)
{
    assert_true(len < 124);
    wsi->close_code = (unsigned)status;
    memcpy(wsi->close_reason, p, len);
    wsi->close_reason[len] = '\0';
}
WRAP(int, lws_rx_flow_control, struct lws *wsi, int enable)
{
    wsi->flow_stopped = !enable;
    return 0;
}
WRAP(void, lws_set_timeout, struct lws *wsi, enum pending_timeout reason, int secs)
{
    (void)reason;
    if (secs == LWS_TO_KILL_SYNC) {
        assert_true(!wsi->partial && !wsi->closed);
        wsi->closed = true;
        if (wsi->close_code == 0) /* otherwise libwebsockets sends the close frame that was set */
            stream_closed(TAKE_PTR(wsi->session));
        return;
    }
    assert_int_equal(secs, LWS_TO_KILL_ASYNC);
    wsi->is_killed = true;
}
WRAP(lws_sockfd_type, lws_get_socket_fd, struct lws *wsi)
{
    return wsi->unsent; /* the wrapped ioctl gives it back */
}
WRAP(int, lws_is_final_fragment, struct lws *wsi)
{
    return !wsi->is_part;
}
WRAP(int, lws_frame_is_binary, struct lws *wsi)
{
    return wsi->is_binary;
}
WRAP(void *, lws_wsi_user, struct lws *wsi)
{
    return &wsi->slot;
}
WRAP(int, lws_is_first_fragment, struct lws *wsi)
{
    return wsi->is_first;
}
WRAP(unsigned char, lws_get_reserved_bits, struct lws *wsi)
{
    return wsi->reserved_bits;
}
WRAP(size_t, lws_remaining_packet_payload, struct lws *wsi)
{
    return wsi->payload_left;
}
WRAP(const struct lws_protocols *, lws_get_protocol, struct lws *wsi)
{
    wsi->proto.name = wsi->protocol;
    return wsi->protocol ? &wsi->proto : NULL;
}

static const char *header(const struct lws *wsi, enum lws_token_indexes h)
{
    switch ((int)h) {
    case WSI_TOKEN_GET_URI:
        return wsi->path;
    case WSI_TOKEN_ORIGIN:
        return wsi->origin;
    case WSI_TOKEN_HOST:
        return wsi->host;
    case WSI_TOKEN_EXTENSIONS:
        return wsi->extensions;
    case WSI_TOKEN_HTTP_AUTHORIZATION:
        return wsi->authorization;
    default:
        return NULL;
    }
}

static int copy(char *dest, int len, const char *text)
{
    if (!text)
        return 0;
    if ((int)strlen(text) >= len)
        return -1;
    (void)snprintf(dest, (size_t)len, "%s", text);
    return (int)strlen(text);
}
WRAP(int, lws_hdr_copy, struct lws *wsi, char *dest, int len, enum lws_token_indexes h)
{
    return copy(dest, len, header(wsi, h));
}
WRAP(int, lws_hdr_total_length, struct lws *wsi, enum lws_token_indexes h)
{
    const char *text = header(wsi, h);
    return text ? (int)strlen(text) : 0;
}
WRAP(int, lws_hdr_fragment_length, struct lws *wsi, enum lws_token_indexes h, int i)
{
    assert_int_equal(h, WSI_TOKEN_HTTP_URI_ARGS);
    return i < 4 && wsi->args[i] ? (int)strlen(wsi->args[i]) : 0;
}
WRAP(int, lws_hdr_copy_fragment, struct lws *wsi, char *dest, int len, enum lws_token_indexes h,
     int i)
{
    assert_int_equal(h, WSI_TOKEN_HTTP_URI_ARGS);
    return i < 4 && wsi->args[i] ? copy(dest, len, wsi->args[i]) : -1;
}
WRAP(int, lws_hdr_custom_length, struct lws *wsi, const char *name, int len)
{
    assert_memory_equal(name, "x-api-key:", (size_t)len);
    return wsi->key ? (int)strlen(wsi->key) : -1;
}
WRAP(int, lws_hdr_custom_copy, struct lws *wsi, char *dest, int len, const char *name, int nlen)
{
    assert_memory_equal(name, "x-api-key:", (size_t)nlen);
    return wsi->key ? copy(dest, len, wsi->key) : -1;
}

WRAP(int64_t, clock_mono_ms, void)
{
    return rig.now_ms;
}
WRAP(int64_t, clock_mono_us, void)
{
    rig.us += rig.us_a_look;
    return rig.now_ms * 1000 + rig.us;
}
WRAP(ssize_t, getrandom, void *p, size_t n, unsigned flags)
{
    (void)flags;
    if (rig.random_error)
        return -1;
    memset(p, 0x5a, n);
    return (ssize_t)n;
}
WRAP(int, ioctl, int fd, unsigned long request, int *ret)
{
    assert_true(request == SIOCOUTQ || request == SIOCOUTQNSD);
    *ret = fd;
    return rig.ioctl_error ? -1 : 0;
}
WRAP(int, getsockopt, int fd, int level, int name, void *value, socklen_t *len)
{
    struct tcp_info *info = value;

    (void)fd;
    assert_true(level == IPPROTO_TCP && name == TCP_INFO && *len >= sizeof *info);
    info->tcpi_bytes_acked = rig.taken;
    return 0;
}
WRAP(int, setsockopt, int fd, int level, int name, const void *value, socklen_t len)
{
    (void)fd;
    assert_int_equal(level, SOL_SOCKET);
    assert_int_equal(name, SO_SNDBUF);
    assert_int_equal(len, sizeof(int));
    memcpy(&rig.sndbuf, value, sizeof rig.sndbuf);
    return 0;
}
WRAP(int, loop_timer_new, struct loop *l, loop_fn fn, void *user, struct loop_timer **ret)
{
    (void)l;
    (void)user;
    assert_true(fn == stream_sweep || fn == runvoy_linger_tick);
    *ret = malloc(1);
    if (!*ret)
        return ERR_NOMEM;
    rig.timers++;
    return 0;
}
WRAP(void, loop_timer_start, struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms)
{
    (void)t;
    if (repeat_ms > 0)
        return;
    rig.timer_active = 1;
    rig.timer_delay = delay_ms;
}
WRAP(bool, loop_timer_is_active, const struct loop_timer *t)
{
    (void)t;
    return rig.timer_active != 0;
}
WRAP(void, loop_timer_free, struct loop_timer *t)
{
    if (t)
        rig.timers--;
    free(t);
}
WRAP(int, loop_defer_new, struct loop *l, loop_fn fn, void *user, struct loop_defer **ret)
{
    (void)l;
    (void)user;
    assert_true(fn == stream_turn);
    *ret = malloc(1);
    if (!*ret)
        return ERR_NOMEM;
    rig.timers++;
    return 0;
}
WRAP(void, loop_defer_schedule, struct loop_defer *d)
{
    (void)d;
    rig.turn_due = true;
}
WRAP(void, loop_defer_free, struct loop_defer *d)
{
    if (d)
        rig.timers--;
    free(d);
}
