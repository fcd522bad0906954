/* The wrapped functions. A wsi is any address; there is one connection at a time. */
#include "fake_lws.h"

#include "base/clock.h"
#include "base/compiler.h"

#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct fake_lws fake_lws;

static struct {
    lws_callback_function *callback;
    void *user;
    lws_sorted_usec_list_t *timer;
    sul_cb_t timer_fn;
    int adopted;
    bool is_final;
    int http_status;
} now;

static char a_context, a_wsi, a_vhost;
#define CONTEXT ((struct lws_context *)(void *)&a_context)
#define WSI ((struct lws *)(void *)&a_wsi)

struct lws_context *__wrap_lws_create_context(const struct lws_context_creation_info *info);
void __wrap_lws_context_destroy(struct lws_context *context);
void *__wrap_lws_context_user(struct lws_context *context);
struct lws_context *__wrap_lws_get_context(const struct lws *wsi);
struct lws_vhost *__wrap_lws_get_vhost_by_name(struct lws_context *context, const char *name);
struct lws *__wrap_lws_adopt_descriptor_vhost(struct lws_vhost *vh, lws_adoption_type type,
                                              lws_sock_file_fd_type fd, const char *name,
                                              struct lws *parent);
struct lws *__wrap_lws_client_connect_via_info(const struct lws_client_connect_info *info);
int __wrap_lws_service(struct lws_context *context, int timeout_ms);
int __wrap_lws_callback_on_writable(struct lws *wsi);
int __wrap_lws_write(struct lws *wsi, unsigned char *buf, size_t len, enum lws_write_protocol kind);
int __wrap_lws_is_final_fragment(struct lws *wsi);
size_t __wrap_lws_remaining_packet_payload(struct lws *wsi);
unsigned int __wrap_lws_http_client_http_response(struct lws *wsi);
int __wrap_lws_add_http_header_by_name(struct lws *wsi, const unsigned char *name,
                                       const unsigned char *value, int length, unsigned char **p,
                                       unsigned char *end);
void __wrap_lws_sul_schedule(struct lws_context *context, int tsi, lws_sorted_usec_list_t *sul,
                             sul_cb_t cb, lws_usec_t us);
void __wrap_lws_sul_cancel(lws_sorted_usec_list_t *sul);
int64_t __wrap_clock_mono_ms(void);

void fake_lws_reset(const struct fake_step *steps, size_t count)
{
    memset(&fake_lws, 0, sizeof fake_lws);
    memset(&now, 0, sizeof now);
    fake_lws.steps = steps;
    fake_lws.steps_count = count;
    fake_lws.timer_us = -1;
    fake_lws.now_ms = 1000;
    now.adopted = -1;
}

static void complain(const char *what)
{
    if (fake_lws.complaint[0] == '\0')
        (void)snprintf(fake_lws.complaint, sizeof fake_lws.complaint, "step %zu: %s", fake_lws.next,
                       what);
}

int64_t __wrap_clock_mono_ms(void)
{
    return fake_lws.now_ms;
}

struct lws_context *__wrap_lws_create_context(const struct lws_context_creation_info *info)
{
    if (fake_lws.no_context)
        return NULL;
    fake_lws.contexts++;
    now.callback = info->protocols[0].callback;
    now.user = info->user;
    (void)snprintf(fake_lws.ca_file, sizeof fake_lws.ca_file, "%s",
                   info->client_ssl_ca_filepath != NULL ? info->client_ssl_ca_filepath : "");
    return CONTEXT;
}

static int call(enum lws_callback_reasons reason, void *in, size_t len)
{
    return now.callback(WSI, reason, NULL, in, len);
}

static void end_connection(void)
{
    fake_lws.is_open = false;
    fake_lws.wants_write = false;
    (void)call(LWS_CALLBACK_CLIENT_CLOSED, NULL, 0);
}

void __wrap_lws_context_destroy(struct lws_context *context)
{
    (void)context;
    fake_lws.destroyed++;
    if (fake_lws.is_open)
        end_connection();
    if (now.adopted >= 0)
        (void)close(now.adopted);
    now.adopted = -1;
}

void *__wrap_lws_context_user(struct lws_context *context)
{
    (void)context;
    return now.user;
}

struct lws_context *__wrap_lws_get_context(const struct lws *wsi)
{
    (void)wsi;
    return CONTEXT;
}

struct lws_vhost *__wrap_lws_get_vhost_by_name(struct lws_context *context, const char *name)
{
    (void)context;
    if (strcmp(name, "default") != 0)
        complain("unknown vhost");
    return fake_lws.no_vhost ? NULL : (struct lws_vhost *)(void *)&a_vhost;
}

struct lws *__wrap_lws_adopt_descriptor_vhost(struct lws_vhost *vh, lws_adoption_type type,
                                              lws_sock_file_fd_type fd, const char *name,
                                              struct lws *parent)
{
    (void)vh;
    (void)type;
    (void)name;
    (void)parent;
    if (fake_lws.no_adoption) {
        (void)close(fd.filefd); /* as libwebsockets does */
        return NULL;
    }
    now.adopted = fd.filefd;
    return WSI;
}

struct lws *__wrap_lws_client_connect_via_info(const struct lws_client_connect_info *info)
{
    unsigned char header[700];
    unsigned char *at = header;
    fake_lws.connects++;
    (void)snprintf(fake_lws.path, sizeof fake_lws.path, "%s", info->path);
    (void)snprintf(fake_lws.host, sizeof fake_lws.host, "%s", info->host);
    (void)snprintf(fake_lws.address, sizeof fake_lws.address, "%s", info->address);
    fake_lws.port = info->port;
    fake_lws.ssl = info->ssl_connection;
    if (fake_lws.no_connection)
        return NULL;
    *info->pwsi = WSI;
    if (call(LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, (void *)&at, sizeof header) != 0)
        fake_lws.header_fails = true;
    /* pwsi is for the wsi; the callback's in is the address of the write pointer */
    return WSI;
}

int __wrap_lws_add_http_header_by_name(struct lws *wsi, const unsigned char *name,
                                       const unsigned char *value, int length, unsigned char **p,
                                       unsigned char *end)
{
    (void)wsi;
    if (*p + length > end)
        return 1;
    (void)snprintf(fake_lws.header, sizeof fake_lws.header, "%s %.*s", (const char *)name, length,
                   (const char *)value);
    return 0;
}

int __wrap_lws_callback_on_writable(struct lws *wsi)
{
    (void)wsi;
    fake_lws.wants_write = true;
    return 1;
}

int __wrap_lws_write(struct lws *wsi, unsigned char *buf, size_t len, enum lws_write_protocol kind)
{
    (void)wsi;
    if (kind != LWS_WRITE_TEXT)
        complain("not a text message");
    if (fake_lws.short_write)
        return (int)len - 1;
    if (fake_lws.sent_count < ARRAY_SIZE(fake_lws.sent))
        (void)snprintf(fake_lws.sent[fake_lws.sent_count], sizeof fake_lws.sent[0], "%.*s",
                       (int)len, (const char *)buf);
    fake_lws.sent_count++;
    return (int)len;
}

int __wrap_lws_is_final_fragment(struct lws *wsi)
{
    (void)wsi;
    return now.is_final;
}

size_t __wrap_lws_remaining_packet_payload(struct lws *wsi)
{
    (void)wsi;
    return 0;
}

unsigned int __wrap_lws_http_client_http_response(struct lws *wsi)
{
    (void)wsi;
    return (unsigned int)now.http_status;
}

void __wrap_lws_sul_schedule(struct lws_context *context, int tsi, lws_sorted_usec_list_t *sul,
                             sul_cb_t cb, lws_usec_t us)
{
    (void)context;
    (void)tsi;
    now.timer = sul;
    now.timer_fn = cb;
    fake_lws.timer_us = us;
    if (fake_lws.delays_count < ARRAY_SIZE(fake_lws.delays_ms))
        fake_lws.delays_ms[fake_lws.delays_count++] = us / 1000;
}

void __wrap_lws_sul_cancel(lws_sorted_usec_list_t *sul)
{
    (void)sul;
    fake_lws.timer_us = -1;
}

static void receive(const char *text, bool is_final)
{
    char *copy = strdup(text); /* its bounds are checked by the sanitizer */
    now.is_final = is_final;
    if (!fake_lws.is_open || copy == NULL)
        complain("a message without a connection");
    else if (call(LWS_CALLBACK_CLIENT_RECEIVE, copy, strlen(copy)) != 0)
        end_connection();
    free(copy);
}

static void close_by_server(int code, const char *text)
{
    unsigned char frame[130];
    size_t len = text != NULL ? strlen(text) : 0;
    frame[0] = (unsigned char)(code >> 8);
    frame[1] = (unsigned char)code;
    if (len > 0)
        memcpy(frame + 2, text, len);
    if (code != 0)
        (void)call(LWS_CALLBACK_WS_PEER_INITIATED_CLOSE, frame, len + 2);
    end_connection();
}

static void refuse(int status, const char *text)
{
    char why[200];
    (void)snprintf(why, sizeof why, "%s", text != NULL ? text : "");
    now.http_status = status;
    (void)call(LWS_CALLBACK_CLIENT_CONNECTION_ERROR, text != NULL ? why : NULL, strlen(why));
    now.http_status = 0;
}

static void fire_timer(void)
{
    if (fake_lws.timer_us < 0) {
        complain("no timer is armed");
        return;
    }
    fake_lws.now_ms += fake_lws.timer_us / 1000;
    fake_lws.timer_us = -1;
    now.timer_fn(now.timer);
}

static void write_out(void)
{
    if (!fake_lws.wants_write)
        complain("nothing is to be written");
    fake_lws.wants_write = false;
    if (call(LWS_CALLBACK_CLIENT_WRITEABLE, NULL, 0) != 0)
        end_connection();
}

static void perform(const struct fake_step *s)
{
    switch (s->type) {
    case STEP_OPEN:
        fake_lws.is_open = true;
        (void)call(LWS_CALLBACK_CLIENT_ESTABLISHED, NULL, 0);
        break;
    case STEP_TEXT:
        receive(s->text, true);
        break;
    case STEP_FRAGMENT:
        receive(s->text, false);
        break;
    case STEP_WRITE:
        write_out();
        break;
    case STEP_CLOSE:
        close_by_server(s->code, s->text);
        break;
    case STEP_REFUSE:
        refuse(s->code, s->text);
        break;
    case STEP_TIMER:
        fire_timer();
        break;
    case STEP_SIGNAL:
        (void)raise(s->code);
        (void)call(LWS_CALLBACK_RAW_RX_FILE, NULL, 0);
        break;
    case STEP_BREAK:
        break;
    }
}

int __wrap_lws_service(struct lws_context *context, int timeout_ms)
{
    (void)context;
    (void)timeout_ms;
    if (fake_lws.next >= fake_lws.steps_count) {
        complain("the script is at its end");
        return -1;
    }
    const struct fake_step *s = &fake_lws.steps[fake_lws.next];
    perform(s);
    fake_lws.next++;
    return s->type == STEP_BREAK ? -1 : 0;
}
