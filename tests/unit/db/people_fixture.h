/* What the tests of users, claims and API keys share: callers, hashes and kept answers. */
#ifndef TAILGATE_TESTS_UNIT_DB_PEOPLE_FIXTURE_H
#define TAILGATE_TESTS_UNIT_DB_PEOPLE_FIXTURE_H

#include "base/err.h"
#include "db/store_api_keys.h"
#include "db/store_users.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct people_answer {
    int calls, err;
    size_t n;
    struct user u;    /* the first row; its strings are below */
    struct api_key k; /* or this */
    char email[300], text[300], request_id[64];
};

static const struct store_audit PEOPLE_AUDIT = {
    {NULL, "10.0.0.1", "request-1"}, "tests.run", "thing/", "ok"};
#define PEOPLE_TTL_MS 900000

static inline void people_hash(const char *seed, uint8_t ret[STORE_KEY_HASH_LEN])
{
    for (size_t i = 0; i < STORE_KEY_HASH_LEN; i++) {
        ret[i] = (uint8_t)*seed;
        seed += *seed != '\0';
    }
}

static inline void on_people(void *user, int err, const struct user *rows, size_t n)
{
    struct people_answer *a = user;
    a->calls++;
    a->err = err;
    a->n = n;
    if (n == 0)
        return;
    a->u = rows[0];
    (void)snprintf(a->email, sizeof(a->email), "%s", rows[0].email);
    (void)snprintf(a->request_id, sizeof(a->request_id), "%s", rows[0].modified_by_request_id);
}

static inline struct people_answer people_create(struct fixture *f, const char *email,
                                                 enum role role)
{
    uint8_t hash[STORE_KEY_HASH_LEN];
    struct people_answer a = {0};
    people_hash(email, hash);
    const struct store_new_user n = {email, role, hash, PEOPLE_TTL_MS};
    assert_int_equal(store_user_create(f->pool, &n, &PEOPLE_AUDIT, on_people, &a), 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

static inline void on_people_claim(void *user, int err, const char *email)
{
    struct people_answer *a = user;
    a->calls++;
    a->err = err;
    (void)snprintf(a->email, sizeof(a->email), "%s", email ? email : "");
}

/* The claim of a user that people_create made, for a key whose hash is made of key_seed. */
static inline int people_claim_begin(struct fixture *f, const char *email, const char *key_seed,
                                     struct people_answer *a)
{
    uint8_t hash[STORE_KEY_HASH_LEN], key[STORE_KEY_HASH_LEN];
    people_hash(email, hash);
    people_hash(key_seed, key);
    const struct store_claim c = {hash, key, "tg_abcde"};
    const struct store_audit audit = {
        {NULL, "10.0.0.7", "request-2"}, "claims.view", "user/", "ok"};
    return store_claim_use(f->pool, &c, &audit, on_people_claim, a);
}

static inline struct people_answer people_claim(struct fixture *f, const char *email,
                                                const char *key_seed)
{
    struct people_answer a = {0};
    assert_int_equal(people_claim_begin(f, email, key_seed, &a), 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

static inline int64_t people_audit_count(struct fixture *f, const char *where)
{
    char sql[400];
    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM audit WHERE %s", where);
    return sql_number(f, sql);
}

static inline int people_setup(void **state)
{
    int r = fixture_setup(state);
    if (r == 0)
        sql_exec(*state, "DELETE FROM claims; DELETE FROM tickets; DELETE FROM api_keys; "
                         "DELETE FROM users; ALTER TABLE audit DISABLE TRIGGER USER; "
                         "DELETE FROM audit; ALTER TABLE audit ENABLE TRIGGER USER");
    return r;
}
#define PEOPLE_ROW(t) cmocka_unit_test_setup_teardown(t, people_setup, fixture_teardown)

#endif
