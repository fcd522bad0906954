/* /api/v1/health, /livez, /readyz. */
#include "gateway/health.h"

#include "gateway/http.h"
#include "gateway/server.h"
#include "wire/messages.h"

#include <string.h>

static void get_health(struct http_request *r)
{
    struct buf body CLEANUP_BUF = {.max = 1024};
    struct problem p;
    if (wire_health(&body, SERVER_VERSION, HEALTH_PROVIDER)) {
        (void)problem_set(&p, ERR_INTERNAL, "failed to report health", "out of memory");
        http_respond_problem(r, &p);
        return;
    }
    http_respond(r, 200, NULL, body.data, body.len);
}

static void get_livez(struct http_request *r)
{
    static const char body[] = "{\"status\":\"ok\"}";
    http_respond(r, 200, NULL, body, sizeof(body) - 1);
}

static void get_readyz(struct http_request *r)
{
    static const char body[] = "{\"status\":\"ready\"}";
    struct server *s = http_server(r);
    struct problem p;
    if (server_is_ready(s)) {
        http_respond(r, 200, NULL, body, sizeof(body) - 1);
        return;
    }
    (void)problem_set(&p, ERR_CLOSED, "not ready", "%s",
                      server_is_leaving(s) ? "the server is leaving"
                                           : "the database cannot be reached");
    http_respond_problem(r, &p);
}

const struct route routes_health[] = {
    {HTTP_GET, POLICY_PUBLIC, "/api/v1/health", get_health},
    {HTTP_GET, POLICY_PUBLIC, "/livez", get_livez},
    {HTTP_GET, POLICY_PUBLIC, "/readyz", get_readyz},
};
const size_t routes_health_count = ARRAY_SIZE(routes_health);
