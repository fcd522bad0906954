/* GET /trace/{request_id}: what the server's log says of a request, and what the request touched.
 */
#include "orchestrator/trace.h"
#include "gateway/http.h"
#include "gateway/server.h"
#include "wire/audit.h"

#define ANSWER_MAX (16u << 20)

static void on_trace(void *user, const struct problem *p, const struct trace *t)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    struct problem failed;
    if (!p && wire_trace(&body, t)) {
        (void)problem_set(&failed, ERR_INTERNAL, "failed to get trace",
                          "the answer could not be made");
        p = &failed;
    }
    if (p)
        http_respond_problem(r, p);
    else
        http_respond(r, 200, NULL, body.data, body.len);
    http_unref(r);
}

static void get(struct http_request *r)
{
    struct problem p = {0};
    http_ref(r);
    if (trace_get(server_orchestrator(http_server(r)), http_principal(r),
                  http_param(r, "request_id"), on_trace, r, &p)) {
        http_respond_problem(r, &p);
        http_unref(r);
    }
}

const struct route routes_trace[] = {{HTTP_GET, POLICY_TRACE, "/api/v1/trace/{request_id}", get}};
const size_t routes_trace_count = ARRAY_SIZE(routes_trace);
