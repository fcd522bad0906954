/* Who was revoked lately: read often, so by two small indexes. */
#include "db/store_api_keys.h"

#include "base/err.h"
#include "db/store.h"

int store_revocation_tell(struct db_batch *b)
{
    static const struct db_stmt tell_revocation = {
        .name = "tell_revocation",
        .sql = "SELECT pg_notify('" STORE_REVOCATIONS_CHANNEL "', '')",
    };
    return db_batch_add(b, &tell_revocation, NULL, 0);
}

/* The first row is the time, the others are those revoked. */
static void on_rows(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    size_t n = err < 0 ? 0 : db_rows(r, 0);
    struct store_revocation *rows CLEANUP_FREE = calloc(n + 1, sizeof(*rows));
    if (err == 0 && !rows)
        err = ERR_NOMEM;
    if (err == 0 && n == 0)
        err = ERR_CORRUPT;
    for (size_t i = 1; err == 0 && i < n; i++)
        rows[i - 1] = (struct store_revocation){db_get_i64(r, 0, i, 0), db_get_i64(r, 0, i, 1)};
    c.fn.revocations(c.user, err, rows, err == 0 ? n - 1 : 0,
                     err == 0 ? db_get_i64(r, 0, 0, 2) : 0);
}

int store_revocations(struct db_pool *p, int64_t since_us, store_revocations_fn fn, void *user)
{
    static const struct db_stmt list_revocations = {
        .name = "list_revocations",
        .sql = "SELECT 0::bigint, 0::bigint, tg_us(now()) UNION ALL "
               "SELECT user_key, 0, 0 FROM users WHERE revoked_at > tg_ts($1::bigint) UNION ALL "
               "SELECT user_key, key_id, 0 FROM api_keys WHERE revoked_at > tg_ts($1::bigint) "
               "ORDER BY 1, 2",
    };
    const struct db_value params[] = {db_i64(since_us)};
    return store_query(p, &list_revocations, params, ARRAY_SIZE(params), on_rows,
                       (struct store_call){{.revocations = fn}, user});
}
