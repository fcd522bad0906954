/* GET /session: who asks and what the policy allows, for a page to show only what will work. */
#include "wire/session.h"
#include "base/model.h"
#include "gateway/http.h"
#include "gateway/server.h"

static size_t list_permissions(enum role role, struct wire_permission *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < POLICY_ACTION_COUNT; i++) {
        const struct policy_rule *rule = policy_rule((enum policy_action)i);
        enum policy_scope scope = policy_scope(role, (enum policy_action)i);
        if (scope == POLICY_NONE && rule->owner)
            scope = POLICY_OWN;
        if (scope == POLICY_NONE)
            continue;
        ret[n++] = (struct wire_permission){rule->resource, rule->what,
                                            scope == POLICY_ALL ? "all" : "own"};
    }
    return n;
}

static void get(struct http_request *r)
{
    const struct principal *who = http_principal(r);
    struct wire_permission may[POLICY_ACTION_COUNT];
    struct buf body CLEANUP_BUF = {.max = 16384};
    struct wire_session s = {.email = who->email,
                             .role = role_name(who->role),
                             .version = SERVER_VERSION,
                             .may = may,
                             .may_count = list_permissions(who->role, may)};
    int err = wire_session(&body, &s);
    http_ref(r);
    http_answer(r, NULL, 200, err, &body);
}

const struct route routes_session[] = {{HTTP_GET, POLICY_ANYONE, "/api/v1/session", get}};
const size_t routes_session_count = ARRAY_SIZE(routes_session);
