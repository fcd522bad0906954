/* The values of a run's secrets: looked up together, opened, handed on and wiped. */
#include "orchestrator/secrets_internal.h"

#include "base/fields.h"
#include "base/str.h"
#include "orchestrator/policy.h"
#include "orchestrator/seal.h"

#include <string.h>

#define ERROR_RUN "failed to run command"

struct resolving {
    struct op op;
    orchestrator_resolved_fn fn;
    void *user;
    struct principal who;
    size_t n;
    char names[][SECRET_NAME_SIZE];
};

static int unknown(struct problem *p, const char *name)
{
    return problem_set(p, ERR_INVALID, ERROR_RUN, "secret \"%.128s\" not found", name);
}

static void resolving_cancelled(struct op *op, const struct problem *p)
{
    struct resolving *s = CONTAINER_OF(op, struct resolving, op);
    s->fn(s->user, p, NULL, 0);
}

static const struct store_secret *find(const struct store_secret *rows, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(rows[i].about.name, name))
            return &rows[i];
    }
    return NULL;
}

static int open_one(const struct resolving *s, const struct orchestrator *o, const char *name,
                    const struct store_secret *row, struct secret_value *ret, struct problem *p)
{
    void *value;
    size_t len;
    if (!row)
        return unknown(p, name);
    if (!policy_allows(&s->who, POLICY_SECRET_USE, row->about.created_by))
        return problem_set(p, ERR_FORBIDDEN, "forbidden",
                           "you do not have permission to use secret \"%.128s\"", name);
    int r = secret_open(o, row, ERROR_RUN, &value, &len, p);
    if (r == 0)
        *ret = (struct secret_value){row->about.name, row->about.key_name, value, len};
    return r;
}

static void hand_on(const struct resolving *s, const struct orchestrator *o,
                    const struct store_secret *rows, size_t n)
{
    struct problem p;
    struct secret_value *values = calloc(s->n, sizeof *values);
    size_t done = 0;
    int r = 0;
    if (!values) {
        (void)problem_store(&p, ERR_NOMEM, ERROR_RUN);
        s->fn(s->user, &p, NULL, 0);
        return;
    }
    while (r == 0 && done < s->n) {
        const char *name = s->names[done];
        r = open_one(s, o, name, find(rows, n, name), &values[done], &p);
        done += r == 0;
    }
    s->fn(s->user, r < 0 ? &p : NULL, r < 0 ? NULL : values, r < 0 ? 0 : s->n);
    while (done > 0)
        seal_wipe((void *)values[--done].value);
    free(values);
}

static void on_rows(void *user, int err, const struct store_secret *rows, size_t n)
{
    struct resolving *s = user;
    const struct orchestrator *o = s->op.o;
    struct problem p;
    if (op_end(&s->op)) {
        if (err < 0) {
            (void)problem_store(&p, err, ERROR_RUN);
            s->fn(s->user, &p, NULL, 0);
        } else {
            hand_on(s, o, rows, n);
        }
    }
    free(s);
}

int orchestrator_secrets_resolve(struct orchestrator *o, const struct caller *by,
                                 const char *const *names, size_t n, orchestrator_resolved_fn fn,
                                 void *user, struct problem *p)
{
    if (!policy_allows(by->who, POLICY_SECRET_USE, NULL))
        return problem_set(p, ERR_FORBIDDEN, "forbidden",
                           "you do not have permission to use secret \"%.128s\"",
                           n > 0 ? names[0] : "");
    if (n == 0 || n > SECRETS_RUN_MAX)
        return problem_set(p, ERR_INVALID, ERROR_RUN, "secrets must be 1 to %d names",
                           SECRETS_RUN_MAX);
    struct resolving *s = calloc(1, sizeof *s + n * sizeof s->names[0]);
    if (!s)
        return problem_store(p, ERR_NOMEM, ERROR_RUN);
    s->fn = fn;
    s->user = user;
    s->who = *by->who;
    s->n = n;
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        if (field_check(FIELD_SECRET_NAME, "", names[i], p) < 0 ||
            str_copy(s->names[i], sizeof s->names[i], names[i]) < 0)
            r = unknown(p, names[i]);
    }
    if (r == 0) {
        r = store_secret_get(o->pool, names, n, on_rows, s);
        if (r < 0)
            (void)problem_store(p, r, ERROR_RUN);
    }
    if (r < 0) {
        free(s);
        return p->err;
    }
    op_begin(o, &s->op, resolving_cancelled);
    return 0;
}
