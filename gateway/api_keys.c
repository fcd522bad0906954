/* /api-keys: the caller's own. */
#include "orchestrator/api_keys.h"
#include "base/str.h"
#include "gateway/http.h"
#include "gateway/server.h"
#include "wire/people.h"

#include <string.h>

static const char CREATE_FAILED[] = "failed to create API key";
#define ANSWER_MAX (16u << 20) /* a whole answer's own bound */

static void on_created(void *user, const struct problem *p, const struct api_key *rows,
                       size_t n UNUSED, const char *key)
{
    struct buf body CLEANUP_BUF = {.max = 8192};
    int err = p ? 0 : wire_api_key_created(&body, rows, key);
    http_answer(user, p, 201, err, &body);
    if (body.data)
        explicit_bzero(body.data, body.len);
}

static void create(struct http_request *r)
{
    struct problem p = {0};
    struct wire_people_request request = {0};
    struct caller by = http_caller(r);
    size_t len;
    const char *body = http_body(r, &len);
    int err = wire_people_request_decode(body, len, CREATE_FAILED, &request, &p);
    (void)http_ref(r);
    if (!err)
        err = orchestrator_api_key_create(server_orchestrator(http_server(r)), &by,
                                          request.description, on_created, r, &p);
    if (err)
        http_answer(r, &p, 0, 0, NULL);
    wire_people_request_done(&request);
}

static void on_listed(void *user, const struct problem *p, const struct api_key *rows, size_t n,
                      const char *key UNUSED)
{
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    int err = p ? 0 : wire_api_keys(&body, rows, n);
    http_answer(user, p, 200, err, &body);
}

static void list(struct http_request *r)
{
    struct problem p = {0};
    (void)http_ref(r);
    if (orchestrator_api_keys_list(server_orchestrator(http_server(r)), http_principal(r),
                                   on_listed, r, &p))
        http_answer(r, &p, 0, 0, NULL);
}

static void on_revoked(void *user, const struct problem *p, const struct api_key *rows,
                       size_t n UNUSED, const char *key UNUSED)
{
    struct buf body CLEANUP_BUF = {.max = 256};
    int err = p ? 0 : wire_api_key_revoked(&body, rows->key_id);
    http_answer(user, p, 200, err, &body);
}

static void revoke(struct http_request *r)
{
    struct problem p = {0};
    struct caller by = http_caller(r);
    (void)http_ref(r);
    if (orchestrator_api_key_revoke(server_orchestrator(http_server(r)), &by, http_param(r, "id"),
                                    on_revoked, r, &p))
        http_answer(r, &p, 0, 0, NULL);
}

const struct route routes_api_keys[] = {
    {HTTP_POST, POLICY_KEYS, "/api/v1/api-keys", create},
    {HTTP_GET, POLICY_KEYS, "/api/v1/api-keys", list},
    {HTTP_DELETE, POLICY_KEYS, "/api/v1/api-keys/{id}", revoke},
};
const size_t routes_api_keys_count = ARRAY_SIZE(routes_api_keys);
