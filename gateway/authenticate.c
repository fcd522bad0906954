/*
 * Authentication's front: the key from the request's headers, or for a download a ticket; the
 * orchestrator says whose it is.
 * One answer is awaited per request, so the request itself holds the state.
 */
#include "base/log.h"
#include "base/str.h"
#include "gateway/http_internal.h"
#include "orchestrator/tickets.h"

#include <string.h>

struct asking {
    struct http_request *request; /* a reference */
    void (*next)(struct http_request *r);
};

const char *http_key(const struct http_request *r)
{
    static const char scheme[] = "Bearer ";
    const char *key = http_header(r, HEADER_API_KEY);
    const char *authorization = http_header(r, HEADER_AUTHORIZATION);
    if (!str_is_empty(key))
        return key;
    if (!authorization || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
        return NULL;
    authorization += sizeof(scheme) - 1;
    authorization += strspn(authorization, " ");
    return *authorization ? authorization : NULL;
}

static void on_principal(void *user, const struct problem *p, const struct principal *who)
{
    struct asking *a = user;
    struct http_request *r = a->request;
    if (p) {
        http_respond_problem(r, p);
    } else if (!http_is_gone(r)) {
        r->principal = *who;
        r->has_principal = true;
        a->next(r);
    }
    free(a);
    http_unref(r);
}

/* A browser's own download, which keeps nothing in memory, cannot send headers. */
static const char *ticket_of(const struct http_request *r)
{
    bool is_download = r->method == HTTP_GET && str_ends_with(r->route->pattern, "/logs.txt");
    return is_download && !http_is_look(r) ? http_query(r, "ticket") : NULL;
}

static int ask(struct http_request *r, const char *key, const char *ticket, struct asking *a,
               struct problem *p)
{
    struct orchestrator *o = server_orchestrator(r->server);
    return key ? orchestrator_authenticate(o, key, on_principal, a, p)
               : orchestrator_ticket_redeem(o, ticket, on_principal, a, p);
}

void http_authenticate(struct http_request *r, void (*next)(struct http_request *r))
{
    const char *key = http_key(r);
    const char *ticket = key ? NULL : ticket_of(r);
    struct problem p = {0};
    if (!key && !ticket) {
        (void)problem_set(&p, ERR_UNAUTHORIZED, "Unauthorized", "API key is required");
        http_respond_problem(r, &p);
        return;
    }
    struct asking *a = calloc(1, sizeof(*a));
    if (!a) {
        connection_kill(r->conn);
        return;
    }
    a->request = http_ref(r);
    a->next = next;
    http_set_phase(r, HTTP_ASKING);
    log_set_request_id(r->id);
    int err = ask(r, key, ticket, a, &p);
    log_set_request_id(NULL);
    if (err) {
        free(a);
        http_respond_problem(r, &p);
        http_unref(r);
    }
}
