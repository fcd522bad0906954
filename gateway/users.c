/* /users, and GET /claim/{token}: how a new user takes the first key. */
#include "orchestrator/users.h"
#include "base/str.h"
#include "gateway/http.h"
#include "gateway/server.h"
#include "wire/people.h"

#include <string.h>

static const char CREATE_FAILED[] = "failed to create user";
static const char REVOKE_FAILED[] = "failed to revoke user";

#define ANSWER_MAX (16u << 20) /* a whole answer's own bound */

/* False: answered. */
static bool decode(struct http_request *r, const char *failed, struct wire_people_request *ret)
{
    struct problem p = {0};
    size_t len;
    const char *body = http_body(r, &len);
    if (wire_people_request_decode(body, len, failed, ret, &p) == 0)
        return true;
    http_respond_problem(r, &p);
    return false;
}

/* ---- users ---- */

static void on_created(void *user, const struct problem *p, const struct user *u,
                       const char *claim_token)
{
    struct buf body CLEANUP_BUF = {.max = 4096};
    int err = p ? 0 : wire_user_created(&body, u, claim_token);
    http_answer(user, p, 201, err, &body);
}

static void create(struct http_request *r)
{
    struct problem p = {0};
    struct wire_people_request body;
    struct caller by = http_caller(r);
    if (!decode(r, CREATE_FAILED, &body))
        return;
    (void)http_ref(r);
    int err = 0;
    if (!str_is_empty(body.api_key))
        err = problem_set(&p, ERR_INVALID, CREATE_FAILED,
                          "api_key is not taken: keys are made here, and the claim token gives the "
                          "user one");
    if (!err)
        err = orchestrator_user_create(server_orchestrator(http_server(r)), &by, body.email,
                                       body.role, on_created, r, &p);
    if (err)
        http_answer(r, &p, 0, 0, NULL);
    wire_people_request_done(&body);
}

static void on_revoked(void *user, const struct problem *p, const struct user *u,
                       const char *claim_token UNUSED)
{
    struct buf body CLEANUP_BUF = {.max = 4096};
    int err = p ? 0 : wire_user_revoked(&body, u->email);
    http_answer(user, p, 200, err, &body);
}

static void revoke(struct http_request *r)
{
    struct problem p = {0};
    struct wire_people_request body;
    struct caller by = http_caller(r);
    if (!decode(r, REVOKE_FAILED, &body))
        return;
    (void)http_ref(r);
    if (orchestrator_user_revoke(server_orchestrator(http_server(r)), &by, body.email, on_revoked,
                                 r, &p))
        http_answer(r, &p, 0, 0, NULL);
    wire_people_request_done(&body);
}

static void on_listed(void *user, const struct problem *p, const struct user *rows, size_t n)
{
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    int err = p ? 0 : wire_users(&body, rows, n);
    http_answer(user, p, 200, err, &body);
}

static void list(struct http_request *r)
{
    struct problem p = {0};
    (void)http_ref(r);
    if (orchestrator_users_list(server_orchestrator(http_server(r)), on_listed, r, &p))
        http_answer(r, &p, 0, 0, NULL);
}

/* ---- claims ---- */

static void on_claimed(void *user, const struct problem *p, const char *key, const char *email)
{
    struct buf body CLEANUP_BUF = {.max = 4096};
    int err = p ? 0 : wire_claim(&body, key, email);
    http_answer(user, p, 200, err, &body);
    if (body.data)
        explicit_bzero(body.data, body.len);
}

static void claim(struct http_request *r)
{
    struct problem p = {0};
    struct caller by = http_caller(r);
    /* What looks at a link before its reader does must not use the token up. */
    if (http_is_look(r)) {
        (void)problem_set(&p, ERR_INVALID, "failed to claim API key", "a claim token is for GET");
        http_respond_problem(r, &p);
        return;
    }
    (void)http_ref(r);
    if (orchestrator_claim(server_orchestrator(http_server(r)), &by, http_param(r, "token"),
                           on_claimed, r, &p))
        http_answer(r, &p, 0, 0, NULL);
}

const struct route routes_users[] = {
    {HTTP_GET, POLICY_USER_LIST, "/api/v1/users", list},
    {HTTP_POST, POLICY_USER_CREATE, "/api/v1/users/create", create},
    {HTTP_POST, POLICY_USER_REVOKE, "/api/v1/users/revoke", revoke},
    {HTTP_GET, POLICY_PUBLIC, "/api/v1/claim/{token}", claim},
};
const size_t routes_users_count = ARRAY_SIZE(routes_users);
