/* secrets: sealed values by name. Each change commits together with its audit entry, or not at all.
 */
#ifndef TAILGATE_DB_STORE_SECRETS_H
#define TAILGATE_DB_STORE_SECRETS_H

#include "base/secret.h"
#include "db/pool.h"
#include "db/store_audit.h"

struct store_secret {
    struct secret about; /* value is NULL */
    const char *key_id;  /* of the key that sealed it */
    const void *sealed;  /* NULL where values are not asked for */
    size_t sealed_len;
};
/* Rows are valid during the call. err as db_batch_fn's. */
typedef void (*store_secrets_fn)(void *user, int err, const struct store_secret *rows, size_t n);
/* err: 0, ERR_NOT_FOUND, ERR_CONFLICT (the name is taken), or as db_batch_fn's. */
typedef void (*store_secret_done_fn)(void *user, int err);

/* created_by and its request come from a. */
MUST_CHECK int store_secret_create(struct db_pool *p, const struct store_secret *s,
                                   const struct store_audit *a, store_secret_done_fn fn,
                                   void *user);
/* By name, without the sealed bytes; created_by NULL: everybody's. */
MUST_CHECK int store_secret_list(struct db_pool *p, const char *created_by, store_secrets_fn fn,
                                 void *user);
/* As many rows as there are of names[0..n), each name once; in order of name. */
MUST_CHECK int store_secret_get(struct db_pool *p, const char *const *names, size_t n,
                                store_secrets_fn fn, void *user);
/* What is NULL stays as it is: key_name, description, sealed (with key_id). owner: only if that is
 * who created it; NULL: whoever did. ERR_NOT_FOUND: none such. */
MUST_CHECK int store_secret_update(struct db_pool *p, const struct store_secret *s,
                                   const char *owner, const struct store_audit *a,
                                   store_secret_done_fn fn, void *user);
MUST_CHECK int store_secret_delete(struct db_pool *p, const char *name, const char *owner,
                                   const struct store_audit *a, store_secret_done_fn fn,
                                   void *user);

/* ---- rotation ---- */
struct store_sealed {
    const char *name; /* a secret's name, an execution's id */
    const char *key_id;
    const void *sealed;
    size_t sealed_len;
};
enum store_sealed_in { STORE_SEALED_SECRETS, STORE_SEALED_RUNS };
#define STORE_SEALED_KINDS 2
typedef void (*store_sealed_fn)(void *user, int err, const struct store_sealed *rows, size_t n);
/* No row is sealed with that key any more from the moment that this is committed. */
MUST_CHECK int store_key_retire(struct db_pool *p, const char *key_id, db_batch_fn fn, void *user);
/* Up to limit rows that are sealed with that key, by name, those behind `after`. */
MUST_CHECK int store_sealed_list(struct db_pool *p, enum store_sealed_in in, const char *key_id,
                                 const char *after, size_t limit, store_sealed_fn fn, void *user);
/* new_bytes in the place of old, which are what they still must be; otherwise nothing is done. */
MUST_CHECK int store_sealed_replace(struct db_batch *b, enum store_sealed_in in,
                                    const struct store_sealed *old,
                                    const struct store_sealed *new_bytes);

#endif
