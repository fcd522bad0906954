/* /secrets: create, list, show, change, remove. Values are in no log record and in no error. */
#include "orchestrator/secrets.h"
#include "gateway/http.h"
#include "gateway/server.h"
#include "wire/secrets.h"

#include <string.h>

#define ANSWER_MAX (1u << 20)
#define LIST_MAX (64u << 20)

static struct orchestrator *orchestrator_of(const struct http_request *r)
{
    return server_orchestrator(http_server(r));
}

static void respond(struct http_request *r, int status, struct buf *body, int err)
{
    struct problem p;
    if (err == 0) {
        http_respond(r, status, NULL, body->data, body->len);
    } else {
        (void)problem_set(&p, ERR_INTERNAL, "failed to answer", "the answer could not be made");
        http_respond_problem(r, &p);
    }
    if (body->data)
        explicit_bzero(body->data, body->len);
}

/* The call's result: below 0 it answers with *p. */
static void asked(struct http_request *r, int err, const struct problem *p)
{
    if (err == 0)
        return;
    http_respond_problem(r, p);
    http_unref(r);
}

static void on_done(struct http_request *r, const struct problem *p, int status, const char *name,
                    const char *message)
{
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    if (p)
        http_respond_problem(r, p);
    else
        respond(r, status, &body, wire_secret_done(&body, name, message));
    http_unref(r);
}

static void on_created(void *user, const struct problem *p)
{
    on_done(user, p, 201, NULL, "Secret created successfully");
}

static void on_updated(void *user, const struct problem *p)
{
    on_done(user, p, 200, NULL, "Secret updated successfully");
}

static void on_deleted(void *user, const struct problem *p)
{
    on_done(user, p, 200, http_param(user, "name"), "Secret deleted successfully");
}

static int decode(const struct http_request *r, const char *failed, struct wire_secret_request *ret,
                  struct problem *p)
{
    size_t len;
    const char *body = http_body(r, &len);
    return wire_secret_request_decode(body, len, failed, ret, p);
}

static void create(struct http_request *r)
{
    struct wire_secret_request q;
    struct problem p = {0};
    if (decode(r, "failed to create secret", &q, &p)) {
        http_respond_problem(r, &p);
        return;
    }
    const struct caller by = http_caller(r);
    const struct secret_fields f = {q.key_name, q.description, q.value};
    http_ref(r);
    asked(r, orchestrator_secret_create(orchestrator_of(r), &by, q.name, &f, on_created, r, &p),
          &p);
    wire_secret_request_done(&q);
}

static void update(struct http_request *r)
{
    struct wire_secret_request q;
    struct problem p = {0};
    if (decode(r, "failed to update secret", &q, &p)) {
        http_respond_problem(r, &p);
        return;
    }
    const struct caller by = http_caller(r);
    const struct secret_fields f = {q.key_name, q.description, q.value};
    http_ref(r);
    asked(r,
          orchestrator_secret_update(orchestrator_of(r), &by, http_param(r, "name"), &f, on_updated,
                                     r, &p),
          &p);
    wire_secret_request_done(&q);
}

static void on_listed(void *user, const struct problem *p, const struct secret *rows, size_t n)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = LIST_MAX};
    if (p)
        http_respond_problem(r, p);
    else if (!http_is_gone(r))
        respond(r, 200, &body, wire_secrets(&body, rows, n));
    http_unref(r);
}

static void list(struct http_request *r)
{
    struct problem p = {0};
    const struct caller by = http_caller(r);
    http_ref(r);
    asked(r, orchestrator_secret_list(orchestrator_of(r), &by, on_listed, r, &p), &p);
}

static void on_found(void *user, const struct problem *p, const struct secret *s)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    if (p)
        http_respond_problem(r, p);
    else
        respond(r, 200, &body, wire_secret(&body, s));
    http_unref(r);
}

static void show(struct http_request *r)
{
    struct problem p = {0};
    const struct caller by = http_caller(r);
    http_ref(r);
    asked(r,
          orchestrator_secret_get(orchestrator_of(r), &by, http_param(r, "name"), on_found, r, &p),
          &p);
}

static void remove_secret(struct http_request *r)
{
    struct problem p = {0};
    const struct caller by = http_caller(r);
    http_ref(r);
    asked(r,
          orchestrator_secret_delete(orchestrator_of(r), &by, http_param(r, "name"), on_deleted, r,
                                     &p),
          &p);
}

const struct route routes_secrets[] = {
    {HTTP_GET, POLICY_SECRET_LIST, "/api/v1/secrets", list},
    {HTTP_POST, POLICY_SECRET_CREATE, "/api/v1/secrets", create},
    {HTTP_GET, POLICY_SECRET_READ, "/api/v1/secrets/{name}", show},
    {HTTP_PUT, POLICY_SECRET_UPDATE, "/api/v1/secrets/{name}", update},
    {HTTP_DELETE, POLICY_SECRET_DELETE, "/api/v1/secrets/{name}", remove_secret},
};
const size_t routes_secrets_count = ARRAY_SIZE(routes_secrets);
