/*
 * One easy handle, made by rest_new and reset for each call, so that libcurl keeps the connection.
 * Redirects are never followed and proxies never used: the key goes to the endpoint and nowhere
 * else.
 */
#include "cli/rest.h"

#include "base/str.h"
#include "wire/messages.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

struct rest {
    CURL *easy;
    const struct settings *settings;
    struct interrupt *intr;
};

/* What a call's callbacks work on. */
struct call {
    struct rest *rest;
    struct buf *body;
    rest_sink_fn sink; /* NULL = into body */
    void *user;
    int sink_error;
    bool too_large;
    char *next;
    size_t next_size;
    char error[CURL_ERROR_SIZE];
};

int rest_new(const struct settings *settings, struct interrupt *intr, struct rest **ret)
{
    struct rest *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ERR_NOMEM;
    r->settings = settings;
    r->intr = intr;
    r->easy = curl_easy_init();
    if (r->easy == NULL) {
        free(r);
        return ERR_NOMEM;
    }
    *ret = r;
    return 0;
}

void rest_free(struct rest *r)
{
    if (r == NULL)
        return;
    curl_easy_cleanup(r->easy);
    free(r);
}

void rest_answer_done(struct rest_answer *a)
{
    buf_done(&a->body);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct call *c = user;
    size_t len = size * count;
    long status = 0;
    (void)curl_easy_getinfo(c->rest->easy, CURLINFO_RESPONSE_CODE, &status);
    if (c->sink != NULL && status == 200) {
        c->sink_error = c->sink(c->user, bytes, len);
        return c->sink_error == 0 ? len : 0;
    }
    if (buf_append(c->body, bytes, len) == 0)
        return len;
    c->too_large = true;
    return 0;
}

/* Link: </api/v1/executions?cursor=…>; rel="next": the part behind the question mark. Only that is
 * used, so that a page cannot send the key to another host. */
static void take_link(struct call *c, const char *value, size_t len)
{
    const char *start = memchr(value, '?', len);
    const char *end = memchr(value, '>', len);
    if (start == NULL || end == NULL || end <= start ||
        memmem(end, len - (size_t)(end - value), "\"next\"", 6) == NULL)
        return;
    size_t n = (size_t)(end - start) - 1;
    if (n >= c->next_size)
        return;
    memcpy(c->next, start + 1, n);
    c->next[n] = '\0';
}

static size_t on_header(char *bytes, size_t size, size_t count, void *user)
{
    struct call *c = user;
    size_t len = size * count;
    if (c->next != NULL && len > 5 && strncasecmp(bytes, "link:", 5) == 0)
        take_link(c, bytes + 5, len - 5);
    return len;
}

static int on_progress(void *user, UNUSED curl_off_t dl_total, UNUSED curl_off_t dl,
                       UNUSED curl_off_t ul_total, UNUSED curl_off_t ul)
{
    const struct call *c = user;
    return c->rest->intr != NULL && interrupt_is_pending(c->rest->intr) ? 1 : 0;
}

static int set_common(struct call *c, const char *url, const struct curl_slist *headers)
{
    CURL *e = c->rest->easy;
    const char *ca_file = c->rest->settings->ca_file;
    curl_easy_reset(e);
    bool ok = curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_USERAGENT, "tailgate/" TAILGATE_VERSION) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, REST_CONNECT_TIMEOUT_MS) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEDATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HEADERDATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_XFERINFODATA, c) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error) == CURLE_OK;
    if (ok && ca_file != NULL)
        ok = curl_easy_setopt(e, CURLOPT_CAINFO, ca_file) == CURLE_OK;
    return ok ? 0 : ERR_NOMEM;
}

static int add_header(struct curl_slist **list, const char *name, const char *value)
{
    struct buf line CLEANUP_BUF;
    buf_init(&line, 1024);
    int r = buf_printf(&line, "%s: %s", name, value);
    if (r != 0)
        return r;
    struct curl_slist *longer = curl_slist_append(*list, line.data);
    explicit_bzero(line.data, line.len);
    if (longer == NULL)
        return ERR_NOMEM;
    *list = longer;
    return 0;
}

static int transport_problem(const struct call *c, CURLcode code, struct problem *p)
{
    const struct endpoint *e = &c->rest->settings->endpoint;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return problem_set(p, ERR_AGAIN, "interrupted", "the server had not answered yet");
    if (c->too_large)
        return problem_set(p, ERR_TOO_LARGE, "unusable answer", "more than %zu bytes",
                           REST_BODY_MAX);
    if (c->sink_error != 0)
        return problem_set(p, ERR_INTERNAL, "cannot write", "output failed");
    if (code == CURLE_OUT_OF_MEMORY)
        return problem_set(p, ERR_NOMEM, "cannot ask the server", "out of memory");
    return problem_set(p, ERR_SYS, "cannot reach the server", "%s: %s", e->authority,
                       c->error[0] != '\0' ? c->error : curl_easy_strerror(code));
}

static int perform(struct call *c, int *ret_status, struct problem *p)
{
    long status = 0;
    CURLcode code = curl_easy_perform(c->rest->easy);
    if (code != CURLE_OK)
        return transport_problem(c, code, p);
    if (curl_easy_getinfo(c->rest->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        status = 0;
    *ret_status = (int)status;
    if (status >= 200 && status <= 299)
        return 0;
    *p = (struct problem){0};
    wire_error_decode(c->body->data != NULL ? c->body->data : "", c->body->len, (int)status, p);
    return p->err != 0 ? p->err : (p->err = ERR_INTERNAL);
}

/* Everything about a call that is the same for both ways to take the body. */
static int prepare(struct call *c, const char *path, bool has_body, struct curl_slist **headers)
{
    const struct endpoint *e = &c->rest->settings->endpoint;
    struct buf url CLEANUP_BUF;
    buf_init(&url, 8192);
    int r = buf_printf(&url, "%s://%s%s%s", e->tls ? "https" : "http", e->authority, e->base, path);
    if (r == 0)
        r = c->rest->settings->api_key != NULL
                ? add_header(headers, "X-API-Key", c->rest->settings->api_key)
                : 0;
    if (r == 0 && has_body)
        r = add_header(headers, "Content-Type", "application/json");
    if (r == 0)
        r = add_header(headers, "Expect", ""); /* libcurl would wait for a 100 Continue */
    return r == 0 ? set_common(c, url.data, *headers) : r;
}

int rest_call(struct rest *r, const char *method, const char *path, const struct buf *body,
              struct rest_answer *ret, struct problem *p)
{
    struct curl_slist *headers = NULL;
    struct rest_answer answer = {0};
    buf_init(&answer.body, REST_BODY_MAX);
    struct call c = {
        .rest = r, .body = &answer.body, .next = answer.next, .next_size = sizeof answer.next};
    int err = prepare(&c, path, body != NULL, &headers);
    bool ok = err == 0 &&
              curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, REST_TIMEOUT_MS) == CURLE_OK &&
              curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
    if (ok && body != NULL)
        ok = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, body->data) == CURLE_OK &&
             curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len) ==
                 CURLE_OK;
    if (ok)
        err = perform(&c, &answer.status, p);
    else
        err = problem_set(p, ERR_NOMEM, "cannot ask the server", "out of memory");
    curl_slist_free_all(headers);
    if (err == 0)
        *ret = answer;
    else
        rest_answer_done(&answer);
    return err;
}

int rest_download(struct rest *r, const char *path, rest_sink_fn sink, void *user, int *ret_sink,
                  struct problem *p)
{
    struct curl_slist *headers = NULL;
    struct buf body CLEANUP_BUF;
    buf_init(&body, 65536); /* of an error */
    struct call c = {.rest = r, .body = &body, .sink = sink, .user = user};
    int status = 0;
    int err = prepare(&c, path, false, &headers);
    if (err == 0 && curl_easy_setopt(r->easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK)
        err = perform(&c, &status, p);
    else
        err = problem_set(p, ERR_NOMEM, "cannot ask the server", "out of memory");
    curl_slist_free_all(headers);
    *ret_sink = c.sink_error;
    return err;
}
