/* What the calls were given, and whom to answer. */
#include "fake_people.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

struct fake_people fake_people;

int fake_people_setup(void **state)
{
    memset(&fake_people, 0, sizeof fake_people);
    return fake_setup(state);
}

static int keep(const char *call, void *user)
{
    if (fake_people.ret < 0)
        return fake_people.ret;
    assert_null(fake_people.call);
    fake_people.call = call;
    fake_people.user = user;
    return 0;
}

static void note(char *ret, size_t size, const char *text)
{
    int n = snprintf(ret, size, "%s", text ? text : "");
    assert_true(n >= 0 && (size_t)n < size);
}

static void note_audit(const struct store_audit *a)
{
    struct fake_people *f = &fake_people;
    note(f->action, sizeof f->action, a->action);
    note(f->resource, sizeof f->resource, a->resource);
    note(f->result, sizeof f->result, a->result);
    note(f->by, sizeof f->by, a->by.who ? a->by.who->email : "");
    note(f->address, sizeof f->address, a->by.address);
    note(f->request_id, sizeof f->request_id, a->by.request_id);
}

static void note_new_user(const struct store_new_user *n, const struct store_audit *a)
{
    note(fake_people.email, sizeof fake_people.email, n->email);
    memcpy(fake_people.hash, n->claim_hash, sizeof fake_people.hash);
    fake_people.role = n->role;
    fake_people.ttl_ms = n->claim_ttl_ms;
    note_audit(a);
}

int store_user_create(struct db_pool *p UNUSED, const struct store_new_user *n,
                      const struct store_audit *a, store_users_fn fn, void *user)
{
    note_new_user(n, a);
    fake_people.fn.users = fn;
    return keep("user_create", user);
}

int store_user_bootstrap(struct db_pool *p UNUSED, const struct store_new_user *n,
                         const struct store_audit *a, db_batch_fn fn, void *user)
{
    note_new_user(n, a);
    fake_people.fn.batch = fn;
    return keep("user_bootstrap", user);
}

int store_user_list(struct db_pool *p UNUSED, store_users_fn fn, void *user)
{
    fake_people.fn.users = fn;
    return keep("user_list", user);
}

int store_user_revoke(struct db_pool *p UNUSED, const char *email, const struct store_audit *a,
                      store_users_fn fn, void *user)
{
    note(fake_people.email, sizeof fake_people.email, email);
    note_audit(a);
    fake_people.fn.users = fn;
    return keep("user_revoke", user);
}

int store_claim_use(struct db_pool *p UNUSED, const struct store_claim *c,
                    const struct store_audit *a, store_claim_fn fn, void *user)
{
    memcpy(fake_people.hash, c->claim_hash, sizeof fake_people.hash);
    memcpy(fake_people.second_hash, c->key_hash, sizeof fake_people.second_hash);
    note(fake_people.prefix, sizeof fake_people.prefix, c->key_prefix);
    note_audit(a);
    fake_people.fn.claim = fn;
    return keep("claim_use", user);
}

int store_api_key_create(struct db_pool *p UNUSED, const struct store_new_api_key *n,
                         const struct store_audit *a, store_api_keys_fn fn, void *user)
{
    memcpy(fake_people.hash, n->hash, sizeof fake_people.hash);
    note(fake_people.prefix, sizeof fake_people.prefix, n->prefix);
    note(fake_people.description, sizeof fake_people.description, n->description);
    fake_people.user_key = n->user_key;
    fake_people.most = n->most;
    note_audit(a);
    fake_people.fn.keys = fn;
    return keep("api_key_create", user);
}

int store_api_key_list(struct db_pool *p UNUSED, int64_t user_key, store_api_keys_fn fn, void *user)
{
    fake_people.user_key = user_key;
    fake_people.fn.keys = fn;
    return keep("api_key_list", user);
}

int store_api_key_revoke(struct db_pool *p UNUSED, int64_t user_key, int64_t key_id,
                         const struct store_audit *a, store_api_keys_fn fn, void *user)
{
    fake_people.user_key = user_key;
    fake_people.key_id = key_id;
    note_audit(a);
    fake_people.fn.keys = fn;
    return keep("api_key_revoke", user);
}

int store_api_key_used(struct db_pool *p UNUSED, int64_t key_id, db_batch_fn fn, void *user)
{
    if (fake_people.ret < 0)
        return fake_people.ret;
    fake_people.uses++;
    fake_people.used = key_id;
    fn(user, 0, NULL); /* nobody waits for it */
    return 0;
}

int store_revocations(struct db_pool *p UNUSED, int64_t since_us, store_revocations_fn fn,
                      void *user)
{
    fake_people.since_us = since_us;
    fake_people.fn.revocations = fn;
    return keep("revocations", user);
}
