/* POST /tickets: a ticket for a WebSocket, for whoever asks. */
#include "orchestrator/tickets.h"
#include "gateway/http.h"
#include "gateway/server.h"
#include "wire/messages.h"

static const char FAILED[] = "failed to create ticket";

static void on_ticket(void *user, const struct problem *p, const char *ticket, int64_t expires_us)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = 256};
    struct problem failed;
    if (!p && wire_ticket(&body, ticket, expires_us)) {
        (void)problem_set(&failed, ERR_INTERNAL, FAILED, "out of memory");
        p = &failed;
    }
    if (p)
        http_respond_problem(r, p);
    else
        http_respond(r, 201, NULL, body.data, body.len);
    http_unref(r);
}

static void post(struct http_request *r)
{
    struct problem p = {0};
    http_ref(r);
    if (orchestrator_ticket_make(server_orchestrator(http_server(r)), http_principal(r), on_ticket,
                                 r, &p)) {
        http_respond_problem(r, &p);
        http_unref(r);
    }
}

const struct route routes_tickets[] = {{HTTP_POST, POLICY_ANYONE, "/api/v1/tickets", post}};
const size_t routes_tickets_count = ARRAY_SIZE(routes_tickets);
