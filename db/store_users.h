/* users and the claim tokens that give them their first key. */
#ifndef TAILGATE_DB_STORE_USERS_H
#define TAILGATE_DB_STORE_USERS_H

#include "base/people.h"
#include "db/store_audit.h"
#include "db/store_keys.h"

/* rows are valid during the call. err as db_batch_fn's. */
typedef void (*store_users_fn)(void *user, int err, const struct user *rows, size_t n);

struct store_new_user {
    const char *email;
    enum role role;
    const uint8_t *claim_hash; /* STORE_KEY_HASH_LEN bytes */
    int64_t claim_ttl_ms;
};
/* The new row, and a claim for it. err: also ERR_CONFLICT (the address has an account, revoked or
 * not). */
MUST_CHECK int store_user_create(struct db_pool *p, const struct store_new_user *n,
                                 const struct store_audit *a, store_users_fn fn, void *user);
/* By e-mail. */
MUST_CHECK int store_user_list(struct db_pool *p, store_users_fn fn, void *user);
/*
 * Revokes and tells all gateways; the row is as it was, with the e-mail as it is stored. Once more:
 * nothing changes. err: also ERR_NOT_FOUND, and ERR_CONFLICT for the last admin who has a key.
 */
MUST_CHECK int store_user_revoke(struct db_pool *p, const char *email, const struct store_audit *a,
                                 store_users_fn fn, void *user);
/*
 * The first admin outside --dev: makes the user (admin) if absent, and a claim for an admin who
 * has no key. err: also ERR_CONFLICT (there is somebody of that address who needs none).
 */
MUST_CHECK int store_user_bootstrap(struct db_pool *p, const struct store_new_user *n,
                                    const struct store_audit *a, db_batch_fn fn, void *user);

struct store_claim {
    const uint8_t *claim_hash, *key_hash; /* STORE_KEY_HASH_LEN bytes */
    const char *key_prefix;
};
/* email is valid during the call, NULL unless err is 0. err: also ERR_NOT_FOUND (unknown, or its
 * user was revoked), ERR_TIMEOUT (expired), ERR_CONFLICT (used). */
typedef void (*store_claim_fn)(void *user, int err, const char *email);
/* Uses the claim up and adds the key, one of two at once. The entry's resource is completed with
 * the user's e-mail, its address is where the claim was viewed from. */
MUST_CHECK int store_claim_use(struct db_pool *p, const struct store_claim *c,
                               const struct store_audit *a, store_claim_fn fn, void *user);

#endif
