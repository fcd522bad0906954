/* Registries' credentials: the setting, whose they are, and what becomes of a secret's value. */
#include "db/store_secrets.h"
#include "orchestrator/registries.h"
#include "orchestrator/seal.h"
#include "orchestrator/secrets_internal.h"

#include "fake.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* ---- the store: one call waits for its answer ---- */

static struct {
    store_secrets_fn fn;
    void *user;
    int ret;
} store;

int store_secret_get(struct db_pool *p UNUSED, const char *const *names, size_t n,
                     store_secrets_fn fn, void *user)
{
    assert_int_equal(n, 1);
    assert_string_equal(names[0], "pull-it");
    store.fn = fn;
    store.user = user;
    return store.ret;
}

static struct {
    unsigned calls;
    int err;
    char auth[1024], details[512];
} got;

static void on_auth(void *user UNUSED, const struct problem *p, const char *auth)
{
    got.calls++;
    got.err = p ? p->err : 0;
    (void)snprintf(got.details, sizeof got.details, "%s", p ? p->details : "");
    (void)snprintf(got.auth, sizeof got.auth, "%s", auth ? auth : "");
}

static int setup(void **state)
{
    int r = fake_setup(state);
    struct world *w = r ? NULL : *state;
    memset(&store, 0, sizeof store);
    memset(&got, 0, sizeof got);
    if (w)
        w->o->registry_secrets = strdup("ghcr.io=other,reg.example:5000=pull-it,docker.io=pull-it");
    return r;
}

static void ask(struct world *w, const char *image)
{
    struct problem p;
    assert_int_equal(registries_ask(w->o, image, on_auth, NULL, &p), 0);
}

static void answer_value(struct world *w, const char *value)
{
    char key_id[SEAL_KEY_ID_SIZE], context[SECRET_CONTEXT_SIZE];
    struct buf sealed CLEANUP_BUF = {.max = 65536};
    secret_context("pull-it", context);
    assert_int_equal(seal(w->sealer, context, value, strlen(value), &sealed, key_id), 0);
    const struct store_secret row = {.about = {.name = "pull-it"},
                                     .key_id = key_id,
                                     .sealed = sealed.data,
                                     .sealed_len = sealed.len};
    store.fn(store.user, 0, &row, 1);
}

static void test_registries_are_valid__lists(void **state UNUSED)
{
    static const struct {
        const char *list;
        bool is_valid;
    } rows[] = {
        {NULL, true},    {"", true},          {"a=b", true}, {"a:5000=b,docker.io=c", true},
        {"a", false},    {"=b", false},       {"a=", false}, {"a=b,c", false},
        {",a=b", false}, {"a=b,,c=d", false},
    };
    char longest[300] = "r=";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(registries_are_valid(rows[i].list), rows[i].is_valid);
    memset(longest + 2, 's', SECRET_NAME_SIZE - 1);
    assert_true(registries_are_valid(longest));
    longest[2 + SECRET_NAME_SIZE - 1] = 's';
    assert_false(registries_are_valid(longest));
}

static void test_registries_is_secret__images(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *image;
        bool is_secret;
    } rows[] = {
        {"alpine", true},
        {"docker.io/a/b:1", true},
        {"reg.example:5000/a", true},
        {"reg.example/a", false},
        {"reg.example:50/a", false},
        {"quay.io/a", false},
        {"ghcr.io/a@sha256:"
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
         true},
        {"not a reference", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(registries_is_secret(w->o, rows[i].image), rows[i].is_secret);
    free(TAKE_PTR(w->o->registry_secrets));
    assert_false(registries_is_secret(w->o, "alpine"));
}

static void test_registries_ask__values__auth_or_problem(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *image, *value, *json, *details;
    } rows[] = {
        {"reg.example:5000/a", "me:pa:ss\"",
         "{\"username\":\"me\",\"password\":\"pa:ss\\\"\",\"serveraddress\":"
         "\"reg.example:5000\"}",
         ""},
        {"alpine", "me:",
         "{\"username\":\"me\",\"password\":\"\",\"serveraddress\":"
         "\"https://index.docker.io/v1/\"}",
         ""},
        {"alpine", "no colon", NULL,
         "secret \"pull-it\" of registry \"docker.io\": its value must be USER:PASSWORD"},
        {"alpine", ":password", NULL, "USER:PASSWORD"},
        {"alpine", "", NULL, "USER:PASSWORD"},
        {"alpine", "me:\xff", NULL, "not of UTF-8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char json[1024];
        size_t len = 0;
        ask(w, rows[i].image);
        answer_value(w, rows[i].value);
        assert_int_equal(got.calls, i + 1);
        assert_int_equal(got.err, rows[i].json ? 0 : ERR_INVALID);
        assert_non_null(strstr(got.details, rows[i].details));
        assert_int_equal(sodium_base642bin(json, sizeof json - 1, got.auth, strlen(got.auth), NULL,
                                           &len, NULL, sodium_base64_VARIANT_URLSAFE),
                         0);
        json[len] = '\0';
        assert_string_equal((char *)json, rows[i].json ? rows[i].json : "");
    }
}

static void test_registries_ask__no_row_or_store_fails__problem(void **state)
{
    struct world *w = *state;
    struct problem p;
    ask(w, "alpine");
    store.fn(store.user, 0, NULL, 0);
    assert_int_equal(got.err, ERR_INVALID);
    assert_non_null(strstr(got.details, "there is no such secret"));
    ask(w, "alpine");
    store.fn(store.user, ERR_DB_AWAY, NULL, 0);
    assert_int_equal(got.err, ERR_DB_AWAY);
    store.ret = ERR_NOMEM;
    assert_int_equal(registries_ask(w->o, "alpine", on_auth, NULL, &p), ERR_NOMEM);
    assert_int_equal(registries_ask(w->o, "quay.io/a", on_auth, NULL, &p), ERR_INTERNAL);
    assert_int_equal(got.calls, 2);
}

static void test_registries_ask__key_lost_or_orchestrator_ends__problem(void **state)
{
    struct world *w = *state;
    const struct store_secret row = {
        .about = {.name = "pull-it"}, .key_id = "ffffffffffffffff", .sealed = "x", .sealed_len = 1};
    ask(w, "alpine");
    store.fn(store.user, 0, &row, 1);
    assert_int_equal(got.err, ERR_INTERNAL);
    ask(w, "alpine");
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(got.calls, 2);
    assert_int_equal(got.err, ERR_CLOSED);
    store.fn(store.user, ERR_CLOSED, NULL, 0);
    assert_int_equal(got.calls, 2);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registries_are_valid__lists),
        T(test_registries_is_secret__images),
        T(test_registries_ask__values__auth_or_problem),
        T(test_registries_ask__no_row_or_store_fails__problem),
        T(test_registries_ask__key_lost_or_orchestrator_ends__problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
