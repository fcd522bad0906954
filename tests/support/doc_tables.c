/*
 * Prints what the code's tables say, for the generated pages of docs/ (scripts/check_docs):
 *   doc_tables fields        base/fields.c
 *   doc_tables permissions   orchestrator/policy.c
 *   doc_tables routes        gateway/routes.c
 */
#include "base/fields.h"
#include "base/str.h"
#include "gateway/router.h"
#include "orchestrator/policy.h"

#include <stdio.h>

static int print_fields(void)
{
    (void)printf("| field | of | must be | at most |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field_rule *r = field_rule((enum field)i);
        (void)printf("| `%s` | %s | %s%s | %zu %s |\n", r->json, r->where, r->rule,
                     r->is_optional ? "; may be empty" : "", r->max,
                     r->counts_bytes ? "bytes" : "characters");
    }
    return 0;
}

static const char *scope_text(enum policy_scope scope)
{
    return scope == POLICY_ALL ? "all" : scope == POLICY_OWN ? "own" : "";
}

static int print_permissions(void)
{
    (void)printf("| resource | action | admin | operator | developer | viewer | its owner |\n"
                 "| --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < POLICY_ACTION_COUNT; i++) {
        const struct policy_rule *r = policy_rule((enum policy_action)i);
        (void)printf("| %s | %s |", r->resource, r->what);
        for (size_t role = 0; role < POLICY_ROLE_COUNT; role++)
            (void)printf(" %s |", scope_text(r->scope[role]));
        (void)printf(" %s |\n", r->owner ? "yes" : "");
    }
    return 0;
}

static int print_routes(void)
{
    static const char *const methods[] = {
        [HTTP_GET] = "GET",       [HTTP_POST] = "POST",       [HTTP_PUT] = "PUT",
        [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "OTHER"};
    (void)printf("| route | resource | action |\n| --- | --- | --- |\n");
    for (size_t t = 0; t < routes_all_count; t++) {
        for (size_t i = 0; i < *routes_all[t].count; i++) {
            const struct route *r = &routes_all[t].routes[i];
            const struct policy_rule *rule = policy_rule(r->action);
            (void)printf("| `%s %s` | %s | %s |\n", methods[r->method], r->pattern,
                         r->action == POLICY_PUBLIC ? "public" : rule->resource, rule->what);
        }
    }
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc == 2 && str_eq(argv[1], "fields"))
        return print_fields();
    if (argc == 2 && str_eq(argv[1], "permissions"))
        return print_permissions();
    if (argc == 2 && str_eq(argv[1], "routes"))
        return print_routes();
    (void)fprintf(stderr, "usage: doc_tables fields|permissions|routes\n");
    return 2;
}
