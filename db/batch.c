/* Batches: statements and a copy of their parameters in PostgreSQL's binary formats. */
#include "db/batch.h"

#include "base/err.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

struct db_value db_null(void)
{
    return (struct db_value){.type = DB_NULL};
}

struct db_value db_i64(int64_t v)
{
    return (struct db_value){.type = DB_INT8, .i = v};
}

struct db_value db_bool(bool v)
{
    return (struct db_value){.type = DB_BOOL, .i = v};
}

struct db_value db_text(const char *s)
{
    return s ? (struct db_value){.type = DB_TEXT, .p = s, .len = strlen(s)} : db_null();
}

struct db_value db_bytes(const void *p, size_t n)
{
    return (struct db_value){.type = DB_BYTEA, .p = p, .len = n};
}

int db_batch_new(struct db_batch **ret)
{
    struct db_batch *b = calloc(1, sizeof(*b));
    if (!b)
        return ERR_NOMEM;
    list_init(&b->node);
    buf_init(&b->values, BATCH_BYTES_MAX);
    *ret = b;
    return 0;
}

void db_batch_free(struct db_batch *b)
{
    if (!b)
        return;
    list_remove(&b->node);
    for (size_t i = 0; i < b->result.count; i++)
        PQclear(b->result.items[i]);
    free(b->result.items);
    buf_done(&b->values);
    free(b->params);
    free(b->calls);
    free(b);
}

int db_batch_of(const struct db_stmt *s, const struct db_value *params, size_t n,
                struct db_batch **ret)
{
    struct db_batch *b;
    int r = db_batch_new(&b);
    if (r < 0)
        return r;
    r = db_batch_add(b, s, params, n);
    if (r < 0) {
        db_batch_free(b);
        return r;
    }
    *ret = b;
    return 0;
}

size_t db_batch_count(const struct db_batch *b)
{
    return b->count;
}

size_t db_batch_bytes(const struct db_batch *b)
{
    return b->bytes;
}

/* Room for `more` elements of `size` bytes. */
static int grow(void **array, size_t *cap, size_t count, size_t more, size_t size)
{
    if (count + more <= *cap)
        return 0;
    size_t want = *cap ? *cap * 2 : 8;
    if (want < count + more)
        want = count + more;
    void *p = reallocarray(*array, want, size);
    if (!p)
        return ERR_NOMEM;
    *array = p;
    *cap = want;
    return 0;
}

static int add_value(struct db_batch *b, const struct db_value *v, struct batch_param *ret)
{
    uint64_t big = htobe64((uint64_t)v->i);
    char byte = v->i ? 1 : 0;
    const void *p = v->p;
    size_t len = v->len;
    switch (v->type) {
    case DB_INT8:
        p = &big;
        len = sizeof(big);
        break;
    case DB_BOOL:
        p = &byte;
        len = 1;
        break;
    case DB_TEXT:
    case DB_BYTEA:
        break;
    case DB_NULL:
        *ret = (struct batch_param){.null = true};
        return 0;
    }
    if (len > BATCH_BYTES_MAX)
        return ERR_TOO_LARGE;
    *ret = (struct batch_param){.offset = b->values.len, .len = (int)len};
    /* The NUL keeps each pointer non-NULL: libpq reads a NULL one as the value NULL. */
    int r = buf_append(&b->values, p ? p : "", len);
    return r < 0 ? r : buf_append_char(&b->values, '\0');
}

int db_batch_add(struct db_batch *b, const struct db_stmt *s, const struct db_value *params,
                 size_t n)
{
    if (n > BATCH_PARAMS_MAX)
        return ERR_INVALID;
    if (b->count == BATCH_STATEMENTS_MAX)
        return ERR_TOO_LARGE;
    int r = grow((void **)&b->calls, &b->cap, b->count, 1, sizeof(*b->calls));
    if (r == 0 && n > 0)
        r = grow((void **)&b->params, &b->param_cap, b->param_count, n, sizeof(*b->params));
    size_t before = b->values.len;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_value(b, &params[i], &b->params[b->param_count + i]);
    if (r < 0) {
        b->values.len = before;
        return r;
    }
    b->calls[b->count++] = (struct batch_call){.stmt = s, .first = b->param_count, .count = n};
    b->param_count += n;
    b->bytes = b->values.len;
    return 0;
}

int db_batch_ready(struct db_batch *b)
{
    if (b->result.items || b->count == 0)
        return 0;
    b->result.items = calloc(b->count, sizeof(PGresult *));
    if (!b->result.items)
        return ERR_NOMEM;
    b->result.count = b->count;
    return 0;
}

void db_batch_args(const struct db_batch *b, const struct batch_call *c, struct db_batch_args *ret)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct batch_param *p = &b->params[c->first + i];
        ret->values[i] = p->null ? NULL : b->values.data + p->offset;
        ret->lengths[i] = p->len;
        ret->formats[i] = 1;
    }
}
