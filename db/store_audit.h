/* audit: who did what to which object, from where, and what came of it. Rows are only ever added.
 */
#ifndef TAILGATE_DB_STORE_AUDIT_H
#define TAILGATE_DB_STORE_AUDIT_H

#include "base/audit.h"
#include "base/model.h"
#include "db/pool.h"

struct store_audit {
    struct caller by;
    const char *action;   /* "secrets.create" */
    const char *resource; /* "secret/NAME"; "" = none */
    const char *result;   /* "ok", or the error's code */
};
/* Adds one statement: the entry commits together with the change that it tells of. */
MUST_CHECK int store_audit_add(struct db_batch *b, const struct store_audit *a);

/*
 * For a change that may find nothing to change, inside its own statement, whose first parameters
 * are then the entry's: "WITH gone AS (DELETE … $8 … RETURNING …), told AS (" STORE_AUDIT_SQL
 * " FROM gone) SELECT … FROM gone".
 */
#define STORE_AUDIT_PARAMS 7
#define STORE_AUDIT_SQL STORE_AUDIT_INSERT("$6::text", "$7::text")
/* With a resource or a result that only the statement knows: "$6::text || key_id". */
#define STORE_AUDIT_INSERT(resource, result)                                                   \
    "INSERT INTO audit (email, key_id, address, request_id, action, resource, result) SELECT " \
    "$1::text, $2::bigint, $3::text, $4::text, $5::text, " resource ", " result
void store_audit_values(const struct store_audit *a, struct db_value ret[STORE_AUDIT_PARAMS]);

/* Refusals of one kind in a row, told as one. */
struct store_audit_refusals {
    struct store_audit entry;
    int64_t count;
    int64_t at_us; /* of the first */
};
/* Writes n of them (at least one) as one transaction. */
MUST_CHECK int store_audit_write(struct db_pool *p, const struct store_audit_refusals *rows,
                                 size_t n, db_batch_fn fn, void *user);

/* Newest first; rows are valid during the call. err as db_batch_fn's. */
typedef void (*store_audit_fn)(void *user, int err, const struct audit_entry *rows, size_t n);
MUST_CHECK int store_audit_list(struct db_pool *p, const struct audit_filter *f, store_audit_fn fn,
                                void *user);

#endif
