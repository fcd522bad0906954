/* users: made, listed, revoked. */
#include "db/store_users.h"

#include "base/err.h"
#include "db/store.h"

#define COLUMNS                                                  \
    "u.user_key, u.email, u.role, tg_us(u.created_at), "         \
    "(SELECT tg_us(max(k.last_used_at)) FROM api_keys k "        \
    "WHERE k.user_key = u.user_key), u.revoked_at IS NOT NULL, " \
    "u.created_by_request_id, u.modified_by_request_id"
/* "user": revocations take turns, so that of two admins who revoke each other one stays. */
#define LOCK_SQL "SELECT pg_advisory_xact_lock(1970496882)"

static int read_row(const struct db_result *r, size_t stmt, size_t row, struct user *ret)
{
    const char *role = db_get_text(r, stmt, row, 2);
    *ret = (struct user){
        .user_key = db_get_i64(r, stmt, row, 0),
        .email = db_get_text(r, stmt, row, 1),
        .created_at_us = db_get_i64(r, stmt, row, 3),
        .last_used_us = db_get_i64(r, stmt, row, 4),
        .is_revoked = db_get_i64(r, stmt, row, 5) != 0,
        .created_by_request_id = db_get_text(r, stmt, row, 6),
        .modified_by_request_id = db_get_text(r, stmt, row, 7),
    };
    return role && role_parse(role, &ret->role) == 0 ? 0 : ERR_CORRUPT;
}

static void answer(struct store_call c, const struct db_result *r, size_t stmt)
{
    size_t n = db_rows(r, stmt);
    struct user *rows CLEANUP_FREE = calloc(n + 1, sizeof(*rows));
    int err = rows ? 0 : ERR_NOMEM;
    for (size_t i = 0; err == 0 && i < n; i++)
        err = read_row(r, stmt, i, &rows[i]);
    c.fn.users(c.user, err, rows, err == 0 ? n : 0);
}

static void on_rows(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err < 0)
        c.fn.users(c.user, err, NULL, 0);
    else
        answer(c, r, 0);
}

int store_user_list(struct db_pool *p, store_users_fn fn, void *user)
{
    static const struct db_stmt list_users = {
        .name = "list_users",
        .sql = "SELECT " COLUMNS " FROM users u ORDER BY u.email",
    };
    return store_query(p, &list_users, NULL, 0, on_rows, (struct store_call){{.users = fn}, user});
}

/* ---- making ---- */

static void on_created(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err == 0 && db_rows(r, 0) == 0)
        err = ERR_CONFLICT;
    if (err < 0)
        c.fn.users(c.user, err, NULL, 0);
    else
        answer(c, r, 0);
}

#define NEW_USER_PARAMS (STORE_AUDIT_PARAMS + 4)

static void new_user_values(const struct store_new_user *n, const struct store_audit *a,
                            struct db_value ret[NEW_USER_PARAMS])
{
    store_audit_values(a, ret);
    ret[STORE_AUDIT_PARAMS] = db_text(n->email);
    ret[STORE_AUDIT_PARAMS + 1] = db_text(role_name(n->role));
    ret[STORE_AUDIT_PARAMS + 2] = db_bytes(n->claim_hash, STORE_KEY_HASH_LEN);
    ret[STORE_AUDIT_PARAMS + 3] = db_i64(n->claim_ttl_ms);
}

#define NEW_USER_SQL                                                                  \
    "INSERT INTO users (email, role, created_by_request_id, modified_by_request_id) " \
    "VALUES ($8::text, $9::text, $4::text, $4::text) ON CONFLICT DO NOTHING RETURNING *"
#define NEW_CLAIM_SQL                                                               \
    "INSERT INTO claims (hash, user_key, expires_at) SELECT $10::bytea, user_key, " \
    "now() + $11::bigint * interval '1 millisecond'"

int store_user_create(struct db_pool *p, const struct store_new_user *n,
                      const struct store_audit *a, store_users_fn fn, void *user)
{
    static const struct db_stmt create_user = {
        .name = "create_user",
        .sql = "WITH u AS (" NEW_USER_SQL "), claim AS (" NEW_CLAIM_SQL " FROM u), "
               "told AS (" STORE_AUDIT_SQL " FROM u) SELECT " COLUMNS " FROM u",
    };
    struct db_value params[NEW_USER_PARAMS];
    new_user_values(n, a, params);
    return store_query(p, &create_user, params, ARRAY_SIZE(params), on_created,
                       (struct store_call){{.users = fn}, user});
}

static void on_bootstrapped(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err == 0 && db_rows(r, 0) == 0)
        err = ERR_CONFLICT;
    c.fn.batch(c.user, err, r);
}

int store_user_bootstrap(struct db_pool *p, const struct store_new_user *n,
                         const struct store_audit *a, db_batch_fn fn, void *user)
{
    /* made is not in the snapshot that the second branch reads, so there is one row at most. */
    static const struct db_stmt bootstrap_user = {
        .name = "bootstrap_user",
        .sql = "WITH made AS (" NEW_USER_SQL "), entitled AS ("
               "SELECT user_key FROM made UNION ALL SELECT user_key FROM users "
               "WHERE lower(email) = lower($8::text) AND role = $9::text AND revoked_at IS NULL "
               "AND NOT EXISTS (SELECT FROM api_keys k WHERE k.user_key = users.user_key "
               "AND k.revoked_at IS NULL)), "
               "claim AS (" NEW_CLAIM_SQL " FROM entitled), "
               "told AS (" STORE_AUDIT_SQL " FROM entitled) SELECT user_key FROM entitled",
    };
    struct db_value params[NEW_USER_PARAMS];
    new_user_values(n, a, params);
    return store_query(p, &bootstrap_user, params, ARRAY_SIZE(params), on_bootstrapped,
                       (struct store_call){{.batch = fn}, user});
}

/* ---- revoking ---- */

static void on_revoked(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err == 0 && db_rows(r, 1) == 0)
        err = ERR_NOT_FOUND;
    else if (err == 0 && db_get_i64(r, 1, 0, 8))
        err = ERR_CONFLICT;
    if (err < 0)
        c.fn.users(c.user, err, NULL, 0);
    else
        answer(c, r, 1);
}

static int add_revocation(struct db_batch *b, const char *email, const struct store_audit *a)
{
    static const struct db_stmt revoke_user = {
        .name = "revoke_user",
        .sql = "WITH target AS (SELECT *, role = 'admin' AND revoked_at IS NULL AND NOT EXISTS "
               "(SELECT FROM users a JOIN api_keys k USING (user_key) WHERE a.role = 'admin' "
               "AND a.revoked_at IS NULL AND k.revoked_at IS NULL "
               "AND a.user_key <> users.user_key) AS is_last "
               "FROM users WHERE lower(email) = lower($8::text)), "
               "done AS (UPDATE users SET revoked_at = now(), modified_by_request_id = $4::text "
               "FROM target t WHERE users.user_key = t.user_key AND users.revoked_at IS NULL "
               "AND NOT t.is_last RETURNING users.user_key), "
               "told AS (" STORE_AUDIT_SQL " FROM done) "
               "SELECT " COLUMNS ", u.is_last FROM target u",
    };
    struct db_value params[STORE_AUDIT_PARAMS + 1];
    store_audit_values(a, params);
    params[STORE_AUDIT_PARAMS] = db_text(email);
    int r = db_batch_add(b, &revoke_user, params, ARRAY_SIZE(params));
    return r < 0 ? r : store_revocation_tell(b);
}

int store_user_revoke(struct db_pool *p, const char *email, const struct store_audit *a,
                      store_users_fn fn, void *user)
{
    static const struct db_stmt lock_users = {.name = "lock_users", .sql = LOCK_SQL};
    struct db_batch *b;
    int r = db_batch_of(&lock_users, NULL, 0, &b);
    if (r < 0)
        return r;
    r = add_revocation(b, email, a);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_revoked, (struct store_call){{.users = fn}, user});
}
