/* How executions begin (store_runs.h). Rows given to callbacks borrow from libpq's answer. */
#include "db/store_runs.h"

#include "base/err.h"
#include "base/str.h"
#include "db/store.h"
#include "db/store_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* As in the predicate of the index executions_running. */
#define KEY_REPLACED "TG001" /* tg_key_is_in_use */
#define RUNNING "('STARTING', 'RUNNING', 'TERMINATING')"

/* now() is the transaction's: all its statements speak of the same day. */
static const struct db_stmt ensure_today = {
    .name = "ensure_today",
    .sql = "SELECT tg_ensure_partition(tg_day(now()))",
};
/* Held until the commit. A statement of its own: the next one then sees what was committed before.
 * The first number is tg_ensure_partition's plus one. */
static const struct db_stmt lock_runs = {
    .name = "lock_runs",
    .sql = "SELECT pg_advisory_xact_lock(1952541805, 0)",
};
/* An image is not removed until the row that uses it is there to be seen. */
static const struct db_stmt share_images = {
    .name = "share_images",
    .sql = "SELECT pg_advisory_xact_lock_shared(" STORE_IMAGES_LOCK ")",
};
/* Rows that another gateway removes at this moment are passed over: nobody waits. The one that is
 * about to be written is removed in any case when it is old. */
static const struct db_stmt sweep_idempotency = {
    .name = "sweep_idempotency",
    .sql = "WITH old AS (SELECT user_key, key FROM idempotency_keys "
           "WHERE noted_at <= now() - $3::bigint * interval '1 millisecond' "
           "ORDER BY noted_at LIMIT $4::bigint FOR UPDATE SKIP LOCKED), "
           "swept AS (DELETE FROM idempotency_keys i USING old "
           "WHERE i.user_key = old.user_key AND i.key = old.key "
           "AND NOT (i.user_key = $1::bigint AND i.key = $2::text)) "
           "DELETE FROM idempotency_keys WHERE user_key = $1::bigint AND key = $2::text "
           "AND noted_at <= now() - $3::bigint * interval '1 millisecond'",
};

/* 1–7 the audit's · 8 random · 9 command · 10 image · 11 timeout · 12 grace · 13 tty · 14 owner ·
 * 15 key id · 16 sealed · 17 user · 18 idempotency key · 19 hash · 20 the image, when it is a
 * registered one */
#define IMAGE_IS_THERE \
    "($20::text IS NULL OR EXISTS (SELECT FROM images WHERE images.image_id = $20::text))"
#define INSERT_ALL                                                                                 \
    "added AS (INSERT INTO executions (execution_key, execution_id, status, command, image_id, "   \
    "created_by, created_at, timeout_s, grace_s, tty, owner, created_by_request_id, "              \
    "modified_by_request_id) "                                                                     \
    "SELECT key, lpad(to_hex(key), 16, '0') || $8::text, status, $9::text, $10::text, $1::text, "  \
    "now(), $11::bigint, $12::bigint, $13::boolean, "                                              \
    "CASE WHEN status = 'PENDING' THEN '' ELSE $14::text END, $4::text, $4::text "                 \
    "FROM k RETURNING " STORE_EXECUTION_COLUMNS "), "                                              \
    "event AS (INSERT INTO execution_events (execution_key, version, to_status, at, cause, "       \
    "request_id) SELECT execution_key, version, status, now(), 'accepted', $4::text FROM added), " \
    "kept AS (INSERT INTO execution_environments (execution_key, key_id, sealed) "                 \
    "SELECT execution_key, $15::text, $16::bytea FROM added WHERE $15::text IS NOT NULL), "        \
    "named AS (INSERT INTO idempotency_keys (user_key, key, body_hash, execution_key) "            \
    "SELECT $17::bigint, $18::text, $19::bytea, execution_key FROM added "                         \
    "WHERE $18::text IS NOT NULL), "                                                               \
    "told AS (" STORE_AUDIT_INSERT("$6::text || execution_id", "$7::text") " FROM added) "
#define INSERT_PARAMS 20

static const struct db_stmt insert_execution = {
    .name = "insert_execution",
    .sql = "WITH k AS (SELECT tg_day(now()) << 32 | nextval('execution_n') AS key, "
           "'STARTING' AS status WHERE " IMAGE_IS_THERE "), " INSERT_ALL
           "SELECT added.*, 4::bigint FROM (SELECT) one LEFT JOIN added ON true",
};

/* 21 running · 22 running per user · 23 queue · 24 no room here. What may start but for those that
 * wait already goes behind them. The number behind the row is enum store_refusal. */
static const struct db_stmt insert_limited = {
    .name = "insert_limited",
    .sql =
        "WITH now_running AS (SELECT created_by, count(*) AS n FROM executions "
        "WHERE status IN " RUNNING " GROUP BY created_by), "
        "waiting AS (SELECT w.created_by, count(*) AS n, coalesce(max(r.n), 0) AS running "
        "FROM executions w LEFT JOIN now_running r USING (created_by) "
        "WHERE w.status = 'PENDING' GROUP BY w.created_by), "
        "f AS (SELECT "
        "$21::bigint > 0 AND (SELECT coalesce(sum(n), 0) FROM now_running) >= $21::bigint "
        "AS is_full, "
        "$22::bigint > 0 AND coalesce((SELECT n FROM now_running WHERE created_by = $1::text), "
        "0) >= $22::bigint AS user_is_full, "
        "(SELECT coalesce(sum(n), 0) FROM waiting) >= $23::bigint AS queue_is_full, "
        "EXISTS (SELECT FROM waiting WHERE $22::bigint = 0 OR running < $22::bigint) "
        "AS others_are_first, " IMAGE_IS_THERE " AS has_image), "
        "d AS (SELECT CASE WHEN NOT has_image THEN NULL WHEN NOT is_full AND NOT user_is_full "
        "AND NOT others_are_first AND NOT $24::boolean THEN 'STARTING' WHEN NOT queue_is_full THEN "
        "'PENDING' END "
        "AS status, CASE WHEN NOT has_image THEN 4 WHEN $23::bigint > 0 THEN 3 WHEN is_full THEN 1 "
        "ELSE 2 END::bigint "
        "AS refusal FROM f), "
        "k AS (SELECT tg_day(now()) << 32 | nextval('execution_n') AS key, status FROM d "
        "WHERE status IS NOT NULL), " INSERT_ALL
        "SELECT added.*, d.refusal FROM d LEFT JOIN added ON true",
};
#define LIMIT_PARAMS 4

static void on_created(void *user, int err, const struct db_result *r, size_t stmt)
{
    struct store_call c = store_call_take(user);
    struct execution e;
    enum store_refusal refusal = STORE_REFUSED_NOT;
    if (err == ERR_DB && r && str_eq(db_sqlstate(r), KEY_REPLACED))
        err = ERR_STALE;
    if (err == 0 && db_rows(r, stmt) == 0)
        err = ERR_CORRUPT;
    bool is_refused = err == 0 && db_is_null(r, stmt, 0, 0);
    if (is_refused)
        refusal = (enum store_refusal)db_get_i64(r, stmt, 0, STORE_EXECUTION_COLUMN_COUNT);
    else if (err == 0)
        err = store_read_execution(r, stmt, 0, &e);
    c.fn.created(c.user, err, err == 0 && !is_refused ? &e : NULL, refusal);
}

/* The insert is the batch's last statement; what stands before it differs. */
static void on_created_1(void *user, int err, const struct db_result *r)
{
    on_created(user, err, r, 1);
}

static void on_created_2(void *user, int err, const struct db_result *r)
{
    on_created(user, err, r, 2);
}

static void on_created_3(void *user, int err, const struct db_result *r)
{
    on_created(user, err, r, 3);
}

static void on_created_4(void *user, int err, const struct db_result *r)
{
    on_created(user, err, r, 4);
}

static int add_sweep(struct db_batch *b, const struct store_new_execution *n)
{
    const struct db_value params[] = {
        db_i64(n->by.who->user_key),
        db_text(n->idempotency.key),
        db_i64(n->idempotency.retention_ms),
        db_i64(STORE_IDEMPOTENCY_SWEPT),
    };
    return db_batch_add(b, &sweep_idempotency, params, ARRAY_SIZE(params));
}

static int add_insert(struct db_batch *b, const struct store_new_execution *n, bool is_limited)
{
    char random[17];
    struct db_value params[INSERT_PARAMS + LIMIT_PARAMS];
    const struct store_audit audit = {
        .by = n->by, .action = "executions.create", .resource = "execution/", .result = "ok"};
    (void)snprintf(random, sizeof(random), "%016" PRIx64, n->random);
    store_audit_values(&audit, params);
    const struct db_value rest[] = {
        db_text(random),
        db_text(n->command),
        db_text(n->image_id),
        db_i64(n->timeout_s),
        db_i64(n->grace_s),
        db_bool(n->tty),
        db_text(n->owner),
        db_text(n->seal_key_id),
        n->seal_key_id ? db_bytes(n->sealed, n->sealed_len) : db_null(),
        db_i64(n->by.who->user_key),
        db_text(n->idempotency.key),
        db_bytes(n->idempotency.body_hash, STORE_BODY_HASH_LEN),
        n->is_registered_image ? db_text(n->image_id) : db_null(),
        db_i64(n->limits.running),
        db_i64(n->limits.running_per_user),
        db_i64(n->queue_max),
        db_bool(n->has_no_room),
    };
    memcpy(params + STORE_AUDIT_PARAMS, rest, sizeof(rest));
    return is_limited ? db_batch_add(b, &insert_limited, params, INSERT_PARAMS + LIMIT_PARAMS)
                      : db_batch_add(b, &insert_execution, params, INSERT_PARAMS);
}

int store_execution_create(struct db_pool *p, const struct store_new_execution *n,
                           store_created_fn fn, void *user)
{
    static const db_batch_fn handlers[] = {on_created_1, on_created_2, on_created_3, on_created_4};
    bool is_limited = n->limits.running > 0 || n->limits.running_per_user > 0 || n->queue_max > 0;
    bool is_named = n->idempotency.key != NULL;
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    r = db_batch_add(b, &ensure_today, NULL, 0);
    if (r == 0 && is_named)
        r = add_sweep(b, n);
    if (r == 0 && is_limited)
        r = db_batch_add(b, &lock_runs, NULL, 0);
    if (r == 0 && n->is_registered_image)
        r = db_batch_add(b, &share_images, NULL, 0);
    if (r == 0)
        r = add_insert(b, n, is_limited);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, handlers[is_named + is_limited + n->is_registered_image],
                        (struct store_call){{.created = fn}, user});
}

/* ---- idempotency ---- */

static void on_earlier(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    struct execution e;
    if (err == 0 && db_rows(r, 0) == 0)
        err = ERR_NOT_FOUND;
    if (err == 0)
        err = store_read_execution(r, 0, 0, &e);
    bool is_same = err == 0 && db_get_i64(r, 0, 0, STORE_EXECUTION_COLUMN_COUNT) != 0;
    c.fn.earlier(c.user, err, err == 0 ? &e : NULL, is_same);
}

int store_execution_earlier(struct db_pool *p, int64_t user_key, const struct store_idempotency *i,
                            store_earlier_fn fn, void *user)
{
    static const struct db_stmt earlier_execution = {
        .name = "earlier_execution",
        .sql = "SELECT " STORE_EXECUTION_COLUMNS ", body_hash = $3::bytea "
               "FROM idempotency_keys JOIN executions USING (execution_key) "
               "WHERE user_key = $1::bigint AND key = $2::text "
               "AND noted_at > now() - $4::bigint * interval '1 millisecond'",
    };
    const struct db_value params[] = {
        db_i64(user_key),
        db_text(i->key),
        db_bytes(i->body_hash, STORE_BODY_HASH_LEN),
        db_i64(i->retention_ms),
    };
    return store_query(p, &earlier_execution, params, ARRAY_SIZE(params), on_earlier,
                       (struct store_call){{.earlier = fn}, user});
}

/* ---- taken over, taken from the queue ---- */

/* Columns: the execution's, key_id, sealed. */
static int read_launch(const struct db_result *r, size_t stmt, size_t row, struct store_launch *ret)
{
    const size_t next = STORE_EXECUTION_COLUMN_COUNT;
    int err = store_read_execution(r, stmt, row, &ret->row);
    if (err < 0)
        return err;
    ret->seal_key_id = db_get_text(r, stmt, row, next);
    ret->sealed = db_get_bytes(r, stmt, row, next + 1, &ret->sealed_len);
    return 0;
}

static void on_launches(void *user, int err, const struct db_result *r, size_t stmt)
{
    struct store_call c = store_call_take(user);
    size_t n = err == 0 ? db_rows(r, stmt) : 0;
    struct store_launch *rows CLEANUP_FREE = n > 0 ? calloc(n, sizeof(*rows)) : NULL;
    if (n > 0 && !rows)
        err = ERR_NOMEM;
    for (size_t i = 0; err == 0 && i < n; i++)
        err = read_launch(r, stmt, i, &rows[i]);
    c.fn.launches(c.user, err, err == 0 ? rows : NULL, err == 0 ? n : 0);
}

void store_on_launches(void *user, int err, const struct db_result *r)
{
    on_launches(user, err, r, 0);
}

static void on_dequeued(void *user, int err, const struct db_result *r)
{
    on_launches(user, err, r, 2);
}

int store_execution_adopt(struct db_pool *p, const char *owner, store_launches_fn fn, void *user)
{
    static const struct db_stmt adopt = {
        .name = "adopt",
        .sql = "WITH taken AS (UPDATE executions SET fence = fence + 1 WHERE owner = $1::text "
               "AND status IN " STORE_LIVE " RETURNING " STORE_EXECUTION_COLUMNS
               ") " STORE_WITH_SEALED(
                   "taken") " WHERE (SELECT home FROM executions e "
                            "WHERE e.execution_key = taken.execution_key) IN ('', $1::text) "
                            "ORDER BY taken.execution_key",
    };
    const struct db_value params[] = {db_text(owner)};
    return store_query(p, &adopt, params, ARRAY_SIZE(params), store_on_launches,
                       (struct store_call){{.launches = fn}, user});
}

int store_execution_dequeue(struct db_pool *p, const char *owner,
                            const struct store_run_limits *limits, store_launches_fn fn, void *user)
{
    static const struct db_stmt dequeue = {
        .name = "dequeue",
        .sql = "WITH now_running AS (SELECT created_by, count(*) AS n FROM executions "
               "WHERE status IN " RUNNING " GROUP BY created_by), "
               "next AS (SELECT w.execution_key AS key FROM executions w "
               "LEFT JOIN now_running r USING (created_by) WHERE w.status = 'PENDING' "
               "AND ($2::bigint = 0 OR (SELECT coalesce(sum(n), 0) FROM now_running) < $2::bigint) "
               "AND ($3::bigint = 0 OR coalesce(r.n, 0) < $3::bigint) "
               "ORDER BY w.execution_key LIMIT 1), "
               "taken AS (UPDATE executions SET status = 'STARTING', version = version + 1, "
               "owner = $1::text, fence = fence + 1 FROM next WHERE execution_key = next.key "
               "AND status = 'PENDING' RETURNING " STORE_EXECUTION_COLUMNS "), "
               "event AS (INSERT INTO execution_events (execution_key, version, from_status, "
               "to_status, cause) SELECT execution_key, version, 'PENDING', status, 'starting' "
               "FROM taken) " STORE_WITH_SEALED("taken"),
    };
    /* What a revoked user left waiting does not start. */
    static const struct db_stmt stop_revoked = {
        .name = "stop_revoked",
        .sql = "WITH moved AS (UPDATE executions SET status = 'STOPPED', version = version + 1, "
               "exit_code = 130, reason = 'user_revoked', completed_at = now() "
               "WHERE status = 'PENDING' AND created_by IN "
               "(SELECT email FROM users WHERE revoked_at IS NOT NULL) "
               "RETURNING execution_key, version), "
               "gone AS (DELETE FROM execution_environments v USING moved "
               "WHERE v.execution_key = moved.execution_key) "
               "INSERT INTO execution_events (execution_key, version, from_status, to_status, "
               "cause) SELECT execution_key, version, 'PENDING', 'STOPPED', "
               "'its user was revoked' FROM moved",
    };
    const struct db_value params[] = {db_text(owner), db_i64(limits->running),
                                      db_i64(limits->running_per_user)};
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    r = db_batch_add(b, &lock_runs, NULL, 0);
    if (r == 0)
        r = db_batch_add(b, &stop_revoked, NULL, 0);
    if (r == 0)
        r = db_batch_add(b, &dequeue, params, ARRAY_SIZE(params));
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_dequeued, (struct store_call){{.launches = fn}, user});
}

int store_execution_dequeued(struct db_pool *p, const char *owner, store_launches_fn fn, void *user)
{
    /* What was accepted and started at once has version 1. */
    static const struct db_stmt dequeued = {
        .name = "dequeued",
        .sql = "WITH taken AS (SELECT " STORE_EXECUTION_COLUMNS " FROM executions "
               "WHERE owner = $1::text AND status IN " STORE_LIVE " AND status = 'STARTING' "
               "AND version > 1 AND home = '') " STORE_WITH_SEALED(
                   "taken") " ORDER BY taken.execution_key",
    };
    const struct db_value params[] = {db_text(owner)};
    return store_query(p, &dequeued, params, ARRAY_SIZE(params), store_on_launches,
                       (struct store_call){{.launches = fn}, user});
}

/* ---- stopped by a person ---- */

static void on_cancelled(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    if (err == 0 && db_affected(r, 0) == 0)
        err = ERR_STALE;
    c.fn.batch(c.user, err, r);
}

static void audit_values(const struct caller *by, const struct execution *e, char resource[64],
                         struct db_value ret[STORE_AUDIT_PARAMS])
{
    (void)snprintf(resource, 64, "execution/%s", e->id.hex);
    const struct store_audit audit = {
        .by = *by, .action = "executions.delete", .resource = resource, .result = "ok"};
    store_audit_values(&audit, ret);
}

int store_execution_cancel(struct db_pool *p, const struct caller *by, const struct execution *e,
                           const struct exec_state *to, const char *cause, db_batch_fn fn,
                           void *user)
{
    static const struct db_stmt cancel_execution = {
        .name = "cancel_execution",
        .sql = "WITH moved AS (UPDATE executions SET status = $10::text, version = version + 1, "
               "exit_code = $11::bigint::integer, reason = $12::text, "
               "completed_at = tg_ts($13::bigint), modified_by_request_id = $4::text "
               "WHERE execution_key = $8::bigint AND version = $9::bigint "
               "AND status = 'PENDING' RETURNING execution_key, version), "
               "gone AS (DELETE FROM execution_environments v USING moved "
               "WHERE v.execution_key = moved.execution_key), "
               "told AS (" STORE_AUDIT_SQL " FROM moved) "
               "INSERT INTO execution_events (execution_key, version, from_status, to_status, "
               "cause, request_id) SELECT execution_key, version, 'PENDING', $10::text, "
               "$14::text, $4::text FROM moved",
    };
    char resource[64];
    struct db_value params[STORE_AUDIT_PARAMS + 7];
    audit_values(by, e, resource, params);
    const struct db_value rest[] = {
        db_i64(e->key),        db_i64(e->state.version), db_text(exec_status_name(to->status)),
        db_i64(to->exit_code), db_text(to->reason),      db_i64(to->completed_at_us),
        db_text(cause),
    };
    memcpy(params + STORE_AUDIT_PARAMS, rest, sizeof(rest));
    return store_query(p, &cancel_execution, params, ARRAY_SIZE(params), on_cancelled,
                       (struct store_call){{.batch = fn}, user});
}

int store_kill_audit(struct db_pool *p, const struct caller *by, const struct execution *e,
                     db_batch_fn fn, void *user)
{
    static const struct db_stmt kill_audit = {
        .name = "kill_audit",
        .sql = STORE_AUDIT_SQL " FROM executions WHERE execution_key = $8::bigint "
                               "AND status IN ('STARTING', 'RUNNING')",
    };
    char resource[64];
    struct db_value params[STORE_AUDIT_PARAMS + 1];
    audit_values(by, e, resource, params);
    params[STORE_AUDIT_PARAMS] = db_i64(e->key);
    return db_query(p, &kill_audit, params, ARRAY_SIZE(params), fn, user);
}
