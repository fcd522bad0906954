/* api.md's "may" table. What no row grants is refused. */
#include "orchestrator/policy.h"

#include "base/str.h"

#include <stddef.h>

#define EVERYBODY                                      \
    {                                                  \
        POLICY_ALL, POLICY_ALL, POLICY_ALL, POLICY_ALL \
    }

/* clang-format off: a row an action, a column a role */
static const struct policy_rule table[POLICY_ACTION_COUNT] = {
    /*                                               admin       operator     developer    viewer */
    [POLICY_PUBLIC] = {"server", "read", "read", EVERYBODY, false},
    [POLICY_ANYONE] = {"session", "use", "use", EVERYBODY, false},
    [POLICY_RUN] = {"executions",
                    "create",
                    "create",
                    {POLICY_ALL, POLICY_ALL, POLICY_ALL, POLICY_NONE},
                    false},
    [POLICY_LIST] =
        {"executions", "list", "read", {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_ALL}, false},
    [POLICY_READ] =
        {"executions", "read", "read", {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_ALL}, true},
    [POLICY_STOP] =
        {"executions", "delete", "delete", {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_NONE}, true},
    [POLICY_IMAGE_USE] =
        {"images", "use", "use", {POLICY_ALL, POLICY_ALL, POLICY_ALL, POLICY_NONE}, false},
    [POLICY_IMAGE_READ] = {"images", "read", "read", EVERYBODY, false},
    [POLICY_IMAGE_CREATE] =
        {"images", "create", "create", {POLICY_ALL, POLICY_ALL, POLICY_NONE, POLICY_NONE}, false},
    [POLICY_IMAGE_DELETE] =
        {"images", "delete", "delete", {POLICY_ALL, POLICY_ALL, POLICY_NONE, POLICY_NONE}, true},
    [POLICY_SECRET_USE] =
        {"secrets", "use", "use", {POLICY_ALL, POLICY_ALL, POLICY_ALL, POLICY_NONE}, false},
    [POLICY_SECRET_LIST] =
        {"secrets", "list", "read", {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_NONE}, false},
    [POLICY_SECRET_CREATE] =
        {"secrets", "create", "create", {POLICY_ALL, POLICY_ALL, POLICY_ALL, POLICY_NONE}, false},
    [POLICY_SECRET_READ] =
        {"secrets", "read", "read", {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_NONE}, true},
    [POLICY_SECRET_UPDATE] =
        {"secrets", "update", "update", {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_NONE}, true},
    [POLICY_SECRET_DELETE] =
        {"secrets", "delete", "delete", {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_NONE}, true},
    [POLICY_KEYS] =
        {"api_keys", "manage", "read", {POLICY_OWN, POLICY_OWN, POLICY_OWN, POLICY_OWN}, false},
    [POLICY_USER_LIST] =
        {"users", "list", "read", {POLICY_ALL, POLICY_ALL, POLICY_NONE, POLICY_NONE}, false},
    [POLICY_USER_CREATE] =
        {"users", "create", "create", {POLICY_ALL, POLICY_NONE, POLICY_NONE, POLICY_NONE}, false},
    [POLICY_USER_REVOKE] =
        {"users", "delete", "delete", {POLICY_ALL, POLICY_NONE, POLICY_NONE, POLICY_NONE}, false},
    [POLICY_RECONCILE] = {"health",
                          "reconcile",
                          "create",
                          {POLICY_ALL, POLICY_ALL, POLICY_NONE, POLICY_NONE},
                          false},
    [POLICY_AUDIT] =
        {"audit", "read", "read", {POLICY_ALL, POLICY_NONE, POLICY_NONE, POLICY_NONE}, false},
    [POLICY_TRACE] =
        {"traces", "read", "read", {POLICY_ALL, POLICY_NONE, POLICY_NONE, POLICY_NONE}, false},
};
/* clang-format on */

const struct policy_rule *policy_rule(enum policy_action action)
{
    return (size_t)action < POLICY_ACTION_COUNT ? &table[action] : NULL;
}

enum policy_scope policy_scope(enum role role, enum policy_action action)
{
    const struct policy_rule *rule = policy_rule(action);
    return rule && (size_t)role < POLICY_ROLE_COUNT ? rule->scope[role] : POLICY_NONE;
}

bool policy_may_try(const struct principal *who, enum policy_action action)
{
    const struct policy_rule *rule = policy_rule(action);
    return rule && (rule->owner || policy_scope(who->role, action) != POLICY_NONE);
}

bool policy_allows(const struct principal *who, enum policy_action action, const char *owner)
{
    const struct policy_rule *rule = policy_rule(action);
    enum policy_scope scope = policy_scope(who->role, action);
    if (!rule)
        return false;
    if (scope == POLICY_ALL)
        return true;
    bool owns = owner && who->email[0] != '\0' && str_eq(owner, who->email);
    return owns && (scope == POLICY_OWN || rule->owner);
}

int policy_refuse(struct problem *p, enum policy_action action)
{
    const struct policy_rule *rule = policy_rule(action);
    const char *verb = rule ? rule->verb : "use";
    return problem_set(p, ERR_FORBIDDEN, "Forbidden",
                       "you do not have permission to %s this resource", verb);
}
