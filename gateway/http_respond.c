/* Answers: the head that every response has, whole bodies, problems, the access log's record. */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/http_internal.h"
#include "wire/messages.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct status_text {
    int status;
    const char *text;
} STATUS_TEXTS[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *status_text(int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(STATUS_TEXTS); i++) {
        if (STATUS_TEXTS[i].status == status)
            return STATUS_TEXTS[i].text;
    }
    return "Unknown";
}

int http_add_header(struct http_request *r, const char *name, const char *value)
{
    size_t before = r->extra_headers.len;
    if (strpbrk(name, "\r\n") || strpbrk(value, "\r\n"))
        return ERR_INVALID;
    int err = buf_printf(&r->extra_headers, "%s: %s\r\n", name, value);
    if (err)
        r->extra_headers.len = before;
    return err;
}

/* RFC 9110 5.6.7, in English whatever the locale. */
static int append_date(struct buf *out)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(clock_wall_us() / 1000000);
    struct tm tm;
    if (!gmtime_r(&now, &tm))
        return 0;
    return buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
                      tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                      tm.tm_sec);
}

void http_set_cache_control(struct http_request *r, const char *value)
{
    r->cache_control = value;
}

static bool has_body(int status)
{
    return status != 204 && status != 304;
}

int http_append_head(struct http_request *r, int status, const char *content_type, int64_t body_len,
                     struct buf *out)
{
    bool close = r->must_close || server_is_leaving(r->server);
    int err = buf_printf(out,
                         "HTTP/1.1 %d %s\r\nX-Request-ID: %s\r\n"
                         "X-Content-Type-Options: nosniff\r\nCache-Control: %s\r\n",
                         status, status_text(status), r->id,
                         r->cache_control && status < 400 ? r->cache_control : "no-store");
    if (!err)
        err = append_date(out);
    if (!err && r->cors_allowed)
        err = cors_append_headers(out, http_header(r, HEADER_ORIGIN));
    if (!err && r->extra_headers.len > 0)
        err = buf_append(out, r->extra_headers.data, r->extra_headers.len);
    if (!err && has_body(status))
        err = buf_printf(out, "Content-Type: %s\r\n",
                         content_type ? content_type : "application/json");
    if (!err && body_len >= 0 && has_body(status))
        err = buf_printf(out, "Content-Length: %lld\r\n", (long long)body_len);
    if (!err && body_len < 0 && !r->is_http10)
        err = buf_append_str(out, "Transfer-Encoding: chunked\r\n");
    if (!err)
        err = buf_append_str(out, close ? "Connection: close\r\n\r\n" : "\r\n");
    return err;
}

void http_respond(struct http_request *r, int status, const char *content_type, const void *body,
                  size_t len)
{
    if (http_is_gone(r) || r->phase >= HTTP_SENDING)
        return;
    r->status = status;
    buf_clear(&r->out);
    int err = http_append_head(r, status, content_type, (int64_t)len, &r->out);
    if (!err && len > 0 && !r->is_head && has_body(status))
        err = buf_append(&r->out, body, len);
    if (err) {
        bool entered = http_log_enter(r);
        log_error("response", "error", err_name(err));
        http_log_leave(entered);
        connection_kill(r->conn);
        return;
    }
    http_set_phase(r, HTTP_SENDING);
    connection_want_write(r->conn);
}

static void respond_with_status(struct http_request *r, const struct problem *p, int status)
{
    struct buf body CLEANUP_BUF = {.max = 16384};
    if (status == 429 || status == 503)
        (void)!http_add_header(r, "Retry-After", "1");
    if (status == 401)
        (void)!http_add_header(r, "WWW-Authenticate", "Bearer");
    if (wire_error(&body, p)) {
        connection_kill(r->conn);
        return;
    }
    http_respond(r, status, NULL, body.data, body.len);
}

void http_respond_problem(struct http_request *r, const struct problem *p)
{
    struct problem away = *p;
    if (http_is_gone(r))
        return;
    /* A deadline that passed on our side is no fault of the request. */
    if (p->err == ERR_TIMEOUT && r->phase != HTTP_READING) {
        away.err = ERR_DB_AWAY;
        (void)!str_copy(away.code, sizeof(away.code), "DATABASE_ERROR");
    }
    http_note_refusal(r, &away);
    respond_with_status(r, &away, err_http_status(away.err));
}

void http_answer(struct http_request *r, const struct problem *p, int status, int encoded,
                 const struct buf *body)
{
    struct problem unsaid;
    if (!p && encoded) {
        (void)problem_set(&unsaid, ERR_INTERNAL, "failed to answer",
                          "the answer could not be made");
        p = &unsaid;
    }
    if (p)
        http_respond_problem(r, p);
    else
        http_respond(r, status, NULL, body->data, body->len);
    http_unref(r);
}

void http_respond_wrong_method(struct http_request *r, unsigned allowed)
{
    static const char *const names[] = {[HTTP_GET] = "GET, HEAD",
                                        [HTTP_POST] = "POST",
                                        [HTTP_PUT] = "PUT",
                                        [HTTP_DELETE] = "DELETE",
                                        [HTTP_OPTIONS] = "OPTIONS"};
    struct buf allow CLEANUP_BUF = {.max = 64};
    struct problem p;
    int err = 0;
    for (size_t i = 0; i < ARRAY_SIZE(names) && !err; i++) {
        if (allowed & 1u << i)
            err = buf_printf(&allow, "%s%s", allow.len ? ", " : "", names[i]);
    }
    if (!err && allow.len > 0)
        (void)!http_add_header(r, "Allow", allow.data);
    (void)problem_set(&p, ERR_INVALID, "method not allowed", "this path does not have that method");
    respond_with_status(r, &p, 405);
}

const char *http_method_name(enum http_method m)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",       [HTTP_POST] = "POST",       [HTTP_PUT] = "PUT",
        [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "OTHER"};
    return names[m];
}

bool http_log_enter(const struct http_request *r)
{
    if (str_eq(log_request_id(), r->id))
        return false;
    log_set_request_id(r->id);
    return true;
}

void http_log_leave(bool entered)
{
    if (entered)
        log_set_request_id(NULL);
}

/* A claim token stands in the path, and is worth a key: it is not for logs, wherever a request with
 * it ends. */
static const char *path_to_log(const struct http_request *r, char *ret, size_t size)
{
    static const char secret[] = "/claim/";
    const char *at = r->path ? strcasestr(r->path, secret) : NULL;
    if (!at)
        return r->path;
    int shown = (int)(at - r->path + (ptrdiff_t)sizeof(secret) - 1); /* below HTTP_PATH_MAX */
    (void)snprintf(ret, size, "%.*s***", shown, r->path);
    return ret;
}

void http_log_access(const struct http_request *r)
{
    enum log_level level =
        r->route && r->route->action == POLICY_PUBLIC && r->status < 400 ? LOG_DEBUG : LOG_INFO;
    int64_t took_us = clock_mono_us() - r->started_us;
    char path[HTTP_PATH_MAX + 4];
    bool entered = http_log_enter(r);
    log_write(level, "http", "client_request_id", http_header(r, HEADER_REQUEST_ID), "method",
              r->is_head ? "HEAD" : http_method_name(r->method), "path",
              path_to_log(r, path, sizeof(path)), "status", LOG_NUM(r->status), "bytes",
              LOG_NUM(r->sent_bytes), "duration_ms", LOG_NUM(took_us / 1000), "user",
              r->has_principal ? r->principal.email : NULL, "client", r->client, NULL);
    http_log_leave(entered);
}
