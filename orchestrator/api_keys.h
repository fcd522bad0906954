/* A user's own API keys: made (shown once), listed masked, revoked. Nobody, not even an admin, gets
 * at another's. */
#ifndef TAILGATE_ORCHESTRATOR_API_KEYS_H
#define TAILGATE_ORCHESTRATOR_API_KEYS_H

#include "base/people.h"
#include "orchestrator/orchestrator.h"

/* rows are valid during the call, NULL when p is set; key is the text of the one that was made,
 * else NULL. */
typedef void (*orchestrator_api_keys_fn)(void *user, const struct problem *p,
                                         const struct api_key *rows, size_t n, const char *key);
/* description may be NULL. ERR_INVALID, ERR_LIMIT (--max-keys-per-user). */
MUST_CHECK int orchestrator_api_key_create(struct orchestrator *o, const struct caller *by,
                                           const char *description, orchestrator_api_keys_fn fn,
                                           void *user, struct problem *p);
MUST_CHECK int orchestrator_api_keys_list(struct orchestrator *o, const struct principal *who,
                                          orchestrator_api_keys_fn fn, void *user,
                                          struct problem *p);
/* id: as it stands in the path; one that is no number is as unknown as any. ERR_NOT_FOUND (also
 * another's). A key that was revoked before stays so. */
MUST_CHECK int orchestrator_api_key_revoke(struct orchestrator *o, const struct caller *by,
                                           const char *id, orchestrator_api_keys_fn fn, void *user,
                                           struct problem *p);

#endif
