/* Users: made with a claim token, revoked, listed; the first admin. What waits for PostgreSQL is an
 * op that the orchestrator's end cancels. */
#include "orchestrator/users.h"

#include "base/fields.h"
#include "db/store_users.h"
#include "orchestrator/internal.h"
#include "orchestrator/keys.h"
#include "orchestrator/random_text.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

#define CLAIM_BYTES 24
#define RESOURCE_SIZE 320 /* "user/" and an e-mail */

static_assert(RANDOM_TEXT_LEN(CLAIM_BYTES) == CLAIM_TOKEN_LEN, "claim token length");

static const char CREATE_FAILED[] = "failed to create user";
static const char REVOKE_FAILED[] = "failed to revoke user";
static const char LIST_FAILED[] = "failed to list users";
static const char CLAIM_FAILED[] = "failed to claim API key";

/* One change or question; what of it is secret is cleared with it. */
struct asking {
    struct op op;
    union {
        orchestrator_user_fn one;
        orchestrator_users_fn many;
        orchestrator_claim_fn claim;
        orchestrator_bootstrap_fn bootstrap;
    } fn;
    void *user;
    char secret[API_KEY_LEN + 1]; /* the claim token, or the key that it was claimed for */
};

static_assert(API_KEY_LEN >= CLAIM_TOKEN_LEN, "a token fits");

static struct asking *asking_new(void *user)
{
    struct asking *a = calloc(1, sizeof *a);
    if (a)
        a->user = user;
    return a;
}

static void asking_free(struct asking *a)
{
    sodium_memzero(a->secret, sizeof a->secret);
    free(a);
}

/* The store took the question, or the asking is over. */
static int asked(struct orchestrator *o, struct asking *a, int r,
                 void (*cancel)(struct op *, const struct problem *))
{
    if (r < 0)
        asking_free(a);
    else
        op_begin(o, &a->op, cancel);
    return r;
}

static void about_user(const char *email, char ret[RESOURCE_SIZE])
{
    (void)snprintf(ret, RESOURCE_SIZE, "user/%s", email);
}

/* ---- making ---- */

static void one_cancelled(struct op *op, const struct problem *p)
{
    struct asking *a = CONTAINER_OF(op, struct asking, op);
    a->fn.one(a->user, p, NULL, NULL);
}

static void on_created(void *user, int err, const struct user *rows, size_t n)
{
    struct asking *a = user;
    struct problem p;
    if (op_end(&a->op)) {
        if (err == ERR_CONFLICT)
            (void)problem_set(&p, err, CREATE_FAILED, "user with this email already exists");
        else if (err < 0)
            (void)problem_store(&p, err, CREATE_FAILED);
        a->fn.one(a->user, err < 0 ? &p : NULL, err < 0 || n == 0 ? NULL : rows,
                  err < 0 ? NULL : a->secret);
    }
    asking_free(a);
}

int orchestrator_user_create(struct orchestrator *o, const struct caller *by, const char *email,
                             const char *role, orchestrator_user_fn fn, void *user,
                             struct problem *p)
{
    uint8_t hash[API_KEY_HASH_LEN];
    char resource[RESOURCE_SIZE];
    const struct store_audit audit = {*by, "users.create", resource, "ok"};
    struct store_new_user n = {
        .email = email, .claim_hash = hash, .claim_ttl_ms = o->opts.claim_ttl_ms};
    int r = field_check(FIELD_EMAIL, CREATE_FAILED, email, p);
    if (r == 0)
        r = field_check(FIELD_ROLE, CREATE_FAILED, role, p);
    if (r < 0)
        return r;
    (void)!role_parse(role, &n.role); /* the field's rule */
    about_user(email, resource);
    struct asking *a = asking_new(user);
    if (!a)
        return problem_store(p, ERR_NOMEM, CREATE_FAILED);
    a->fn.one = fn;
    random_text_make(CLAIM_BYTES, a->secret);
    api_key_hash(a->secret, hash);
    r = asked(o, a, store_user_create(o->pool, &n, &audit, on_created, a), one_cancelled);
    return r < 0 ? problem_store(p, r, CREATE_FAILED) : 0;
}

/* ---- revoking ---- */

static void on_revoked(void *user, int err, const struct user *rows, size_t n)
{
    struct asking *a = user;
    struct problem p;
    if (op_end(&a->op)) {
        if (err == ERR_NOT_FOUND)
            (void)problem_set(&p, err, REVOKE_FAILED, "user not found");
        else if (err == ERR_CONFLICT)
            (void)problem_set(
                &p, err, REVOKE_FAILED,
                "the last admin with a key cannot be revoked: make another one first");
        else if (err < 0)
            (void)problem_store(&p, err, REVOKE_FAILED);
        a->fn.one(a->user, err < 0 ? &p : NULL, err < 0 || n == 0 ? NULL : rows, NULL);
    }
    asking_free(a);
}

int orchestrator_user_revoke(struct orchestrator *o, const struct caller *by, const char *email,
                             orchestrator_user_fn fn, void *user, struct problem *p)
{
    char resource[RESOURCE_SIZE];
    const struct store_audit audit = {*by, "users.revoke", resource, "ok"};
    int r = field_check(FIELD_EMAIL, REVOKE_FAILED, email, p);
    if (r < 0)
        return r;
    about_user(email, resource);
    struct asking *a = asking_new(user);
    if (!a)
        return problem_store(p, ERR_NOMEM, REVOKE_FAILED);
    a->fn.one = fn;
    r = asked(o, a, store_user_revoke(o->pool, email, &audit, on_revoked, a), one_cancelled);
    return r < 0 ? problem_store(p, r, REVOKE_FAILED) : 0;
}

/* ---- listing ---- */

static void many_cancelled(struct op *op, const struct problem *p)
{
    struct asking *a = CONTAINER_OF(op, struct asking, op);
    a->fn.many(a->user, p, NULL, 0);
}

static void on_listed(void *user, int err, const struct user *rows, size_t n)
{
    struct asking *a = user;
    struct problem p;
    if (op_end(&a->op)) {
        if (err < 0)
            (void)problem_store(&p, err, LIST_FAILED);
        a->fn.many(a->user, err < 0 ? &p : NULL, rows, n);
    }
    asking_free(a);
}

int orchestrator_users_list(struct orchestrator *o, orchestrator_users_fn fn, void *user,
                            struct problem *p)
{
    struct asking *a = asking_new(user);
    if (!a)
        return problem_store(p, ERR_NOMEM, LIST_FAILED);
    a->fn.many = fn;
    int r = asked(o, a, store_user_list(o->pool, on_listed, a), many_cancelled);
    return r < 0 ? problem_store(p, r, LIST_FAILED) : 0;
}

/* ---- claiming ---- */

static int problem_claim(struct problem *p, int err)
{
    switch (err) {
    case ERR_NOT_FOUND:
        return problem_set(p, err, CLAIM_FAILED, "invalid or expired token");
    case ERR_TIMEOUT:
        return problem_set(p, ERR_NOT_FOUND, CLAIM_FAILED, "token has expired");
    case ERR_CONFLICT:
        return problem_set(p, err, CLAIM_FAILED, "key has already been claimed");
    default:
        return problem_store(p, err, CLAIM_FAILED);
    }
}

static void claim_cancelled(struct op *op, const struct problem *p)
{
    struct asking *a = CONTAINER_OF(op, struct asking, op);
    a->fn.claim(a->user, p, NULL, NULL);
}

static void on_claimed(void *user, int err, const char *email)
{
    struct asking *a = user;
    struct problem p;
    if (op_end(&a->op)) {
        if (err < 0)
            (void)problem_claim(&p, err);
        a->fn.claim(a->user, err < 0 ? &p : NULL, err < 0 ? NULL : a->secret, email);
    }
    asking_free(a);
}

int orchestrator_claim(struct orchestrator *o, const struct caller *by, const char *token,
                       orchestrator_claim_fn fn, void *user, struct problem *p)
{
    uint8_t claim_hash[API_KEY_HASH_LEN], key_hash[API_KEY_HASH_LEN];
    char prefix[API_KEY_PREFIX_LEN + 1];
    const struct store_audit audit = {*by, "claims.view", "user/", "ok"};
    const struct store_claim claim = {claim_hash, key_hash, prefix};
    if (!random_text_is_well_formed(token, CLAIM_BYTES))
        return problem_claim(p, ERR_NOT_FOUND);
    struct asking *a = asking_new(user);
    if (!a)
        return problem_claim(p, ERR_NOMEM);
    a->fn.claim = fn;
    api_key_hash(token, claim_hash);
    api_key_make(a->secret);
    api_key_hash(a->secret, key_hash);
    api_key_prefix(a->secret, prefix);
    int r = asked(o, a, store_claim_use(o->pool, &claim, &audit, on_claimed, a), claim_cancelled);
    return r < 0 ? problem_claim(p, r) : 0;
}

/* ---- the first admin ---- */

static void bootstrap_cancelled(struct op *op, const struct problem *p)
{
    struct asking *a = CONTAINER_OF(op, struct asking, op);
    a->fn.bootstrap(a->user, p->err, NULL);
}

static void on_bootstrapped(void *user, int err, const struct db_result *r UNUSED)
{
    struct asking *a = user;
    if (op_end(&a->op))
        a->fn.bootstrap(a->user, err == ERR_CONFLICT ? 0 : err, err < 0 ? NULL : a->secret);
    asking_free(a);
}

int orchestrator_bootstrap_admin(struct orchestrator *o, const char *email,
                                 orchestrator_bootstrap_fn fn, void *user)
{
    uint8_t hash[API_KEY_HASH_LEN];
    char resource[RESOURCE_SIZE];
    const struct store_audit audit = {{0}, "users.bootstrap", resource, "ok"};
    const struct store_new_user n = {.email = email,
                                     .role = ROLE_ADMIN,
                                     .claim_hash = hash,
                                     .claim_ttl_ms = o->opts.claim_ttl_ms};
    about_user(email, resource);
    struct asking *a = asking_new(user);
    if (!a)
        return ERR_NOMEM;
    a->fn.bootstrap = fn;
    random_text_make(CLAIM_BYTES, a->secret);
    api_key_hash(a->secret, hash);
    return asked(o, a, store_user_bootstrap(o->pool, &n, &audit, on_bootstrapped, a),
                 bootstrap_cancelled);
}
