/* fake_team.h's stores. */
#include "fake_team.h"

#include "../base/unit.h"
#include "base/err.h"
#include "db/store_secrets.h"

#include <stdio.h>
#include <string.h>

#define CALLS_MAX 16

static struct fake_team_call calls[CALLS_MAX];
static size_t n_calls;
static int returns;

void fake_team_reset(void)
{
    n_calls = 0;
    returns = 0;
}

void fake_team_returns(int err)
{
    returns = err;
}

static struct fake_team_call *record(enum fake_team_kind kind, void *user)
{
    if (returns < 0)
        return NULL;
    assert_true(n_calls < CALLS_MAX);
    struct fake_team_call *c = &calls[n_calls++];
    memset(c, 0, sizeof *c);
    c->kind = kind;
    c->user = user;
    return c;
}

size_t fake_team_waiting(enum fake_team_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < n_calls; i++)
        n += calls[i].kind == kind;
    return n;
}

struct fake_team_call fake_team_take(enum fake_team_kind kind)
{
    for (size_t i = 0; i < n_calls; i++) {
        if (calls[i].kind != kind)
            continue;
        struct fake_team_call c = calls[i];
        memmove(&calls[i], &calls[i + 1], (--n_calls - i) * sizeof calls[0]);
        return c;
    }
    fail_msg("no call of kind %d waits", kind);
    abort();
}

#define KEEP(at, text) (void)snprintf(at, sizeof(at), "%s", (text) ? (text) : "")

int store_image_find(struct db_pool *p UNUSED, const struct store_image_query *q,
                     store_images_fn fn, void *user)
{
    struct fake_team_call *c = record(TEAM_IMAGE_FIND, user);
    if (!c)
        return returns;
    c->fn.images = fn;
    KEEP(c->text, q->text);
    KEEP(c->registry, q->registry);
    KEEP(c->name, q->name);
    KEEP(c->tag, q->tag);
    return 0;
}

static int record_images(enum fake_team_kind kind, store_images_fn fn, void *user)
{
    struct fake_team_call *c = record(kind, user);
    if (!c)
        return returns;
    c->fn.images = fn;
    return 0;
}

int store_image_default(struct db_pool *p UNUSED, store_images_fn fn, void *user)
{
    return record_images(TEAM_IMAGE_DEFAULT, fn, user);
}

int store_image_list(struct db_pool *p UNUSED, store_images_fn fn, void *user)
{
    return record_images(TEAM_IMAGE_LIST, fn, user);
}

int store_image_register(struct db_pool *p UNUSED, const struct image *i,
                         const struct store_audit *a, store_images_fn fn, void *user)
{
    struct fake_team_call *c = record(TEAM_IMAGE_REGISTER, user);
    if (!c)
        return returns;
    c->fn.images = fn;
    KEEP(c->image_id, i->image_id);
    KEEP(c->registry, i->registry);
    KEEP(c->name, i->name);
    KEEP(c->tag, i->tag);
    c->is_default = i->is_default;
    KEEP(c->action, a->action);
    KEEP(c->resource, a->resource);
    return 0;
}

int store_image_remove(struct db_pool *p UNUSED, const char *image_id, const struct store_audit *a,
                       store_images_fn fn, void *user)
{
    struct fake_team_call *c = record(TEAM_IMAGE_REMOVE, user);
    if (!c)
        return returns;
    c->fn.images = fn;
    KEEP(c->image_id, image_id);
    KEEP(c->action, a->action);
    KEEP(c->resource, a->resource);
    KEEP(c->text, a->by.who->email);
    return 0;
}

int store_audit_write(struct db_pool *p UNUSED, const struct store_audit_refusals *rows, size_t n,
                      db_batch_fn fn, void *user)
{
    struct fake_team_call *c = record(TEAM_AUDIT_WRITE, user);
    if (!c)
        return returns;
    c->fn.batch = fn;
    c->n = n;
    for (size_t i = 0; i < n && i < FAKE_TEAM_ROWS; i++) {
        KEEP(c->rows[i].email, rows[i].entry.by.who->email);
        KEEP(c->rows[i].address, rows[i].entry.by.address);
        KEEP(c->rows[i].request_id, rows[i].entry.by.request_id);
        KEEP(c->rows[i].action, rows[i].entry.action);
        KEEP(c->rows[i].resource, rows[i].entry.resource);
        KEEP(c->rows[i].result, rows[i].entry.result);
        c->rows[i].count = rows[i].count;
    }
    return 0;
}

int store_audit_list(struct db_pool *p UNUSED, const struct audit_filter *f, store_audit_fn fn,
                     void *user)
{
    struct fake_team_call *c = record(TEAM_AUDIT_LIST, user);
    if (!c)
        return returns;
    c->fn.audit = fn;
    c->filter = *f;
    return 0;
}

int store_trace_write(struct db_pool *p UNUSED, const char *records, size_t len,
                      int64_t retention_ms, db_batch_fn fn, void *user)
{
    struct fake_team_call *c = record(TEAM_TRACE_WRITE, user);
    if (!c)
        return returns;
    c->fn.batch = fn;
    c->retention_ms = retention_ms;
    (void)snprintf(c->text, sizeof c->text, "%.*s", (int)len, records);
    return 0;
}

int store_trace_get(struct db_pool *p UNUSED, const char *request_id, store_trace_fn fn, void *user)
{
    struct fake_team_call *c = record(TEAM_TRACE_GET, user);
    if (!c)
        return returns;
    c->fn.trace = fn;
    KEEP(c->text, request_id);
    return 0;
}

/* Nobody asks: tests of those who do have their own. */
__attribute__((weak)) int store_secret_get(struct db_pool *p UNUSED,
                                           const char *const *names UNUSED, size_t n UNUSED,
                                           store_secrets_fn fn UNUSED, void *user UNUSED)
{
    return ERR_INTERNAL;
}
