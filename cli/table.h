/*
 * A table for people from an array of JSON objects. On a terminal it is made to fit: columns that
 * may be cut give way first, then those that matter least are left out.
 */
#ifndef TAILGATE_CLI_TABLE_H
#define TAILGATE_CLI_TABLE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum table_kind {
    TABLE_TEXT, /* strings and numbers as they are, a list's items with commas between */
    TABLE_TIME, /* RFC 3339 without its fraction */
    TABLE_FLAG, /* "yes", or nothing */
};

struct table_column {
    const char *title;
    const char *field; /* of the object; '.' is no step */
    enum table_kind kind;
    unsigned rank; /* 0 = always there; of others the highest goes first */
    bool may_be_cut;
};
#define TABLE_COLUMNS_MAX 12

/* columns: of the terminal; 0 = as wide as it gets. ERR_INVALID (no array of objects) fills *p;
 * ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int table_append(struct buf *out, const struct table_column *table, size_t n,
                            const json_t *rows, size_t columns, struct problem *p);
/* One object: "title  value" a line; what is not set is left out. */
MUST_CHECK int table_append_fields(struct buf *out, const struct table_column *table, size_t n,
                                   const json_t *object);

#endif
