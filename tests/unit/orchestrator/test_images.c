#include "orchestrator/images.h"

#include "fake.h"
#include "fake_team.h"

#include <stdio.h>
#include <string.h>

struct got {
    int calls, err;
    struct problem p;
    char id[64];
    bool is_default;
    size_t n;
};

static void note(struct got *g, const struct problem *p)
{
    g->calls++;
    g->err = p ? p->err : 0;
    if (p)
        g->p = *p;
}

static void on_image(void *user, const struct problem *p, const struct image *image)
{
    struct got *g = user;
    note(g, p);
    assert_true(!p == !!image);
    if (image) {
        (void)snprintf(g->id, sizeof g->id, "%s", image->image_id);
        g->is_default = image->is_default;
    }
}

static void on_list(void *user, const struct problem *p, const struct image *images, size_t n)
{
    struct got *g = user;
    note(g, p);
    g->n = n;
    if (n > 0) {
        (void)snprintf(g->id, sizeof g->id, "%s", images[0].image_id);
        g->is_default = images[0].is_default;
    }
}

static const struct image app = {.image_id = "app:1-01234567",
                                 .image = "app:1",
                                 .registry = "docker.io",
                                 .name = "app",
                                 .tag = "1",
                                 .digest = "",
                                 .task_role_name = "",
                                 .task_execution_role_name = "",
                                 .runtime_platform = "",
                                 .is_default = true,
                                 .created_by = "a@x",
                                 .created_by_request_id = "",
                                 .modified_by_request_id = ""};
static const struct principal developer = {.role = ROLE_DEVELOPER, .email = "d@x"};
static const struct principal viewer = {.role = ROLE_VIEWER, .email = "v@x"};

/* The engine has no image of its own, as those that run containers. */
static struct engine_ops container_ops;
static const struct engine_ops *own_ops;
static void use_containers(void)
{
    container_ops = *own_ops;
    container_ops.image = NULL;
    fake_engine.base.ops = &container_ops;
}

static int setup(void **state)
{
    if (!own_ops)
        own_ops = fake_engine.base.ops;
    fake_engine.base.ops = own_ops;
    fake_team_reset();
    return fake_setup(state);
}

static void test_images_resolve__own_or_none__without_the_database(void **state)
{
    static const char *const refs[] = {NULL, "", "host"};
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
        struct got g = {0};
        struct problem p;
        assert_int_equal(images_resolve(w->o, &developer, refs[i], on_image, &g, &p), 0);
        assert_int_equal(g.calls, 0);
        fake_pass(0);
        assert_int_equal(g.calls, 1);
        assert_int_equal(g.err, 0);
        assert_string_equal(g.id, "host");
    }
    assert_int_equal(fake_team_waiting(TEAM_IMAGE_FIND), 0);
}

static void test_images_resolve__own_when_the_server_ends__cancelled(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    struct problem p;
    assert_int_equal(images_resolve(w->o, &developer, NULL, on_image, &g, &p), 0);
    orchestrator_free(w->o);
    w->o = NULL;
    assert_int_equal(g.calls, 1);
    assert_int_equal(g.err, ERR_CLOSED);
}

static void test_images_resolve__registered__engine_decides(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    struct problem p;
    assert_int_equal(images_resolve(w->o, &developer, "app:1", on_image, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_FIND);
    assert_string_equal(c.text, "app:1");
    assert_string_equal(c.name, "app");
    assert_string_equal(c.tag, "1");
    c.fn.images(c.user, 0, &app, 1);
    assert_int_equal(g.err, ERR_INVALID);
    assert_string_equal(g.p.error, "failed to resolve image");
    assert_non_null(strstr(g.p.details, "\"host\" only"));
    use_containers();
    assert_int_equal(images_resolve(w->o, &developer, "app:1", on_image, &g, &p), 0);
    c = fake_team_take(TEAM_IMAGE_FIND);
    c.fn.images(c.user, 0, &app, 1);
    assert_int_equal(g.err, 0);
    assert_string_equal(g.id, "app:1-01234567");
    assert_int_equal(images_resolve(w->o, &developer, NULL, on_image, &g, &p), 0);
    c = fake_team_take(TEAM_IMAGE_DEFAULT);
    c.fn.images(c.user, 0, &app, 1);
    assert_int_equal(g.err, 0);
    assert_int_equal(images_resolve(w->o, &developer, NULL, on_image, &g, &p), 0);
    c = fake_team_take(TEAM_IMAGE_DEFAULT);
    c.fn.images(c.user, 0, NULL, 0);
    assert_int_equal(g.err, ERR_NOT_FOUND);
    assert_non_null(strstr(g.p.details, "no default"));
}

static void test_images_resolve__errors__told(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    struct problem p;
    assert_int_equal(images_resolve(w->o, &viewer, "app", on_image, &g, &p), ERR_FORBIDDEN);
    assert_non_null(strstr(p.details, "\"app\""));
    assert_int_equal(images_resolve(w->o, &developer, "No Reference", on_image, &g, &p),
                     ERR_INVALID);
    assert_int_equal(images_resolve(w->o, &developer, "app", on_image, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_FIND);
    c.fn.images(c.user, 0, NULL, 0);
    assert_int_equal(g.err, ERR_NOT_FOUND);
    assert_string_equal(g.p.error, "failed to resolve image");
    assert_int_equal(images_resolve(w->o, &developer, "app", on_image, &g, &p), 0);
    c = fake_team_take(TEAM_IMAGE_FIND);
    c.fn.images(c.user, ERR_DB_AWAY, NULL, 0);
    assert_int_equal(g.err, ERR_DB_AWAY);
    fake_team_returns(ERR_NOMEM);
    assert_int_equal(images_resolve(w->o, &developer, "app", on_image, &g, &p), ERR_NOMEM);
}

static void test_images_get__own_and_others__shown(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    struct problem p;
    for (size_t n = 0; n < 2; n++) { /* with a registered default, and without */
        assert_int_equal(images_get(w->o, &viewer, "host", on_image, &g, &p), 0);
        struct fake_team_call c = fake_team_take(TEAM_IMAGE_DEFAULT);
        c.fn.images(c.user, 0, &app, n);
        assert_string_equal(g.id, "host");
        assert_int_equal(g.is_default, n == 0);
    }
    assert_int_equal(images_get(w->o, &viewer, "host", on_image, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_DEFAULT);
    c.fn.images(c.user, ERR_TIMEOUT, NULL, 0);
    assert_int_equal(g.err, ERR_DB_AWAY);
    assert_int_equal(images_get(w->o, &viewer, "app:1", on_image, &g, &p), 0);
    c = fake_team_take(TEAM_IMAGE_FIND);
    c.fn.images(c.user, 0, &app, 1);
    assert_int_equal(g.err, 0);
    assert_string_equal(g.id, "app:1-01234567");
    assert_int_equal(images_get(w->o, &viewer, "NO", on_image, &g, &p), ERR_INVALID);
    char longer[IMAGE_REF_MAX + 2];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(images_get(w->o, &viewer, longer, on_image, &g, &p), ERR_INVALID);
}

static void test_images_list__own_first__one_default(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    struct problem p;
    for (size_t n = 0; n < 2; n++) {
        assert_int_equal(images_list(w->o, &viewer, on_list, &g, &p), 0);
        struct fake_team_call c = fake_team_take(TEAM_IMAGE_LIST);
        c.fn.images(c.user, 0, &app, n);
        assert_int_equal(g.n, n + 1);
        assert_string_equal(g.id, "host");
        assert_int_equal(g.is_default, n == 0);
    }
    assert_int_equal(images_list(w->o, &viewer, on_list, &g, &p), 0);
    struct fake_team_call c = fake_team_take(TEAM_IMAGE_LIST);
    c.fn.images(c.user, ERR_DB, NULL, 0);
    assert_int_equal(g.err, ERR_DB);
    assert_int_equal(images_list(w->o, &viewer, on_list, &g, &p), 0);
    c = fake_team_take(TEAM_IMAGE_LIST);
    orchestrator_free(w->o);
    w->o = NULL;
    assert_int_equal(g.err, ERR_CLOSED);
    c.fn.images(c.user, 0, NULL, 0); /* the late answer frees only */
    assert_int_equal(g.calls, 4);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_images_resolve__own_or_none__without_the_database),
        ROW(test_images_resolve__own_when_the_server_ends__cancelled),
        ROW(test_images_resolve__registered__engine_decides),
        ROW(test_images_resolve__errors__told),
        ROW(test_images_get__own_and_others__shown),
        ROW(test_images_list__own_first__one_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
