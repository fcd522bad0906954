/*
 * executions and execution_events. Rows given to callbacks borrow their strings from libpq's answer
 * (execution_copy keeps one).
 */
#include "db/store_executions.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY_US (86400 * INT64_C(1000000))
#define LIST_MAX 1000 /* rows of one answer; callers page */

static uint64_t get_u64(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    int64_t v = db_get_i64(r, stmt, row, col);
    return v > 0 ? (uint64_t)v : 0;
}

static char *get_str(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    const char *s = db_get_text(r, stmt, row, col);
    return (char *)(uintptr_t)(s ? s : ""); /* readers see the row as const */
}

static int read_state(const struct db_result *r, size_t stmt, size_t row, struct exec_state *ret)
{
    if (exec_status_parse(get_str(r, stmt, row, 2), &ret->status) < 0)
        return ERR_CORRUPT;
    ret->version = db_get_i64(r, stmt, row, 3);
    ret->exit_code =
        db_is_null(r, stmt, row, 4) ? EXIT_CODE_NONE : (int32_t)db_get_i64(r, stmt, row, 4);
    ret->signal = (int32_t)db_get_i64(r, stmt, row, 5);
    snprintf(ret->reason, sizeof(ret->reason), "%s", get_str(r, stmt, row, 6));
    ret->started_at_us = db_get_i64(r, stmt, row, 7);
    ret->completed_at_us = db_get_i64(r, stmt, row, 8);
    ret->last_seq = get_u64(r, stmt, row, 9);
    return 0;
}

int store_read_execution(const struct db_result *r, size_t stmt, size_t row, struct execution *ret)
{
    *ret = (struct execution){
        .key = db_get_i64(r, stmt, row, 0),
        .command = get_str(r, stmt, row, 10),
        .image_id = get_str(r, stmt, row, 11),
        .created_by = get_str(r, stmt, row, 12),
        .created_by_request_id = get_str(r, stmt, row, 13),
        .modified_by_request_id = get_str(r, stmt, row, 14),
        .owner = get_str(r, stmt, row, 15),
        .fence = db_get_i64(r, stmt, row, 16),
        .spool_offset = get_u64(r, stmt, row, 17),
        .log_bytes = get_u64(r, stmt, row, 18),
        .timeout_s = db_get_i64(r, stmt, row, 19),
        .grace_s = db_get_i64(r, stmt, row, 20),
        .tty = db_get_i64(r, stmt, row, 21) != 0,
    };
    int err = execution_id_parse(get_str(r, stmt, row, 1), &ret->id);
    if (err == 0)
        err = read_state(r, stmt, row, &ret->state);
    if (err == 0)
        return 0;
    log_error("execution row cannot be read", "execution_id", get_str(r, stmt, row, 1));
    return ERR_CORRUPT;
}

static void on_got(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    struct execution e;
    if (err == 0 && db_rows(r, 0) == 0)
        err = ERR_NOT_FOUND;
    if (err == 0)
        err = store_read_execution(r, 0, 0, &e);
    c.fn.execution(c.user, err, err == 0 ? &e : NULL);
}

static void on_rows(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    size_t n = err == 0 ? db_rows(r, 0) : 0;
    struct execution *rows CLEANUP_FREE = n > 0 ? calloc(n, sizeof(*rows)) : NULL;
    if (n > 0 && !rows)
        err = ERR_NOMEM;
    for (size_t i = 0; err == 0 && i < n; i++)
        err = store_read_execution(r, 0, i, &rows[i]);
    c.fn.executions(c.user, err, err == 0 ? rows : NULL, err == 0 ? n : 0);
}

int store_execution_get(struct db_pool *p, const struct execution_id *id, store_execution_fn fn,
                        void *user)
{
    static const struct db_stmt get_execution = {
        .name = "get_execution",
        .sql = "SELECT " STORE_EXECUTION_SHOWN " FROM executions "
               "WHERE execution_key = $1::bigint AND execution_id = $2::text",
    };
    const struct db_value params[] = {db_i64(execution_id_key(id)), db_text(id->hex)};
    return store_query(p, &get_execution, params, ARRAY_SIZE(params), on_got,
                       (struct store_call){{.execution = fn}, user});
}

/* "RUNNING,FAILED" */
static const char *mask_text(unsigned mask, char *ret, size_t size)
{
    size_t len = 0;
    ret[0] = '\0';
    for (unsigned s = 0; s < EXEC_STATUS_COUNT; s++) {
        if (!(mask & 1u << s))
            continue;
        int n = snprintf(ret + len, size - len, "%s%s", len ? "," : "",
                         exec_status_name((enum exec_status)s));
        if (n < 0 || (size_t)n >= size - len)
            break;
        len += (size_t)n;
    }
    return ret;
}

/* The key's order is the days' order, so times bound keys too and the scan stops there. */
static int64_t lowest_key(const struct store_execution_filter *f)
{
    return f->since_us > 0 ? f->since_us / DAY_US << 32 : 0;
}

static int64_t key_bound(const struct store_execution_filter *f)
{
    int64_t bound = f->before_key > 0 ? f->before_key : INT64_MAX;
    int64_t days = f->until_us / DAY_US;
    if (f->until_us > 0 && days < INT32_MAX - 1 && (days + 1) << 32 < bound)
        bound = (days + 1) << 32;
    return bound;
}

#define LIST_SELECT "SELECT " STORE_EXECUTION_SHOWN " FROM executions WHERE "
#define LIST_WHERE                                                          \
    "execution_key < $1::bigint AND execution_key >= $2::bigint "           \
    "AND ($3::bigint = 0 OR created_at >= tg_ts($3::bigint)) "              \
    "AND ($4::bigint = 0 OR created_at < tg_ts($4::bigint)) "               \
    "AND ($5::text = '' OR status = ANY (string_to_array($5::text, ','))) " \
    "AND ($6::text IS NULL OR created_by = $6::text) "                      \
    "ORDER BY execution_key DESC LIMIT $7::bigint"

int store_execution_list(struct db_pool *p, const struct store_execution_filter *f,
                         store_executions_fn fn, void *user)
{
    static const struct db_stmt list_all = {"list_executions", LIST_SELECT LIST_WHERE};
    /* A few live ones among millions that have ended: from their own index. */
    static const struct db_stmt list_live = {"list_live", LIST_SELECT "status IN " STORE_LIVE
                                                                      " AND " LIST_WHERE};
    static const struct db_stmt list_of_one = {"list_created_by",
                                               LIST_SELECT "created_by = $6::text AND " LIST_WHERE};
    const unsigned live =
        1u << EXEC_PENDING | 1u << EXEC_STARTING | 1u << EXEC_RUNNING | 1u << EXEC_TERMINATING;
    char statuses[128];
    size_t limit = f->limit < LIST_MAX ? f->limit : LIST_MAX;
    const struct db_value params[] = {
        db_i64(key_bound(f)),
        db_i64(lowest_key(f)),
        db_i64(f->since_us),
        db_i64(f->until_us),
        db_text(mask_text(f->status_mask, statuses, sizeof(statuses))),
        db_text(f->created_by),
        db_i64((int64_t)limit),
    };
    const struct db_stmt *s = f->status_mask && !(f->status_mask & ~live) ? &list_live
                              : f->created_by                             ? &list_of_one
                                                                          : &list_all;
    return store_query(p, s, params, ARRAY_SIZE(params), on_rows,
                       (struct store_call){{.executions = fn}, user});
}

/* One row or none: the guard and the event are one statement. */
static const struct db_stmt transition = {
    .name = "transition",
    .sql = "WITH moved AS (UPDATE executions SET status = $6::text, version = $7::bigint, "
           "exit_code = $8::bigint::integer, signal = $9::bigint::integer, reason = $10::text, "
           "completed_at = tg_ts($11::bigint), "
           "modified_by_request_id = coalesce(nullif($13::text, ''), modified_by_request_id) "
           "WHERE execution_key = $1::bigint AND owner = $2::text AND fence = $3::bigint "
           "AND version = $4::bigint AND status = $5::text RETURNING execution_key), "
           "gone AS (DELETE FROM execution_environments v USING moved "
           "WHERE v.execution_key = moved.execution_key "
           "AND $6::text IN ('SUCCEEDED', 'FAILED', 'STOPPED')) "
           "INSERT INTO execution_events (execution_key, version, from_status, to_status, cause, "
           "request_id) SELECT execution_key, $7::bigint, $5::text, $6::text, $12::text, "
           "$13::text FROM moved",
};

int store_transition_add(struct db_batch *b, int64_t key, const char *owner, int64_t fence,
                         const struct exec_state *from, const struct exec_state *to,
                         const char *cause, const char *request_id)
{
    if (to->version != from->version + 1)
        return ERR_INVALID;
    const struct db_value params[] = {
        db_i64(key),
        db_text(owner),
        db_i64(fence),
        db_i64(from->version),
        db_text(exec_status_name(from->status)),
        db_text(exec_status_name(to->status)),
        db_i64(to->version),
        to->exit_code == EXIT_CODE_NONE ? db_null() : db_i64(to->exit_code),
        db_i64(to->signal),
        db_text(to->reason),
        to->completed_at_us > 0 ? db_i64(to->completed_at_us) : db_null(),
        db_text(cause ? cause : ""),
        db_text(request_id ? request_id : ""),
    };
    return db_batch_add(b, &transition, params, ARRAY_SIZE(params));
}
