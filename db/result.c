/* Answers: checked access to binary values. What is not there reads as NULL. */
#include "db/batch.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

static const PGresult *item(const struct db_result *r, size_t stmt)
{
    return r && stmt < r->count ? r->items[stmt] : NULL;
}

size_t db_rows(const struct db_result *r, size_t stmt)
{
    const PGresult *p = item(r, stmt);
    return p ? (size_t)PQntuples(p) : 0;
}

int64_t db_affected(const struct db_result *r, size_t stmt)
{
    const PGresult *p = item(r, stmt);
    /* libpq's own digits; "" for statements that affect nothing. */
    return p ? strtoll(PQcmdTuples((PGresult *)p), NULL, 10) : 0;
}

/* The value's bytes, NUL behind them; NULL when it is NULL or not there. */
static const void *value(const struct db_result *r, size_t stmt, size_t row, size_t col,
                         size_t *ret_len)
{
    const PGresult *p = item(r, stmt);
    *ret_len = 0;
    if (!p || row >= (size_t)PQntuples(p) || col >= (size_t)PQnfields(p) ||
        PQgetisnull(p, (int)row, (int)col))
        return NULL;
    *ret_len = (size_t)PQgetlength(p, (int)row, (int)col);
    return PQgetvalue(p, (int)row, (int)col);
}

bool db_is_null(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    size_t len;
    return !value(r, stmt, row, col, &len);
}

int64_t db_get_i64(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    size_t len;
    const void *p = value(r, stmt, row, col, &len);
    uint64_t u64;
    uint32_t u32;
    uint16_t u16;
    if (!p)
        return 0;
    switch (len) {
    case 8:
        memcpy(&u64, p, sizeof(u64));
        return (int64_t)be64toh(u64);
    case 4:
        memcpy(&u32, p, sizeof(u32));
        return (int32_t)be32toh(u32);
    case 2:
        memcpy(&u16, p, sizeof(u16));
        return (int16_t)be16toh(u16);
    case 1: /* bool */
        return *(const unsigned char *)p;
    default:
        return 0;
    }
}

const char *db_get_text(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    size_t len;
    return value(r, stmt, row, col, &len);
}

const void *db_get_bytes(const struct db_result *r, size_t stmt, size_t row, size_t col,
                         size_t *ret_len)
{
    return value(r, stmt, row, col, ret_len);
}

const char *db_sqlstate(const struct db_result *r)
{
    return r ? r->sqlstate : "";
}
