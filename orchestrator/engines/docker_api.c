/*
 * Calls are put into one queue until the version is known; then each goes straight out. Which
 * status means what is one table for all of them.
 */
#include "orchestrator/engines/docker_api.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "orchestrator/engines/http_client.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "unix://"
#define VERSION_OLDEST 40 /* 1.40: Docker 19.03, Podman 3 */
#define VERSION_NEWEST 43
#define CALL_TIMEOUT_MS 30000 /* create and remove touch disks */
#define ANSWER_MAX (8u << 20) /* a list of some thousand containers */
#define LINE_MAX_BYTES 65536u /* of a stream of JSON objects */
#define TARGET_MAX 3072

static const char FAILED[] = "engine request failed";

struct docker_api {
    struct loop *loop;
    struct http_client *http;
    char *socket_path;
    int version; /* of 1.N; 0 = not asked yet */
    struct http_call *asking;
    struct list calls;
};

struct docker_call {
    struct list node;
    struct docker_api *api;
    struct http_call *http; /* NULL while the version is asked for */
    const char *method;
    char *target; /* behind the version */
    char *body, *header;
    int64_t timeout_ms, idle_timeout_ms;
    docker_fn fn;
    void *user;
    docker_progress_fn on_progress; /* of a stream of JSON lines */
    struct buf line;
    struct problem stream_problem; /* err set: the stream told of an error */
};

static void call_free(struct docker_call *c)
{
    if (!c)
        return;
    list_remove(&c->node);
    http_call_cancel(c->http);
    buf_done(&c->line);
    free(c->target);
    free(c->body);
    free(c->header);
    free(c);
}

/* ---- answers ---- */

static int error_of_status(long status)
{
    static const struct {
        long status;
        int err;
    } rows[] = {{400, ERR_INVALID}, {404, ERR_NOT_FOUND}, {409, ERR_CONFLICT}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].status == status)
            return rows[i].err;
    }
    return ERR_INTERNAL;
}

/* {"message": "…"} of an error, or Podman's {"cause", "message"}. */
static int refused(const struct http_answer *a, struct problem *p)
{
    json_t *json CLEANUP_JSON = NULL;
    struct problem ignored;
    const char *message = NULL;
    if (json_parse(a->body, a->len, &json, &ignored) == 0)
        message = json_string_value(json_object_get(json, "message"));
    return problem_set(p, error_of_status(a->status), FAILED, "%s",
                       str_is_empty(message) ? "the engine gave no reason" : message);
}

static void finish(struct docker_call *c, int err, const struct problem *p, const json_t *json)
{
    list_remove(&c->node);
    c->fn(c->user, err, p, json);
    call_free(c);
}

static void on_answer(void *user, int err, const struct problem *why, const struct http_answer *a)
{
    struct docker_call *c = user;
    json_t *json CLEANUP_JSON = NULL;
    struct problem p = *why;
    c->http = NULL; /* freed by itself */
    if (!err && c->stream_problem.err) {
        p = c->stream_problem;
        err = p.err;
    } else if (!err && a->status >= 400) {
        err = refused(a, &p);
    } else if (!err && a->len > 0 && a->status != 304) {
        err = json_parse(a->body, a->len, &json, &p);
        if (err)
            err = problem_set(&p, ERR_INTERNAL, FAILED, "the engine's answer is no JSON");
    }
    finish(c, err, &p, json);
}

/* ---- streams of JSON objects, a line each ---- */

static void take_progress(struct docker_call *c, const json_t *o)
{
    const char *error = json_string_value(json_object_get(o, "error"));
    const char *status = json_string_value(json_object_get(o, "status"));
    const char *progress = json_string_value(json_object_get(o, "progress"));
    const char *layer = json_string_value(json_object_get(o, "id"));
    char text[512];
    if (error) {
        bool absent = strstr(error, "not found") || strstr(error, "manifest unknown");
        (void)problem_set(&c->stream_problem, absent ? ERR_NOT_FOUND : ERR_INTERNAL, FAILED, "%s",
                          error);
        return;
    }
    if (!status || !c->on_progress)
        return;
    (void)snprintf(text, sizeof(text), "%s%s%s", status, str_is_empty(progress) ? "" : " ",
                   progress ? progress : "");
    c->on_progress(c->user, layer ? layer : "", text);
}

static int take_line(struct docker_call *c, const char *line, size_t len)
{
    json_t *json CLEANUP_JSON = NULL;
    struct problem ignored;
    if (len == 0 || (len == 1 && line[0] == '\r'))
        return 0;
    int err = json_parse(line, len, &json, &ignored);
    if (err == 0)
        take_progress(c, json);
    return err == ERR_NOMEM ? err : 0; /* what is no JSON is no progress */
}

static int on_piece(void *user, const void *bytes, size_t n)
{
    struct docker_call *c = user;
    int err = buf_append(&c->line, bytes, n);
    while (!err) {
        const char *end = c->line.len ? memchr(c->line.data, '\n', c->line.len) : NULL;
        if (!end)
            break;
        size_t len = (size_t)(end - c->line.data);
        err = take_line(c, c->line.data, len);
        buf_consume(&c->line, len + 1);
    }
    return err;
}

/* ---- sending ---- */

static int send_call(struct docker_call *c)
{
    char target[TARGET_MAX + 16];
    bool is_stream = c->on_progress != NULL;
    (void)snprintf(target, sizeof(target), "/v1.%d%s", c->api->version, c->target);
    const struct http_call_opts opts = {
        .method = c->method,
        .target = target,
        .body = c->body,
        .header = c->header,
        .timeout_ms = c->timeout_ms,
        .idle_timeout_ms = c->idle_timeout_ms,
        .answer_max = ANSWER_MAX,
        .on_piece = is_stream ? on_piece : NULL,
        .done = on_answer,
        .user = c,
    };
    return http_call(c->api->http, &opts, &c->http);
}

static void send_waiting(struct docker_api *api, int err, const struct problem *why)
{
    struct list waiting;
    list_init(&waiting);
    LIST_FOREACH_SAFE (it, &api->calls) {
        if (!LIST_ENTRY(it, struct docker_call, node)->http) {
            list_remove(it);
            list_append(&waiting, it);
        }
    }
    struct list *it;
    while ((it = list_pop(&waiting)) != NULL) {
        struct docker_call *c = LIST_ENTRY(it, struct docker_call, node);
        struct problem p = *why;
        int failed = err ? err : send_call(c);
        if (!err && failed)
            (void)problem_set(&p, failed, FAILED, "the request could not be made");
        if (failed)
            finish(c, failed, &p, NULL);
        else
            list_append(&api->calls, &c->node);
    }
}

static int version_of(const struct http_answer *a, struct problem *p)
{
    json_t *json CLEANUP_JSON = NULL;
    struct problem ignored;
    int64_t minor = -1;
    if (json_parse(a->body, a->len, &json, &ignored) == 0) {
        const char *text = json_string_value(json_object_get(json, "ApiVersion"));
        if (text && str_starts_with(text, "1.") && str_to_i64(text + 2, 0, 999, &minor))
            minor = -1;
    }
    if (minor >= VERSION_OLDEST)
        return minor > VERSION_NEWEST ? VERSION_NEWEST : (int)minor;
    return problem_set(p, ERR_INTERNAL, FAILED, "the engine must speak API version 1.%d or newer",
                       VERSION_OLDEST);
}

static void on_version(void *user, int err, const struct problem *why, const struct http_answer *a)
{
    struct docker_api *api = user;
    struct problem p = *why;
    api->asking = NULL;
    if (!err && a->status >= 400)
        err = refused(a, &p);
    int version = err ? err : version_of(a, &p);
    if (version > 0) {
        api->version = version;
        log_info("engine reached", "socket", api->socket_path, "api_minor_version",
                 LOG_NUM(version));
    }
    send_waiting(api, version > 0 ? 0 : version, &p);
}

static int ask_version(struct docker_api *api)
{
    const struct http_call_opts opts = {
        .method = "GET",
        .target = "/version",
        .timeout_ms = CALL_TIMEOUT_MS,
        .answer_max = ANSWER_MAX,
        .done = on_version,
        .user = api,
    };
    return http_call(api->http, &opts, &api->asking);
}

/* Takes c over. */
static int submit(struct docker_call *c)
{
    struct docker_api *api = c->api;
    int err = 0;
    if (api->version > 0)
        err = send_call(c);
    else if (!api->asking)
        err = ask_version(api);
    if (err)
        call_free(c);
    else
        list_append(&api->calls, &c->node);
    return err;
}

static int call_new(struct docker_api *api, const char *method, docker_fn fn, void *user,
                    struct buf *target, struct docker_call **ret)
{
    struct docker_call *c = calloc(1, sizeof(*c));
    size_t len;
    if (!c)
        return ERR_NOMEM;
    list_init(&c->node);
    c->api = api;
    c->method = method;
    c->timeout_ms = CALL_TIMEOUT_MS;
    c->fn = fn;
    c->user = user;
    buf_init(&c->line, LINE_MAX_BYTES);
    int err = buf_take(target, &c->target, &len);
    if (err) {
        call_free(c);
        return err;
    }
    *ret = c;
    return 0;
}

/* ---- targets ---- */

/* Percent-encodes all but RFC 3986's unreserved characters and what `keep` names. */
static int append_encoded(struct buf *b, const char *s, const char *keep)
{
    int err = 0;
    for (; *s && !err; s++) {
        unsigned char u = (unsigned char)*s;
        bool plain = (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') ||
                     strchr("-._~", u) || strchr(keep, u);
        err = plain ? buf_append_char(b, *s) : buf_printf(b, "%%%02X", u);
    }
    return err;
}

static int append_object(struct buf *b, const char *kind, const char *name, const char *verb)
{
    int err = buf_printf(b, "/%s/", kind);
    if (!err)
        err = append_encoded(b, name, "/:@");
    return err ? err : buf_append_str(b, verb);
}

static int append_query(struct buf *b, const char *name, const char *value)
{
    int err = buf_printf(b, "%c%s=", b->len && memchr(b->data, '?', b->len) ? '&' : '?', name);
    return err ? err : append_encoded(b, value, "");
}

static int simple(struct docker_api *api, const char *method, const char *name, const char *verb,
                  docker_fn fn, void *user, int64_t timeout_ms)
{
    struct buf target CLEANUP_BUF = {.max = TARGET_MAX};
    struct docker_call *c;
    int err = append_object(&target, "containers", name, verb);
    if (!err)
        err = call_new(api, method, fn, user, &target, &c);
    if (err)
        return err;
    c->timeout_ms = timeout_ms;
    return submit(c);
}

/* ---- the calls ---- */

int docker_info(struct docker_api *api, docker_fn fn, void *user)
{
    struct buf target CLEANUP_BUF = {.max = TARGET_MAX};
    struct docker_call *c;
    int err = buf_append_str(&target, "/info");
    if (!err)
        err = call_new(api, "GET", fn, user, &target, &c);
    return err ? err : submit(c);
}

int docker_image_inspect(struct docker_api *api, const char *ref, docker_fn fn, void *user)
{
    struct buf target CLEANUP_BUF = {.max = TARGET_MAX};
    struct docker_call *c;
    int err = append_object(&target, "images", ref, "/json");
    if (!err)
        err = call_new(api, "GET", fn, user, &target, &c);
    return err ? err : submit(c);
}

/* An error frees the call. */
static int set_auth(struct docker_call *c, const char *auth)
{
    if (!auth || asprintf(&c->header, "X-Registry-Auth: %s", auth) >= 0)
        return 0;
    c->header = NULL;
    call_free(c);
    return ERR_NOMEM;
}

int docker_distribution(struct docker_api *api, const char *ref, const char *auth, docker_fn fn,
                        void *user)
{
    struct buf target CLEANUP_BUF = {.max = TARGET_MAX};
    struct docker_call *c;
    int err = append_object(&target, "distribution", ref, "/json");
    if (!err)
        err = call_new(api, "GET", fn, user, &target, &c);
    if (!err)
        err = set_auth(c, auth);
    return err ? err : submit(c);
}

int docker_pull(struct docker_api *api, const struct docker_pull_opts *opts, docker_fn fn,
                void *user)
{
    struct buf target CLEANUP_BUF = {.max = TARGET_MAX};
    struct docker_call *c;
    int err = buf_append_str(&target, "/images/create");
    if (!err)
        err = append_query(&target, "fromImage", opts->ref);
    if (!err && opts->platform)
        err = append_query(&target, "platform", opts->platform);
    if (!err)
        err = call_new(api, "POST", fn, user, &target, &c);
    if (err)
        return err;
    c->timeout_ms = 0; /* as long as bytes come */
    c->idle_timeout_ms = opts->idle_timeout_ms;
    c->on_progress = opts->on_progress;
    err = set_auth(c, opts->auth);
    return err ? err : submit(c);
}

int docker_create(struct docker_api *api, const char *name, const char *platform,
                  const json_t *config, docker_fn fn, void *user)
{
    struct buf target CLEANUP_BUF = {.max = TARGET_MAX};
    struct docker_call *c;
    int err = buf_append_str(&target, "/containers/create");
    if (!err)
        err = append_query(&target, "name", name);
    if (!err && platform)
        err = append_query(&target, "platform", platform);
    if (!err)
        err = call_new(api, "POST", fn, user, &target, &c);
    if (err)
        return err;
    c->body = json_dumps(config, JSON_COMPACT);
    if (!c->body) {
        call_free(c);
        return ERR_NOMEM;
    }
    return submit(c);
}

int docker_start(struct docker_api *api, const char *container, docker_fn fn, void *user)
{
    return simple(api, "POST", container, "/start", fn, user, CALL_TIMEOUT_MS);
}

int docker_kill(struct docker_api *api, const char *container, const char *signal, docker_fn fn,
                void *user)
{
    char verb[64];
    (void)snprintf(verb, sizeof(verb), "/kill?signal=%s", signal);
    return simple(api, "POST", container, verb, fn, user, CALL_TIMEOUT_MS);
}

int docker_wait(struct docker_api *api, const char *container, docker_fn fn, void *user)
{
    return simple(api, "POST", container, "/wait?condition=not-running", fn, user, 0);
}

int docker_inspect(struct docker_api *api, const char *container, docker_fn fn, void *user)
{
    return simple(api, "GET", container, "/json", fn, user, CALL_TIMEOUT_MS);
}

int docker_remove(struct docker_api *api, const char *container, docker_fn fn, void *user)
{
    return simple(api, "DELETE", container, "?force=true&v=true", fn, user, CALL_TIMEOUT_MS);
}

int docker_list(struct docker_api *api, const char *label, docker_fn fn, void *user)
{
    struct buf target CLEANUP_BUF = {.max = TARGET_MAX}, filters CLEANUP_BUF = {.max = 1024};
    struct docker_call *c;
    int err = buf_append_str(&filters, "{\"label\":[");
    if (!err)
        err = json_append_string(&filters, label, strlen(label));
    if (!err)
        err = buf_append_str(&filters, "]}");
    if (!err)
        err = buf_append_str(&target, "/containers/json?all=true");
    if (!err)
        err = append_query(&target, "filters", filters.data);
    if (!err)
        err = call_new(api, "GET", fn, user, &target, &c);
    return err ? err : submit(c);
}

/* ---- life cycle ---- */

void docker_forget(struct docker_api *api, const void *user)
{
    LIST_FOREACH_SAFE (it, &api->calls) {
        struct docker_call *c = LIST_ENTRY(it, struct docker_call, node);
        if (c->user == user)
            call_free(c);
    }
}

const char *docker_api_socket(const struct docker_api *api)
{
    return api->socket_path;
}

int docker_api_new(struct loop *l, const char *host, struct docker_api **ret)
{
    if (!str_starts_with(host, SCHEME "/"))
        return ERR_INVALID;
    struct docker_api *api = calloc(1, sizeof(*api));
    if (!api)
        return ERR_NOMEM;
    api->loop = l;
    list_init(&api->calls);
    int err = str_set(&api->socket_path, host + sizeof(SCHEME) - 1);
    if (!err)
        err = http_client_new(l, api->socket_path, &api->http);
    if (err) {
        docker_api_free(api);
        return err;
    }
    *ret = api;
    return 0;
}

void docker_api_free(struct docker_api *api)
{
    if (!api)
        return;
    LIST_FOREACH_SAFE (it, &api->calls)
        call_free(LIST_ENTRY(it, struct docker_call, node));
    http_call_cancel(api->asking);
    http_client_free(api->http);
    free(api->socket_path);
    free(api);
}
