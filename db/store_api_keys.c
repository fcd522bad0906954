/* api_keys: made within a bound, listed, revoked; when each was used. */
#include "db/store_api_keys.h"

#include "base/err.h"
#include "db/store.h"

#define COLUMNS                                                                       \
    "k.key_id, k.prefix, k.description, tg_us(k.created_at), tg_us(k.last_used_at), " \
    "k.revoked_at IS NOT NULL"

static void answer(struct store_call c, const struct db_result *r, size_t stmt)
{
    size_t n = db_rows(r, stmt);
    struct api_key *rows CLEANUP_FREE = calloc(n + 1, sizeof(*rows));
    for (size_t i = 0; rows && i < n; i++)
        rows[i] = (struct api_key){
            .key_id = db_get_i64(r, stmt, i, 0),
            .prefix = db_get_text(r, stmt, i, 1),
            .description = db_get_text(r, stmt, i, 2),
            .created_at_us = db_get_i64(r, stmt, i, 3),
            .last_used_us = db_get_i64(r, stmt, i, 4),
            .is_revoked = db_get_i64(r, stmt, i, 5) != 0,
        };
    c.fn.api_keys(c.user, rows ? 0 : ERR_NOMEM, rows, rows ? n : 0);
}

static void answer_or_fail(struct store_call c, int err, const struct db_result *r, size_t stmt)
{
    if (err < 0)
        c.fn.api_keys(c.user, err, NULL, 0);
    else
        answer(c, r, stmt);
}

static void on_rows(void *user, int err, const struct db_result *r)
{
    answer_or_fail(store_call_take(user), err, r, 0);
}

int store_api_key_list(struct db_pool *p, int64_t user_key, store_api_keys_fn fn, void *user)
{
    static const struct db_stmt list_keys = {
        .name = "list_keys",
        .sql = "SELECT " COLUMNS " FROM api_keys k WHERE k.user_key = $1::bigint "
               "ORDER BY k.key_id",
    };
    const struct db_value params[] = {db_i64(user_key)};
    return store_query(p, &list_keys, params, ARRAY_SIZE(params), on_rows,
                       (struct store_call){{.api_keys = fn}, user});
}

/* ---- making ---- */

static void on_created(void *user, int err, const struct db_result *r)
{
    if (err == 0 && db_rows(r, 1) == 0)
        err = db_rows(r, 0) == 0 ? ERR_REVOKED : ERR_LIMIT;
    answer_or_fail(store_call_take(user), err, r, 1);
}

static int add_key(struct db_batch *b, const struct store_new_api_key *n,
                   const struct store_audit *a)
{
    static const struct db_stmt create_key = {
        .name = "create_key",
        .sql = "WITH k AS (INSERT INTO api_keys (user_key, hash, prefix, description) "
               "SELECT user_key, $9::bytea, $10::text, $11::text FROM users "
               "WHERE user_key = $8::bigint AND revoked_at IS NULL AND (SELECT count(*) "
               "FROM api_keys WHERE user_key = $8::bigint AND revoked_at IS NULL) < $12::bigint "
               "RETURNING *), "
               "told AS (" STORE_AUDIT_INSERT("$6::text || key_id", "$7::text") " FROM k) "
                                                                                "SELECT " COLUMNS
                                                                                " FROM k",
    };
    struct db_value params[STORE_AUDIT_PARAMS + 5];
    store_audit_values(a, params);
    params[STORE_AUDIT_PARAMS] = db_i64(n->user_key);
    params[STORE_AUDIT_PARAMS + 1] = db_bytes(n->hash, STORE_KEY_HASH_LEN);
    params[STORE_AUDIT_PARAMS + 2] = db_text(n->prefix);
    params[STORE_AUDIT_PARAMS + 3] = db_text(n->description);
    params[STORE_AUDIT_PARAMS + 4] = db_i64(n->most);
    return db_batch_add(b, &create_key, params, ARRAY_SIZE(params));
}

int store_api_key_create(struct db_pool *p, const struct store_new_api_key *n,
                         const struct store_audit *a, store_api_keys_fn fn, void *user)
{
    /* A user's keys are made one after the other: the count then holds. */
    static const struct db_stmt lock_user = {
        .name = "lock_user",
        .sql = "SELECT user_key FROM users WHERE user_key = $1::bigint AND revoked_at IS NULL "
               "FOR UPDATE",
    };
    const struct db_value params[] = {db_i64(n->user_key)};
    struct db_batch *b;
    int r = db_batch_of(&lock_user, params, ARRAY_SIZE(params), &b);
    if (r < 0)
        return r;
    r = add_key(b, n, a);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_created, (struct store_call){{.api_keys = fn}, user});
}

/* ---- revoking ---- */

static void on_revoked(void *user, int err, const struct db_result *r)
{
    if (err == 0 && db_rows(r, 0) == 0)
        err = ERR_NOT_FOUND;
    answer_or_fail(store_call_take(user), err, r, 0);
}

int store_api_key_revoke(struct db_pool *p, int64_t user_key, int64_t key_id,
                         const struct store_audit *a, store_api_keys_fn fn, void *user)
{
    static const struct db_stmt revoke_key = {
        .name = "revoke_key",
        .sql = "WITH done AS (UPDATE api_keys SET revoked_at = now() WHERE key_id = $9::bigint "
               "AND user_key = $8::bigint AND revoked_at IS NULL RETURNING key_id), "
               "told AS (" STORE_AUDIT_SQL " FROM done) "
               "SELECT " COLUMNS " FROM api_keys k WHERE k.key_id = $9::bigint "
               "AND k.user_key = $8::bigint",
    };
    struct db_value params[STORE_AUDIT_PARAMS + 2];
    store_audit_values(a, params);
    params[STORE_AUDIT_PARAMS] = db_i64(user_key);
    params[STORE_AUDIT_PARAMS + 1] = db_i64(key_id);
    struct db_batch *b;
    int r = db_batch_of(&revoke_key, params, ARRAY_SIZE(params), &b);
    if (r < 0)
        return r;
    r = store_revocation_tell(b);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_revoked, (struct store_call){{.api_keys = fn}, user});
}

/* ---- use ---- */

int store_api_key_used(struct db_pool *p, int64_t key_id, db_batch_fn fn, void *user)
{
    static const struct db_stmt use_key = {
        .name = "use_key",
        .sql = "UPDATE api_keys SET last_used_at = now() WHERE key_id = $1::bigint AND "
               "(last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
    };
    const struct db_value params[] = {db_i64(key_id)};
    return db_query(p, &use_key, params, ARRAY_SIZE(params), fn, user);
}
