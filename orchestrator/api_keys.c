/* API keys, each for the user who asks. */
#include "orchestrator/api_keys.h"

#include "base/fields.h"
#include "base/str.h"
#include "db/store_api_keys.h"
#include "orchestrator/internal.h"
#include "orchestrator/keys.h"

#include <sodium.h>
#include <stdio.h>

static const char CREATE_FAILED[] = "failed to create API key";
static const char LIST_FAILED[] = "failed to list API keys";
static const char REVOKE_FAILED[] = "failed to revoke API key";

struct asking {
    struct op op;
    orchestrator_api_keys_fn fn;
    void *user;
    const char *failed;
    int64_t most;
    char key[API_KEY_LEN + 1]; /* "" unless one is made */
};

static void asking_free(struct asking *a)
{
    sodium_memzero(a->key, sizeof a->key);
    free(a);
}

static struct asking *asking_new(const struct orchestrator *o, orchestrator_api_keys_fn fn,
                                 void *user, const char *failed)
{
    struct asking *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->fn = fn;
    a->user = user;
    a->failed = failed;
    a->most = o->opts.max_keys_per_user;
    return a;
}

static void cancelled(struct op *op, const struct problem *p)
{
    struct asking *a = CONTAINER_OF(op, struct asking, op);
    a->fn(a->user, p, NULL, 0, NULL);
}

static int asked(struct orchestrator *o, struct asking *a, int r, struct problem *p)
{
    if (r < 0) {
        const char *failed = a->failed;
        asking_free(a);
        return problem_store(p, r, failed);
    }
    op_begin(o, &a->op, cancelled);
    return 0;
}

static int problem_key(const struct asking *a, struct problem *p, int err)
{
    switch (err) {
    case ERR_NOT_FOUND:
        return problem_set(p, err, a->failed, "API key not found");
    case ERR_REVOKED:
        return problem_set(p, err, a->failed, "API key has been revoked");
    case ERR_CONFLICT: /* two keys of one hash: the random numbers are broken */
        return problem_set(p, ERR_INTERNAL, a->failed, "internal error");
    default:
        return problem_store(p, err, a->failed);
    }
}

static void answer(struct asking *a, int err, const struct api_key *rows, size_t n)
{
    struct problem p;
    if (op_end(&a->op)) {
        if (err < 0) {
            (void)problem_key(a, &p, err);
            a->fn(a->user, &p, NULL, 0, NULL);
        } else {
            a->fn(a->user, NULL, rows, n, a->key[0] ? a->key : NULL);
        }
    }
    asking_free(a);
}

static void on_rows(void *user, int err, const struct api_key *rows, size_t n)
{
    answer(user, err, rows, n);
}

/* Here alone the store's ERR_LIMIT may be the user's, when the pool took the question. */
static void on_created(void *user, int err, const struct api_key *rows, size_t n)
{
    struct asking *a = user;
    struct problem p;
    if (err != ERR_LIMIT) {
        answer(a, err, rows, n);
        return;
    }
    (void)problem_set(&p, err, a->failed, "a user may have at most %lld API keys: revoke one first",
                      (long long)a->most);
    if (op_end(&a->op))
        a->fn(a->user, &p, NULL, 0, NULL);
    asking_free(a);
}

int orchestrator_api_key_create(struct orchestrator *o, const struct caller *by,
                                const char *description, orchestrator_api_keys_fn fn, void *user,
                                struct problem *p)
{
    uint8_t hash[API_KEY_HASH_LEN];
    char prefix[API_KEY_PREFIX_LEN + 1];
    const struct store_audit audit = {*by, "api_keys.create", "api_key/", "ok"};
    const struct store_new_api_key n = {.user_key = by->who->user_key,
                                        .hash = hash,
                                        .prefix = prefix,
                                        .description = description ? description : "",
                                        .most = o->opts.max_keys_per_user};
    int r = field_check(FIELD_KEY_DESCRIPTION, CREATE_FAILED, description, p);
    if (r < 0)
        return r;
    struct asking *a = asking_new(o, fn, user, CREATE_FAILED);
    if (!a)
        return problem_store(p, ERR_NOMEM, CREATE_FAILED);
    api_key_make(a->key);
    api_key_hash(a->key, hash);
    api_key_prefix(a->key, prefix);
    return asked(o, a, store_api_key_create(o->pool, &n, &audit, on_created, a), p);
}

int orchestrator_api_keys_list(struct orchestrator *o, const struct principal *who,
                               orchestrator_api_keys_fn fn, void *user, struct problem *p)
{
    struct asking *a = asking_new(o, fn, user, LIST_FAILED);
    if (!a)
        return problem_store(p, ERR_NOMEM, LIST_FAILED);
    return asked(o, a, store_api_key_list(o->pool, who->user_key, on_rows, a), p);
}

int orchestrator_api_key_revoke(struct orchestrator *o, const struct caller *by, const char *id,
                                orchestrator_api_keys_fn fn, void *user, struct problem *p)
{
    int64_t key_id;
    char resource[64];
    const struct store_audit audit = {*by, "api_keys.revoke", resource, "ok"};
    if (str_to_i64(id, 1, INT64_MAX, &key_id) < 0)
        return problem_set(p, ERR_NOT_FOUND, REVOKE_FAILED, "API key not found");
    struct asking *a = asking_new(o, fn, user, REVOKE_FAILED);
    if (!a)
        return problem_store(p, ERR_NOMEM, REVOKE_FAILED);
    (void)snprintf(resource, sizeof resource, "api_key/%lld", (long long)key_id);
    return asked(o, a, store_api_key_revoke(o->pool, by->who->user_key, key_id, &audit, on_rows, a),
                 p);
}
