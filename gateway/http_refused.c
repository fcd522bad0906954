/*
 * Refusals on their way to the audit: whoever was denied something, by a revoked key, a role, an
 * owner or a limit, and those who came with keys that nobody has.
 */
#include "gateway/http_internal.h"

#include "base/str.h"
#include "orchestrator/audit.h"

#include <stdio.h>
#include <string.h>

#define API_PREFIX "/api/v1/"
#define KEY_SHOWN 8 /* characters of a key */

/* On these a 404 may hide that something is there. */
static bool hides(enum policy_action action)
{
    switch (action) {
    case POLICY_SECRET_READ:
    case POLICY_SECRET_UPDATE:
    case POLICY_SECRET_DELETE:
    case POLICY_KEYS:
        return true;
    default:
        return false;
    }
}

static bool is_refusal(const struct http_request *r, int err)
{
    switch (err) {
    case ERR_BAD_KEY:
    case ERR_REVOKED:
    case ERR_FORBIDDEN:
    case ERR_LIMIT:
        return true;
    case ERR_NOT_FOUND:
        return hides(r->route->action);
    default:
        return false;
    }
}

void http_note_refusal(const struct http_request *r, const struct problem *p)
{
    char action[96], prefix[32];
    const char *resource = "", *key = http_key(r);
    if (!r->route || !is_refusal(r, p->err))
        return;
    const struct policy_rule *rule = policy_rule(r->route->action);
    const struct caller by = http_caller(r);
    (void)snprintf(action, sizeof(action), "%s.%s", rule->resource, rule->what);
    /* Public paths hold what only its receiver may know. */
    if (r->route->action != POLICY_PUBLIC && p->err != ERR_BAD_KEY &&
        str_starts_with(r->path, API_PREFIX))
        resource = r->path + strlen(API_PREFIX);
    /* A revoked key is known by the part of it that lists show. */
    if (p->err == ERR_REVOKED && key) {
        (void)snprintf(prefix, sizeof(prefix), "api-key/%.*s", KEY_SHOWN, key);
        resource = prefix;
    }
    audit_denied(server_orchestrator(r->server), &by, action, resource,
                 p->code[0] ? p->code : err_api_code(p->err), p->err == ERR_BAD_KEY);
}
