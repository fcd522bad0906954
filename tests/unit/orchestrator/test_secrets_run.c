/* The values of a run's secrets: in the order asked for, all of them or the reason why none. */
#include "db/store_secrets.h"
#include "orchestrator/seal.h"
#include "orchestrator/secrets.h"
#include "tests/unit/base/fail_alloc.h"

#include "fake.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* ---- the store: one call waits for its answer ---- */

static struct {
    store_secrets_fn fn; /* NULL: none waits */
    void *user;
    size_t n;
    int ret; /* < 0: the call is not taken */
} store;

int store_secret_get(struct db_pool *p UNUSED, const char *const *names, size_t n,
                     store_secrets_fn fn, void *user)
{
    assert_true(n > 0 && names[0]);
    if (store.ret < 0)
        return store.ret;
    assert_null(store.fn);
    store.fn = fn;
    store.user = user;
    store.n = n;
    return 0;
}

/* Nobody asks for these. */
int store_secret_create(struct db_pool *p UNUSED, const struct store_secret *s UNUSED,
                        const struct store_audit *a UNUSED, store_secret_done_fn fn UNUSED,
                        void *user UNUSED)
{
    return ERR_INTERNAL;
}

int store_secret_update(struct db_pool *p UNUSED, const struct store_secret *s UNUSED,
                        const char *owner UNUSED, const struct store_audit *a UNUSED,
                        store_secret_done_fn fn UNUSED, void *user UNUSED)
{
    return ERR_INTERNAL;
}

int store_secret_delete(struct db_pool *p UNUSED, const char *name UNUSED, const char *owner UNUSED,
                        const struct store_audit *a UNUSED, store_secret_done_fn fn UNUSED,
                        void *user UNUSED)
{
    return ERR_INTERNAL;
}

int store_secret_list(struct db_pool *p UNUSED, const char *created_by UNUSED,
                      store_secrets_fn fn UNUSED, void *user UNUSED)
{
    return ERR_INTERNAL;
}

static void answer_rows(int err, const struct store_secret *rows, size_t n)
{
    store_secrets_fn fn = store.fn;
    assert_non_null(fn);
    store.fn = NULL;
    fn(store.user, err, rows, n);
}

/* ---- who asks ---- */

struct answer {
    int calls, err;
    struct problem p;
    size_t n;
    char value[64];
};

static void on_resolved(void *user, const struct problem *p, const struct secret_value *values,
                        size_t n)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
    if (p)
        a->p = *p;
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

static void test_secrets_resolve__values_in_the_order_of_the_names(void **state)
{
    static const char *const NAMES[] = {"b", "a", "b"};
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct caller c = by(ROLE_OPERATOR);
    const struct store_secret rows[] = {row_of(w, "a", "value-a"), row_of(w, "b", "value-b")};
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 3, on_resolved, &a, &p), 0);
    answer_rows(0, rows, 2);
    assert_int_equal(a.n, 3);
    assert_string_equal(a.value, "KEY=value-b/value-b");
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 2, on_resolved, &a, &p), 0);
    answer_rows(0, rows, 2);
    assert_string_equal(a.value, "KEY=value-b/value-a");
}

static void test_secrets_resolve__refusals__name_the_secret(void **state)
{
    static const char *const NAMES[] = {"a", "gone"}, *const BAD[] = {"no name"};
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct caller c = by(ROLE_DEVELOPER);
    struct store_secret row = row_of(w, "a", "value-a");
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 2, on_resolved, &a, &p), 0);
    answer_rows(0, &row, 1);
    assert_int_equal(a.err, ERR_INVALID);
    assert_string_equal(a.p.error, "failed to run command");
    assert_non_null(strstr(a.p.details, "\"gone\""));
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 1, on_resolved, &a, &p), 0);
    answer_rows(ERR_DB, NULL, 0);
    assert_int_equal(a.err, ERR_DB);
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, BAD, 1, on_resolved, &a, &p),
                     ERR_INVALID);
    assert_non_null(strstr(p.details, "\"no name\""));
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 0, on_resolved, &a, &p),
                     ERR_INVALID);
    assert_int_equal(
        orchestrator_secrets_resolve(w->o, &c, NAMES, SECRETS_RUN_MAX + 1, on_resolved, &a, &p),
        ERR_INVALID);
    c = by(ROLE_VIEWER);
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 1, on_resolved, &a, &p),
                     ERR_FORBIDDEN);
    assert_non_null(strstr(p.details, "\"a\""));
    assert_string_equal(p.error, "forbidden");
}

static void test_secrets_resolve__roles_that_run__anybodys_secret(void **state)
{
    static const char *const NAMES[] = {"a"};
    struct world *w = *state;
    for (enum role role = ROLE_ADMIN; role <= ROLE_DEVELOPER; role++) {
        struct answer a = {0};
        struct problem p;
        struct caller c = by(role);
        struct store_secret row = row_of(w, "a", "value-a");
        row.about.created_by = "other@x";
        assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 1, on_resolved, &a, &p), 0);
        answer_rows(0, &row, 1);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, 0);
        assert_string_equal(a.value, "KEY=value-a/value-a");
    }
}

static void test_secrets_resolve__one_does_not_open__none_is_handed_on(void **state)
{
    static const char *const NAMES[] = {"a", "b"};
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct caller c = by(ROLE_ADMIN);
    struct store_secret rows[] = {row_of(w, "a", "value-a"), row_of(w, "b", "value-b")};
    rows[1].key_id = "0123456789abcdef";
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 2, on_resolved, &a, &p), 0);
    assert_int_equal(store.n, 2);
    answer_rows(0, rows, 2);
    assert_int_equal(a.err, ERR_INTERNAL);
    assert_int_equal(a.n, 0);
    assert_string_equal(a.value, "");
}

static void test_secrets_resolve__store_takes_no_call__503_and_nobody_is_told(void **state)
{
    static const char *const NAMES[] = {"a"};
    struct world *w = *state;
    struct answer a = {0};
    struct problem p = {0};
    struct caller c = by(ROLE_ADMIN);
    store.ret = ERR_LIMIT;
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 1, on_resolved, &a, &p),
                     ERR_DB_AWAY);
    assert_int_equal(a.calls, 0);
}

static void test_secrets_resolve__server_leaves__told_once(void **state)
{
    static const char *const NAMES[] = {"a"};
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct caller c = by(ROLE_ADMIN);
    assert_int_equal(orchestrator_secrets_resolve(w->o, &c, NAMES, 1, on_resolved, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, ERR_CLOSED);
    answer_rows(ERR_CLOSED, NULL, 0);
    assert_int_equal(a.calls, 1);
}

static void test_secrets_resolve__no_memory__said_at_once_or_with_the_answer(void **state)
{
    static const char *const NAMES[] = {"a"};
    struct world *w = *state;
    struct caller c = by(ROLE_ADMIN);
    const struct store_secret row = row_of(w, "a", "value-a");
    bool is_done = false;
    for (unsigned n = 1; !is_done; n++) {
        struct answer a = {0};
        struct problem p = {0};
        (void)fail_alloc_at(n);
        int r = orchestrator_secrets_resolve(w->o, &c, NAMES, 1, on_resolved, &a, &p);
        if (r == 0)
            answer_rows(0, &row, 1);
        is_done = !fail_alloc_off();
        assert_int_equal(a.calls, r == 0 ? 1 : 0);
        if (is_done)
            assert_string_equal(a.value, "KEY=value-a/value-a");
        else
            assert_true((r < 0 ? r : a.err) < 0 && a.n == 0);
    }
}

static int set_up(void **state)
{
    memset(&store, 0, sizeof store);
    return fake_setup(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_secrets_resolve__values_in_the_order_of_the_names),
        TEST(test_secrets_resolve__refusals__name_the_secret),
        TEST(test_secrets_resolve__roles_that_run__anybodys_secret),
        TEST(test_secrets_resolve__one_does_not_open__none_is_handed_on),
        TEST(test_secrets_resolve__store_takes_no_call__503_and_nobody_is_told),
        TEST(test_secrets_resolve__server_leaves__told_once),
        TEST(test_secrets_resolve__no_memory__said_at_once_or_with_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
