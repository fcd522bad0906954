/*
 * Users, and the claim tokens with which each takes the first key: random text that is shown once,
 * to the admin who made the user; its hash is in PostgreSQL. Whoever comes with it first, within
 * --claim-ttl, gets a key that nobody else has ever seen.
 */
#ifndef TAILGATE_ORCHESTRATOR_USERS_H
#define TAILGATE_ORCHESTRATOR_USERS_H

#include "base/people.h"
#include "orchestrator/orchestrator.h"

#define CLAIM_TOKEN_LEN 32 /* 24 bytes as base64url */

/* u and claim_token are NULL when p is set; all are valid during the call. */
typedef void (*orchestrator_user_fn)(void *user, const struct problem *p, const struct user *u,
                                     const char *claim_token);
/* ERR_INVALID (fields), ERR_CONFLICT (the address has an account). */
MUST_CHECK int orchestrator_user_create(struct orchestrator *o, const struct caller *by,
                                        const char *email, const char *role,
                                        orchestrator_user_fn fn, void *user, struct problem *p);
/* All keys of the user, its tickets, claims and stream tokens are good for nothing from the commit
 * on; u->email as it is stored, claim_token NULL. ERR_INVALID, ERR_NOT_FOUND, ERR_CONFLICT (the
 * last admin who has a key). A user who was revoked before stays so. */
MUST_CHECK int orchestrator_user_revoke(struct orchestrator *o, const struct caller *by,
                                        const char *email, orchestrator_user_fn fn, void *user,
                                        struct problem *p);
typedef void (*orchestrator_users_fn)(void *user, const struct problem *p, const struct user *rows,
                                      size_t n);
/* By e-mail. */
MUST_CHECK int orchestrator_users_list(struct orchestrator *o, orchestrator_users_fn fn, void *user,
                                       struct problem *p);

/* key and email are NULL when p is set; all are valid during the call. */
typedef void (*orchestrator_claim_fn)(void *user, const struct problem *p, const char *key,
                                      const char *email);
/* Uses the token up, one of two at once. ERR_NOT_FOUND (unknown or expired; ill-formed: without a
 * database call), ERR_CONFLICT (used). */
MUST_CHECK int orchestrator_claim(struct orchestrator *o, const struct caller *by,
                                  const char *token, orchestrator_claim_fn fn, void *user,
                                  struct problem *p);

/*
 * --bootstrap-admin: makes the user when there is none of that address, and a claim token while
 * that admin has no key. claim_token is NULL when nothing was to be done.
 */
typedef void (*orchestrator_bootstrap_fn)(void *user, int err, const char *claim_token);
MUST_CHECK int orchestrator_bootstrap_admin(struct orchestrator *o, const char *email,
                                            orchestrator_bootstrap_fn fn, void *user);

#endif
