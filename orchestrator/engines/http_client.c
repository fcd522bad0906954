/*
 * libcurl tells which sockets and which timer it waits for (libcurl-multi, "multi_socket"); the
 * loop tells it when one is ready; what is complete is then taken out and answered, outside of
 * libcurl's own callbacks, so that an answer may begin the next call.
 */
#include "orchestrator/engines/http_client.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"

#include <curl/curl.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 2000 /* a local socket: reached at once or not served */
#define URL_MAX 4096

struct http_client {
    struct loop *loop;
    CURLM *multi;
    char *socket_path;
    struct loop_timer *timer;
    struct list calls;
};

struct http_call {
    struct list node;
    struct http_client *client;
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    struct buf answer;
    http_piece_fn on_piece;
    http_done_fn done;
    void *user;
    int err; /* why a callback of ours broke it off */
    char curl_error[CURL_ERROR_SIZE];
};

/* ---- libcurl's sockets and timer on the loop ---- */

struct watched {
    struct http_client *client;
    struct loop_poll *poll;
    curl_socket_t fd;
};

static void finish_calls(struct http_client *c);

static void act(struct http_client *c, curl_socket_t fd, int events)
{
    int running;
    CURLMcode r = curl_multi_socket_action(c->multi, fd, events, &running);
    if (r != CURLM_OK)
        log_error("libcurl failed", "error", curl_multi_strerror(r));
    finish_calls(c);
}

static void on_ready(void *user, unsigned events, int error)
{
    struct watched *w = user;
    int bits = error ? CURL_CSELECT_ERR : 0;
    if (events & LOOP_READ)
        bits |= CURL_CSELECT_IN;
    if (events & LOOP_WRITE)
        bits |= CURL_CSELECT_OUT;
    act(w->client, w->fd, bits);
}

static void on_timer(void *user)
{
    act(user, CURL_SOCKET_TIMEOUT, 0);
}

static int watch(struct http_client *c, curl_socket_t fd, unsigned events, struct watched *w)
{
    if (!w) {
        w = calloc(1, sizeof(*w));
        if (!w)
            return ERR_NOMEM;
        *w = (struct watched){.client = c, .fd = fd};
        int err = loop_poll_new(c->loop, fd, on_ready, w, &w->poll);
        if (err) {
            free(w);
            return err;
        }
        (void)curl_multi_assign(c->multi, fd, w); /* fails only for a socket it does not know */
    }
    return loop_poll_start(w->poll, events);
}

/* CURLMOPT_SOCKETFUNCTION: -1 makes the transfers fail. */
static int on_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *user, void *socket_user)
{
    struct watched *w = socket_user;
    unsigned events = 0;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            loop_poll_free(w->poll);
        free(w);
        return 0;
    }
    if (what & CURL_POLL_IN)
        events |= LOOP_READ;
    if (what & CURL_POLL_OUT)
        events |= LOOP_WRITE;
    return watch(user, fd, events, w) ? -1 : 0;
}

/* CURLMOPT_TIMERFUNCTION. */
static int on_timeout_wanted(CURLM *multi UNUSED, long timeout_ms, void *user)
{
    struct http_client *c = user;
    if (timeout_ms < 0)
        loop_timer_stop(c->timer);
    else
        loop_timer_start(c->timer, timeout_ms, 0);
    return 0;
}

/* ---- one call ---- */

static void call_free(struct http_call *call)
{
    list_remove(&call->node);
    if (call->easy) {
        (void)curl_multi_remove_handle(call->client->multi, call->easy); /* fine when not in it */
        curl_easy_cleanup(call->easy);
    }
    curl_slist_free_all(call->headers);
    buf_done(&call->answer);
    free(call->body);
    free(call);
}

void http_call_cancel(struct http_call *call)
{
    if (call)
        call_free(call);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct http_call *call = user;
    long status = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    n *= size;
    call->err = call->on_piece && status < 300 ? call->on_piece(call->user, bytes, n)
                                               : buf_append(&call->answer, bytes, n);
    return call->err ? 0 : n;
}

static int failure(const struct http_call *call, CURLcode r, struct problem *p)
{
    static const char title[] = "engine request failed";
    const char *why = call->curl_error[0] ? call->curl_error : curl_easy_strerror(r);
    if (call->err)
        return problem_set(p, call->err, title, "the engine's answer was not taken: %s",
                           err_name(call->err));
    if (r == CURLE_OPERATION_TIMEDOUT)
        return problem_set(p, ERR_TIMEOUT, title, "the engine did not answer in time");
    if (r == CURLE_OUT_OF_MEMORY)
        return problem_set(p, ERR_NOMEM, title, "out of memory");
    return problem_set(p, ERR_CLOSED, title, "the engine at %s is not reachable: %s",
                       call->client->socket_path, why);
}

static void finish(struct http_call *call, CURLcode r)
{
    struct http_answer a = {.body = call->answer.data ? call->answer.data : "",
                            .len = call->answer.len};
    struct problem p = {0};
    (void)curl_multi_remove_handle(call->client->multi, call->easy);
    list_remove(&call->node); /* done may not cancel it any more */
    if (r == CURLE_OK)
        (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &a.status);
    int err = r == CURLE_OK ? 0 : failure(call, r, &p);
    call->done(call->user, err, &p, &a);
    call_free(call);
}

static void finish_calls(struct http_client *c)
{
    int left;
    const CURLMsg *m;
    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        char *call = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode r = m->data.result;
        if (curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
            finish((struct http_call *)(void *)call, r);
    }
}

static int add_header(struct http_call *call, const char *header)
{
    struct curl_slist *list = curl_slist_append(call->headers, header);
    if (!list)
        return ERR_NOMEM;
    call->headers = list;
    return 0;
}

static int add_headers(struct http_call *call, const char *extra)
{
    int err = call->body ? add_header(call, "Content-Type: application/json") : 0;
    if (!err)
        err = add_header(call, "Expect:"); /* no 100-continue over a local socket */
    return err || !extra ? err : add_header(call, extra);
}

/* Each curl_easy_setopt as a row would lose its type check: so a chain. */
static CURLcode set_up(struct http_call *call, const struct http_call_opts *o, const char *url)
{
    CURL *e = call->easy;
    const struct http_client *c = call->client;
    CURLcode r = curl_easy_setopt(e, CURLOPT_URL, url);
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, c->socket_path);
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_PROXY, "");
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, o->method);
    if (!r && call->body)
        r = curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body);
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_HTTPHEADER, call->headers);
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    if (!r && o->timeout_ms > 0)
        r = curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
    if (!r && o->idle_timeout_ms > 0)
        r = curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    if (!r && o->idle_timeout_ms > 0)
        r = curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)(o->idle_timeout_ms + 999) / 1000);
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_ERRORBUFFER, call->curl_error);
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    if (!r)
        r = curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
    return r ? r : curl_easy_setopt(e, CURLOPT_PRIVATE, call);
}

static int begin(struct http_call *call, const struct http_call_opts *o)
{
    struct buf url CLEANUP_BUF = {.max = URL_MAX};
    call->easy = curl_easy_init();
    if (!call->easy || str_set(&call->body, o->body) || add_headers(call, o->header))
        return ERR_NOMEM;
    int err = buf_printf(&url, "http://engine%s", o->target); /* the host is not looked up */
    if (err)
        return err == ERR_NOMEM ? err : ERR_INTERNAL;
    if (set_up(call, o, url.data))
        return ERR_NOMEM;
    return curl_multi_add_handle(call->client->multi, call->easy) ? ERR_INTERNAL : 0;
}

int http_call(struct http_client *c, const struct http_call_opts *opts, struct http_call **ret)
{
    struct http_call *call = calloc(1, sizeof(*call));
    if (!call)
        return ERR_NOMEM;
    list_init(&call->node);
    call->client = c;
    call->on_piece = opts->on_piece;
    call->done = opts->done;
    call->user = opts->user;
    buf_init(&call->answer, opts->answer_max);
    int err = begin(call, opts);
    if (err) {
        call_free(call);
        return err;
    }
    list_append(&c->calls, &call->node);
    *ret = call;
    return 0;
}

/* ---- life cycle ---- */

int http_client_new(struct loop *l, const char *socket_path, struct http_client **ret)
{
    struct http_client *c = calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    list_init(&c->calls);
    c->loop = l;
    c->multi = curl_multi_init();
    int err = c->multi ? str_set(&c->socket_path, socket_path) : ERR_NOMEM;
    if (!err)
        err = loop_timer_new(l, on_timer, c, &c->timer);
    if (!err && (curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ||
                 curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) ||
                 curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted) ||
                 curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c)))
        err = ERR_INTERNAL;
    if (err) {
        http_client_free(c);
        return err;
    }
    *ret = c;
    return 0;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    LIST_FOREACH_SAFE (it, &c->calls)
        call_free(LIST_ENTRY(it, struct http_call, node));
    if (c->multi)
        (void)curl_multi_cleanup(c->multi); /* gives each socket back through on_socket */
    loop_timer_free(c->timer);
    free(c->socket_path);
    free(c);
}
