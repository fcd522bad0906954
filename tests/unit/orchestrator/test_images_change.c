#include "orchestrator/images.h"

#include "fake.h"
#include "fake_team.h"

#include <stdio.h>
#include <string.h>

struct got {
    int calls, err;
    struct problem p;
    char id[64];
};

static void on_image(void *user, const struct problem *p, const struct image *image)
{
    struct got *g = user;
    g->calls++;
    g->err = p ? p->err : 0;
    if (p)
        g->p = *p;
    assert_true(!p == !!image);
    if (image)
        (void)snprintf(g->id, sizeof g->id, "%s", image->image_id);
}

static const struct principal an_operator = {.role = ROLE_OPERATOR, .key_id = 3, .email = "o@x"};
static const struct principal developer = {.role = ROLE_DEVELOPER, .email = "d@x"};
static const struct caller by_operator = {&an_operator, "10.0.0.1", "r1"};
static const struct caller by_developer = {&developer, NULL, NULL};

static struct image image_of(const char *id, const char *owner)
{
    return (struct image){.image_id = id, .image = "app:1", .created_by = owner};
}

static int setup(void **state)
{
    fake_team_reset();
    return fake_setup(state);
}

static void test_images_register__valid__parsed_and_audited(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    struct problem p;
    const struct images_new n = {.image = "team/app", .cpu = 256, .is_default = true};
    assert_int_equal(images_register(w->o, &by_operator, &n, on_image, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_REGISTER);
    assert_string_equal(c.registry, "docker.io");
    assert_string_equal(c.name, "team/app");
    assert_string_equal(c.tag, "latest");
    assert_true(c.is_default);
    assert_string_equal(c.action, "images.create");
    assert_memory_equal(c.resource, "image/team/app:latest-", 22);
    assert_string_equal(c.resource + 6, c.image_id);
    const struct image row = image_of("team/app:latest-0", "o@x");
    c.fn.images(c.user, 0, &row, 1);
    assert_int_equal(g.err, 0);
    assert_string_equal(g.id, "team/app:latest-0");
}

static const struct {
    struct images_new n;
    int err;
    const char *says;
} refused[] = {
    {{.image = NULL}, ERR_INVALID, "image is required"},
    {{.image = "Bad"}, ERR_INVALID, "image must be"},
    {{.image = "a", .runtime_platform = "x"}, ERR_INVALID, "runtime_platform"},
    {{.image = "a", .task_role_name = "a b"}, ERR_INVALID, "task_role_name"},
    {{.image = "a", .task_execution_role_name = "a b"}, ERR_INVALID, "role_name"},
    {{.image = "a", .cpu = -1}, ERR_INVALID, "cpu must be between"},
    {{.image = "a", .memory = INT64_MAX}, ERR_INVALID, "memory must be between"},
    {{.image = "host"}, ERR_CONFLICT, "engine"},
};

static void test_images_register__field_breaks_its_rule__named(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct problem p;
        assert_int_equal(images_register(w->o, &by_operator, &refused[i].n, on_image, &g, &p),
                         refused[i].err);
        assert_string_equal(p.error, "failed to register image");
        assert_non_null(strstr(p.details, refused[i].says));
    }
    struct problem p;
    assert_int_equal(images_register(w->o, &by_developer, &refused[0].n, on_image, &g, &p),
                     ERR_FORBIDDEN);
    fake_team_returns(ERR_LIMIT);
    assert_int_equal(
        images_register(w->o, &by_operator, &(struct images_new){.image = "a"}, on_image, &g, &p),
        ERR_DB_AWAY);
    assert_int_equal(g.calls, 0);
}

/* Asks, and answers the look-up with `row` (NULL: none). */
static struct got remove_found(struct world *w, const struct caller *by, const char *id,
                               const struct image *row)
{
    struct got g = {0};
    struct problem p;
    assert_int_equal(images_remove(w->o, by, id, on_image, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_FIND);
    c.fn.images(c.user, 0, row, row ? 1 : 0);
    return g;
}

static void test_images_remove__before_the_removal__refused(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    struct problem p;
    const struct image others = image_of("app:1-01234567", "o@x");
    assert_int_equal(images_remove(w->o, &by_operator, "host", on_image, &g, &p), ERR_CONFLICT);
    assert_int_equal(images_remove(w->o, &by_operator, "A B", on_image, &g, &p), ERR_INVALID);
    g = remove_found(w, &by_operator, "app:1", &others);
    assert_int_equal(g.err, ERR_INVALID);
    assert_non_null(strstr(g.p.details, "app:1-01234567"));
    assert_int_equal(remove_found(w, &by_operator, "app", NULL).err, ERR_INVALID);
    assert_int_equal(remove_found(w, &by_operator, "app-01234567", NULL).err, ERR_INVALID);
    assert_int_equal(remove_found(w, &by_operator, "app:1-0123456A", NULL).err, ERR_INVALID);
    assert_int_equal(remove_found(w, &by_operator, "app:1-01234567", NULL).err, ERR_NOT_FOUND);
    assert_int_equal(remove_found(w, &by_developer, "app:1-01234567", &others).err, ERR_FORBIDDEN);
    assert_int_equal(images_remove(w->o, &by_operator, "app:1", on_image, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_FIND);
    c.fn.images(c.user, ERR_DB_AWAY, NULL, 0);
    assert_int_equal(g.err, ERR_DB_AWAY);
    assert_int_equal(fake_team_waiting(TEAM_IMAGE_REMOVE), 0);
}

static const struct {
    int stored, told;
} answers[] = {
    {ERR_NOT_FOUND, ERR_NOT_FOUND},
    {ERR_CONFLICT, ERR_CONFLICT},
    {ERR_DB_AWAY, ERR_DB_AWAY},
};

static void test_images_remove__allowed__the_store_decides(void **state)
{
    struct world *w = *state;
    const struct image own = image_of("app:1-01234567", "d@x");
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        struct got g = {0};
        struct problem p;
        assert_int_equal(images_remove(w->o, &by_operator, own.image_id, on_image, &g, &p), 0);
        struct fake_team_call c = fake_team_take(TEAM_IMAGE_FIND);
        c.fn.images(c.user, 0, &own, 1);
        c = fake_team_take(TEAM_IMAGE_REMOVE);
        c.fn.images(c.user, answers[i].stored, NULL, 0);
        assert_int_equal(g.err, answers[i].told);
        assert_string_equal(g.p.error, "failed to remove image");
    }
    struct got g = {0};
    struct problem p;
    assert_int_equal(images_remove(w->o, &by_developer, own.image_id, on_image, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_FIND);
    c.fn.images(c.user, 0, &own, 1); /* whoever owns it may */
    c = fake_team_take(TEAM_IMAGE_REMOVE);
    assert_string_equal(c.action, "images.delete");
    assert_string_equal(c.resource, "image/app:1-01234567");
    assert_string_equal(c.text, "d@x");
    c.fn.images(c.user, 0, &own, 1);
    assert_int_equal(g.err, 0);
    assert_string_equal(g.id, "app:1-01234567");
}

static void test_images_remove__store_takes_nothing_or_the_server_ends__told(void **state)
{
    struct world *w = *state;
    const struct image own = image_of("app:1-01234567", "d@x");
    struct got g = {0}, late = {0};
    struct problem p;
    assert_int_equal(images_remove(w->o, &by_operator, own.image_id, on_image, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_FIND);
    fake_team_returns(ERR_NOMEM);
    c.fn.images(c.user, 0, &own, 1);
    assert_int_equal(g.err, ERR_NOMEM);
    fake_team_returns(0);
    assert_int_equal(images_remove(w->o, &by_operator, own.image_id, on_image, &late, &p), 0);
    c = fake_team_take(TEAM_IMAGE_FIND);
    orchestrator_free(w->o);
    w->o = NULL;
    assert_int_equal(late.err, ERR_CLOSED);
    c.fn.images(c.user, 0, &own, 1);
    assert_int_equal(late.calls, 1);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_images_register__valid__parsed_and_audited),
        ROW(test_images_register__field_breaks_its_rule__named),
        ROW(test_images_remove__before_the_removal__refused),
        ROW(test_images_remove__allowed__the_store_decides),
        ROW(test_images_remove__store_takes_nothing_or_the_server_ends__told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
