/* Images in a real database: found by what people call them, one default, removed once. */
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "db/store_images.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEPT 8

static const struct principal admin = {.user_key = 1, .key_id = 7, .email = "admin@x"};

struct got {
    int calls, err;
    size_t n;
    char ids[KEPT][64];
    bool is_default[KEPT];
    struct image first; /* numbers only: its strings are gone */
    char image[64], registry[64], tag[64], digest[80], roles[64], platform[64], by[64],
        requests[64];
};

static void on_images(void *user, int err, const struct image *rows, size_t n)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    g->n = n;
    for (size_t i = 0; i < n && i < KEPT; i++) {
        assert_int_equal(str_copy(g->ids[i], sizeof(g->ids[i]), rows[i].image_id), 0);
        g->is_default[i] = rows[i].is_default;
    }
    if (n == 0)
        return;
    g->first = rows[0];
    (void)snprintf(g->image, sizeof(g->image), "%s", rows[0].image);
    (void)snprintf(g->registry, sizeof(g->registry), "%s", rows[0].registry);
    (void)snprintf(g->tag, sizeof(g->tag), "%s", rows[0].tag);
    (void)snprintf(g->digest, sizeof(g->digest), "%s", rows[0].digest);
    (void)snprintf(g->roles, sizeof(g->roles), "%s,%s", rows[0].task_role_name,
                   rows[0].task_execution_role_name);
    (void)snprintf(g->platform, sizeof(g->platform), "%s", rows[0].runtime_platform);
    (void)snprintf(g->by, sizeof(g->by), "%s", rows[0].created_by);
    (void)snprintf(g->requests, sizeof(g->requests), "%s,%s", rows[0].created_by_request_id,
                   rows[0].modified_by_request_id);
}

static struct image image_of(const char *id, const char *registry, const char *name,
                             const char *tag)
{
    return (struct image){.image_id = id,
                          .image = id,
                          .registry = registry,
                          .name = name,
                          .tag = tag,
                          .digest = "",
                          .task_role_name = "",
                          .task_execution_role_name = "",
                          .runtime_platform = "",
                          .created_by = "admin@x",
                          .created_by_request_id = "r1",
                          .modified_by_request_id = "r1"};
}

static struct store_audit entry(const char *action)
{
    return (struct store_audit){{&admin, "::1", "r1"}, action, "image/x", "ok"};
}

static void register_begin(struct fixture *f, const struct image *i, struct got *g)
{
    struct store_audit a = entry("images.create");
    assert_int_equal(store_image_register(f->pool, i, &a, on_images, g), 0);
}

static struct got register_one(struct fixture *f, const struct image *i)
{
    struct got g = {0};
    register_begin(f, i, &g);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    assert_int_equal(g.n, 1);
    return g;
}

static void remove_begin(struct fixture *f, const char *id, struct got *g)
{
    struct store_audit a = entry("images.delete");
    assert_int_equal(store_image_remove(f->pool, id, &a, on_images, g), 0);
}

static struct got remove_one(struct fixture *f, const char *id)
{
    struct got g = {0};
    remove_begin(f, id, &g);
    await_count(f->loop, &g.calls, 1);
    return g;
}

static struct got find(struct fixture *f, const char *text, const char *registry, const char *name,
                       const char *tag)
{
    const struct store_image_query q = {text, registry, name, tag, ""};
    struct got g = {0};
    assert_int_equal(store_image_find(f->pool, &q, on_images, &g), 0);
    await_count(f->loop, &g.calls, 1);
    assert_int_equal(g.err, 0);
    return g;
}

static struct got get_default(struct fixture *f)
{
    struct got g = {0};
    assert_int_equal(store_image_default(f->pool, on_images, &g), 0);
    await_count(f->loop, &g.calls, 1);
    return g;
}

static void empty(struct fixture *f)
{
    sql_exec(f, "DELETE FROM images");
}

static void test_store_image_register__first_then_flagged__one_default(void **state)
{
    struct fixture *f = *state;
    struct image a = image_of("a:1-0", "docker.io", "a", "1"),
                 b = image_of("b:1-0", "docker.io", "b", "1");
    empty(f);
    assert_int_equal(get_default(f).n, 0);
    assert_true(register_one(f, &a).is_default[0]);
    assert_false(register_one(f, &b).is_default[0]);
    assert_string_equal(get_default(f).ids[0], "a:1-0");
    b.is_default = true;
    b.created_by_request_id = "r2";
    b.created_by = "other@x";
    struct got again = register_one(f, &b);
    assert_true(again.is_default[0]);
    assert_string_equal(again.requests, "r1,r2");
    assert_string_equal(again.by, "admin@x"); /* the registration stays the first one's */
    assert_string_equal(get_default(f).ids[0], "b:1-0");
    b.is_default = false;
    assert_true(register_one(f, &b).is_default[0]);
    struct got all = {0};
    assert_int_equal(store_image_list(f->pool, on_images, &all), 0);
    await_count(f->loop, &all.calls, 1);
    assert_int_equal(all.n, 2);
    assert_string_equal(all.ids[0], "a:1-0");
    assert_false(all.is_default[0]);
    assert_string_equal(all.ids[1], "b:1-0");
    assert_int_equal(sql_number(f, "SELECT count(*) FROM audit WHERE action = 'images.create'"), 4);
}

static void test_store_image_register__all_fields__kept(void **state)
{
    struct fixture *f = *state;
    struct image i = image_of("full:1-0", "ghcr.io:5000", "team/full", "1");
    empty(f);
    i.digest = "sha256:00";
    i.task_role_name = "role";
    i.task_execution_role_name = "execution";
    i.runtime_platform = "Linux/ARM64";
    i.cpu = 512;
    i.memory = 4096;
    struct got g = register_one(f, &i);
    assert_string_equal(g.registry, "ghcr.io:5000");
    assert_string_equal(g.tag, "1");
    assert_string_equal(g.digest, "sha256:00");
    assert_string_equal(g.roles, "role,execution");
    assert_string_equal(g.platform, "Linux/ARM64");
    assert_int_equal(g.first.cpu, 512);
    assert_int_equal(g.first.memory, 4096);
    assert_true(g.first.created_at_us > INT64_C(1700000000000000));
}

static void test_store_image_register__many_at_once__one_default(void **state)
{
    struct fixture *f = *state;
    struct got got[6] = {0};
    char ids[6][16];
    empty(f);
    for (size_t i = 0; i < ARRAY_SIZE(got); i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "m%zu:1-0", i);
        struct image one = image_of(ids[i], "docker.io", ids[i], "1");
        one.is_default = i % 2 == 0;
        register_begin(f, &one, &got[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(got); i++) {
        await_count(f->loop, &got[i].calls, 1);
        assert_int_equal(got[i].err, 0);
    }
    assert_int_equal(sql_number(f, "SELECT count(*) FROM images WHERE is_default"), 1);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM images"), 6);
}

static void test_store_image_find__id_reference_or_name__best(void **state)
{
    struct fixture *f = *state;
    struct image first = image_of("app:1-aaaa", "docker.io", "app", "1"),
                 second = image_of("app:1-bbbb", "ghcr.io", "app", "1"),
                 third = image_of("app:1-cccc", "docker.io", "app", "1");
    empty(f);
    first.image = "app:1";
    second.image = "ghcr.io/app:1";
    third.image = "docker.io/app:1";
    (void)register_one(f, &first);
    (void)register_one(f, &second);
    (void)register_one(f, &third);
    static const struct {
        const char *text, *registry, *name, *tag, *id;
    } rows[] = {
        {"app:1-bbbb", "", "app", "1-bbbb", "app:1-bbbb"},
        {"app:1", "", "app", "1", "app:1-aaaa"},
        {"ghcr.io/app:1", "ghcr.io", "app", "1", "app:1-bbbb"},
        {"docker.io/app:1", "docker.io", "app", "1", "app:1-cccc"},
        {"ghcr.io/app:2", "ghcr.io", "app", "2", NULL},
        {"quay.io/app:1", "quay.io", "app", "1", NULL},
        {"app", "", "app", "latest", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct got g = find(f, rows[i].text, rows[i].registry, rows[i].name, rows[i].tag);
        assert_int_equal(g.n, rows[i].id != NULL);
        if (rows[i].id)
            assert_string_equal(g.ids[0], rows[i].id);
    }
}

static void test_store_image_remove__default__none_is(void **state)
{
    struct fixture *f = *state;
    struct image a = image_of("a:1-0", "docker.io", "a", "1"),
                 b = image_of("b:1-0", "docker.io", "b", "1");
    empty(f);
    (void)register_one(f, &a);
    (void)register_one(f, &b);
    int64_t before = sql_number(f, "SELECT count(*) FROM audit WHERE action = 'images.delete'");
    struct got g = remove_one(f, "a:1-0");
    assert_int_equal(g.err, 0);
    assert_string_equal(g.ids[0], "a:1-0");
    assert_int_equal(get_default(f).n, 0);
    assert_int_equal(remove_one(f, "a:1-0").err, ERR_NOT_FOUND);
    assert_int_equal(sql_number(f, "SELECT count(*) FROM audit WHERE action = 'images.delete'"),
                     before + 1);
}

static void test_store_image_remove__two_at_once__one_wins(void **state)
{
    struct fixture *f = *state;
    struct got got[4] = {0};
    struct image a = image_of("a:1-0", "docker.io", "a", "1");
    int won = 0;
    empty(f);
    (void)register_one(f, &a);
    for (size_t i = 0; i < ARRAY_SIZE(got); i++)
        remove_begin(f, "a:1-0", &got[i]);
    for (size_t i = 0; i < ARRAY_SIZE(got); i++) {
        await_count(f->loop, &got[i].calls, 1);
        assert_true(got[i].err == 0 || got[i].err == ERR_NOT_FOUND);
        won += got[i].err == 0;
    }
    assert_int_equal(won, 1);
}

static void test_store_image_remove__execution_runs__conflict(void **state)
{
    struct fixture *f = *state;
    struct image a = image_of("used:1-0", "docker.io", "used", "1");
    empty(f);
    (void)register_one(f, &a);
    sql_exec(f, "INSERT INTO executions (execution_key, execution_id, status, command, image_id, "
                "created_by, created_at, owner) VALUES (1, repeat('0', 32), 'RUNNING', 'x', "
                "'used:1-0', 'a@x', now(), 'g')");
    assert_int_equal(remove_one(f, "used:1-0").err, ERR_CONFLICT);
    sql_exec(f, "UPDATE executions SET status = 'SUCCEEDED'");
    assert_int_equal(remove_one(f, "used:1-0").err, 0);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_image_register__first_then_flagged__one_default),
        ROW(test_store_image_register__all_fields__kept),
        ROW(test_store_image_register__many_at_once__one_default),
        ROW(test_store_image_find__id_reference_or_name__best),
        ROW(test_store_image_remove__default__none_is),
        ROW(test_store_image_remove__two_at_once__one_wins),
        ROW(test_store_image_remove__execution_runs__conflict),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
