/* audit: entries are added with their changes, refusals on their own; nothing is changed. */
#include "db/store_audit.h"

#include "base/err.h"
#include "db/store.h"

#include <string.h>

void store_audit_values(const struct store_audit *a, struct db_value ret[STORE_AUDIT_PARAMS])
{
    const struct principal *who = a->by.who;
    const struct db_value values[STORE_AUDIT_PARAMS] = {
        db_text(who ? who->email : ""),
        who && who->key_id > 0 ? db_i64(who->key_id) : db_null(),
        db_text(a->by.address ? a->by.address : ""),
        db_text(a->by.request_id ? a->by.request_id : ""),
        db_text(a->action),
        db_text(a->resource ? a->resource : ""),
        db_text(a->result),
    };
    memcpy(ret, values, sizeof(values));
}

int store_audit_add(struct db_batch *b, const struct store_audit *a)
{
    static const struct db_stmt add_audit = {.name = "add_audit", .sql = STORE_AUDIT_SQL};
    struct db_value params[STORE_AUDIT_PARAMS];
    store_audit_values(a, params);
    return db_batch_add(b, &add_audit, params, ARRAY_SIZE(params));
}

static int add_refusals(struct db_batch *b, const struct store_audit_refusals *r)
{
    static const struct db_stmt stmt = {
        .name = "add_refusals",
        .sql = "INSERT INTO audit (email, key_id, address, request_id, action, resource, result, "
               "count, at) VALUES ($1::text, $2::bigint, $3::text, $4::text, $5::text, $6::text, "
               "$7::text, $8::bigint, tg_ts($9::bigint))",
    };
    struct db_value params[STORE_AUDIT_PARAMS + 2];
    store_audit_values(&r->entry, params);
    params[STORE_AUDIT_PARAMS] = db_i64(r->count);
    params[STORE_AUDIT_PARAMS + 1] = db_i64(r->at_us);
    return db_batch_add(b, &stmt, params, ARRAY_SIZE(params));
}

int store_audit_write(struct db_pool *p, const struct store_audit_refusals *rows, size_t n,
                      db_batch_fn fn, void *user)
{
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n && r == 0; i++)
        r = add_refusals(b, &rows[i]);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    return db_submit(p, b, fn, user);
}

static const char *text_of(const struct db_result *r, size_t row, size_t col)
{
    const char *text = db_get_text(r, 0, row, col);
    return text ? text : "";
}

static void on_rows(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    size_t n = err < 0 ? 0 : db_rows(r, 0);
    struct audit_entry *rows = calloc(n + 1, sizeof(*rows));
    if (err == 0 && !rows)
        err = ERR_NOMEM;
    for (size_t i = 0; rows && i < n; i++)
        rows[i] = (struct audit_entry){
            .audit_id = db_get_i64(r, 0, i, 0),
            .at_us = db_get_i64(r, 0, i, 1),
            .email = text_of(r, i, 2),
            .key_id = db_get_i64(r, 0, i, 3),
            .address = text_of(r, i, 4),
            .request_id = text_of(r, i, 5),
            .action = text_of(r, i, 6),
            .resource = text_of(r, i, 7),
            .result = text_of(r, i, 8),
            .count = db_get_i64(r, 0, i, 9),
        };
    c.fn.audit(c.user, err, err < 0 ? NULL : rows, err < 0 ? 0 : n);
    free(rows);
}

int store_audit_list(struct db_pool *p, const struct audit_filter *f, store_audit_fn fn, void *user)
{
    static const struct db_stmt list_audit = {
        .name = "list_audit",
        .sql = "SELECT audit_id, tg_us(at), email, key_id, address, request_id, action, resource, "
               "result, count FROM audit WHERE ($1::text IS NULL OR email = $1::text) "
               "AND ($2::text IS NULL OR action = $2::text "
               "OR starts_with(action, $2::text || '.')) "
               "AND ($3::text IS NULL OR resource = $3::text "
               "OR (right($3::text, 1) = '/' AND starts_with(resource, $3::text))) "
               "AND ($4::text IS NULL OR result = $4::text) "
               "AND ($5::text IS NULL OR request_id = $5::text) "
               "AND ($6::bigint = 0 OR at >= tg_ts($6::bigint)) "
               "AND ($7::bigint = 0 OR at < tg_ts($7::bigint)) "
               "AND ($8::bigint = 0 OR audit_id < $8::bigint) "
               "ORDER BY audit_id DESC LIMIT $9::bigint",
    };
    const struct db_value params[] = {
        db_text(f->email),   db_text(f->action),     db_text(f->resource),
        db_text(f->result),  db_text(f->request_id), db_i64(f->since_us),
        db_i64(f->until_us), db_i64(f->before_id),   db_i64((int64_t)f->limit),
    };
    return store_query(p, &list_audit, params, ARRAY_SIZE(params), on_rows,
                       (struct store_call){{.audit = fn}, user});
}
