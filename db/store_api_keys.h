/* api_keys as their users see them, and who was revoked lately. */
#ifndef TAILGATE_DB_STORE_API_KEYS_H
#define TAILGATE_DB_STORE_API_KEYS_H

#include "base/people.h"
#include "db/store_audit.h"
#include "db/store_keys.h"

/* rows are valid during the call. err as db_batch_fn's. */
typedef void (*store_api_keys_fn)(void *user, int err, const struct api_key *rows, size_t n);

struct store_new_api_key {
    int64_t user_key;
    const uint8_t *hash; /* STORE_KEY_HASH_LEN bytes */
    const char *prefix, *description;
    int64_t most; /* keys that a user may have, those revoked not counted */
};
/* The new row. The entry's resource is completed with the key's id. err: also ERR_LIMIT, and
 * ERR_REVOKED (the user, meanwhile). */
MUST_CHECK int store_api_key_create(struct db_pool *p, const struct store_new_api_key *n,
                                    const struct store_audit *a, store_api_keys_fn fn, void *user);
/* Of one user, the oldest first. */
MUST_CHECK int store_api_key_list(struct db_pool *p, int64_t user_key, store_api_keys_fn fn,
                                  void *user);
/* The row as it was; all gateways are told. Once more: nothing changes. err: also ERR_NOT_FOUND
 * (none of this user's). */
MUST_CHECK int store_api_key_revoke(struct db_pool *p, int64_t user_key, int64_t key_id,
                                    const struct store_audit *a, store_api_keys_fn fn, void *user);
/* Notes its use, to the minute. */
MUST_CHECK int store_api_key_used(struct db_pool *p, int64_t key_id, db_batch_fn fn, void *user);

struct store_revocation {
    int64_t user_key;
    int64_t key_id; /* 0 = the user with all keys */
};
/*
 * Who was revoked after since_us (the database's clock), ordered by user_key, key_id; rows are
 * valid during the call. now_us is when it was asked: what commits later may have an earlier time,
 * by as much as a transaction takes.
 */
typedef void (*store_revocations_fn)(void *user, int err, const struct store_revocation *rows,
                                     size_t n, int64_t now_us);
MUST_CHECK int store_revocations(struct db_pool *p, int64_t since_us, store_revocations_fn fn,
                                 void *user);
/* Adds to a batch that revokes: at its commit listeners of STORE_REVOCATIONS_CHANNEL are told. */
#define STORE_REVOCATIONS_CHANNEL "tailgate_revoked"
MUST_CHECK int store_revocation_tell(struct db_batch *b);

#endif
