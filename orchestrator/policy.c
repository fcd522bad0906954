/* api.md's "may" table for executions. What no row grants is refused. */
#include "orchestrator/policy.h"

#include "base/str.h"

#include <stddef.h>

#define ROLE_COUNT 4

/* clang-format off */
static const enum policy_scope table[POLICY_ACTION_COUNT][ROLE_COUNT] = {
    /*               admin       operator    developer   viewer */
    [POLICY_RUN] =  {POLICY_ALL, POLICY_ALL, POLICY_ALL, POLICY_NONE},
    [POLICY_LIST] = {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_ALL},
    [POLICY_READ] = {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_ALL},
    [POLICY_STOP] = {POLICY_ALL, POLICY_ALL, POLICY_OWN, POLICY_NONE},
};
/* clang-format on */
/* The "owner" column: granted to the owner whatever the role. */
static const bool owner_may[POLICY_ACTION_COUNT] = {
    [POLICY_READ] = true,
    [POLICY_STOP] = true,
};
static const char *const verbs[POLICY_ACTION_COUNT] = {
    [POLICY_RUN] = "create",
    [POLICY_LIST] = "read",
    [POLICY_READ] = "read",
    [POLICY_STOP] = "delete",
};

enum policy_scope policy_scope(enum role role, enum policy_action action)
{
    if ((size_t)role >= ROLE_COUNT || (size_t)action >= POLICY_ACTION_COUNT)
        return POLICY_NONE;
    return table[action][role];
}

bool policy_allows(const struct principal *who, enum policy_action action, const char *owner)
{
    if ((size_t)action >= POLICY_ACTION_COUNT)
        return false;
    enum policy_scope scope = policy_scope(who->role, action);
    if (scope == POLICY_ALL)
        return true;
    bool owns = owner && who->email[0] != '\0' && str_eq(owner, who->email);
    return owns && (scope == POLICY_OWN || owner_may[action]);
}

int policy_refuse(struct problem *p, enum policy_action action)
{
    const char *verb = (size_t)action < POLICY_ACTION_COUNT ? verbs[action] : "use";
    return problem_set(p, ERR_FORBIDDEN, "Forbidden",
                       "you do not have permission to %s this resource", verb);
}
