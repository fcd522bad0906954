/* /api/v1/health and its reconcile, /livez, /readyz. */
#include "gateway/health.h"

#include "gateway/http.h"
#include "gateway/server.h"
#include "orchestrator/health.h"
#include "wire/health.h"
#include "wire/messages.h"

#include <string.h>

/* All that readiness needs, and that the server takes calls. */
static bool is_ready(const struct http_request *r, const struct health_line *lines, size_t n)
{
    bool all = server_is_ready(http_server(r));
    for (size_t i = 0; i < n; i++)
        all = all && lines[i].is_ok;
    return all;
}

static void on_checked(void *user, const struct health_line *lines, size_t n)
{
    struct buf body CLEANUP_BUF = {.max = 8192};
    int encoded = wire_health_checks(&body, SERVER_VERSION, HEALTH_PROVIDER,
                                     is_ready(user, lines, n), lines, n);
    http_answer(user, NULL, 200, encoded, &body);
}

/* False: there is no memory for it. */
static bool ask_ready(struct http_request *r, health_ready_fn fn)
{
    http_ref(r);
    if (health_ready(server_orchestrator(http_server(r)), fn, r) == 0)
        return true;
    http_unref(r);
    return false;
}

static void get_health(struct http_request *r)
{
    struct buf body CLEANUP_BUF = {.max = 1024};
    struct problem p;
    if (http_query(r, "verbose") && ask_ready(r, on_checked))
        return;
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

#define REPORT_MAX (4u << 20)

/* [+]NAME ok, or [-]NAME failed: why. */
static void on_ready(void *user, const struct health_line *lines, size_t n)
{
    struct http_request *r = user;
    struct buf body CLEANUP_BUF = {.max = 8192};
    bool is_all = is_ready(r, lines, n);
    int e = 0;
    for (size_t i = 0; i < n && e == 0; i++) {
        e = lines[i].is_ok
                ? buf_printf(&body, "[+]%s ok\n", lines[i].name)
                : buf_printf(&body, "[-]%s failed: %s\n", lines[i].name, lines[i].details);
    }
    if (e == 0)
        e = buf_append_str(&body, is_all ? "ready\n" : "not ready\n");
    if (e == 0)
        http_respond(r, is_all ? 200 : 503, "text/plain; charset=utf-8", body.data, body.len);
    else
        http_respond(r, 503, "text/plain; charset=utf-8", "not ready\n", 10);
    http_unref(r);
}

static void on_reconciled(void *user, const struct problem *p, const struct health_report *report)
{
    struct buf body CLEANUP_BUF = {.max = REPORT_MAX};
    int encoded = p ? 0 : wire_reconcile(&body, report);
    http_answer(user, p, 200, encoded, &body);
}

static void post_reconcile(struct http_request *r)
{
    struct problem p = {0};
    const struct caller by = http_caller(r);
    http_ref(r);
    if (health_reconcile(server_orchestrator(http_server(r)), &by, on_reconciled, r, &p)) {
        http_respond_problem(r, &p);
        http_unref(r);
    }
}

static void get_readyz(struct http_request *r)
{
    static const char body[] = "{\"status\":\"ready\"}";
    struct server *s = http_server(r);
    struct problem p;
    if (http_query(r, "verbose") && ask_ready(r, on_ready))
        return;
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
    {HTTP_POST, POLICY_RECONCILE, "/api/v1/health/reconcile", post_reconcile},
    {HTTP_GET, POLICY_PUBLIC, "/livez", get_livez},
    {HTTP_GET, POLICY_PUBLIC, "/readyz", get_readyz},
};
const size_t routes_health_count = ARRAY_SIZE(routes_health);
