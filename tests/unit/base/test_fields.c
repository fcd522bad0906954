/* Every field's rule from both sides, and the words of a refusal. */
#include "base/fields.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_field_check__value_keeps_the_rule__passes(void **state)
{
    (void)state;
    static const struct {
        enum field field;
        const char *value;
    } rows[] = {
        {FIELD_EMAIL, "ada@example.com"},
        {FIELD_EMAIL, "ada+b.c'd@x-y.example.com"},
        {FIELD_EMAIL, "admin@localhost"},
        {FIELD_EMAIL, "j\xc3\xb6rg@b\xc3\xbc"
                      "cher.example"},
        {FIELD_ROLE, "admin"},
        {FIELD_ROLE, "operator"},
        {FIELD_ROLE, "developer"},
        {FIELD_ROLE, "viewer"},
        {FIELD_KEY_DESCRIPTION, ""},
        {FIELD_KEY_DESCRIPTION, "my laptop, \xe2\x82\xac"},
        {FIELD_SECRET_NAME, "db-password_1.x"},
        {FIELD_SECRET_NAME, "0"},
        {FIELD_KEY_NAME, "_DB_PASSWORD2"},
        {FIELD_SECRET_VALUE, "line\nline\t\x01"},
        {FIELD_DESCRIPTION, NULL},
        {FIELD_IMAGE, "docker.io/library/alpine:3"},
        {FIELD_RUNTIME_PLATFORM, "Linux/X86_64"},
        {FIELD_RUNTIME_PLATFORM, ""},
        {FIELD_ROLE_NAME, "my+role=a,b.c@d_e-f"},
        {FIELD_EXECUTION_ROLE_NAME, "x"},
        {FIELD_ENV_NAME, "NPM_CONFIG"},
        {FIELD_IDEMPOTENCY_KEY, "a b~"},
        {FIELD_GIT_REPO, "https://github.com/a/b.git"},
        {FIELD_GIT_REPO, "file:///srv/git/a"},
        {FIELD_GIT_REPO, "git@github.com:a/b.git"},
        {FIELD_GIT_REF, "feature/x-1.2"},
        {FIELD_GIT_REF, "0123abcd"},
        {FIELD_GIT_PATH, "a/..b/c"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        if (field_check(rows[i].field, "failed", rows[i].value, &p) != 0)
            fail_msg("%s: %s", rows[i].value, p.details);
    }
}

static void test_field_check__value_breaks_the_rule__details_say_how(void **state)
{
    (void)state;
    static const struct {
        enum field field;
        const char *value, *fault;
    } rows[] = {
        {FIELD_EMAIL, "", "email is required"},
        {FIELD_EMAIL, NULL, "email is required"},
        {FIELD_EMAIL, "ada", "no '@'"},
        {FIELD_EMAIL, "a@b@c.d", "more than one"},
        {FIELD_EMAIL, "@c.d", "before"},
        {FIELD_EMAIL, "a b@c.d", "character"},
        {FIELD_EMAIL, "<a@c.d", "character"},
        {FIELD_EMAIL, "a@b", "domain"},
        {FIELD_EMAIL, "a@", "domain"},
        {FIELD_EMAIL, "a@b..c", "domain"},
        {FIELD_EMAIL, "a@.c", "domain"},
        {FIELD_EMAIL, "a@b.c.", "domain"},
        {FIELD_EMAIL, "a@-b.c", "domain"},
        {FIELD_EMAIL, "a@b-.c", "domain"},
        {FIELD_EMAIL, "a@b_c.d", "domain"},
        {FIELD_EMAIL, "a\n@b.c", "control"},
        {FIELD_EMAIL, "a\x7f@b.c", "control"},
        {FIELD_EMAIL, "a\xff@b.c", "UTF-8"},
        {FIELD_EMAIL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.c",
         "too long"},
        {FIELD_ROLE, "root", "no such role"},
        {FIELD_ROLE, "Admin", "no such role"},
        {FIELD_KEY_DESCRIPTION, "a\nb", "control"},
        {FIELD_SECRET_NAME, "-a", "begins"},
        {FIELD_SECRET_NAME, "a/b", "another"},
        {FIELD_KEY_NAME, "1A", "begins"},
        {FIELD_KEY_NAME, "A-B", "another"},
        {FIELD_SECRET_VALUE, "", "value is required"},
        {FIELD_IMAGE, "Alpine", "its name"},
        {FIELD_RUNTIME_PLATFORM, "Linux", "OS/ARCHITECTURE"},
        {FIELD_RUNTIME_PLATFORM, "/x", "OS/ARCHITECTURE"},
        {FIELD_RUNTIME_PLATFORM, "a/", "OS/ARCHITECTURE"},
        {FIELD_RUNTIME_PLATFORM, "a/b/c", "another"},
        {FIELD_RUNTIME_PLATFORM, "a/b c", "another"},
        {FIELD_ROLE_NAME, "a/b", "task_role_name"},
        {FIELD_EXECUTION_ROLE_NAME, "a b", "task_execution_role_name"},
        {FIELD_ENV_NAME, "A=B", "another"},
        {FIELD_IDEMPOTENCY_KEY, "\xc3\xa9", "ASCII"},
        {FIELD_GIT_REPO, "--upload-pack=x", "begins"},
        {FIELD_GIT_REPO, "https://a b", "space"},
        {FIELD_GIT_REPO, "https://", "nothing"},
        {FIELD_GIT_REPO, "ssh://-oProxyCommand=x/y", "host"},
        {FIELD_GIT_REPO, "git@-oProxyCommand:y", "host"},
        {FIELD_GIT_REPO, "ext::sh", "neither"},
        {FIELD_GIT_REPO, "a@ext::sh", "character"},
        {FIELD_GIT_REPO, "a@b:c;d", "character"},
        {FIELD_GIT_REPO, "@b:c", "neither"},
        {FIELD_GIT_REPO, "a@:c", "neither"},
        {FIELD_GIT_REPO, "a@b:", "neither"},
        {FIELD_GIT_REPO, "/srv/git/a", "neither"},
        {FIELD_GIT_REF, "-x", "begins"},
        {FIELD_GIT_REF, "/x", "begins"},
        {FIELD_GIT_REF, "a..b", "refs do not have"},
        {FIELD_GIT_REF, "a@{1}", "refs do not have"},
        {FIELD_GIT_REF, "a b", "refs do not have"},
        {FIELD_GIT_REF, "a//b", "refs do not have"},
        {FIELD_GIT_REF, "a.lock", "ends"},
        {FIELD_GIT_REF, "a/", "ends"},
        {FIELD_GIT_REF, "a.", "ends"},
        {FIELD_GIT_PATH, "/etc", "absolute"},
        {FIELD_GIT_PATH, "..", "leaves"},
        {FIELD_GIT_PATH, "a/../b", "leaves"},
        {FIELD_GIT_PATH, "a/..", "leaves"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        assert_int_equal(field_check(rows[i].field, "failed to try", rows[i].value, &p),
                         ERR_INVALID);
        assert_string_equal(p.error, "failed to try");
        const struct field_rule *rule = field_rule(rows[i].field);
        if (!strstr(p.details, rows[i].fault) || !str_starts_with(p.details, rule->json))
            fail_msg("%s: %s", rows[i].value, p.details);
    }
}

/* Of each field: as long as allowed, and one more. */
static void test_field_check__length__held_at_its_maximum(void **state)
{
    (void)state;
    static const struct {
        enum field field;
        const char *unit; /* one character, repeated */
    } rows[] = {
        {FIELD_KEY_DESCRIPTION, "x"},    {FIELD_KEY_DESCRIPTION, "\xe2\x82\xac"},
        {FIELD_DESCRIPTION, "\xc3\xa9"}, {FIELD_SECRET_NAME, "x"},
        {FIELD_KEY_NAME, "X"},           {FIELD_SECRET_VALUE, "x"},
        {FIELD_ROLE_NAME, "x"},          {FIELD_ENV_NAME, "x"},
        {FIELD_IDEMPOTENCY_KEY, "x"},    {FIELD_GIT_REF, "x"},
        {FIELD_GIT_PATH, "x"},
    };
    static char text[70000];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p;
        size_t max = field_rule(rows[i].field)->max, n = strlen(rows[i].unit);
        for (size_t c = 0; c < max + 1; c++)
            memcpy(text + c * n, rows[i].unit, n);
        text[max * n] = '\0';
        assert_int_equal(field_check(rows[i].field, "failed", text, &p), 0);
        text[max * n] = rows[i].unit[0];
        text[(max + 1) * n] = '\0';
        assert_int_equal(field_check(rows[i].field, "failed", text, &p), ERR_INVALID);
        assert_non_null(strstr(p.details, "must be at most"));
    }
}

static void test_field_check__a_secret__is_not_quoted(void **state)
{
    (void)state;
    struct problem p;
    assert_int_equal(field_check(FIELD_SECRET_VALUE, "failed", "hunter2\xff", &p), ERR_INVALID);
    assert_null(strstr(p.details, "hunter2"));
}

static void test_field_rule__every_field__is_complete(void **state)
{
    (void)state;
    struct problem p;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field_rule *r = field_rule((enum field)i);
        assert_non_null(r);
        assert_non_null(r->json);
        assert_non_null(r->where);
        assert_non_null(r->rule);
        assert_true(r->max > 0);
    }
    assert_null(field_rule((enum field)FIELD_COUNT));
    assert_int_equal(field_check((enum field)FIELD_COUNT, "failed", "x", &p), ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field_check__value_keeps_the_rule__passes),
        cmocka_unit_test(test_field_check__value_breaks_the_rule__details_say_how),
        cmocka_unit_test(test_field_check__length__held_at_its_maximum),
        cmocka_unit_test(test_field_check__a_secret__is_not_quoted),
        cmocka_unit_test(test_field_rule__every_field__is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
