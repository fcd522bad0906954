/* audit: who did what to which object, from where, and what came of it. Rows are only ever added.
 */
#ifndef TAILGATE_DB_STORE_AUDIT_H
#define TAILGATE_DB_STORE_AUDIT_H

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
#define STORE_AUDIT_SQL                                                                        \
    "INSERT INTO audit (email, key_id, address, request_id, action, resource, result) SELECT " \
    "$1::text, $2::bigint, $3::text, $4::text, $5::text, $6::text, $7::text"
void store_audit_values(const struct store_audit *a, struct db_value ret[STORE_AUDIT_PARAMS]);

/* Refusals of one kind in a row, told as one. Strings are copied into the batch. */
struct store_audit_refusals {
    struct store_audit entry;
    int64_t count;
    int64_t at_us; /* of the first */
};
MUST_CHECK int store_audit_add_refusals(struct db_batch *b, const struct store_audit_refusals *r);

struct store_audit_filter {
    const char *email, *action, *resource, *result, *request_id; /* NULL = any */
    int64_t since_us, until_us;                                  /* 0 = open */
    int64_t before_id;                                           /* 0 = newest */
    size_t limit;
};
struct store_audit_row { /* borrowed strings */
    int64_t audit_id, at_us;
    const char *email;
    int64_t key_id; /* 0 = none */
    const char *address, *request_id, *action, *resource, *result;
    int64_t count;
};
/* Newest first; rows are valid during the call. err as db_batch_fn's. action "secrets" finds every
 * action on secrets, resource "secret/" every secret. */
typedef void (*store_audit_fn)(void *user, int err, const struct store_audit_row *rows, size_t n);
MUST_CHECK int store_audit_list(struct db_pool *p, const struct store_audit_filter *f,
                                store_audit_fn fn, void *user);

#endif
