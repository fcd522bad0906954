/*
 * Copies a request's head out of libwebsockets, which keeps it only during LWS_CALLBACK_HTTP. It
 * has percent-decoded the path and the query's parameters already.
 */
#include "base/str.h"
#include "gateway/http_internal.h"

#include <libwebsockets.h>
#include <string.h>

static const enum http_method METHODS[] = {
    [LWSHUMETH_GET] = HTTP_GET,          [LWSHUMETH_POST] = HTTP_POST,
    [LWSHUMETH_OPTIONS] = HTTP_OPTIONS,  [LWSHUMETH_PUT] = HTTP_PUT,
    [LWSHUMETH_PATCH] = HTTP_OTHER,      [LWSHUMETH_DELETE] = HTTP_DELETE,
    [LWSHUMETH_CONNECT] = HTTP_OTHER,    [LWSHUMETH_HEAD] = HTTP_GET,
    [LWSHUMETH_COLON_PATH] = HTTP_OTHER,
};

/* libwebsockets knows some headers by number, the others by name. */
static const struct header_source {
    int token; /* -1: custom */
    const char *name;
} SOURCES[HEADER_COUNT] = {
    [HEADER_HOST] = {WSI_TOKEN_HOST, NULL},
    [HEADER_ORIGIN] = {WSI_TOKEN_ORIGIN, NULL},
    [HEADER_AUTHORIZATION] = {WSI_TOKEN_HTTP_AUTHORIZATION, NULL},
    [HEADER_API_KEY] = {-1, "x-api-key:"},
    [HEADER_CONTENT_LENGTH] = {WSI_TOKEN_HTTP_CONTENT_LENGTH, NULL},
    [HEADER_TRANSFER_ENCODING] = {WSI_TOKEN_HTTP_TRANSFER_ENCODING, NULL},
    [HEADER_EXPECT] = {WSI_TOKEN_HTTP_EXPECT, NULL},
    [HEADER_CONNECTION] = {WSI_TOKEN_CONNECTION, NULL},
    [HEADER_FORWARDED_FOR] = {WSI_TOKEN_X_FORWARDED_FOR, NULL},
    [HEADER_FORWARDED_PROTO] = {-1, "x-forwarded-proto:"},
    [HEADER_FORWARDED_HOST] = {-1, "x-forwarded-host:"},
    [HEADER_REQUEST_ID] = {-1, "x-request-id:"},
    [HEADER_IDEMPOTENCY_KEY] = {-1, "idempotency-key:"},
    [HEADER_LAST_EVENT_ID] = {-1, "last-event-id:"},
    [HEADER_PURPOSE] = {-1, "purpose:"},
    [HEADER_SEC_PURPOSE] = {-1, "sec-purpose:"},
    [HEADER_ACCEPT] = {WSI_TOKEN_HTTP_ACCEPT, NULL},
    [HEADER_ACCEPT_ENCODING] = {WSI_TOKEN_HTTP_ACCEPT_ENCODING, NULL},
    [HEADER_IF_NONE_MATCH] = {WSI_TOKEN_HTTP_IF_NONE_MATCH, NULL},
};

static int read_header(struct lws *wsi, const struct header_source *s, char **ret)
{
    int name_len = s->name ? (int)strlen(s->name) : 0;
    int len = s->token >= 0 ? lws_hdr_total_length(wsi, (enum lws_token_indexes)s->token)
                            : lws_hdr_custom_length(wsi, s->name, name_len);
    if (len < 0 || (len == 0 && s->token >= 0))
        return 0;
    char *value = calloc(1, (size_t)len + 1);
    if (!value)
        return ERR_NOMEM;
    int n = s->token >= 0 ? lws_hdr_copy(wsi, value, len + 1, (enum lws_token_indexes)s->token)
                          : lws_hdr_custom_copy(wsi, value, len + 1, s->name, name_len);
    if (n < 0) {
        free(value);
        return ERR_INVALID;
    }
    *ret = value;
    return 0;
}

static int invalid(struct problem *p, const char *details)
{
    return problem_set(p, ERR_INVALID, "invalid request", "%s", details);
}

static bool is_text(const char *s, size_t len)
{
    return memchr(s, '\0', len) == NULL && str_utf8_valid_prefix(s, len) == len;
}

static int read_path(struct http_request *r, struct lws *wsi, struct problem *p)
{
    char *uri = NULL;
    int len = 0;
    int method = lws_http_get_uri_and_method(wsi, &uri, &len);
    if (method < 0 || (size_t)method >= ARRAY_SIZE(METHODS) || !uri || len <= 0)
        return invalid(p, "the request line cannot be read");
    r->method = METHODS[method];
    r->is_head = method == LWSHUMETH_HEAD;
    if (len > HTTP_PATH_MAX || !is_text(uri, (size_t)len))
        return invalid(p, "the path is too long or not UTF-8");
    r->path = strndup(uri, (size_t)len);
    return r->path ? 0 : ERR_NOMEM;
}

static int read_query(struct http_request *r, struct lws *wsi, struct problem *p)
{
    char text[HTTP_PATH_MAX];
    for (int i = 0;; i++) {
        /* lws_hdr_copy_fragment says the same of a fragment that is too long and of none. */
        int len = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len <= 0 && lws_hdr_copy_fragment(wsi, text, 2, WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
            return 0;
        if (len >= (int)sizeof(text) || r->query_count == HTTP_QUERY_MAX)
            return invalid(p, "the query is too long");
        len = lws_hdr_copy_fragment(wsi, text, (int)sizeof(text), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len < 0)
            return invalid(p, "the query cannot be read");
        if (len == 0)
            continue;
        if (!is_text(text, (size_t)len))
            return invalid(p, "the query is not UTF-8");
        char *equals = strchr(text, '=');
        size_t name_len = equals ? (size_t)(equals - text) : strlen(text);
        struct http_pair *pair = &r->query[r->query_count++];
        pair->name = strndup(text, name_len);
        pair->value = strdup(equals ? equals + 1 : "");
        if (!pair->name || !pair->value)
            return ERR_NOMEM;
    }
}

/* Ours is always minted; a client's own is kept in the log, if it is harmless there. */
static void clean_client_request_id(struct http_request *r)
{
    char *id = r->headers[HEADER_REQUEST_ID];
    if (!id)
        return;
    size_t n = 0;
    while (id[n] > ' ' && id[n] < 0x7f && n < 128)
        n++;
    id[n] = '\0';
}

int http_read_head(struct http_request *r, struct lws *wsi, struct problem *p)
{
    char version[16] = "";
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        int err = read_header(wsi, &SOURCES[i], &r->headers[i]);
        if (err == ERR_INVALID)
            return invalid(p, "a header cannot be read");
        if (err)
            return err;
    }
    clean_client_request_id(r);
    if (lws_hdr_copy(wsi, version, (int)sizeof(version), WSI_TOKEN_HTTP) <= 0 ||
        !str_eq(version, "HTTP/1.1"))
        r->is_http10 = true;
    const char *connection = http_header(r, HEADER_CONNECTION);
    if (r->is_http10 || (connection && strcasecmp(connection, "close") == 0))
        r->must_close = true;
    int err = read_path(r, wsi, p);
    return err ? err : read_query(r, wsi, p);
}
