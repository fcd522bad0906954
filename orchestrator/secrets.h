/*
 * Secrets: named values, sealed in PostgreSQL (seal.h), put into a run's environment under their
 * key_name. Answers come through callbacks as in orchestrator.h; what they point to is valid during
 * the call and values are wiped behind it. Every change commits together with its audit entry.
 */
#ifndef TAILGATE_ORCHESTRATOR_SECRETS_H
#define TAILGATE_ORCHESTRATOR_SECRETS_H

#include "base/secret.h"
#include "orchestrator/orchestrator.h"

/* Secrets of one run. */
#define SECRETS_RUN_MAX 100

/* What a request says of one; NULL = absent. */
struct secret_fields {
    const char *key_name, *description, *value;
};

/* p NULL: it is done. */
typedef void (*orchestrator_done_fn)(void *user, const struct problem *p);
typedef void (*orchestrator_secret_fn)(void *user, const struct problem *p, const struct secret *s);
/* In order of name, without values. */
typedef void (*orchestrator_secrets_fn)(void *user, const struct problem *p,
                                        const struct secret *rows, size_t n);

/* ERR_INVALID (names the field), ERR_CONFLICT with SECRET_ALREADY_EXISTS: nothing is overwritten.
 */
MUST_CHECK int orchestrator_secret_create(struct orchestrator *o, const struct caller *by,
                                          const char *name, const struct secret_fields *f,
                                          orchestrator_done_fn fn, void *user, struct problem *p);
/* Those that the caller may see. */
MUST_CHECK int orchestrator_secret_list(struct orchestrator *o, const struct caller *by,
                                        orchestrator_secrets_fn fn, void *user, struct problem *p);
/* With its value. ERR_NOT_FOUND with SECRET_NOT_FOUND, also for another's that one may not see. */
MUST_CHECK int orchestrator_secret_get(struct orchestrator *o, const struct caller *by,
                                       const char *name, orchestrator_secret_fn fn, void *user,
                                       struct problem *p);
/* Changes what is neither absent nor empty. ERR_NOT_FOUND as above. */
MUST_CHECK int orchestrator_secret_update(struct orchestrator *o, const struct caller *by,
                                          const char *name, const struct secret_fields *f,
                                          orchestrator_done_fn fn, void *user, struct problem *p);
MUST_CHECK int orchestrator_secret_delete(struct orchestrator *o, const struct caller *by,
                                          const char *name, orchestrator_done_fn fn, void *user,
                                          struct problem *p);

/* ---- for a run ---- */
struct secret_value {
    const char *name, *key_name, *value;
    size_t value_len;
};
/* values[i] belongs to names[i]. */
typedef void (*orchestrator_resolved_fn)(void *user, const struct problem *p,
                                         const struct secret_value *values, size_t n);
/*
 * The values of names[0..n), 1 <= n <= SECRETS_RUN_MAX (more: ERR_INVALID). A name that is unknown:
 * ERR_INVALID, "failed to run command", details name it; one that the caller may not use:
 * ERR_FORBIDDEN, "forbidden", details name it; ERR_DB….
 */
MUST_CHECK int orchestrator_secrets_resolve(struct orchestrator *o, const struct caller *by,
                                            const char *const *names, size_t n,
                                            orchestrator_resolved_fn fn, void *user,
                                            struct problem *p);

#endif
