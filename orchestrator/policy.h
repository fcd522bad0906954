/* Who may do what with executions (api.md's table), by role and ownership. Default: nobody. */
#ifndef TAILGATE_ORCHESTRATOR_POLICY_H
#define TAILGATE_ORCHESTRATOR_POLICY_H

#include "base/err.h"
#include "base/model.h"

enum policy_action { POLICY_RUN, POLICY_LIST, POLICY_READ, POLICY_STOP };
#define POLICY_ACTION_COUNT 4

enum policy_scope {
    POLICY_NONE,
    POLICY_OWN, /* only what one owns */
    POLICY_ALL,
};

/* What a role sees of an action's objects. Unknown roles and actions: POLICY_NONE. */
enum policy_scope policy_scope(enum role role, enum policy_action action);
/* Whether `who` may do `action` on something that `owner` (e-mail; NULL = nobody) owns. */
bool policy_allows(const struct principal *who, enum policy_action action, const char *owner);
/* The refusal, in Runvoy's words. Returns ERR_FORBIDDEN. */
int policy_refuse(struct problem *p, enum policy_action action);

#endif
