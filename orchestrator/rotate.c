/* The steps of a rotation, one PostgreSQL answer after the other. */
#include "orchestrator/rotate.h"

#include "base/err.h"
#include "base/log.h"
#include "base/model.h"
#include "base/str.h"
#include "orchestrator/seal.h"
#include "orchestrator/secrets_internal.h"

#include <stdio.h>
#include <string.h>

#define ROWS_AT_ONCE 20u
/* A run's environment is the longest of what is sealed. */
#define SEALED_MAX (17u << 20)

struct rotation {
    struct db_pool *pool;
    struct sealer *sealer;
    rotation_fn fn;
    void *user;
    struct rotation_result result;
    char key_id[SEAL_KEY_ID_SIZE]; /* being replaced */
    size_t at;                     /* its place in the file */
    size_t failed_before;
    enum store_sealed_in in;
    char after[SECRET_NAME_SIZE]; /* rows up to this name are done */
    size_t in_flight;             /* rows of the batch */
};

static void next_key(struct rotation *r);
static void next_rows(struct rotation *r);

static void finish(struct rotation *r, int err)
{
    r->fn(r->user, err, &r->result);
}

/* ---- sealing anew ---- */

static void context_of(enum store_sealed_in in, const char *name, char ret[SECRET_CONTEXT_SIZE])
{
    /* plan.c: the half of the id that is known before the row is there */
    if (in == STORE_SEALED_RUNS && strlen(name) == EXECUTION_ID_LEN)
        (void)snprintf(ret, SECRET_CONTEXT_SIZE, "execution/%s", name + EXECUTION_ID_LEN / 2);
    else
        secret_context(name, ret);
}

static int reseal(struct rotation *r, const struct store_sealed *row, struct db_batch *b)
{
    char context[SECRET_CONTEXT_SIZE], key_id[SEAL_KEY_ID_SIZE];
    struct buf sealed CLEANUP_BUF = {.max = SEALED_MAX};
    void *plain;
    size_t len;
    context_of(r->in, row->name, context);
    int err =
        seal_open(r->sealer, row->key_id, context, row->sealed, row->sealed_len, &plain, &len);
    if (err == ERR_NOMEM)
        return err;
    if (err < 0) {
        log_error("sealed bytes cannot be opened", "of", context, "key_id", row->key_id);
        r->result.failed++;
        return 0;
    }
    err = seal(r->sealer, context, plain, len, &sealed, key_id);
    seal_wipe(plain);
    if (err < 0)
        return err;
    const struct store_sealed fresh = {row->name, key_id, sealed.data, sealed.len};
    return store_sealed_replace(b, r->in, row, &fresh);
}

static void on_replaced(void *user, int err, const struct db_result *res)
{
    struct rotation *r = user;
    if (err < 0) {
        finish(r, err);
        return;
    }
    /* Rows that somebody changed or removed meanwhile need nothing. */
    for (size_t i = 0; i < r->in_flight; i++)
        r->result.resealed += db_affected(res, i) == 1;
    next_rows(r);
}

static int replace(struct rotation *r, const struct store_sealed *rows, size_t n)
{
    struct db_batch *b;
    int err = db_batch_new(&b);
    if (err < 0)
        return err;
    for (size_t i = 0; i < n && err == 0; i++)
        err = reseal(r, &rows[i], b);
    if (err == 0)
        err = str_copy(r->after, sizeof r->after, rows[n - 1].name);
    r->in_flight = db_batch_count(b);
    if (err < 0 || r->in_flight == 0) {
        db_batch_free(b);
        return err < 0 ? err : ERR_END;
    }
    return db_submit(r->pool, b, on_replaced, r);
}

static void on_rows(void *user, int err, const struct store_sealed *rows, size_t n)
{
    struct rotation *r = user;
    if (err == 0 && n == 0) {
        r->after[0] = '\0';
        if (r->in == STORE_SEALED_SECRETS) {
            r->in = STORE_SEALED_RUNS;
            next_rows(r);
        } else {
            next_key(r);
        }
        return;
    }
    if (err == 0)
        err = replace(r, rows, n);
    if (err == ERR_END)
        next_rows(r);
    else if (err < 0)
        finish(r, err);
}

static void next_rows(struct rotation *r)
{
    int err = store_sealed_list(r->pool, r->in, r->key_id, r->after, ROWS_AT_ONCE, on_rows, r);
    if (err < 0)
        finish(r, err);
}

/* ---- keys ---- */

static void on_retired(void *user, int err, const struct db_result *res UNUSED)
{
    struct rotation *r = user;
    if (err < 0) {
        finish(r, err);
        return;
    }
    r->in = STORE_SEALED_SECRETS;
    next_rows(r);
}

/* The key that was being replaced, if any, is done. */
static int done_with_key(struct rotation *r)
{
    if (r->key_id[0] == '\0')
        return 0;
    if (r->result.failed > r->failed_before) {
        r->at++; /* it stays */
        return 0;
    }
    int err = sealer_drop_key(r->sealer, r->key_id);
    r->result.dropped += err == 0;
    return err;
}

static int replace_key(struct rotation *r)
{
    (void)!str_copy(r->key_id, sizeof r->key_id, sealer_key_id_at(r->sealer, r->at));
    r->failed_before = r->result.failed;
    return store_key_retire(r->pool, r->key_id, on_retired, r);
}

static void next_key(struct rotation *r)
{
    int err = done_with_key(r);
    if (err == 0 && r->at < sealer_count(r->sealer))
        err = replace_key(r);
    else
        err = err < 0 ? err : ERR_END;
    if (err < 0)
        finish(r, err == ERR_END ? 0 : err);
}

int rotation_start(struct db_pool *p, struct sealer *s, rotation_fn fn, void *user,
                   struct rotation **ret)
{
    struct rotation *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    *r = (struct rotation){.pool = p, .sealer = s, .fn = fn, .user = user, .at = 1};
    int err = sealer_add_key(s);
    if (err == 0 || err == ERR_LIMIT) /* full of what could not be replaced: tried again */
        err = sealer_count(s) > 1 ? replace_key(r) : ERR_INTERNAL;
    if (err < 0) {
        free(r);
        return err;
    }
    *ret = r;
    return 0;
}

void rotation_free(struct rotation *r)
{
    free(r);
}
