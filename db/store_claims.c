/* claims: used once. */
#include "base/err.h"
#include "db/store.h"

static void on_used(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    const char *email = err == 0 && db_rows(r, 0) > 0 ? db_get_text(r, 0, 0, 0) : NULL;
    /* Why not: the second statement sees what the first one left. */
    if (err == 0 && !email)
        err = db_rows(r, 1) == 0            ? ERR_NOT_FOUND
              : db_get_i64(r, 1, 0, 0) != 0 ? ERR_CONFLICT
              : db_get_i64(r, 1, 0, 1) != 0 ? ERR_TIMEOUT
                                            : ERR_NOT_FOUND;
    c.fn.claim(c.user, err, email);
}

/* Of two at once the second waits for the first one's row and finds it viewed. Who comes with a
 * token that was used is told of as well: it was perhaps not its owner who was first. */
static const struct db_stmt use_claim = {
    .name = "use_claim",
    .sql = "WITH taken AS (UPDATE claims c SET viewed_at = now(), viewed_from = $3::text "
           "FROM users u WHERE c.hash = $8::bytea AND c.viewed_at IS NULL "
           "AND c.expires_at > now() AND u.user_key = c.user_key AND u.revoked_at IS NULL "
           "RETURNING u.user_key, u.email), "
           "made AS (INSERT INTO api_keys (user_key, hash, prefix, description) "
           "SELECT user_key, $9::bytea, $10::text, 'claimed' FROM taken), "
           "told AS (" STORE_AUDIT_INSERT(
               "$6::text || email",
               "$7::text") " FROM taken), "
                           "refused AS (" STORE_AUDIT_INSERT(
                               "$6::text || u.email",
                               "'CONFLICT'") " FROM claims c "
                                             "JOIN users u USING (user_key) WHERE c.hash = "
                                             "$8::bytea AND c.viewed_at IS NOT NULL) "
                                             "SELECT email FROM taken",
};

static const struct db_stmt explain_claim = {
    .name = "explain_claim",
    .sql = "SELECT viewed_at IS NOT NULL, expires_at <= now() FROM claims WHERE hash = $1::bytea",
};

int store_claim_use(struct db_pool *p, const struct store_claim *claim, const struct store_audit *a,
                    store_claim_fn fn, void *user)
{
    struct db_value params[STORE_AUDIT_PARAMS + 3];
    store_audit_values(a, params);
    params[STORE_AUDIT_PARAMS] = db_bytes(claim->claim_hash, STORE_KEY_HASH_LEN);
    params[STORE_AUDIT_PARAMS + 1] = db_bytes(claim->key_hash, STORE_KEY_HASH_LEN);
    params[STORE_AUDIT_PARAMS + 2] = db_text(claim->key_prefix);
    struct db_batch *b;
    int r = db_batch_of(&use_claim, params, ARRAY_SIZE(params), &b);
    if (r < 0)
        return r;
    r = db_batch_add(b, &explain_claim, params + STORE_AUDIT_PARAMS, 1);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_used, (struct store_call){{.claim = fn}, user});
}
