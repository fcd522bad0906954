/* gateways: leases, and executions whose owner's ran out (store_gateways.h). */
#include "db/store_gateways.h"

#include "base/err.h"
#include "db/store.h"

int store_gateway_renew(struct db_pool *p, const struct store_gateway *g, bool begins,
                        db_batch_fn fn, void *user)
{
    /* A lease that had run out begins anew: whoever let it lapse was away. */
    static const struct db_stmt renew = {
        .name = "renew_lease",
        .sql = "INSERT INTO gateways AS g (gateway_id, host, state_dir, engine, lease_ms) "
               "VALUES ($1::text, $2::text, $3::text, $4::text, $5::bigint) "
               "ON CONFLICT (gateway_id) DO UPDATE SET host = excluded.host, "
               "state_dir = excluded.state_dir, engine = excluded.engine, "
               "lease_ms = excluded.lease_ms, heartbeat_at = now(), "
               "started_at = CASE WHEN $6::boolean THEN now() ELSE g.started_at END, "
               "up_since = CASE WHEN $6::boolean OR "
               "g.heartbeat_at + g.lease_ms * interval '1 millisecond' <= now() "
               "THEN now() ELSE g.up_since END",
    };
    const struct db_value params[] = {
        db_text(g->gateway_id), db_text(g->host),    db_text(g->state_dir),
        db_text(g->engine),     db_i64(g->lease_ms), db_bool(begins),
    };
    return db_query(p, &renew, params, ARRAY_SIZE(params), fn, user);
}

/* `me` may presume gateway `g` gone. */
#define IS_GONE                                                                        \
    "me.heartbeat_at + me.lease_ms * interval '1 millisecond' > now() AND "            \
    "me.up_since + me.lease_ms * interval '1 millisecond' <= now() AND "               \
    "pg_postmaster_start_time() + g.lease_ms * interval '1 millisecond' <= now() AND " \
    "g.heartbeat_at + g.lease_ms * interval '1 millisecond' <= now()"

static void on_strays(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    size_t n = err == 0 ? db_rows(r, 0) : 0;
    struct store_stray *rows CLEANUP_FREE = n > 0 ? calloc(n, sizeof(*rows)) : NULL;
    if (n > 0 && !rows)
        err = ERR_NOMEM;
    for (size_t i = 0; err == 0 && i < n; i++) {
        rows[i] = (struct store_stray){
            .owner = db_get_text(r, 0, i, 0),
            .lapsed_ms = db_get_i64(r, 0, i, 1),
            .home = {.gateway_id = db_get_text(r, 0, i, 2),
                     .host = db_get_text(r, 0, i, 3),
                     .state_dir = db_get_text(r, 0, i, 4),
                     .engine = db_get_text(r, 0, i, 5),
                     .lease_ms = db_get_i64(r, 0, i, 6)},
        };
    }
    c.fn.strays(c.user, err, err == 0 ? rows : NULL, err == 0 ? n : 0);
}

int store_strays(struct db_pool *p, const char *self, bool with_own, store_strays_fn fn, void *user)
{
    static const struct db_stmt strays = {
        .name = "strays",
        .sql = "SELECT s.owner, s.lapsed_ms, h.gateway_id, h.host, h.state_dir, h.engine, "
               "h.lease_ms FROM (SELECT g.gateway_id AS owner, g.heartbeat_at, "
               "(extract(epoch FROM now() - g.heartbeat_at) * 1000)::bigint - g.lease_ms "
               "AS lapsed_ms, coalesce(nullif(e.home, ''), e.owner) AS home "
               "FROM gateways me JOIN gateways g ON g.gateway_id <> me.gateway_id AND " IS_GONE " "
               "JOIN executions e ON e.owner = g.gateway_id AND e.status IN " STORE_LIVE " "
               "WHERE me.gateway_id = $1::text GROUP BY 1, 2, 3, 4 "
               "UNION SELECT e.owner, now(), 0, e.home FROM executions e "
               "WHERE $2::boolean AND e.owner = $1::text AND e.status IN " STORE_LIVE " "
               "AND e.home NOT IN ('', $1::text)) s JOIN gateways h ON h.gateway_id = s.home "
               "ORDER BY s.heartbeat_at, s.home LIMIT $3::bigint",
    };
    const struct db_value params[] = {db_text(self), db_bool(with_own), db_i64(STORE_STRAYS_MAX)};
    return store_query(p, &strays, params, ARRAY_SIZE(params), on_strays,
                       (struct store_call){{.strays = fn}, user});
}

int store_strays_take(struct db_pool *p, const char *self, const char *owner, const char *home,
                      store_launches_fn fn, void *user)
{
    /* The lock: a renewal comes before, and this finds the lease held, or it waits until all are
     * taken. */
    static const struct db_stmt take = {
        .name = "take_strays",
        .sql = "WITH gone AS (SELECT g.gateway_id FROM gateways g, gateways me "
               "WHERE g.gateway_id = $2::text AND me.gateway_id = $1::text "
               "AND g.gateway_id <> me.gateway_id AND " IS_GONE " FOR UPDATE OF g), "
               "taken AS (UPDATE executions SET owner = $1::text, fence = fence + 1, "
               "home = $3::text FROM gone WHERE owner = gone.gateway_id "
               "AND coalesce(nullif(home, ''), owner) = $3::text "
               "AND status IN " STORE_LIVE " RETURNING " STORE_EXECUTION_COLUMNS
               ") " STORE_WITH_SEALED("taken") " ORDER BY taken.execution_key",
    };
    const struct db_value params[] = {db_text(self), db_text(owner), db_text(home)};
    return store_query(p, &take, params, ARRAY_SIZE(params), store_on_launches,
                       (struct store_call){{.launches = fn}, user});
}

int store_strays_own(struct db_pool *p, const char *self, const char *home, store_launches_fn fn,
                     void *user)
{
    static const struct db_stmt own = {
        .name = "own_strays",
        .sql = "WITH taken AS (SELECT " STORE_EXECUTION_COLUMNS " FROM executions "
               "WHERE owner = $1::text AND home = $2::text AND status IN " STORE_LIVE
               ") " STORE_WITH_SEALED("taken") " ORDER BY taken.execution_key",
    };
    const struct db_value params[] = {db_text(self), db_text(home)};
    return store_query(p, &own, params, ARRAY_SIZE(params), store_on_launches,
                       (struct store_call){{.launches = fn}, user});
}
