/* users, api_keys and the server's own keys. */
#ifndef TAILGATE_DB_STORE_KEYS_H
#define TAILGATE_DB_STORE_KEYS_H

#include "base/model.h"
#include "db/pool.h"

#define STORE_KEY_HASH_LEN 32

/* err: 0, ERR_BAD_KEY (unknown), ERR_REVOKED (key or user), or as db_batch_fn. */
typedef void (*store_principal_fn)(void *user, int err, const struct principal *who);
MUST_CHECK int store_key_lookup(struct db_pool *p, const uint8_t hash[STORE_KEY_HASH_LEN],
                                store_principal_fn fn, void *user);
/* The user of a stream token, by user_key: 0, ERR_NOT_FOUND, ERR_REVOKED. */
MUST_CHECK int store_user_lookup(struct db_pool *p, int64_t user_key, store_principal_fn fn,
                                 void *user);
/* Creates the user (admin) if absent and adds the key, in one transaction. */
MUST_CHECK int store_bootstrap_admin(struct db_pool *p, const char *email,
                                     const uint8_t hash[STORE_KEY_HASH_LEN], const char *prefix,
                                     db_batch_fn fn, void *user);
/* Returns server_keys[name], inserting `fresh` first when there is none. Result: row 0, column 0.
 */
MUST_CHECK int store_server_key(struct db_pool *p, const char *name, const void *fresh, size_t len,
                                db_batch_fn fn, void *user);

#endif
