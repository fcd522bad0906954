/*
 * Who asks: API keys and stream tokens to principals, looked up in PostgreSQL each time, so that a
 * revocation holds at once. The key itself is hashed here and goes no further.
 */
#include "orchestrator/internal.h"

#include "base/str.h"
#include "db/store_keys.h"
#include "orchestrator/keys.h"

struct look_up {
    struct op op;
    orchestrator_principal_fn fn;
    void *user;
};

static int problem_principal(struct problem *p, int err)
{
    switch (err) {
    case ERR_BAD_KEY:
    case ERR_NOT_FOUND:
        return problem_set(p, ERR_BAD_KEY, "Unauthorized", "Invalid API key");
    case ERR_REVOKED:
        return problem_set(p, ERR_REVOKED, "Unauthorized", "API key has been revoked");
    case ERR_DB_AWAY:
    case ERR_DB:
    case ERR_TIMEOUT:
    case ERR_LIMIT:
        return problem_set(p, err == ERR_DB ? ERR_DB : ERR_DB_AWAY, "Server error",
                           "failed to get user by API key hash");
    default:
        return problem_store(p, err, "Server error");
    }
}

static void cancelled(struct op *op, const struct problem *p)
{
    struct look_up *k = CONTAINER_OF(op, struct look_up, op);
    k->fn(k->user, p, NULL);
}

static void answered(void *user, int err, const struct principal *who)
{
    struct look_up *k = user;
    struct problem p;
    struct orchestrator *o = k->op.o;
    if (op_end(&k->op)) {
        if (err == 0) {
            last_use_note(&o->last_use, o->pool, who->key_id);
            k->fn(k->user, NULL, who);
        } else {
            (void)problem_principal(&p, err);
            k->fn(k->user, &p, NULL);
        }
    }
    free(k);
}

/* By hash, or by user_key when hash is NULL. */
static int look_up(struct orchestrator *o, const uint8_t *hash, int64_t user_key,
                   orchestrator_principal_fn fn, void *user, struct problem *p)
{
    struct look_up *k = calloc(1, sizeof *k);
    if (!k)
        return problem_store(p, ERR_NOMEM, "Server error");
    k->fn = fn;
    k->user = user;
    int r = hash ? store_key_lookup(o->pool, hash, answered, k)
                 : store_user_lookup(o->pool, user_key, answered, k);
    if (r < 0) {
        free(k);
        return problem_principal(p, r);
    }
    op_begin(o, &k->op, cancelled);
    return 0;
}

int orchestrator_authenticate(struct orchestrator *o, const char *key, orchestrator_principal_fn fn,
                              void *user, struct problem *p)
{
    if (str_is_empty(key))
        return problem_set(p, ERR_UNAUTHORIZED, "Unauthorized", "API key is required");
    if (!api_key_is_well_formed(key))
        return problem_principal(p, ERR_BAD_KEY);
    uint8_t hash[API_KEY_HASH_LEN];
    api_key_hash(key, hash);
    return look_up(o, hash, 0, fn, user, p);
}

int orchestrator_token_principal(struct orchestrator *o, int64_t user_key,
                                 orchestrator_principal_fn fn, void *user, struct problem *p)
{
    return look_up(o, NULL, user_key, fn, user, p);
}
