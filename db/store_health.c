/* The queries of a reconcile. Whole tables are read through their indexes, as far as a limit. */
#include "db/store_health.h"

#include "db/store.h"

static int submit(struct db_pool *p, const struct db_stmt *stmts, size_t n,
                  const struct db_value *params, const size_t *counts, db_batch_fn fn, void *user)
{
    struct db_batch *b;
    int r = db_batch_new(&b);
    for (size_t i = 0; i < n && r == 0; i++)
        r = db_batch_add(b, &stmts[i], params, counts ? counts[i] : 1);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return db_submit(p, b, fn, user);
}

int store_health_compute(struct db_pool *p, const char *gateway_id, int64_t settle_ms,
                         db_batch_fn fn, void *user)
{
    static const struct db_stmt stmts[] = {
        {.name = "health_images",
         .sql = "SELECT image_id, image FROM images ORDER BY image_id LIMIT $1::bigint"},
        {.name = "health_live",
         .sql = "SELECT execution_id FROM executions WHERE status IN " STORE_LIVE
                " AND owner = $2::text AND home = '' AND status <> 'PENDING' "
                "AND created_at < now() - $3::bigint * interval '1 millisecond' "
                "ORDER BY execution_key LIMIT $1::bigint"},
    };
    const struct db_value params[] = {db_i64(STORE_HEALTH_ROWS), db_text(gateway_id),
                                      db_i64(settle_ms)};
    static const size_t counts[] = {1, 3};
    return submit(p, stmts, ARRAY_SIZE(stmts), params, counts, fn, user);
}

int store_health_known(struct db_pool *p, const char *ids, db_batch_fn fn, void *user)
{
    static const struct db_stmt stmts[] = {
        {.name = "health_known_live",
         .sql = "SELECT execution_id FROM executions WHERE execution_id = "
                "ANY(string_to_array($1::text, ',')) AND status IN " STORE_LIVE},
        {.name = "health_known_ended",
         .sql = "SELECT execution_id FROM executions WHERE execution_id = "
                "ANY(string_to_array($1::text, ',')) AND status NOT IN " STORE_LIVE},
    };
    const struct db_value params[] = {db_text(ids)};
    return submit(p, stmts, ARRAY_SIZE(stmts), params, NULL, fn, user);
}

int store_health_secrets(struct db_pool *p, const char *after, db_batch_fn fn, void *user)
{
    static const struct db_stmt page = {
        .name = "health_secrets",
        .sql = "SELECT name, key_id, sealed, key_name FROM secrets WHERE name > $1::text "
               "ORDER BY name LIMIT $2::bigint",
    };
    const struct db_value params[] = {db_text(after), db_i64(STORE_HEALTH_SECRETS)};
    return db_query(p, &page, params, ARRAY_SIZE(params), fn, user);
}

int store_health_sweep(struct db_pool *p, db_batch_fn fn, void *user)
{
    static const struct db_stmt stmts[STORE_HEALTH_SWEEPS] = {
        {.name = "health_sweep_environments",
         .sql = "DELETE FROM execution_environments WHERE execution_key IN ("
                "SELECT v.execution_key FROM execution_environments v WHERE NOT EXISTS ("
                "SELECT FROM executions e WHERE e.execution_key = v.execution_key "
                "AND e.status IN " STORE_LIVE ") LIMIT $1::bigint) "
                "RETURNING 'environment/' || execution_key"},
        {.name = "health_sweep_tickets",
         .sql = "DELETE FROM tickets WHERE hash IN (SELECT t.hash FROM tickets t WHERE NOT EXISTS ("
                "SELECT FROM api_keys k JOIN users u USING (user_key) WHERE k.key_id = t.key_id "
                "AND k.revoked_at IS NULL AND u.revoked_at IS NULL) LIMIT $1::bigint) "
                "RETURNING 'ticket/' || left(encode(hash, 'hex'), 8)"},
        {.name = "health_sweep_idempotency_keys",
         .sql = "DELETE FROM idempotency_keys WHERE (user_key, key) IN (SELECT i.user_key, i.key "
                "FROM idempotency_keys i WHERE NOT EXISTS (SELECT FROM executions e "
                "WHERE e.execution_key = i.execution_key) LIMIT $1::bigint) "
                "RETURNING 'idempotency-key/' || left(key, 64)"},
    };
    const struct db_value params[] = {db_i64(STORE_HEALTH_ROWS)};
    return submit(p, stmts, ARRAY_SIZE(stmts), params, NULL, fn, user);
}

/* What our statements need, and no more. */
#define RIGHTS                                                                                 \
    "(VALUES ('server_keys', 'SELECT,INSERT'), ('users', 'SELECT,INSERT,UPDATE'), "            \
    "('api_keys', 'SELECT,INSERT,UPDATE'), ('gateways', 'SELECT,INSERT,UPDATE'), "             \
    "('executions', 'SELECT,INSERT,UPDATE'), ('execution_events', 'SELECT,INSERT'), "          \
    "('log_chunks', 'SELECT,INSERT'), ('log_tail', 'SELECT,INSERT,DELETE'), "                  \
    "('tickets', 'SELECT,INSERT,DELETE'), ('audit', 'SELECT,INSERT'), "                        \
    "('trace_records', 'SELECT,INSERT,DELETE'), ('images', 'SELECT,INSERT,UPDATE,DELETE'), "   \
    "('secrets', 'SELECT,INSERT,UPDATE,DELETE'), ('retired_keys', 'SELECT,INSERT'), "          \
    "('claims', 'SELECT,INSERT,UPDATE'), ('execution_environments', 'SELECT,INSERT,DELETE'), " \
    "('idempotency_keys', 'SELECT,INSERT,UPDATE,DELETE')) AS t (name, wanted), "               \
    "LATERAL string_to_table(t.wanted, ',') AS w (one)"

int store_health_rights(struct db_pool *p, db_batch_fn fn, void *user)
{
    static const struct db_stmt stmts[] = {
        {.name = "health_rights",
         .sql = "SELECT t.name, w.one FROM " RIGHTS " WHERE to_regclass(t.name) IS NULL OR "
                "NOT has_table_privilege(to_regclass(t.name), w.one) UNION ALL "
                "SELECT 'schema ' || current_schema(), 'CREATE' WHERE "
                "NOT has_schema_privilege(current_schema(), 'CREATE') UNION ALL "
                /* a day's partition is attached by the parent's owner only */
                "SELECT 'log_chunks', 'OWNER' FROM pg_class WHERE oid = to_regclass('log_chunks') "
                "AND NOT pg_has_role(relowner, 'USAGE') UNION ALL "
                "SELECT 'execution_n', 'USAGE' WHERE to_regclass('execution_n') IS NULL OR "
                "NOT has_sequence_privilege(to_regclass('execution_n'), 'USAGE') "
                "LIMIT $1::bigint"},
        {.name = "health_rights_count",
         .sql = "SELECT count(*) + 3 FROM " RIGHTS " WHERE $1::bigint > 0"},
    };
    const struct db_value params[] = {db_i64(STORE_HEALTH_ROWS)};
    return submit(p, stmts, ARRAY_SIZE(stmts), params, NULL, fn, user);
}

/* Who owns executions: one step of the index an owner, however many executions there are. */
#define OWNERS                                                                              \
    "owners AS ((SELECT created_by FROM executions ORDER BY created_by LIMIT 1) UNION ALL " \
    "SELECT (SELECT e.created_by FROM executions e WHERE e.created_by > o.created_by "      \
    "ORDER BY e.created_by LIMIT 1) FROM owners o WHERE o.created_by IS NOT NULL)"
/* An owner that is no user; the empty one is told apart. */
#define NOBODY(owner) "NOT EXISTS (SELECT FROM users u WHERE u.email = " owner ")"
#define OWNED(type, name, table)                                                       \
    "(SELECT CASE created_by WHEN '' THEN 'missing_owner' ELSE 'orphaned_owner' END, " \
    "'" type "/' || " name ", created_by FROM " table                                  \
    " WHERE " NOBODY("created_by") " LIMIT $1::bigint)"

int store_health_owners(struct db_pool *p, db_batch_fn fn, void *user)
{
    static const struct db_stmt stmts[] = {
        {.name = "health_owners",
         .sql = "WITH RECURSIVE " OWNERS
                "(SELECT CASE role WHEN '' THEN 'missing_role' ELSE 'invalid_role' END, email, "
                "role FROM users WHERE role NOT IN ('admin', 'operator', 'developer', "
                "'viewer') "
                "LIMIT $1::bigint) UNION ALL "
                "(SELECT CASE o.created_by WHEN '' THEN 'missing_owner' ELSE 'orphaned_owner' "
                "END, "
                "'execution/' || (SELECT e.execution_id FROM executions e WHERE e.created_by = "
                "o.created_by ORDER BY e.execution_key DESC LIMIT 1), o.created_by FROM owners "
                "o "
                "WHERE o.created_by IS NOT NULL AND " NOBODY(
                    "o.created_by") " LIMIT "
                                    "$1::bigint) "
                                    "UNION ALL " OWNED(
                                        "secret", "name",
                                        "secrets") " UNION ALL " OWNED("image", "image_id",
                                                                       "images") " UN"
                                                                                 "ION"
                                                                                 " AL"
                                                                                 "L "
                                                                                 "(SE"
                                                                                 "LEC"
                                                                                 "T "
                                                                                 "'or"
                                                                                 "pha"
                                                                                 "ned"
                                                                                 "_ow"
                                                                                 "ner"
                                                                                 "', "
                                                                                 "'ap"
                                                                                 "i-"
                                                                                 "key"
                                                                                 "/' "
                                                                                 "|| "
                                                                                 "k."
                                                                                 "key"
                                                                                 "_id"
                                                                                 ", "
                                                                                 "'us"
                                                                                 "er "
                                                                                 "' "
                                                                                 "|| "
                                                                                 "k."
                                                                                 "use"
                                                                                 "r_"
                                                                                 "key"
                                                                                 " "
                                                                                 "FRO"
                                                                                 "M "
                                                                                 "api"
                                                                                 "_ke"
                                                                                 "ys "
                                                                                 "k "
                                                                                 "WHE"
                                                                                 "RE "
                                                                                 "NOT"
                                                                                 " EX"
                                                                                 "IST"
                                                                                 "S "
                                                                                 "(SE"
                                                                                 "LEC"
                                                                                 "T "
                                                                                 "FRO"
                                                                                 "M "
                                                                                 "use"
                                                                                 "rs "
                                                                                 "u "
                                                                                 "WHE"
                                                                                 "RE "
                                                                                 "u."
                                                                                 "use"
                                                                                 "r_"
                                                                                 "key"
                                                                                 " = "
                                                                                 "k."
                                                                                 "use"
                                                                                 "r_"
                                                                                 "key"
                                                                                 ") "
                                                                                 "LIM"
                                                                                 "IT "
                                                                                 "$1:"
                                                                                 ":bi"
                                                                                 "gin"
                                                                                 "t"
                                                                                 ")"},
        {.name = "health_owned",
         .sql = "SELECT (SELECT count(*) FROM (SELECT FROM users LIMIT $1::bigint) c), "
                "(SELECT count(*) FROM (SELECT FROM executions LIMIT $1::bigint) c) + "
                "(SELECT count(*) FROM (SELECT FROM secrets LIMIT $1::bigint) c) + "
                "(SELECT count(*) FROM (SELECT FROM images LIMIT $1::bigint) c) + "
                "(SELECT count(*) FROM (SELECT FROM api_keys LIMIT $1::bigint) c)"},
    };
    const struct db_value rows[] = {db_i64(STORE_HEALTH_ROWS)};
    const struct db_value count[] = {db_i64(STORE_HEALTH_COUNT)};
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r == 0)
        r = db_batch_add(b, &stmts[0], rows, 1);
    if (r == 0)
        r = db_batch_add(b, &stmts[1], count, 1);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return db_submit(p, b, fn, user);
}
