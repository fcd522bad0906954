#include "fake_health.h"

#include "db/store_audit.h"
#include "db/store_health.h"

#include <stdio.h>
#include <string.h>

static struct {
    db_batch_fn fn;
    void *user;
    int err;
} calls[HEALTH_KINDS];
char fake_health_text[512];

void fake_health_reset(void)
{
    memset(calls, 0, sizeof calls);
    fake_health_text[0] = '\0';
}

size_t fake_health_waiting(enum fake_health_kind kind)
{
    return calls[kind].fn != NULL;
}

void fake_health_return(enum fake_health_kind kind, int err)
{
    calls[kind].err = err;
}

static const struct fake_result nothing;

void fake_health_answer(enum fake_health_kind kind, int err, const struct fake_result *result)
{
    db_batch_fn fn = calls[kind].fn;
    assert_non_null(fn);
    calls[kind].fn = NULL;
    fn(calls[kind].user, err, (const void *)(result ? result : &nothing));
}

static int take(enum fake_health_kind kind, db_batch_fn fn, void *user)
{
    if (calls[kind].err)
        return calls[kind].err;
    assert_null(calls[kind].fn);
    calls[kind].fn = fn;
    calls[kind].user = user;
    return 0;
}

int store_health_compute(struct db_pool *p UNUSED, const char *gateway_id, int64_t settle_ms UNUSED,
                         db_batch_fn fn, void *user)
{
    assert_string_equal(gateway_id, "gw1");
    return take(HEALTH_COMPUTE, fn, user);
}

int store_health_known(struct db_pool *p UNUSED, const char *ids, db_batch_fn fn, void *user)
{
    (void)snprintf(fake_health_text, sizeof fake_health_text, "%s", ids);
    return take(HEALTH_KNOWN, fn, user);
}

int store_health_secrets(struct db_pool *p UNUSED, const char *after, db_batch_fn fn, void *user)
{
    (void)snprintf(fake_health_text, sizeof fake_health_text, "%s", after);
    return take(HEALTH_SECRETS, fn, user);
}

int store_health_sweep(struct db_pool *p UNUSED, db_batch_fn fn, void *user)
{
    return take(HEALTH_SWEEP, fn, user);
}

int store_health_rights(struct db_pool *p UNUSED, db_batch_fn fn, void *user)
{
    return take(HEALTH_RIGHTS, fn, user);
}

int store_health_owners(struct db_pool *p UNUSED, db_batch_fn fn, void *user)
{
    return take(HEALTH_OWNERS, fn, user);
}

int store_audit_add(struct db_batch *b UNUSED, const struct store_audit *a)
{
    assert_string_equal(a->action, "health.reconcile");
    return 0;
}

static const struct fake_row_of *row_of(const struct db_result *r, size_t stmt, size_t row)
{
    const struct fake_result *f = (const void *)r;
    assert_true(row < f->stmt[stmt].n);
    return &f->stmt[stmt].rows[row];
}

const char *db_get_text(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    return row_of(r, stmt, row)->text[col];
}

int64_t db_get_i64(const struct db_result *r, size_t stmt, size_t row, size_t col)
{
    return row_of(r, stmt, row)->number[col];
}

const struct db_pool *writer_pool(const struct writer *w UNUSED)
{
    return NULL;
}
