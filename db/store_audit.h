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

#endif
