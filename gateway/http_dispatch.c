/* From a complete request to its handler: preflights, routes, authentication. */
#include "base/log.h"
#include "base/str.h"
#include "gateway/http_internal.h"
#include "gateway/web.h"

#include <ctype.h>
#include <string.h>

static bool is_host_text(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > 255)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)s[i]) && !strchr(".-_:[]", s[i]))
            return false;
    }
    return true;
}

/* The first of a comma-separated list, as proxies in a row write it. */
static int first_of_list(const char *list, char *ret, size_t size)
{
    size_t n = strcspn(list, ", \t");
    if (n == 0 || n >= size)
        return ERR_INVALID;
    memcpy(ret, list, n);
    ret[n] = '\0';
    return 0;
}

int http_make_public_base(struct http_request *r)
{
    const struct server *s = r->server;
    const char *configured = server_options(s)->public_url;
    const char *proto = http_header(r, HEADER_FORWARDED_PROTO);
    const char *forwarded_host = http_header(r, HEADER_FORWARDED_HOST);
    const char *host = http_header(r, HEADER_HOST);
    bool trusted = address_list_has(&s->trusted_proxies, r->conn->peer);
    char proto_text[16], host_text[256];
    struct buf base CLEANUP_BUF = {.max = 512};
    bool https = s->is_tls;
    int err;
    client_address(&s->trusted_proxies, r->conn->peer, http_header(r, HEADER_FORWARDED_FOR),
                   r->client);
    if (!str_is_empty(configured)) {
        size_t n = strlen(configured);
        while (n > 0 && configured[n - 1] == '/')
            n--;
        r->public_base = strndup(configured, n);
        return r->public_base ? 0 : ERR_NOMEM;
    }
    if (trusted && proto && !first_of_list(proto, proto_text, sizeof(proto_text)))
        https = strcasecmp(proto_text, "https") == 0;
    if (trusted && forwarded_host && !first_of_list(forwarded_host, host_text, sizeof(host_text)))
        host = host_text;
    if (host && is_host_text(host))
        err = buf_printf(&base, "%s://%s", https ? "https" : "http", host);
    else
        err = buf_append_str(&base, s->url);
    if (err)
        return ERR_NOMEM;
    size_t len;
    return buf_take(&base, &r->public_base, &len);
}

static int keep_params(struct http_request *r, const struct router_match *m)
{
    for (size_t i = 0; i < m->params_count; i++) {
        struct http_pair *pair = &r->params[r->params_count++];
        pair->name = strndup(m->names[i].at, m->names[i].len);
        pair->value = strndup(m->values[i].at, m->values[i].len);
        if (!pair->name || !pair->value)
            return ERR_NOMEM;
    }
    return 0;
}

static void run_handler(struct http_request *r)
{
    if (http_is_gone(r))
        return;
    http_set_phase(r, HTTP_HANDLING);
    log_set_request_id(r->id);
    r->route->handler(r);
    log_set_request_id(NULL);
}

/* The one place where a role is held against a route; the owner's rights are looked at where the
 * object is known. */
static void run_if_allowed(struct http_request *r)
{
    struct problem p;
    if (policy_may_try(&r->principal, r->route->action)) {
        run_handler(r);
        return;
    }
    (void)policy_refuse(&p, r->route->action);
    http_respond_problem(r, &p);
}

static void preflight(struct http_request *r)
{
    if (r->cors_allowed && http_header(r, HEADER_ORIGIN) &&
        cors_append_preflight(&r->extra_headers)) {
        connection_kill(r->conn);
        return;
    }
    http_respond(r, 204, NULL, NULL, 0);
}

void http_dispatch(struct http_request *r)
{
    struct router_match m;
    unsigned allowed = 0;
    connection_pause_reading(r->conn);
    if (r->method == HTTP_OPTIONS) {
        preflight(r);
        return;
    }
    int err = router_find(routes_all, routes_all_count, r->method, r->path, &m, &allowed);
    if (err == ERR_NOT_FOUND) {
        web_respond_not_found(r);
    } else if (err) {
        http_respond_wrong_method(r, allowed);
    } else if (keep_params(r, &m)) {
        connection_kill(r->conn);
    } else {
        r->route = m.route;
        if (r->route->action == POLICY_PUBLIC)
            run_handler(r);
        else
            http_authenticate(r, run_if_allowed);
    }
}
