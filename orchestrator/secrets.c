/*
 * Secrets, changed and shown. A question lives until PostgreSQL has answered it, or the
 * orchestrator ends. Whether a person may change a row is left to the statement that changes it
 * (its `owner`), so another's secret and one that is not there cannot be told apart.
 */
#include "orchestrator/secrets_internal.h"

#include "base/fields.h"
#include "base/log.h"
#include "base/str.h"
#include "orchestrator/policy.h"
#include "orchestrator/seal.h"

#include <stdio.h>
#include <string.h>

#define ERROR_CREATE "failed to create secret"
#define ERROR_LIST "failed to list secrets"
#define ERROR_GET "failed to get secret"
#define ERROR_UPDATE "failed to update secret"
#define ERROR_DELETE "failed to delete secret"

/* A value's longest, sealed. */
#define SEALED_MAX (65536u + SEAL_OVERHEAD)

struct question {
    struct op op;
    orchestrator_done_fn done_fn; /* one of the three */
    orchestrator_secret_fn secret_fn;
    orchestrator_secrets_fn secrets_fn;
    void *user;
    const char *failed; /* the error's title */
    struct principal who;
    char name[SECRET_NAME_SIZE];
};

static void answer(const struct question *q, const struct problem *p, const struct secret *rows,
                   size_t n)
{
    if (q->done_fn)
        q->done_fn(q->user, p);
    else if (q->secret_fn)
        q->secret_fn(q->user, p, rows);
    else
        q->secrets_fn(q->user, p, rows, n);
}

static void cancelled(struct op *op, const struct problem *p)
{
    answer(CONTAINER_OF(op, struct question, op), p, NULL, 0);
}

static int not_found(struct problem *p)
{
    (void)problem_set(p, ERR_NOT_FOUND, "secret not found", "secret not found");
    (void)!str_copy(p->code, sizeof p->code, "SECRET_NOT_FOUND");
    return ERR_NOT_FOUND;
}

static int exists(struct problem *p, const char *name)
{
    (void)problem_set(p, ERR_CONFLICT, ERROR_CREATE, "there is a secret \"%s\" already", name);
    (void)!str_copy(p->code, sizeof p->code, "SECRET_ALREADY_EXISTS");
    return ERR_CONFLICT;
}

/* A name that breaks the rule is no secret's: found without asking. */
static int check_known(const char *name, struct problem *p)
{
    return field_check(FIELD_SECRET_NAME, "", name, p) < 0 ? not_found(p) : 0;
}

/* ---- sealing ---- */

static int seal_value(const struct orchestrator *o, const char *name, const char *value,
                      struct buf *out, char ret_key_id[SEAL_KEY_ID_SIZE], const char *failed,
                      struct problem *p)
{
    char context[SECRET_CONTEXT_SIZE];
    secret_context(name, context);
    if (!o->opts.sealer)
        return secret_no_key(p, failed);
    int r = seal(o->opts.sealer, context, value, strlen(value), out, ret_key_id);
    return r < 0 ? problem_store(p, r, failed) : 0;
}

/* ---- asking ---- */

/* The store call's result: below 0 frees q and fills *p. */
static int begin(struct orchestrator *o, struct question *q, int err, struct problem *p)
{
    if (err < 0) {
        (void)problem_store(p, err, q->failed);
        free(q);
        return p->err;
    }
    op_begin(o, &q->op, cancelled);
    return 0;
}

static struct question *question_new(const char *failed, const struct caller *by, const char *name,
                                     void *user)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->failed = failed;
    q->user = user;
    q->who = *by->who;
    (void)!str_copy(q->name, sizeof q->name, name); /* its length was checked */
    return q;
}

static struct store_audit audit_of(const struct caller *by, const char *action, const char *name,
                                   char resource[SECRET_CONTEXT_SIZE])
{
    secret_context(name, resource);
    return (struct store_audit){*by, action, resource, "ok"};
}

static void on_done(void *user, int err)
{
    struct question *q = user;
    struct problem p;
    if (op_end(&q->op)) {
        if (err == ERR_NOT_FOUND)
            (void)not_found(&p);
        else if (err == ERR_CONFLICT)
            (void)exists(&p, q->name);
        else if (err < 0)
            (void)problem_store(&p, err, q->failed);
        answer(q, err < 0 ? &p : NULL, NULL, 0);
    }
    free(q);
}

/* ---- create ---- */

static int check_new(const char *name, const struct secret_fields *f, struct problem *p)
{
    int r = field_check(FIELD_SECRET_NAME, ERROR_CREATE, name, p);
    if (r == 0)
        r = field_check(FIELD_KEY_NAME, ERROR_CREATE, f->key_name, p);
    if (r == 0)
        r = field_check(FIELD_DESCRIPTION, ERROR_CREATE, f->description, p);
    if (r == 0)
        r = field_check(FIELD_SECRET_VALUE, ERROR_CREATE, f->value, p);
    return r;
}

int orchestrator_secret_create(struct orchestrator *o, const struct caller *by, const char *name,
                               const struct secret_fields *f, orchestrator_done_fn fn, void *user,
                               struct problem *p)
{
    struct buf sealed CLEANUP_BUF = {.max = SEALED_MAX};
    char key_id[SEAL_KEY_ID_SIZE], resource[SECRET_CONTEXT_SIZE];
    if (!policy_allows(by->who, POLICY_SECRET_CREATE, NULL))
        return policy_refuse(p, POLICY_SECRET_CREATE);
    if (check_new(name, f, p) < 0 ||
        seal_value(o, name, f->value, &sealed, key_id, ERROR_CREATE, p) < 0)
        return p->err;
    struct question *q = question_new(ERROR_CREATE, by, name, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_CREATE);
    q->done_fn = fn;
    const struct store_audit audit = audit_of(by, "secrets.create", name, resource);
    const struct store_secret row = {
        .about = {.name = name,
                  .key_name = f->key_name,
                  .description = f->description ? f->description : ""},
        .key_id = key_id,
        .sealed = sealed.data,
        .sealed_len = sealed.len,
    };
    return begin(o, q, store_secret_create(o->pool, &row, &audit, on_done, q), p);
}

/* ---- list ---- */

static void on_listed(void *user, int err, const struct store_secret *rows, size_t n)
{
    struct question *q = user;
    struct problem p;
    if (op_end(&q->op)) {
        struct secret *list = err < 0 ? NULL : calloc(n + 1, sizeof *list);
        for (size_t i = 0; list && i < n; i++)
            list[i] = rows[i].about;
        if (!list)
            (void)problem_store(&p, err < 0 ? err : ERR_NOMEM, q->failed);
        answer(q, list ? NULL : &p, list, list ? n : 0);
        free(list);
    }
    free(q);
}

int orchestrator_secret_list(struct orchestrator *o, const struct caller *by,
                             orchestrator_secrets_fn fn, void *user, struct problem *p)
{
    enum policy_scope scope = policy_scope(by->who->role, POLICY_SECRET_LIST);
    if (scope == POLICY_NONE)
        return policy_refuse(p, POLICY_SECRET_LIST);
    struct question *q = question_new(ERROR_LIST, by, "", user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_LIST);
    q->secrets_fn = fn;
    const char *only = scope == POLICY_OWN ? q->who.email : NULL;
    return begin(o, q, store_secret_list(o->pool, only, on_listed, q), p);
}

/* ---- get ---- */

static void show(const struct question *q, const struct orchestrator *o,
                 const struct store_secret *row)
{
    struct secret s = row->about;
    struct problem p;
    void *value = NULL;
    size_t len;
    int r = policy_allows(&q->who, POLICY_SECRET_READ, s.created_by)
                ? secret_open(o, row, q->failed, &value, &len, &p)
                : not_found(&p);
    s.value = value;
    answer(q, r < 0 ? &p : NULL, r < 0 ? NULL : &s, r < 0 ? 0 : 1);
    seal_wipe(value);
}

static void on_found(void *user, int err, const struct store_secret *rows, size_t n)
{
    struct question *q = user;
    struct orchestrator *o = q->op.o;
    struct problem p;
    if (op_end(&q->op)) {
        if (err == 0 && n > 0) {
            show(q, o, &rows[0]);
        } else {
            (void)(err < 0 ? problem_store(&p, err, q->failed) : not_found(&p));
            answer(q, &p, NULL, 0);
        }
    }
    free(q);
}

int orchestrator_secret_get(struct orchestrator *o, const struct caller *by, const char *name,
                            orchestrator_secret_fn fn, void *user, struct problem *p)
{
    if (!policy_may_try(by->who, POLICY_SECRET_READ))
        return policy_refuse(p, POLICY_SECRET_READ);
    if (check_known(name, p) < 0)
        return p->err;
    struct question *q = question_new(ERROR_GET, by, name, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_GET);
    q->secret_fn = fn;
    return begin(o, q, store_secret_get(o->pool, &name, 1, on_found, q), p);
}

/* ---- update, delete ---- */

/* Whose rows a person may change: NULL = everybody's. */
static const char *owner_limit(const struct caller *by, enum policy_action action)
{
    return policy_allows(by->who, action, NULL) ? NULL : by->who->email;
}

static const char *if_given(const char *s)
{
    return str_is_empty(s) ? NULL : s;
}

static int check_change(const struct secret_fields *f, struct problem *p)
{
    int r = f->key_name ? field_check(FIELD_KEY_NAME, ERROR_UPDATE, f->key_name, p) : 0;
    if (r == 0 && f->description)
        r = field_check(FIELD_DESCRIPTION, ERROR_UPDATE, f->description, p);
    if (r == 0 && f->value)
        r = field_check(FIELD_SECRET_VALUE, ERROR_UPDATE, f->value, p);
    return r;
}

int orchestrator_secret_update(struct orchestrator *o, const struct caller *by, const char *name,
                               const struct secret_fields *f, orchestrator_done_fn fn, void *user,
                               struct problem *p)
{
    struct buf sealed CLEANUP_BUF = {.max = SEALED_MAX};
    char key_id[SEAL_KEY_ID_SIZE], resource[SECRET_CONTEXT_SIZE];
    const struct secret_fields given = {if_given(f->key_name), if_given(f->description),
                                        if_given(f->value)};
    if (!policy_may_try(by->who, POLICY_SECRET_UPDATE))
        return policy_refuse(p, POLICY_SECRET_UPDATE);
    if (check_known(name, p) < 0 || check_change(&given, p) < 0)
        return p->err;
    if (given.value && seal_value(o, name, given.value, &sealed, key_id, ERROR_UPDATE, p) < 0)
        return p->err;
    struct question *q = question_new(ERROR_UPDATE, by, name, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_UPDATE);
    q->done_fn = fn;
    const struct store_audit audit = audit_of(by, "secrets.update", name, resource);
    const struct store_secret row = {
        .about = {.name = name, .key_name = given.key_name, .description = given.description},
        .key_id = given.value ? key_id : NULL,
        .sealed = sealed.data,
        .sealed_len = sealed.len,
    };
    const char *owner = owner_limit(by, POLICY_SECRET_UPDATE);
    return begin(o, q, store_secret_update(o->pool, &row, owner, &audit, on_done, q), p);
}

int orchestrator_secret_delete(struct orchestrator *o, const struct caller *by, const char *name,
                               orchestrator_done_fn fn, void *user, struct problem *p)
{
    char resource[SECRET_CONTEXT_SIZE];
    if (!policy_may_try(by->who, POLICY_SECRET_DELETE))
        return policy_refuse(p, POLICY_SECRET_DELETE);
    if (check_known(name, p) < 0)
        return p->err;
    struct question *q = question_new(ERROR_DELETE, by, name, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_DELETE);
    q->done_fn = fn;
    const struct store_audit audit = audit_of(by, "secrets.delete", name, resource);
    const char *owner = owner_limit(by, POLICY_SECRET_DELETE);
    return begin(o, q, store_secret_delete(o->pool, name, owner, &audit, on_done, q), p);
}
