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

CURLcode __wrap_curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
    va_list ap;
    (void)handle;
    if (option == fake_curl.refused && fake_curl.refused != 0)
        return CURLE_OUT_OF_MEMORY;
    va_start(ap, option);
    switch (option) {
    case CURLOPT_URL:
        memset(&now.request, 0, sizeof now.request);
        copy(now.request.url, sizeof now.request.url, va_arg(ap, char *));
        break;
    case CURLOPT_CUSTOMREQUEST:
        copy(now.request.method, sizeof now.request.method, va_arg(ap, char *));
        break;
    case CURLOPT_POSTFIELDS:
        copy(now.request.body, sizeof now.request.body, va_arg(ap, char *));
        break;
    case CURLOPT_HTTPHEADER:
        copy_headers(va_arg(ap, struct curl_slist *));
        break;
    case CURLOPT_CAINFO:
        copy(now.request.ca_file, sizeof now.request.ca_file, va_arg(ap, char *));
        break;
    case CURLOPT_TIMEOUT_MS:
        now.request.timeout_ms = va_arg(ap, long);
        break;
    case CURLOPT_FOLLOWLOCATION:
        now.request.follows = va_arg(ap, long) != 0;
        break;
    case CURLOPT_WRITEFUNCTION:
        now.on_body = va_arg(ap, curl_write_callback);
        break;
    case CURLOPT_WRITEDATA:
        now.body_user = va_arg(ap, void *);
        break;
    case CURLOPT_HEADERFUNCTION:
        now.on_header = va_arg(ap, curl_write_callback);
        break;
    case CURLOPT_HEADERDATA:
        now.header_user = va_arg(ap, void *);
        break;
    case CURLOPT_XFERINFOFUNCTION:
        now.on_progress = va_arg(ap, curl_xferinfo_callback);
        break;
    case CURLOPT_XFERINFODATA:
        now.progress_user = va_arg(ap, void *);
        break;
    case CURLOPT_ERRORBUFFER:
        now.error = va_arg(ap, char *);
        break;
    default:
        break;
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
