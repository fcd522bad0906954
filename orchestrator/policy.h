/*
 * Who may do what: api.md's "may" table, role × resource × action with the owner's rights beside
 * it. Default: nobody. The gateway asks policy_may_try before any handler runs; whoever holds the
 * object (and so its owner) asks policy_allows.
 */
#ifndef TAILGATE_ORCHESTRATOR_POLICY_H
#define TAILGATE_ORCHESTRATOR_POLICY_H

#include "base/err.h"
#include "base/model.h"

enum policy_action {
    POLICY_PUBLIC, /* no key is asked for */
    POLICY_ANYONE, /* whoever has a valid key */
    POLICY_RUN,
    POLICY_LIST,
    POLICY_READ,
    POLICY_STOP,
    POLICY_IMAGE_USE,
    POLICY_IMAGE_READ,
    POLICY_IMAGE_CREATE,
    POLICY_IMAGE_DELETE,
    POLICY_SECRET_USE,
    POLICY_SECRET_LIST,
    POLICY_SECRET_CREATE,
    POLICY_SECRET_READ, /* its value */
    POLICY_SECRET_UPDATE,
    POLICY_SECRET_DELETE,
    POLICY_KEYS, /* one's own API keys */
    POLICY_USER_LIST,
    POLICY_USER_CREATE,
    POLICY_USER_REVOKE,
    POLICY_RECONCILE,
    POLICY_AUDIT,
    POLICY_TRACE,
};
#define POLICY_ACTION_COUNT 23
#define POLICY_ROLE_COUNT 4

enum policy_scope {
    POLICY_NONE,
    POLICY_OWN, /* only what one owns */
    POLICY_ALL,
};

struct policy_rule {
    const char *resource, *what; /* "executions", "list": the docs' and the audit's words */
    const char *verb;            /* a refusal's */
    enum policy_scope scope[POLICY_ROLE_COUNT];
    bool owner; /* granted to the owner whatever the role */
};
/* The table's row; NULL for an unknown action. */
const struct policy_rule *policy_rule(enum policy_action action);

/* What a role sees of an action's objects. Unknown roles and actions: POLICY_NONE. */
enum policy_scope policy_scope(enum role role, enum policy_action action);
/* Whether there can be any object on which `who` may do it: the check before the object is known.
 */
bool policy_may_try(const struct principal *who, enum policy_action action);
/* Whether `who` may do `action` on something that `owner` (e-mail; NULL = nobody) owns. */
bool policy_allows(const struct principal *who, enum policy_action action, const char *owner);
/* The refusal, in Runvoy's words. Returns ERR_FORBIDDEN. */
int policy_refuse(struct problem *p, enum policy_action action);

#endif
