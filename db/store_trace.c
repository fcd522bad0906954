/* trace_records: written in batches, read by a request's id. */
#include "db/store_trace.h"

#include "base/err.h"
#include "db/store.h"

/* Objects as the API shows them (wire/), made where the rows are: times in RFC 3339. */
#define TIME_OF(column) \
    "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define TOUCHED                                          \
    "(created_by_request_id IN (SELECT id FROM ids) OR " \
    "modified_by_request_id IN (SELECT id FROM ids))"
/* Our own id, and those of the requests to which a client gave this id. */
#define IDS                                                                          \
    "WITH ids AS (SELECT $1::text AS id UNION SELECT request_id FROM trace_records " \
    "WHERE client_request_id = $1::text AND client_request_id <> '') "
#define REQUEST_IDS                                    \
    "'created_by_request_id', created_by_request_id, " \
    "'modified_by_request_id', modified_by_request_id"

int store_trace_write(struct db_pool *p, const char *records, size_t len, int64_t retention_ms,
                      db_batch_fn fn, void *user)
{
    static const struct db_stmt add = {
        .name = "add_trace_records",
        .sql = "INSERT INTO trace_records (at, request_id, client_request_id, record) "
               "SELECT (r->>'time')::timestamptz, r->>'request_id', "
               "coalesce(r->>'client_request_id', ''), r::text "
               "FROM json_array_elements(convert_from($1::bytea, 'UTF8')::json) r",
    };
    static const struct db_stmt sweep = {
        .name = "sweep_trace_records",
        .sql = "DELETE FROM trace_records WHERE record_id IN (SELECT record_id FROM trace_records "
               "WHERE at < now() - $1::bigint * interval '1 millisecond' ORDER BY at "
               "LIMIT $2::bigint FOR UPDATE SKIP LOCKED)",
    };
    const struct db_value added[] = {db_bytes(records, len)};
    const struct db_value swept[] = {db_i64(retention_ms), db_i64(STORE_TRACE_SWEPT)};
    struct db_batch *b = NULL;
    int r = db_batch_of(&add, added, ARRAY_SIZE(added), &b);
    if (r == 0 && retention_ms > 0)
        r = db_batch_add(b, &sweep, swept, ARRAY_SIZE(swept));
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return db_submit(p, b, fn, user);
}

static const char *text_or_null(const struct db_result *r, size_t stmt)
{
    return db_rows(r, stmt) > 0 ? db_get_text(r, stmt, 0, 0) : NULL;
}

static void on_trace(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    size_t n = err < 0 ? 0 : db_rows(r, 0);
    struct trace_record *records = calloc(n + 1, sizeof(*records));
    if (err == 0 && !records)
        err = ERR_NOMEM;
    if (err < 0) {
        c.fn.trace(c.user, err, NULL);
        free(records);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        records[i].record_id = db_get_i64(r, 0, i, 0);
        records[i].at_us = db_get_i64(r, 0, i, 1);
        records[i].text = db_get_bytes(r, 0, i, 2, &records[i].len);
    }
    const struct trace t = {
        .records = records,
        .count = n,
        .executions = text_or_null(r, 1),
        .users = text_or_null(r, 2),
        .images = text_or_null(r, 3),
        .secrets = text_or_null(r, 4),
    };
    c.fn.trace(c.user, 0, &t);
    free(records);
}

static const struct db_stmt trace_stmts[] = {
    {.name = "trace_records",
     .sql = IDS "SELECT record_id, tg_us(at), record FROM trace_records "
                "WHERE request_id IN (SELECT id FROM ids) ORDER BY record_id LIMIT $2::bigint"},
    {.name = "trace_executions",
     .sql = IDS
     "SELECT json_agg(json_build_object('execution_id', execution_id, "
     "'status', CASE status WHEN 'PENDING' THEN 'STARTING' ELSE status END, "
     "'command', command, 'image_id', image_id, 'created_by', created_by, "
     "'owned_by', json_build_array(created_by), "
     "'started_at', " TIME_OF("created_at") ", 'completed_at', " TIME_OF(
         "completed_at") ", 'exit_code', exit_code, " REQUEST_IDS ") ORDER BY execution_key) "
                         "FROM executions WHERE created_by_request_id IN (SELECT id FROM ids) "
                         "OR execution_key IN (SELECT e.execution_key FROM execution_events e "
                         "WHERE e.request_id IN (SELECT id FROM ids) AND e.request_id <> '')"},
    {.name = "trace_users",
     .sql = IDS
     "SELECT json_agg(json_build_object('email', email, 'role', role, "
     "'created_at', " TIME_OF("created_at") ", 'revoked', revoked_at IS NOT NULL, " REQUEST_IDS
                                            ") ORDER BY email) FROM users WHERE " TOUCHED},
    {.name = "trace_images",
     .sql = IDS "SELECT json_agg(json_build_object('image_id', image_id, 'image', image, "
                "'is_default', is_default, 'image_registry', registry, 'image_name', name, "
                "'image_tag', tag, 'cpu', cpu, 'memory', memory, "
                "'runtime_platform', runtime_platform, 'created_by', created_by, "
                "'owned_by', json_build_array(created_by), "
                "'created_at', " TIME_OF("created_at") ", " REQUEST_IDS ") ORDER BY image_id) "
                                                       "FROM images WHERE " TOUCHED},
    {.name = "trace_secrets",
     .sql = IDS "SELECT json_agg(json_build_object('name', name, 'key_name', key_name, "
                "'description', description, 'created_by', created_by, "
                "'owned_by', json_build_array(created_by), "
                "'created_at', " TIME_OF("created_at") ", 'updated_at', " TIME_OF(
                    "updated_at") ", "
                                  "'updated_by', updated_by, " REQUEST_IDS ") ORDER BY name) "
                                  "FROM secrets WHERE " TOUCHED},
};

int store_trace_get(struct db_pool *p, const char *request_id, store_trace_fn fn, void *user)
{
    const struct db_value params[] = {db_text(request_id), db_i64(STORE_TRACE_RECORDS_MAX)};
    struct db_batch *b = NULL;
    int r = db_batch_new(&b);
    for (size_t i = 0; i < ARRAY_SIZE(trace_stmts) && r == 0; i++)
        r = db_batch_add(b, &trace_stmts[i], params, i == 0 ? 2 : 1);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return store_submit(p, b, on_trace, (struct store_call){{.trace = fn}, user});
}
