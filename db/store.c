/* Queries whose answer is turned into rows; the record of whom to answer lives from submission to
 * handler. */
#include "db/store.h"

#include "base/err.h"

int store_submit(struct db_pool *p, struct db_batch *b, db_batch_fn handler, struct store_call call)
{
    struct store_call *c = malloc(sizeof(*c));
    if (!c) {
        db_batch_free(b);
        return ERR_NOMEM;
    }
    *c = call;
    int r = db_submit(p, b, handler, c);
    if (r < 0)
        free(c);
    return r;
}

int store_query(struct db_pool *p, const struct db_stmt *s, const struct db_value *params, size_t n,
                db_batch_fn handler, struct store_call call)
{
    struct db_batch *b;
    int r = db_batch_of(s, params, n, &b);
    if (r < 0)
        return r;
    return store_submit(p, b, handler, call);
}

struct store_call store_call_take(void *user)
{
    struct store_call c = *(struct store_call *)user;
    free(user);
    return c;
}
