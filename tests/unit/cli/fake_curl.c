/* The wrapped functions; one handle at a time is enough. */
#include "fake_curl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_curl fake_curl;

static struct {
    struct fake_request request;
    curl_write_callback on_body, on_header;
    curl_xferinfo_callback on_progress;
    void *body_user, *header_user, *progress_user;
    char *error;
    long status;
} now;

/* A macro of curl.h takes the name for its type checks. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);
CURLcode __wrap_curl_easy_setopt(CURL *handle, CURLoption option, ...);
CURLcode __wrap_curl_easy_perform(CURL *handle);
CURLcode __wrap_curl_easy_getinfo(CURL *handle, CURLINFO info, ...);

void fake_curl_reset(const struct fake_answer *answers, size_t count)
{
    memset(&fake_curl, 0, sizeof fake_curl);
    memset(&now, 0, sizeof now);
    fake_curl.answers = answers;
    fake_curl.answers_count = count;
}

CURL *__wrap_curl_easy_init(void)
{
    return fake_curl.no_handle ? NULL : __real_curl_easy_init();
}

static void copy(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from != NULL ? from : "");
}

static void copy_headers(const struct curl_slist *list)
{
    now.request.headers[0] = '\0';
    for (; list != NULL; list = list->next) {
        size_t len = strlen(now.request.headers);
        (void)snprintf(now.request.headers + len, sizeof now.request.headers - len, "%s\n",
                       list->data);
    }
}

/* False: none of these. */
static bool set_request(CURLoption option, const void *value)
{
    struct fake_request *q = &now.request;
    switch (option) {
    case CURLOPT_URL:
        memset(q, 0, sizeof *q);
        copy(q->url, sizeof q->url, value);
        return true;
    case CURLOPT_CUSTOMREQUEST:
        copy(q->method, sizeof q->method, value);
        return true;
    case CURLOPT_POSTFIELDS:
        copy(q->body, sizeof q->body, value);
        return true;
    case CURLOPT_CAINFO:
        copy(q->ca_file, sizeof q->ca_file, value);
        return true;
    case CURLOPT_HTTPHEADER:
        copy_headers(value);
        return true;
    default:
        return false;
    }
}

static void set_user(CURLoption option, void *value)
{
    if (option == CURLOPT_WRITEDATA)
        now.body_user = value;
    else if (option == CURLOPT_HEADERDATA)
        now.header_user = value;
    else if (option == CURLOPT_XFERINFODATA)
        now.progress_user = value;
    else if (option == CURLOPT_ERRORBUFFER)
        now.error = value;
}

static void set_number(CURLoption option, long value)
{
    if (option == CURLOPT_TIMEOUT_MS)
        now.request.timeout_ms = value;
    else if (option == CURLOPT_FOLLOWLOCATION)
        now.request.follows = value != 0;
}

/* The option's number tells its type (curl.h, CURLOPTTYPE_…). */
CURLcode __wrap_curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
    va_list ap;
    (void)handle;
    if (option == fake_curl.refused && fake_curl.refused != 0)
        return CURLE_OUT_OF_MEMORY;
    va_start(ap, option);
    if (option == CURLOPT_WRITEFUNCTION) {
        now.on_body = va_arg(ap, curl_write_callback);
    } else if (option == CURLOPT_HEADERFUNCTION) {
        now.on_header = va_arg(ap, curl_write_callback);
    } else if (option == CURLOPT_XFERINFOFUNCTION) {
        now.on_progress = va_arg(ap, curl_xferinfo_callback);
    } else if ((int)option < CURLOPTTYPE_OBJECTPOINT) {
        set_number(option, va_arg(ap, long));
    } else if ((int)option < CURLOPTTYPE_FUNCTIONPOINT) {
        void *value = va_arg(ap, void *);
        if (!set_request(option, value))
            set_user(option, value);
    }
    va_end(ap);
    return CURLE_OK;
}

static CURLcode give(const struct fake_answer *a)
{
    if (a->header != NULL) {
        char *header = strdup(a->header);
        size_t len = header != NULL ? strlen(header) : 0;
        size_t taken = header != NULL ? now.on_header(header, 1, len, now.header_user) : 0;
        free(header);
        if (taken != len)
            return CURLE_WRITE_ERROR;
    }
    for (size_t i = 0; a->body != NULL && i < (a->repeat != 0 ? a->repeat : 1); i++) {
        char *body = strdup(a->body);
        size_t len = body != NULL ? strlen(body) : 0;
        size_t taken = body != NULL ? now.on_body(body, 1, len, now.body_user) : 0;
        free(body);
        if (taken != len)
            return CURLE_WRITE_ERROR;
    }
    return CURLE_OK;
}

CURLcode __wrap_curl_easy_perform(CURL *handle)
{
    (void)handle;
    size_t n = fake_curl.calls++;
    if (n >= fake_curl.answers_count || n >= sizeof fake_curl.requests / sizeof now.request) {
        (void)fprintf(stderr, "fake_curl: call %zu is not in the script\n", n);
        return CURLE_COULDNT_CONNECT;
    }
    const struct fake_answer *a = &fake_curl.answers[n];
    fake_curl.requests[n] = now.request;
    if (a->before != NULL)
        a->before();
    if (now.on_progress(now.progress_user, 0, 0, 0, 0) != 0)
        return CURLE_ABORTED_BY_CALLBACK;
    now.status = a->status;
    if (a->error != NULL)
        copy(now.error, CURL_ERROR_SIZE, a->error);
    return a->code != CURLE_OK ? a->code : give(a);
}

CURLcode __wrap_curl_easy_getinfo(CURL *handle, CURLINFO info, ...)
{
    va_list ap;
    (void)handle;
    va_start(ap, info);
    if (info == CURLINFO_RESPONSE_CODE)
        *va_arg(ap, long *) = now.status;
    va_end(ap);
    return CURLE_OK;
}
