/* For tests of runs that name no secrets: nobody is asked (--wrap). */
#include "orchestrator/secrets.h"

#include "../base/unit.h"

int __wrap_orchestrator_secrets_resolve(struct orchestrator *o, const struct caller *by,
                                        const char *const *names, size_t n,
                                        orchestrator_resolved_fn fn, void *user, struct problem *p);
int __wrap_orchestrator_secrets_resolve(struct orchestrator *o UNUSED,
                                        const struct caller *by UNUSED,
                                        const char *const *names UNUSED, size_t n UNUSED,
                                        orchestrator_resolved_fn fn UNUSED, void *user UNUSED,
                                        struct problem *p UNUSED)
{
    fail_msg("secrets were asked for");
    return ERR_INTERNAL;
}
