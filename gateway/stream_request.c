/*
 * What the request for an upgrade says: endpoint, parameters, key. Read before the upgrade and once
 * more when it is established, while lws still holds the headers. Queries and keys are not logged.
 */
#include "gateway/stream_internal.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define ARG_SIZE 512 /* of one NAME=VALUE; longer ones are no parameter of ours */
#define ARGS_MAX 32  /* looked at; a query has two or three */

enum stream_endpoint stream_request_endpoint(struct lws *wsi)
{
    char path[32]; /* a longer one is neither */
    int n = lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);

    if (n <= 0)
        return STREAM_NOWHERE;
    for (size_t end = strlen(path); end > 1 && path[end - 1] == '/'; end--)
        path[end - 1] = '\0';
    if (str_eq(path, "/api/v1/stream"))
        return STREAM_AT_RUNVOY;
    return str_eq(path, "/api/v1/ws") ? STREAM_AT_SESSION : STREAM_NOWHERE;
}

int stream_request_arg(struct lws *wsi, const char *name, char *ret, size_t size)
{
    char arg[ARG_SIZE];
    size_t n = strlen(name);

    for (int i = 0; i < ARGS_MAX; i++) {
        int len = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len <= 0)
            break;
        if (len >= (int)sizeof arg ||
            lws_hdr_copy_fragment(wsi, arg, sizeof arg, WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
            continue;
        if (strncmp(arg, name, n) == 0 && arg[n] == '=')
            return str_copy(ret, size, arg + n + 1);
    }
    return ERR_NOT_FOUND;
}

int stream_request_key(struct lws *wsi, char *ret, size_t size)
{
    static const char header[] = "x-api-key:", scheme[] = "Bearer ";
    char value[sizeof scheme + 1024];
    int n = lws_hdr_custom_length(wsi, header, sizeof header - 1);

    if (n > 0) {
        if ((size_t)n >= size ||
            lws_hdr_custom_copy(wsi, ret, (int)size, header, sizeof header - 1) < 0)
            return ERR_TOO_LARGE;
        return 0;
    }
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_AUTHORIZATION) <= 0)
        return ERR_NOT_FOUND;
    if (lws_hdr_copy(wsi, value, sizeof value, WSI_TOKEN_HTTP_AUTHORIZATION) < 0)
        return ERR_TOO_LARGE;
    if (strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return ERR_NOT_FOUND;
    return str_copy(ret, size, value + sizeof scheme - 1);
}

/* after=SEQ, or last_event_id= of the last event seen: EXECUTION_ID-SEQ. */
static int request_after(struct lws *wsi, const struct execution_id *id, uint64_t *ret,
                         struct problem *p)
{
    char text[EXECUTION_ID_LEN + 32];
    const char *digits = text;
    const char *name = "after";
    int64_t after = 0;
    int r = stream_request_arg(wsi, name, text, sizeof text);

    if (r == ERR_NOT_FOUND) {
        name = "last_event_id";
        r = stream_request_arg(wsi, name, text, sizeof text);
        if (r == 0 && str_starts_with(text, id->hex) && text[EXECUTION_ID_LEN] == '-')
            digits = text + EXECUTION_ID_LEN + 1;
    }
    *ret = 0;
    if (r == ERR_NOT_FOUND || (r == 0 && text[0] == '\0'))
        return 0;
    /* event ids have leading zeros */
    digits += r == 0 ? strspn(digits, "0") : 0;
    if (r == 0 && *digits != '\0')
        r = str_to_i64(digits, 0, INT64_MAX, &after);
    if (r != 0)
        return problem_set(p, ERR_INVALID, "failed to open the stream",
                           "%s must be a sequence number or an event id of this execution", name);
    *ret = (uint64_t)after;
    return 0;
}

int stream_request_runvoy(const struct streams *st, struct lws *wsi, struct runvoy_request *ret,
                          struct problem *p)
{
    static const char failed[] = "failed to open the stream";
    char text[EXECUTION_ID_LEN + 2];
    char token[STREAM_TOKEN_SIZE];
    struct runvoy_request request = {0};
    int r = stream_request_arg(wsi, "execution_id", text, sizeof text);

    if (r == ERR_NOT_FOUND || (r == 0 && text[0] == '\0'))
        return problem_set(p, ERR_INVALID, failed, "execution_id is required");
    if (r != 0 || execution_id_parse(text, &request.id) != 0)
        return problem_set(p, ERR_INVALID, failed, "execution_id must be 32 hex digits");
    r = stream_request_arg(wsi, "token", token, sizeof token);
    if (r == ERR_NOT_FOUND || (r == 0 && token[0] == '\0'))
        return problem_set(p, ERR_UNAUTHORIZED, failed, "token is required");
    if (r == 0)
        r = orchestrator_token_check(server_orchestrator(st->server), token, &request.id,
                                     &request.user_key);
    if (r != 0)
        return problem_set(p, ERR_FORBIDDEN, failed, "%s",
                           r == ERR_FORBIDDEN ? "the token is for another execution"
                                              : "the token is not valid or has expired");
    r = request_after(wsi, &request.id, &request.after, p);
    if (r == 0)
        *ret = request;
    return r;
}
