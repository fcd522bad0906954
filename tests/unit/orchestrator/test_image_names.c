#include "orchestrator/images.h"

#include "../base/unit.h"

#include <string.h>

static const struct {
    const char *text, *registry, *name, *tag, *digest;
} rows[] = {
    {"alpine", "", "alpine", "latest", ""},
    {"alpine:3.19", "", "alpine", "3.19", ""},
    {"team/app:v1", "", "team/app", "v1", ""},
    {"ghcr.io/team/app", "ghcr.io", "team/app", "latest", ""},
    {"localhost:5000/app:1", "localhost:5000", "app", "1", ""},
    {"app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "", "app", "",
     "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
};

static void test_images_parse__reference__parts_with_defaults(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct images_name n;
        assert_int_equal(images_parse(rows[i].text, &n), 0);
        assert_string_equal(n.registry, rows[i].registry);
        assert_string_equal(n.name, rows[i].name);
        assert_string_equal(n.tag, rows[i].tag);
        assert_string_equal(n.digest, rows[i].digest);
    }
}

static void test_images_parse__no_reference__invalid(void **state UNUSED)
{
    static const char *const bad[] = {"", "App", "a b", "a:", "a@", "/a"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct images_name n;
        assert_int_equal(images_parse(bad[i], &n), ERR_INVALID);
    }
}

static struct image base(void)
{
    return (struct image){.registry = "docker.io",
                          .name = "app",
                          .tag = "1",
                          .digest = "",
                          .task_role_name = "",
                          .task_execution_role_name = "",
                          .runtime_platform = ""};
}

static void test_images_make_id__each_field__another_id(void **state UNUSED)
{
    struct image images[9];
    char ids[ARRAY_SIZE(images)][IMAGE_ID_MAX + 1], again[IMAGE_ID_MAX + 1];
    for (size_t i = 0; i < ARRAY_SIZE(images); i++)
        images[i] = base();
    images[1].registry = "ghcr.io";
    images[2].cpu = 1;
    images[3].memory = 1;
    images[4].runtime_platform = "a";
    images[5].task_role_name = "a";
    images[6].task_execution_role_name = "a";
    images[7].digest = "a";
    images[8].tag = "2";
    for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
        images_make_id(&images[i], ids[i]);
        assert_int_equal(strlen(ids[i]), strlen("app:1-") + IMAGE_ID_HASH_LEN);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    }
    images_make_id(&images[0], again);
    assert_string_equal(ids[0], again);
    assert_memory_equal(ids[0], "app:1-", 6);
}

static void test_images_make_id__digest_only__says_so(void **state UNUSED)
{
    struct image i = base();
    char id[IMAGE_ID_MAX + 1];
    i.tag = "";
    i.digest = "sha256:00";
    images_make_id(&i, id);
    assert_memory_equal(id, "app:digest-", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images_parse__reference__parts_with_defaults),
        cmocka_unit_test(test_images_parse__no_reference__invalid),
        cmocka_unit_test(test_images_make_id__each_field__another_id),
        cmocka_unit_test(test_images_make_id__digest_only__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
