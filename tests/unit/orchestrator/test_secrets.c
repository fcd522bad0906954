/* Secrets between the people who ask and a store that keeps each call until it is answered. */
#include "db/store_secrets.h"
#include "orchestrator/seal.h"
#include "orchestrator/secrets.h"

#include "fake.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* ---- the store ---- */

static struct {
    const char *call; /* the last one; NULL = none waits */
    store_secrets_fn rows_fn;
    store_secret_done_fn done_fn;
    void *user;
    int ret;
    char name[140], key_name[140], description[300], key_id[32], owner[64], resource[160],
        action[32];
    bool has_owner, has_key_name, has_description, has_value;
    struct buf sealed;
} store;

static int kept(const char *call, void *user)
{
    if (store.ret < 0)
        return store.ret;
    assert_null(store.call);
    store.call = call;
    store.user = user;
    return 0;
}

static void keep_change(const struct store_secret *s, const char *owner,
                        const struct store_audit *a)
{
    store.has_owner = owner;
    store.has_key_name = s->about.key_name;
    store.has_description = s->about.description;
    store.has_value = s->sealed;
    (void)snprintf(store.owner, sizeof store.owner, "%s", owner ? owner : "");
    (void)snprintf(store.name, sizeof store.name, "%s", s->about.name);
    (void)snprintf(store.key_name, sizeof store.key_name, "%s",
                   s->about.key_name ? s->about.key_name : "");
    (void)snprintf(store.key_id, sizeof store.key_id, "%s", s->key_id ? s->key_id : "");
    (void)snprintf(store.action, sizeof store.action, "%s", a->action);
    (void)snprintf(store.resource, sizeof store.resource, "%s", a->resource);
    assert_string_equal(a->result, "ok");
    assert_string_equal(a->by.request_id, "r1");
    buf_clear(&store.sealed);
    if (s->sealed)
        assert_int_equal(buf_append(&store.sealed, s->sealed, s->sealed_len), 0);
}

int store_secret_create(struct db_pool *p UNUSED, const struct store_secret *s,
                        const struct store_audit *a, store_secret_done_fn fn, void *user)
{
    keep_change(s, NULL, a);
    store.done_fn = fn;
    return kept("create", user);
}

int store_secret_update(struct db_pool *p UNUSED, const struct store_secret *s, const char *owner,
                        const struct store_audit *a, store_secret_done_fn fn, void *user)
{
    keep_change(s, owner, a);
    store.done_fn = fn;
    return kept("update", user);
}

int store_secret_delete(struct db_pool *p UNUSED, const char *name, const char *owner,
                        const struct store_audit *a, store_secret_done_fn fn, void *user)
{
    keep_change(&(struct store_secret){.about = {.name = name}}, owner, a);
    store.done_fn = fn;
    return kept("delete", user);
}

int store_secret_list(struct db_pool *p UNUSED, const char *created_by, store_secrets_fn fn,
                      void *user)
{
    store.has_owner = created_by;
    (void)snprintf(store.owner, sizeof store.owner, "%s", created_by ? created_by : "");
    store.rows_fn = fn;
    return kept("list", user);
}

int store_secret_get(struct db_pool *p UNUSED, const char *const *names, size_t n,
                     store_secrets_fn fn, void *user)
{
    assert_true(n > 0 && names[0]);
    store.rows_fn = fn;
    return kept("get", user);
}

static void *take(const char *call)
{
    assert_non_null(store.call);
    assert_string_equal(store.call, call);
    store.call = NULL;
    return store.user;
}

static void answer_done(const char *call, int err)
{
    void *user = take(call);
    store.done_fn(user, err);
}

static void answer_rows(const char *call, int err, const struct store_secret *rows, size_t n)
{
    void *user = take(call);
    store.rows_fn(user, err, rows, n);
}

/* ---- who asks ---- */

struct answer {
    int calls, err;
    struct problem p;
    size_t n;
    char value[64];
};

static void note(struct answer *a, const struct problem *p)
{
    a->calls++;
    a->err = p ? p->err : 0;
    if (p)
        a->p = *p;
}

static void on_done(void *user, const struct problem *p)
{
    note(user, p);
}

static void on_secret(void *user, const struct problem *p, const struct secret *s)
{
    struct answer *a = user;
    note(a, p);
    assert_true(!p == !!s);
    if (s)
        (void)snprintf(a->value, sizeof a->value, "%s", s->value);
}

static void on_secrets(void *user, const struct problem *p, const struct secret *rows, size_t n)
{
    struct answer *a = user;
    note(a, p);
    a->n = n;
    for (size_t i = 0; i < n; i++)
        assert_null(rows[i].value);
}

static void on_resolved(void *user, const struct problem *p, const struct secret_value *values,
                        size_t n)
{
    struct answer *a = user;
    note(a, p);
    a->n = n;
    if (n > 0)
        (void)snprintf(a->value, sizeof a->value, "%s=%.*s/%s", values[0].key_name,
                       (int)values[0].value_len, values[0].value, values[n - 1].value);
}

static struct principal people[4];
static struct caller by(enum role role)
{
    people[role] = (struct principal){.user_key = 1, .key_id = 2, .role = role};
    (void)snprintf(people[role].email, sizeof people[role].email, "%s@x", role_name(role));
    return (struct caller){&people[role], "::1", "r1"};
}

static const struct secret_fields FIELDS = {"KEY", "what for", "hunter22"};

/* A row of the developer's, sealed for its name. */
static struct store_secret row_of(struct world *w, const char *name, const char *value)
{
    static struct buf sealed[4];
    static char key_id[SEAL_KEY_ID_SIZE];
    static unsigned next;
    char context[160];
    struct buf *b = &sealed[next++ % 4];
    buf_done(b);
    buf_init(b, 4096);
    (void)snprintf(context, sizeof context, "secret/%s", name);
    assert_int_equal(seal(w->sealer, context, value, strlen(value), b, key_id), 0);
    return (struct store_secret){
        .about = {.name = name, .key_name = "KEY", .created_by = "developer@x"},
        .key_id = key_id,
        .sealed = b->data,
        .sealed_len = b->len,
    };
}

static int set_up(void **state)
{
    memset(&store, 0, sizeof store);
    buf_init(&store.sealed, 1u << 20);
    return fake_setup(state);
}

static int tear_down(void **state)
{
    buf_done(&store.sealed);
    return fake_teardown(state);
}

/* ---- create ---- */

static void test_secret_create__sealed_for_its_name(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct caller c = by(ROLE_DEVELOPER);
    void *plain;
    size_t len;
    assert_int_equal(orchestrator_secret_create(w->o, &c, "n", &FIELDS, on_done, &a, &p), 0);
    assert_string_equal(store.resource, "secret/n");
    assert_string_equal(store.action, "secrets.create");
    assert_null(memmem(store.sealed.data, store.sealed.len, "hunter", 6));
    assert_int_equal(seal_open(w->sealer, store.key_id, "secret/n", store.sealed.data,
                               store.sealed.len, &plain, &len),
                     0);
    assert_string_equal(plain, "hunter22");
    seal_wipe(plain);
    answer_done("create", 0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, 0);
}

static void test_secret_create__store_refuses__said_in_the_api_words(void **state)
{
    static const struct {
        int err;
        int expected;
        const char *code;
    } ROWS[] = {{ERR_CONFLICT, ERR_CONFLICT, "SECRET_ALREADY_EXISTS"},
                {ERR_DB_AWAY, ERR_DB_AWAY, ""},
                {ERR_TIMEOUT, ERR_DB_AWAY, ""},
                {ERR_DB, ERR_DB, ""}};
    struct world *w = *state;
    struct caller c = by(ROLE_ADMIN);
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct answer a = {0};
        struct problem p;
        assert_int_equal(orchestrator_secret_create(w->o, &c, "n", &FIELDS, on_done, &a, &p), 0);
        answer_done("create", ROWS[i].err);
        assert_int_equal(a.err, ROWS[i].expected);
        assert_string_equal(a.p.code, ROWS[i].code);
        assert_null(strstr(a.p.details, "hunter22"));
    }
}

static void test_secret_create__bad_fields_and_viewers__refused_at_once(void **state)
{
    static const struct {
        enum role role;
        const char *name;
        struct secret_fields f;
        int err;
    } ROWS[] = {
        {ROLE_VIEWER, "n", {"KEY", "", "hunter22"}, ERR_FORBIDDEN},
        {ROLE_ADMIN, NULL, {"KEY", "", "hunter22"}, ERR_INVALID},
        {ROLE_ADMIN, "a b", {"KEY", "", "hunter22"}, ERR_INVALID},
        {ROLE_ADMIN, "n", {NULL, "", "hunter22"}, ERR_INVALID},
        {ROLE_ADMIN, "n", {"1KEY", "", "hunter22"}, ERR_INVALID},
        {ROLE_ADMIN, "n", {"KEY", "\n", "hunter22"}, ERR_INVALID},
        {ROLE_ADMIN, "n", {"KEY", "", NULL}, ERR_INVALID},
        {ROLE_ADMIN, "n", {"KEY", "", ""}, ERR_INVALID},
    };
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct answer a = {0};
        struct problem p = {0};
        struct caller c = by(ROWS[i].role);
        assert_int_equal(
            orchestrator_secret_create(w->o, &c, ROWS[i].name, &ROWS[i].f, on_done, &a, &p),
            ROWS[i].err);
        assert_int_equal(p.err, ROWS[i].err);
        assert_null(strstr(p.details, "hunter22"));
        assert_null(store.call);
    }
}

/* ---- list, get ---- */

static void test_secret_list__who_sees_what(void **state)
{
    struct world *w = *state;
    for (enum role role = ROLE_ADMIN; role <= ROLE_DEVELOPER; role++) {
        struct answer a = {0};
        struct problem p;
        struct caller c = by(role);
        const struct store_secret rows[] = {row_of(w, "a", "value-a"), row_of(w, "b", "value-b")};
        assert_int_equal(orchestrator_secret_list(w->o, &c, on_secrets, &a, &p), 0);
        assert_string_equal(store.owner, role == ROLE_DEVELOPER ? "developer@x" : "");
        answer_rows("list", 0, rows, 2);
        assert_int_equal(a.n, 2);
        assert_int_equal(orchestrator_secret_list(w->o, &c, on_secrets, &a, &p), 0);
        answer_rows("list", ERR_DB_AWAY, NULL, 0);
        assert_int_equal(a.err, ERR_DB_AWAY);
    }
    struct answer a = {0};
    struct problem p;
    struct caller c = by(ROLE_VIEWER);
    assert_int_equal(orchestrator_secret_list(w->o, &c, on_secrets, &a, &p), ERR_FORBIDDEN);
}

static void test_secret_get__roles_and_rows__value_or_not_found(void **state)
{
    static const struct {
        enum role role;
        const char *owner;
        int err;
    } ROWS[] = {
        {ROLE_ADMIN, "other@x", 0},         {ROLE_OPERATOR, "other@x", 0},
        {ROLE_DEVELOPER, "developer@x", 0}, {ROLE_DEVELOPER, "other@x", ERR_NOT_FOUND},
        {ROLE_VIEWER, "viewer@x", 0},       {ROLE_VIEWER, "other@x", ERR_NOT_FOUND},
    };
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct answer a = {0};
        struct problem p;
        struct caller c = by(ROWS[i].role);
        struct store_secret row = row_of(w, "n", "hunter22");
        row.about.created_by = ROWS[i].owner;
        assert_int_equal(orchestrator_secret_get(w->o, &c, "n", on_secret, &a, &p), 0);
        answer_rows("get", 0, &row, 1);
        assert_int_equal(a.err, ROWS[i].err);
        assert_string_equal(a.value, ROWS[i].err ? "" : "hunter22");
        if (ROWS[i].err)
            assert_string_equal(a.p.code, "SECRET_NOT_FOUND");
    }
}

static void test_secret_get__nothing_or_unreadable(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct caller c = by(ROLE_ADMIN);
    assert_int_equal(orchestrator_secret_get(w->o, &c, "n", on_secret, &a, &p), 0);
    answer_rows("get", 0, NULL, 0);
    assert_int_equal(a.err, ERR_NOT_FOUND);
    assert_int_equal(orchestrator_secret_get(w->o, &c, "n", on_secret, &a, &p), 0);
    answer_rows("get", ERR_TIMEOUT, NULL, 0);
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_int_equal(orchestrator_secret_get(w->o, &c, "no name", on_secret, &a, &p),
                     ERR_NOT_FOUND);
    /* Sealed for another name; with a key that nobody has. */
    struct store_secret row = row_of(w, "other", "hunter22");
    row.about.name = "n";
    assert_int_equal(orchestrator_secret_get(w->o, &c, "n", on_secret, &a, &p), 0);
    answer_rows("get", 0, &row, 1);
    assert_int_equal(a.err, ERR_INTERNAL);
    row = row_of(w, "n", "hunter22");
    row.key_id = "0123456789abcdef";
    assert_int_equal(orchestrator_secret_get(w->o, &c, "n", on_secret, &a, &p), 0);
    answer_rows("get", 0, &row, 1);
    assert_int_equal(a.err, ERR_INTERNAL);
}

/* ---- update, delete ---- */

static void test_secret_update__only_what_is_given(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct caller c = by(ROLE_DEVELOPER);
    const struct secret_fields words = {"", "other words", NULL}, value = {NULL, NULL, "changed"},
                               bad = {"1", NULL, NULL}, long_words = {NULL, "\x01", NULL};
    assert_int_equal(orchestrator_secret_update(w->o, &c, "n", &words, on_done, &a, &p), 0);
    assert_false(store.has_key_name || store.has_value);
    assert_true(store.has_description);
    assert_string_equal(store.owner, "developer@x");
    answer_done("update", 0);
    assert_int_equal(a.err, 0);
    c = by(ROLE_OPERATOR);
    assert_int_equal(orchestrator_secret_update(w->o, &c, "n", &value, on_done, &a, &p), 0);
    assert_true(store.has_value && !store.has_description && !store.has_owner);
    assert_string_equal(store.key_id, sealer_key_id(w->sealer));
    answer_done("update", ERR_NOT_FOUND);
    assert_string_equal(a.p.code, "SECRET_NOT_FOUND");
    assert_int_equal(orchestrator_secret_update(w->o, &c, "n", &bad, on_done, &a, &p), ERR_INVALID);
    assert_int_equal(orchestrator_secret_update(w->o, &c, "n", &long_words, on_done, &a, &p),
                     ERR_INVALID);
    assert_int_equal(orchestrator_secret_update(w->o, &c, "", &value, on_done, &a, &p),
                     ERR_NOT_FOUND);
}

static void test_secret_delete__own_or_all(void **state)
{
    struct world *w = *state;
    for (enum role role = ROLE_ADMIN; role <= ROLE_VIEWER; role++) {
        struct answer a = {0};
        struct problem p;
        struct caller c = by(role);
        assert_int_equal(orchestrator_secret_delete(w->o, &c, "n", on_done, &a, &p), 0);
        assert_int_equal(store.has_owner, role >= ROLE_DEVELOPER);
        assert_string_equal(store.action, "secrets.delete");
        answer_done("delete", role == ROLE_VIEWER ? ERR_NOT_FOUND : 0);
        assert_int_equal(a.err, role == ROLE_VIEWER ? ERR_NOT_FOUND : 0);
        assert_int_equal(orchestrator_secret_delete(w->o, &c, "..", on_done, &a, &p),
                         ERR_NOT_FOUND);
    }
}

/* ---- every call ---- */

static int call(struct world *w, unsigned which, const struct caller *c, struct answer *a,
                struct problem *p)
{
    static const char *const NAMES[] = {"n"};
    switch (which) {
    case 0:
        return orchestrator_secret_create(w->o, c, "n", &FIELDS, on_done, a, p);
    case 1:
        return orchestrator_secret_list(w->o, c, on_secrets, a, p);
    case 2:
        return orchestrator_secret_get(w->o, c, "n", on_secret, a, p);
    case 3:
        return orchestrator_secret_update(w->o, c, "n", &FIELDS, on_done, a, p);
    case 4:
        return orchestrator_secret_delete(w->o, c, "n", on_done, a, p);
    default:
        return orchestrator_secrets_resolve(w->o, c, NAMES, 1, on_resolved, a, p);
    }
}

static void test_secrets__store_takes_no_call__503(void **state)
{
    struct world *w = *state;
    struct caller c = by(ROLE_ADMIN);
    for (unsigned which = 0; which < 6; which++) {
        struct answer a = {0};
        struct problem p = {0};
        store.ret = ERR_LIMIT;
        assert_int_equal(call(w, which, &c, &a, &p), ERR_DB_AWAY);
        assert_int_equal(a.calls, 0);
    }
}

static void test_secrets__server_leaves__everybody_is_told_once(void **state)
{
    struct caller c = by(ROLE_ADMIN);
    for (unsigned which = 0; which < 6; which++) {
        struct world *w = *state;
        struct answer a = {0};
        struct problem p;
        assert_int_equal(call(w, which, &c, &a, &p), 0);
        orchestrator_free(TAKE_PTR(w->o));
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, ERR_CLOSED);
        if (store.rows_fn && (which == 1 || which == 2 || which == 5))
            answer_rows(store.call, ERR_CLOSED, NULL, 0);
        else
            answer_done(store.call, ERR_CLOSED);
        assert_int_equal(a.calls, 1);
        assert_int_equal(fake_teardown(state), 0);
        assert_int_equal(fake_setup(state), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_secret_create__sealed_for_its_name),
        TEST(test_secret_create__store_refuses__said_in_the_api_words),
        TEST(test_secret_create__bad_fields_and_viewers__refused_at_once),
        TEST(test_secret_list__who_sees_what),
        TEST(test_secret_get__roles_and_rows__value_or_not_found),
        TEST(test_secret_get__nothing_or_unreadable),
        TEST(test_secret_update__only_what_is_given),
        TEST(test_secret_delete__own_or_all),
        TEST(test_secrets__store_takes_no_call__503),
        TEST(test_secrets__server_leaves__everybody_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
