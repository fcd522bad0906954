/* tickets: one statement makes one, one statement takes it away. */
#include "db/store_tickets.h"

#include "base/err.h"
#include "db/store.h"

static void on_made(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err == 0 && db_rows(r, 0) == 0)
        err = ERR_CORRUPT; /* an insert that succeeds returns its row */
    c.fn.ticket(c.user, err, err == 0 ? db_get_i64(r, 0, 0, 0) : 0);
}

int store_ticket_make(struct db_pool *p, const uint8_t hash[STORE_KEY_HASH_LEN], int64_t key_id,
                      int64_t ttl_ms, store_ticket_fn fn, void *user)
{
    /* Rows that another gateway removes at this moment are passed over: nobody waits. */
    static const struct db_stmt make_ticket = {
        .name = "make_ticket",
        .sql = "WITH swept AS (DELETE FROM tickets WHERE hash IN ("
               "SELECT hash FROM tickets WHERE expires_at <= now() ORDER BY expires_at "
               "LIMIT $4::bigint FOR UPDATE SKIP LOCKED)) "
               "INSERT INTO tickets (hash, key_id, expires_at) VALUES ($1::bytea, $2::bigint, "
               "now() + $3::bigint * interval '1 millisecond') RETURNING tg_us(expires_at)",
    };
    const struct db_value params[] = {db_bytes(hash, STORE_KEY_HASH_LEN), db_i64(key_id),
                                      db_i64(ttl_ms), db_i64(STORE_TICKETS_SWEPT)};
    return store_query(p, &make_ticket, params, ARRAY_SIZE(params), on_made,
                       (struct store_call){{.ticket = fn}, user});
}

int store_ticket_redeem(struct db_pool *p, const uint8_t hash[STORE_KEY_HASH_LEN],
                        store_principal_fn fn, void *user)
{
    /* Of two that redeem at once the second waits for the first one's row and finds it gone. */
    static const struct db_stmt redeem_ticket = {
        .name = "redeem_ticket",
        .sql = "DELETE FROM tickets t USING api_keys k, users u "
               "WHERE t.hash = $1::bytea AND t.expires_at > now() AND k.key_id = t.key_id "
               "AND k.revoked_at IS NULL AND u.user_key = k.user_key AND u.revoked_at IS NULL "
               "RETURNING u.user_key, k.key_id, u.role, u.email, false",
    };
    const struct db_value params[] = {db_bytes(hash, STORE_KEY_HASH_LEN)};
    return store_query(p, &redeem_ticket, params, ARRAY_SIZE(params), store_on_key,
                       (struct store_call){{.principal = fn}, user});
}
