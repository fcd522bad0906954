/* /run and /executions but for the list and the logs: start, look at, stop. */
#include "gateway/executions.h"

#include "base/str.h"
#include "gateway/executions_list.h"
#include "gateway/health.h"
#include "gateway/server.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX (4u << 20) /* a command of 128 KiB is at most six times that in JSON */

/* ---- shared ---- */

int executions_path_id(struct http_request *r, const char *failed, struct execution_id *ret)
{
    struct problem p;
    const char *text = http_param(r, "id");
    if (text && execution_id_parse(text, ret) == 0)
        return 0;
    (void)problem_set(&p, ERR_NOT_FOUND, failed, "execution not found");
    http_respond_problem(r, &p);
    return ERR_NOT_FOUND;
}

void executions_respond_problem(struct http_request *r, const struct problem *p, const char *failed)
{
    struct problem named = *p;
    if (p->err == ERR_NOT_FOUND) {
        if (str_is_empty(p->details))
            (void)!str_copy(named.details, sizeof(named.details), "execution not found");
        (void)!str_copy(named.error, sizeof(named.error), failed);
    }
    http_respond_problem(r, &named);
}

int executions_websocket_url(struct http_request *r, const struct execution_id *id, struct buf *out)
{
    char token[STREAM_TOKEN_SIZE];
    const char *base = http_public_base(r);
    bool secure = str_starts_with(base, "https://");
    int err =
        orchestrator_token_make(server_orchestrator(http_server(r)), http_principal(r), id, token);
    if (err)
        return err;
    return buf_printf(out, "%s://%s/api/v1/stream?execution_id=%s&token=%s", secure ? "wss" : "ws",
                      base + (secure ? 8 : 7), id->hex, token);
}

int executions_query_number(const struct http_request *r, const char *name, int64_t *ret,
                            struct problem *p)
{
    char error[64];
    const char *text = http_query(r, name);
    if (!text || str_to_i64(text, 0, INT64_MAX, ret) == 0)
        return 0;
    (void)snprintf(error, sizeof(error), "invalid %s parameter", name);
    return problem_set(p, ERR_INVALID, error, "%s must be a number, 0 or more", name);
}

static void internal_problem(struct http_request *r, int err, const char *failed)
{
    struct problem p;
    (void)problem_set(&p, err == ERR_NOMEM || err == ERR_TOO_LARGE ? ERR_INTERNAL : err, failed,
                      "the answer could not be made");
    http_respond_problem(r, &p);
}

/* ---- start ---- */

static const char RUN_FAILED[] = "failed to run command";

/* The body's key or the header's. */
static int find_key(const struct http_request *r, const struct wire_run_request *q,
                    const char **ret, struct problem *p)
{
    const char *header = http_header_idempotency_key(r);
    if (q->idempotency_key && header && !str_eq(q->idempotency_key, header))
        return problem_set(p, ERR_INVALID, RUN_FAILED,
                           "idempotency_key and the header Idempotency-Key must not differ");
    *ret = q->idempotency_key ? q->idempotency_key : header;
    return 0;
}

static int append_run_answer(struct http_request *r, const struct execution *e, struct buf *out)
{
    struct buf socket_url CLEANUP_BUF = {.max = 2048}, log_url CLEANUP_BUF = {.max = 1024};
    int err = executions_websocket_url(r, &e->id, &socket_url);
    if (!err)
        err = buf_printf(&log_url, "%s/executions/%s", http_public_base(r), e->id.hex);
    return err ? err : wire_run_response(out, e, log_url.data, socket_url.data);
}

static void on_started(void *user, const struct problem *p, const struct execution *e,
                       bool is_replayed)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    bool is_own = !str_ends_with(http_path(r), "/run") && !str_ends_with(http_path(r), "/run/");
    char location[80];
    int err = 0;
    if (http_is_gone(r)) {
        http_unref(r);
        return;
    }
    if (p) {
        http_respond_problem(r, p);
    } else {
        (void)snprintf(location, sizeof(location), "/api/v1/executions/%s", e->id.hex);
        err = append_run_answer(r, e, &body);
        if (!err && is_own)
            err = http_add_header(r, "Location", location);
        if (!err && is_replayed)
            err = http_add_header(r, "Idempotent-Replayed", "true");
        if (err)
            internal_problem(r, err, RUN_FAILED);
        else
            http_respond(r, is_own ? 201 : 202, NULL, body.data, body.len);
    }
    http_unref(r);
}

static int start_run(struct http_request *r, const struct wire_run_request *q, struct problem *p)
{
    const struct caller by = http_caller(r);
    const char *key = NULL;
    if (find_key(r, q, &key, p))
        return p->err;
    struct env_var *env CLEANUP_FREE = calloc(q->env_count + 1, sizeof(*env));
    if (!env)
        return problem_set(p, ERR_INTERNAL, RUN_FAILED, "out of memory");
    for (size_t i = 0; i < q->env_count; i++)
        env[i] = (struct env_var){q->env[i].name, q->env[i].value};
    const struct run_request run = {
        .command = q->command,
        .image = q->image,
        .env = env,
        .env_count = q->env_count,
        .timeout_s = q->timeout_s,
        .grace_s = q->grace_s,
        .tty = q->tty,
        .secrets = q->secrets,
        .secrets_count = q->secrets_count,
        .git_repo = q->git_repo,
        .git_ref = q->git_ref,
        .git_path = q->git_path,
        .idempotency_key = key,
    };
    return orchestrator_run(server_orchestrator(http_server(r)), &by, &run, on_started, r, p);
}

static void post_run(struct http_request *r)
{
    struct wire_run_request q = {0};
    struct problem p = {0};
    size_t len;
    const char *body = http_body(r, &len);
    if (wire_run_request_decode(body, len, &q, &p)) {
        http_respond_problem(r, &p);
        return;
    }
    http_ref(r); /* for on_started */
    int err = start_run(r, &q, &p);
    wire_run_request_done(&q);
    if (err) {
        http_respond_problem(r, &p);
        http_unref(r);
    }
}

/* ---- look at ---- */

static const char GET_FAILED[] = "failed to get execution";
static const char STATUS_FAILED[] = "failed to get execution status";

typedef int (*append_fn)(struct buf *out, const struct execution *e);

static int append_execution(struct buf *out, const struct execution *e)
{
    return wire_execution(out, e, HEALTH_PROVIDER);
}

static void answer_row(struct http_request *r, const struct problem *p, const struct execution *e,
                       append_fn append, const char *failed)
{
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    if (p) {
        executions_respond_problem(r, p, failed);
    } else {
        int err = append(&body, e);
        if (err)
            internal_problem(r, err, failed);
        else
            http_respond(r, 200, NULL, body.data, body.len);
    }
    http_unref(r);
}

static void on_execution(void *user, const struct problem *p, const struct execution *e)
{
    answer_row(user, p, e, append_execution, GET_FAILED);
}

static void on_status(void *user, const struct problem *p, const struct execution *e)
{
    answer_row(user, p, e, wire_status, STATUS_FAILED);
}

static void get_row(struct http_request *r, orchestrator_execution_fn fn, const char *failed)
{
    struct execution_id id;
    struct problem p = {0};
    if (executions_path_id(r, failed, &id))
        return;
    http_ref(r);
    if (orchestrator_get(server_orchestrator(http_server(r)), http_principal(r), ACTION_READ, &id,
                         fn, r, &p)) {
        executions_respond_problem(r, &p, failed);
        http_unref(r);
    }
}

static void get_execution(struct http_request *r)
{
    get_row(r, on_execution, GET_FAILED);
}

static void get_status(struct http_request *r)
{
    get_row(r, on_status, STATUS_FAILED);
}

/* ---- stop ---- */

static const char KILL_FAILED[] = "failed to kill execution";

static void on_killed(void *user, const struct problem *p, const struct execution *e,
                      bool stopped_now)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = 4096};
    if (p)
        executions_respond_problem(r, p, KILL_FAILED);
    else if (!stopped_now)
        http_respond(r, 204, NULL, NULL, 0);
    else if (wire_kill_response(&body, e))
        internal_problem(r, ERR_NOMEM, KILL_FAILED);
    else
        http_respond(r, 200, NULL, body.data, body.len);
    http_unref(r);
}

static void delete_execution(struct http_request *r)
{
    struct execution_id id;
    struct problem p = {0};
    if (executions_path_id(r, KILL_FAILED, &id))
        return;
    http_ref(r);
    const struct caller by = http_caller(r);
    if (orchestrator_kill(server_orchestrator(http_server(r)), &by, &id, on_killed, r, &p)) {
        executions_respond_problem(r, &p, KILL_FAILED);
        http_unref(r);
    }
}

const struct route routes_executions[] = {
    {HTTP_POST, POLICY_RUN, "/api/v1/run", post_run},
    {HTTP_POST, POLICY_RUN, "/api/v1/executions", post_run},
    {HTTP_GET, POLICY_LIST, "/api/v1/executions", executions_list_get},
    {HTTP_GET, POLICY_READ, "/api/v1/executions/{id}", get_execution},
    {HTTP_GET, POLICY_READ, "/api/v1/executions/{id}/status", get_status},
    {HTTP_DELETE, POLICY_STOP, "/api/v1/executions/{id}", delete_execution},
};
const size_t routes_executions_count = ARRAY_SIZE(routes_executions);
