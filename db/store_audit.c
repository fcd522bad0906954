/* audit: one statement adds an entry. */
#include "db/store_audit.h"

int store_audit_add(struct db_batch *b, const struct store_audit *a)
{
    static const struct db_stmt add_audit = {
        .name = "add_audit",
        .sql = "INSERT INTO audit (email, key_id, address, request_id, action, resource, result) "
               "VALUES ($1::text, $2::bigint, $3::text, $4::text, $5::text, $6::text, $7::text)",
    };
    const struct principal *who = a->by.who;
    const struct db_value params[] = {
        db_text(who ? who->email : ""),
        who && who->key_id > 0 ? db_i64(who->key_id) : db_null(),
        db_text(a->by.address),
        db_text(a->by.request_id),
        db_text(a->action),
        db_text(a->resource),
        db_text(a->result),
    };
    return db_batch_add(b, &add_audit, params, ARRAY_SIZE(params));
}
