/* Secrets in a real database: made once, changed by who may, sealed anew; keys that are retired. */
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "db/store_secrets.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct principal ada = {.user_key = 1, .key_id = 7, .email = "ada@x"};

struct got {
    int calls, err;
    size_t n;
    char text[256]; /* "name key_name description created_by updated_by key_id sealed" of each, ; */
};

static void add(struct got *g, const char *text, const char *end)
{
    size_t used = strlen(g->text);
    (void)snprintf(g->text + used, sizeof g->text - used, "%s%s", text, end);
}

static void on_secrets(void *user, int err, const struct store_secret *rows, size_t n)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    g->n = n;
    for (size_t i = 0; i < n; i++) {
        char sealed[64] = "-";
        if (rows[i].sealed)
            (void)snprintf(sealed, sizeof sealed, "%.*s", (int)rows[i].sealed_len,
                           (const char *)rows[i].sealed);
        assert_true(rows[i].about.created_at_us > 0);
        assert_null(rows[i].about.value);
        add(g, rows[i].about.name, " ");
        add(g, rows[i].about.key_name, " ");
        add(g, rows[i].about.description, " ");
        add(g, rows[i].about.created_by, " ");
        add(g, rows[i].about.modified_by_request_id, " ");
        add(g, rows[i].key_id, " ");
        add(g, sealed, ";");
    }
}

static void on_done(void *user, int err)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
}

static void on_sealed(void *user, int err, const struct store_sealed *rows, size_t n)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    g->n = n;
    for (size_t i = 0; i < n; i++) {
        add(g, rows[i].name, "=");
        char sealed[64];
        (void)snprintf(sealed, sizeof sealed, "%.*s", (int)rows[i].sealed_len,
                       (const char *)rows[i].sealed);
        add(g, sealed, ";");
    }
}

static struct store_audit entry(const char *request_id)
{
    return (struct store_audit){{&ada, "::1", request_id}, "secrets.change", "secret/x", "ok"};
}

static int create(struct fixture *f, const char *name, const char *key_id)
{
    struct got g = {0};
    struct store_audit a = entry("r1");
    const struct store_secret s = {
        .about = {.name = name, .key_name = "KEY", .description = "d"},
        .key_id = key_id,
        .sealed = "sealed",
        .sealed_len = 6,
    };
    assert_int_equal(store_secret_create(f->pool, &s, &a, on_done, &g), 0);
    await_count(f->loop, &g.calls, 1);
    return g.err;
}

static int update(struct fixture *f, const struct store_secret *s, const char *owner)
{
    struct got g = {0};
    struct store_audit a = entry("r2");
    assert_int_equal(store_secret_update(f->pool, s, owner, &a, on_done, &g), 0);
    await_count(f->loop, &g.calls, 1);
    return g.err;
}

static int remove_it(struct fixture *f, const char *name, const char *owner)
{
    struct got g = {0};
    struct store_audit a = entry("r3");
    assert_int_equal(store_secret_delete(f->pool, name, owner, &a, on_done, &g), 0);
    await_count(f->loop, &g.calls, 1);
    return g.err;
}

static struct got get(struct fixture *f, const char *const *names, size_t n)
{
    struct got g = {0};
    assert_int_equal(store_secret_get(f->pool, names, n, on_secrets, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    return g;
}

static int64_t audit_count(struct fixture *f)
{
    return sql_number(f, "SELECT count(*) FROM audit WHERE action = 'secrets.change'");
}

static void test_secrets__life__each_change_with_its_entry(void **state)
{
    struct fixture *f = *state;
    const char *const names[] = {"b", "a", "none", "a"};
    int64_t told = audit_count(f);
    assert_int_equal(create(f, "a", "k1"), 0);
    assert_int_equal(create(f, "b", "k1"), 0);
    assert_int_equal(create(f, "a", "k1"), ERR_CONFLICT);
    assert_int_equal(audit_count(f), told + 2);
    struct got g = get(f, names, 4);
    assert_string_equal(g.text, "a KEY d ada@x r1 k1 sealed;b KEY d ada@x r1 k1 sealed;");
    /* Nothing but what is given. */
    const struct store_secret words = {.about = {.name = "a", .description = "other"}};
    assert_int_equal(update(f, &words, NULL), 0);
    g = get(f, names + 1, 1);
    assert_string_equal(g.text, "a KEY other ada@x r2 k1 sealed;");
    const struct store_secret value = {.about = {.name = "a", .key_name = "K2"},
                                       .key_id = "k2",
                                       .sealed = "anew",
                                       .sealed_len = 4};
    assert_int_equal(update(f, &value, "ada@x"), 0);
    g = get(f, names + 1, 1);
    assert_string_equal(g.text, "a K2 other ada@x r2 k2 anew;");
    assert_int_equal(remove_it(f, "a", "ada@x"), 0);
    assert_int_equal(remove_it(f, "a", NULL), ERR_NOT_FOUND);
    assert_int_equal(remove_it(f, "b", NULL), 0);
    assert_int_equal(audit_count(f), told + 6);
}

static void test_secrets__anothers__not_found_and_untouched(void **state)
{
    struct fixture *f = *state;
    const char *const name = "c";
    assert_int_equal(create(f, name, "k1"), 0);
    int64_t told = audit_count(f);
    const struct store_secret words = {.about = {.name = name, .description = "mine"}};
    assert_int_equal(update(f, &words, "bob@x"), ERR_NOT_FOUND);
    assert_int_equal(remove_it(f, name, "bob@x"), ERR_NOT_FOUND);
    assert_int_equal(audit_count(f), told);
    struct got g = {0};
    assert_int_equal(store_secret_list(f->pool, "bob@x", on_secrets, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.n, 0);
    assert_int_equal(store_secret_list(f->pool, "ada@x", on_secrets, &g), 0);
    await_count(f->loop, &g.calls, 2);
    assert_string_equal(g.text, "c KEY d ada@x r1 k1 -;");
    assert_int_equal(store_secret_list(f->pool, NULL, on_secrets, &g), 0);
    await_count(f->loop, &g.calls, 3);
    assert_int_equal(g.n, 1);
    assert_int_equal(remove_it(f, name, NULL), 0);
}

static struct got sealed_list(struct fixture *f, enum store_sealed_in in, const char *after)
{
    struct got g = {0};
    assert_int_equal(store_sealed_list(f->pool, in, "old", after, 2, on_sealed, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    return g;
}

static void test_keys__retired__seal_nothing_and_are_replaced(void **state)
{
    struct fixture *f = *state;
    struct answer retired = {0};
    struct db_batch *b;
    for (const char *name = "xyz"; *name; name++)
        assert_int_equal(create(f, (char[]){*name, '\0'}, "old"), 0);
    assert_int_equal(store_key_retire(f->pool, "old", on_answer, &retired), 0);
    await_count(f->loop, &retired.calls, 1);
    assert_int_equal(retired.err, 0);
    assert_int_equal(create(f, "late", "old"), ERR_DB);
    const struct store_secret value = {
        .about = {.name = "x"}, .key_id = "old", .sealed = "late", .sealed_len = 4};
    assert_int_equal(update(f, &value, NULL), ERR_DB);
    /* What it sealed before may still get other words. */
    const struct store_secret words = {.about = {.name = "x", .description = "words"}};
    assert_int_equal(update(f, &words, NULL), 0);
    assert_string_equal(sealed_list(f, STORE_SEALED_SECRETS, "").text, "x=sealed;y=sealed;");
    assert_string_equal(sealed_list(f, STORE_SEALED_SECRETS, "y").text, "z=sealed;");
    assert_int_equal(sealed_list(f, STORE_SEALED_RUNS, "").n, 0);

    const struct store_sealed old = {"x", "old", "sealed", 6}, changed = {"y", "old", "other", 5};
    const struct store_sealed fresh = {"x", "new", "anew", 4};
    assert_int_equal(db_batch_new(&b), 0);
    assert_int_equal(store_sealed_replace(b, STORE_SEALED_SECRETS, &old, &fresh), 0);
    assert_int_equal(store_sealed_replace(b, STORE_SEALED_SECRETS, &changed, &fresh), 0);
    assert_int_equal(store_sealed_replace(b, STORE_SEALED_RUNS, &old, &fresh), 0);
    struct answer replaced = run_batch(f, b);
    assert_int_equal(replaced.affected[0], 1);
    assert_int_equal(replaced.affected[1], 0);
    assert_int_equal(replaced.affected[2], 0);
    assert_string_equal(sealed_list(f, STORE_SEALED_SECRETS, "").text, "y=sealed;z=sealed;");
    sql_exec(f, "DELETE FROM secrets; DELETE FROM retired_keys");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_secrets__life__each_change_with_its_entry),
        TEST(test_secrets__anothers__not_found_and_untouched),
        TEST(test_keys__retired__seal_nothing_and_are_replaced),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
