/* users, api_keys, server_keys. */
#include "db/store_keys.h"

#include "base/err.h"
#include "base/str.h"
#include "db/store.h"

/* Columns: user_key, key_id, role, email, revoked. */
static void on_principal(void *user, int err, const struct db_result *r, int absent)
{
    struct store_call c = store_call_take(user);
    struct principal who = {0};
    if (err == 0 && db_rows(r, 0) == 0)
        err = absent;
    else if (err == 0 && db_get_i64(r, 0, 0, 4))
        err = ERR_REVOKED;
    if (err == 0) {
        const char *role = db_get_text(r, 0, 0, 2), *email = db_get_text(r, 0, 0, 3);
        who.user_key = db_get_i64(r, 0, 0, 0);
        who.key_id = db_get_i64(r, 0, 0, 1);
        if (!role || role_parse(role, &who.role) < 0 || !email ||
            str_copy(who.email, sizeof(who.email), email) < 0)
            err = ERR_CORRUPT;
    }
    c.fn.principal(c.user, err, err == 0 ? &who : NULL);
}

void store_on_key(void *user, int err, const struct db_result *r)
{
    on_principal(user, err, r, ERR_BAD_KEY);
}

static void on_user(void *user, int err, const struct db_result *r)
{
    on_principal(user, err, r, ERR_NOT_FOUND);
}

int store_key_lookup(struct db_pool *p, const uint8_t hash[STORE_KEY_HASH_LEN],
                     store_principal_fn fn, void *user)
{
    static const struct db_stmt lookup_key = {
        .name = "lookup_key",
        .sql = "SELECT u.user_key, k.key_id, u.role, u.email, "
               "k.revoked_at IS NOT NULL OR u.revoked_at IS NOT NULL "
               "FROM api_keys k JOIN users u USING (user_key) WHERE k.hash = $1::bytea",
    };
    const struct db_value params[] = {db_bytes(hash, STORE_KEY_HASH_LEN)};
    return store_query(p, &lookup_key, params, ARRAY_SIZE(params), store_on_key,
                       (struct store_call){{.principal = fn}, user});
}

int store_user_lookup(struct db_pool *p, int64_t user_key, store_principal_fn fn, void *user)
{
    static const struct db_stmt lookup_user = {
        .name = "lookup_user",
        .sql = "SELECT user_key, 0::bigint, role, email, revoked_at IS NOT NULL FROM users "
               "WHERE user_key = $1::bigint",
    };
    const struct db_value params[] = {db_i64(user_key)};
    return store_query(p, &lookup_user, params, ARRAY_SIZE(params), on_user,
                       (struct store_call){{.principal = fn}, user});
}

int store_bootstrap_admin(struct db_pool *p, const char *email,
                          const uint8_t hash[STORE_KEY_HASH_LEN], const char *prefix,
                          db_batch_fn fn, void *user)
{
    static const struct db_stmt add_admin = {
        .name = "add_admin",
        .sql = "INSERT INTO users (email, role) VALUES ($1::text, 'admin') "
               "ON CONFLICT (email) DO NOTHING",
    };
    static const struct db_stmt add_key = {
        .name = "add_bootstrap_key",
        .sql = "INSERT INTO api_keys (user_key, hash, prefix, description) "
               "SELECT user_key, $2::bytea, $3::text, 'bootstrap' FROM users "
               "WHERE email = $1::text ON CONFLICT (hash) DO NOTHING",
    };
    const struct db_value params[] = {db_text(email), db_bytes(hash, STORE_KEY_HASH_LEN),
                                      db_text(prefix)};
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    r = db_batch_add(b, &add_admin, params, 1);
    if (r == 0)
        r = db_batch_add(b, &add_key, params, ARRAY_SIZE(params));
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return db_submit(p, b, fn, user);
}

int store_server_key(struct db_pool *p, const char *name, const void *fresh, size_t len,
                     db_batch_fn fn, void *user)
{
    /* The update changes nothing but gives the row back, also one committed a moment ago. */
    static const struct db_stmt server_key = {
        .name = "server_key",
        .sql = "INSERT INTO server_keys (name, value) VALUES ($1::text, $2::bytea) "
               "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING value",
    };
    const struct db_value params[] = {db_text(name), db_bytes(fresh, len)};
    return db_query(p, &server_key, params, ARRAY_SIZE(params), fn, user);
}
