/*
 * log_chunks and log_tail. Both hold chunks of the same executions without overlap; which of them a
 * chunk is in changes only by store_tail_merge, in one transaction.
 */
#include "db/store_logs.h"

#include "base/err.h"
#include "base/log.h"
#include "db/store.h"

#define FETCH_MAX 256     /* chunks of one answer: 16 MiB of lines */
#define PARTITIONS_MAX 64 /* dropped by one call */

/* The guard of rule 2: a COMMIT whose answer was lost, a second writer or a retry matches no row.
 */
#define ADVANCE                                                                                 \
    "WITH moved AS (UPDATE executions SET last_seq = $3::bigint, spool_offset = $8::bigint, "   \
    "log_bytes = log_bytes + $4::bigint WHERE execution_key = $1::bigint AND owner = $6::text " \
    "AND fence = $7::bigint AND last_seq = $2::bigint - 1 RETURNING execution_key) "
#define INSERT_MOVED                                                                            \
    " (execution_key, first_seq, last_seq, raw_bytes, data) SELECT execution_key, $2::bigint, " \
    "$3::bigint, $4::bigint::integer, $5::bytea FROM moved"

static bool fits(uint64_t v)
{
    return v <= INT64_MAX;
}

static bool is_chunk(const struct store_chunk *c)
{
    return c->first_seq > 0 && c->first_seq <= c->last_seq && fits(c->last_seq) &&
           c->raw_bytes <= INT32_MAX && c->data;
}

int store_chunk_add(struct db_batch *b, const struct store_chunk *c, const char *owner,
                    int64_t fence, uint64_t spool_offset, bool small)
{
    static const struct db_stmt add_full = {"add_chunk",
                                            ADVANCE "INSERT INTO log_chunks" INSERT_MOVED};
    static const struct db_stmt add_small = {"add_small_chunk",
                                             ADVANCE "INSERT INTO log_tail" INSERT_MOVED};
    if (!is_chunk(c) || !fits(spool_offset))
        return ERR_INVALID;
    const struct db_value params[] = {
        db_i64(c->execution_key),
        db_i64((int64_t)c->first_seq),
        db_i64((int64_t)c->last_seq),
        db_i64((int64_t)c->raw_bytes),
        db_bytes(c->data, c->data_len),
        db_text(owner),
        db_i64(fence),
        db_i64((int64_t)spool_offset),
    };
    return db_batch_add(b, small ? &add_small : &add_full, params, ARRAY_SIZE(params));
}

int store_offset_add(struct db_batch *b, int64_t key, const char *owner, int64_t fence,
                     uint64_t last_seq, uint64_t spool_offset)
{
    static const struct db_stmt add_offset = {
        .name = "add_offset",
        .sql = "UPDATE executions SET spool_offset = $5::bigint WHERE execution_key = $1::bigint "
               "AND owner = $2::text AND fence = $3::bigint AND last_seq = $4::bigint",
    };
    if (!fits(last_seq) || !fits(spool_offset))
        return ERR_INVALID;
    const struct db_value params[] = {db_i64(key), db_text(owner), db_i64(fence),
                                      db_i64((int64_t)last_seq), db_i64((int64_t)spool_offset)};
    return db_batch_add(b, &add_offset, params, ARRAY_SIZE(params));
}

static int read_chunk(const struct db_result *r, size_t row, struct store_chunk *ret)
{
    ret->execution_key = db_get_i64(r, 0, row, 0);
    ret->first_seq = (uint64_t)db_get_i64(r, 0, row, 1);
    ret->last_seq = (uint64_t)db_get_i64(r, 0, row, 2);
    ret->raw_bytes = (uint32_t)db_get_i64(r, 0, row, 3);
    ret->data = db_get_bytes(r, 0, row, 4, &ret->data_len);
    if (is_chunk(ret))
        return 0;
    log_error("stored chunk cannot be read", "execution_key", LOG_NUM(ret->execution_key),
              "first_seq", LOG_NUM(ret->first_seq));
    return ERR_CORRUPT;
}

static void on_chunks(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    size_t n = err == 0 ? db_rows(r, 0) : 0;
    struct store_chunk *chunks CLEANUP_FREE = n > 0 ? calloc(n, sizeof(*chunks)) : NULL;
    if (n > 0 && !chunks)
        err = ERR_NOMEM;
    for (size_t i = 0; err == 0 && i < n; i++)
        err = read_chunk(r, i, &chunks[i]);
    c.fn.chunks(c.user, err, err == 0 ? chunks : NULL, err == 0 ? n : 0);
}

/*
 * The chunk that holds after + 1 begins at or before it: the primary key gives the last such one,
 * and the scan goes on from there.
 */
#define FETCH_FROM(table)                                                                         \
    "(SELECT execution_key, first_seq, last_seq, raw_bytes, data FROM " table                     \
    " WHERE execution_key = $1::bigint AND first_seq >= coalesce((SELECT b.first_seq FROM " table \
    " b WHERE b.execution_key = $1::bigint AND b.first_seq <= $2::bigint + 1 "                    \
    "ORDER BY b.first_seq DESC LIMIT 1), 0) AND last_seq > $2::bigint "                           \
    "ORDER BY first_seq LIMIT $3::bigint)"

int store_chunks_fetch(struct db_pool *p, int64_t key, uint64_t after, size_t max,
                       store_chunks_fn fn, void *user)
{
    static const struct db_stmt fetch_chunks = {
        .name = "fetch_chunks",
        .sql = FETCH_FROM("log_chunks") " UNION ALL " FETCH_FROM(
            "log_tail") " ORDER BY first_seq LIMIT $3::bigint",
    };
    if (after >= INT64_MAX)
        after = INT64_MAX - 1;
    const struct db_value params[] = {db_i64(key), db_i64((int64_t)after),
                                      db_i64((int64_t)(max < FETCH_MAX ? max : FETCH_MAX))};
    return store_query(p, &fetch_chunks, params, ARRAY_SIZE(params), on_chunks,
                       (struct store_call){{.chunks = fn}, user});
}

#define FETCH_BEFORE(table)                                                   \
    "(SELECT execution_key, first_seq, last_seq, raw_bytes, data FROM " table \
    " WHERE execution_key = $1::bigint AND first_seq < $2::bigint "           \
    "ORDER BY first_seq DESC LIMIT $3::bigint)"

int store_chunks_fetch_before(struct db_pool *p, int64_t key, uint64_t before, size_t max,
                              store_chunks_fn fn, void *user)
{
    static const struct db_stmt fetch_before = {
        .name = "fetch_chunks_before",
        .sql = FETCH_BEFORE("log_chunks") " UNION ALL " FETCH_BEFORE(
            "log_tail") " ORDER BY first_seq DESC LIMIT $3::bigint",
    };
    const struct db_value params[] = {db_i64(key),
                                      db_i64((int64_t)(before < INT64_MAX ? before : INT64_MAX)),
                                      db_i64((int64_t)(max < FETCH_MAX ? max : FETCH_MAX))};
    return store_query(p, &fetch_before, params, ARRAY_SIZE(params), on_chunks,
                       (struct store_call){{.chunks = fn}, user});
}

int store_tail_fetch(struct db_pool *p, int64_t key, size_t max, store_chunks_fn fn, void *user)
{
    static const struct db_stmt fetch_tail = {
        .name = "fetch_tail",
        .sql = "SELECT execution_key, first_seq, last_seq, raw_bytes, data FROM log_tail "
               "WHERE execution_key = $1::bigint ORDER BY first_seq LIMIT $2::bigint",
    };
    const struct db_value params[] = {db_i64(key),
                                      db_i64((int64_t)(max < INT32_MAX ? max : INT32_MAX))};
    return store_query(p, &fetch_tail, params, ARRAY_SIZE(params), on_chunks,
                       (struct store_call){{.chunks = fn}, user});
}

static void on_merged(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err == 0 && db_affected(r, 1) != 1)
        err = ERR_STALE;
    c.fn.batch(c.user, err, r);
}

int store_tail_merge(struct db_pool *p, const struct store_chunk *merged, size_t removed,
                     db_batch_fn fn, void *user)
{
    /* Two gateways that tidy up the same leftovers: the second sees the first one's work, for its
     * next statement takes a new snapshot. */
    static const struct db_stmt lock_tail = {"lock_tail",
                                             "SELECT pg_advisory_xact_lock($1::bigint)"};
    static const struct db_stmt merge_tail = {
        .name = "merge_tail",
        .sql =
            "WITH have AS (SELECT 1 FROM log_tail WHERE execution_key = $1::bigint "
            "AND first_seq BETWEEN $2::bigint AND $3::bigint HAVING count(*) = $6::bigint "
            "AND min(first_seq) = $2::bigint AND max(last_seq) = $3::bigint "
            "AND sum(last_seq - first_seq + 1) = $3::bigint - $2::bigint + 1), "
            "gone AS (DELETE FROM log_tail WHERE execution_key = $1::bigint "
            "AND first_seq BETWEEN $2::bigint AND $3::bigint AND EXISTS (SELECT FROM have)) "
            "INSERT INTO log_chunks (execution_key, first_seq, last_seq, raw_bytes, data) "
            "SELECT $1::bigint, $2::bigint, $3::bigint, $4::bigint::integer, $5::bytea FROM have",
    };
    if (!is_chunk(merged) || removed == 0 || !fits(removed))
        return ERR_INVALID;
    const struct db_value params[] = {
        db_i64(merged->execution_key),
        db_i64((int64_t)merged->first_seq),
        db_i64((int64_t)merged->last_seq),
        db_i64((int64_t)merged->raw_bytes),
        db_bytes(merged->data, merged->data_len),
        db_i64((int64_t)removed),
    };
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    r = db_batch_add(b, &lock_tail, params, 1);
    if (r == 0)
        r = db_batch_add(b, &merge_tail, params, ARRAY_SIZE(params));
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_merged, (struct store_call){{.batch = fn}, user});
}

int store_tail_leftovers(struct db_pool *p, size_t max, db_batch_fn fn, void *user)
{
    static const struct db_stmt leftovers = {
        .name = "leftovers",
        .sql = "SELECT DISTINCT execution_key FROM log_tail t JOIN executions e "
               "USING (execution_key) WHERE e.status NOT IN " STORE_LIVE
               " ORDER BY execution_key LIMIT $1::bigint",
    };
    const struct db_value params[] = {db_i64((int64_t)(max < INT32_MAX ? max : INT32_MAX))};
    return db_query(p, &leftovers, params, ARRAY_SIZE(params), fn, user);
}

int store_tail_vacuum(struct db_pool *p, db_batch_fn fn, void *user)
{
    /* PostgreSQL lets it into a pipeline as the only statement before its Sync. */
    static const struct db_stmt vacuum = {"vacuum_tail", "VACUUM log_tail"};
    return db_query(p, &vacuum, NULL, 0, fn, user);
}

int store_tail_size(struct db_pool *p, db_batch_fn fn, void *user)
{
    static const struct db_stmt size = {
        .name = "tail_size",
        .sql = "SELECT pg_relation_size(oid) + pg_relation_size(reltoastrelid), "
               "pg_indexes_size(oid) + pg_indexes_size(reltoastrelid) "
               "FROM pg_class WHERE oid = 'log_tail'::regclass",
    };
    return db_query(p, &size, NULL, 0, fn, user);
}

int store_tail_reindex(struct db_pool *p, db_batch_fn fn, void *user)
{
    /* Whoever comes after one that waits for a lock waits as well. */
    static const struct db_stmt patience = {"short_lock_timeout",
                                            "SELECT set_config('lock_timeout', '50', true)"};
    static const struct db_stmt reindex = {"reindex_tail", "REINDEX TABLE log_tail"};
    struct db_batch *b;
    int r = db_batch_of(&patience, NULL, 0, &b);
    if (r < 0)
        return r;
    r = db_batch_add(b, &reindex, NULL, 0);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return db_submit(p, b, fn, user);
}

int store_partitions_ensure(struct db_pool *p, int64_t day, int days, db_batch_fn fn, void *user)
{
    static const struct db_stmt ensure = {
        .name = "ensure_partitions",
        .sql = "SELECT count(*) FILTER (WHERE tg_ensure_partition(d)) "
               "FROM generate_series($1::bigint, $2::bigint) AS d",
    };
    if (days < 1 || days > PARTITIONS_MAX || day < 0 || day > INT32_MAX - PARTITIONS_MAX)
        return ERR_INVALID;
    const struct db_value params[] = {db_i64(day), db_i64(day + days - 1)};
    return db_query(p, &ensure, params, ARRAY_SIZE(params), fn, user);
}

int store_partitions_drop(struct db_pool *p, int64_t before_day, db_batch_fn fn, void *user)
{
    static const struct db_stmt drop = {"drop_partitions",
                                        "SELECT tg_drop_partitions($1::bigint, $2::bigint)"};
    const struct db_value params[] = {db_i64(before_day), db_i64(PARTITIONS_MAX)};
    return db_query(p, &drop, params, ARRAY_SIZE(params), fn, user);
}
