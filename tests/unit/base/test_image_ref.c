/* Image references: what the grammar takes, how it is taken apart, what it refuses and why. */
#include "base/image_ref.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_part(const char *at, size_t len, const char *expected)
{
    assert_int_equal(len, strlen(expected));
    if (len > 0)
        assert_memory_equal(at, expected, len);
}

#define HEX32 "0123456789abcdef0123456789abcdef"

static void test_image_ref_parse__a_reference__its_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *registry, *name, *tag, *digest;
    } rows[] = {
        {"host", "", "host", "", ""},
        {"alpine:3.18", "", "alpine", "3.18", ""},
        {"library/alpine", "", "library/alpine", "", ""},
        {"docker.io/library/alpine:latest", "docker.io", "library/alpine", "latest", ""},
        {"localhost/a", "localhost", "a", "", ""},
        {"localhost:5000/a/b:v1", "localhost:5000", "a/b", "v1", ""},
        {"10.0.0.1:5000/a", "10.0.0.1:5000", "a", "", ""},
        {"Registry/a", "Registry", "a", "", ""},
        {"a@sha256:" HEX32, "", "a", "", "sha256:" HEX32},
        {"a:t@sha256:" HEX32, "", "a", "t", "sha256:" HEX32},
        {"x/a.b_c__d---e", "", "x/a.b_c__d---e", "", ""},
        {"alpine:latest-1a2b3c4d", "", "alpine", "latest-1a2b3c4d", ""},
        {"a:_x", "", "a", "_x", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct image_ref ref;
        assert_null(image_ref_parse(rows[i].text, &ref));
        assert_part(ref.registry, ref.registry_len, rows[i].registry);
        assert_part(ref.name, ref.name_len, rows[i].name);
        assert_part(ref.tag, ref.tag_len, rows[i].tag);
        assert_part(ref.digest, ref.digest_len, rows[i].digest);
    }
}

static void test_image_ref_parse__breaks_the_grammar__says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } rows[] = {
        {"", "name"},
        {"Alpine", "name"},
        {"-a", "name"},
        {"a-", "name"},
        {"a..b", "name"},
        {"a___b", "name"},
        {"a//b", "name"},
        {"a/", "name"},
        {"a b", "name"},
        {"a/B", "name"},
        {".io/a", "registry"},
        {"a_b.io/a", "registry"},
        {"a.b_c__d---e/f", "registry"}, /* '_' is in no host's name */
        {"-a.io/a", "registry"},
        {"h:/a", "registry"},
        {"h:0/a", "registry"},
        {"h:65536/a", "registry"},
        {"h:123456789/a", "registry"},
        {"h:5x/a", "registry"},
        {"a:", "tag"},
        {"a:-x", "tag"},
        {"a:.x", "tag"},
        {"a:b:c", "follows"},
        {"a:b c", "follows"},
        {"a@", "digest"},
        {"a@sha256", "digest"},
        {"a@sha256:12", "digest"},
        {"a@sha256:" HEX32 "x", "follows"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct image_ref ref;
        const char *fault = image_ref_parse(rows[i].text, &ref);
        if (!fault || !strstr(fault, rows[i].fault))
            fail_msg("%s: %s", rows[i].text, fault ? fault : "(fine)");
    }
}

static void test_image_ref_parse__lengths__held_at_their_maximum(void **state)
{
    (void)state;
    char text[IMAGE_REF_MAX + 2];
    struct image_ref ref;
    memset(text, 'a', sizeof text);
    text[IMAGE_NAME_MAX] = '\0';
    assert_null(image_ref_parse(text, &ref));
    text[IMAGE_NAME_MAX] = 'a';
    text[IMAGE_NAME_MAX + 1] = '\0';
    assert_string_equal(image_ref_parse(text, &ref), "its name is too long");
    memset(text, 'a', sizeof text);
    text[1] = ':';
    text[2 + IMAGE_TAG_MAX] = '\0';
    assert_null(image_ref_parse(text, &ref));
    text[2 + IMAGE_TAG_MAX] = 'a';
    text[3 + IMAGE_TAG_MAX] = '\0';
    assert_non_null(image_ref_parse(text, &ref));
    memset(text, 'a', sizeof text);
    text[IMAGE_REF_MAX + 1] = '\0';
    assert_string_equal(image_ref_parse(text, &ref), "it is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_ref_parse__a_reference__its_parts),
        cmocka_unit_test(test_image_ref_parse__breaks_the_grammar__says_where),
        cmocka_unit_test(test_image_ref_parse__lengths__held_at_their_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
