/* What counts as a secret. */
#include "logs/redact.h"

#include "base/err.h"
#include "tests/unit/base/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_redact_name_is_secret__names__as_runvoy_does(void **state)
{
    static const struct {
        const char *name;
        bool is_secret;
    } ROWS[] = {
        {"AWS_ACCESS_KEY_ID", true},
        {"MY_API_KEY", true},
        {"API_SECRET", true},
        {"GITHUB_SECRET", true},
        {"GITHUB_TOKEN", true},
        {"DB_PASSWORD", true},
        {"PRIVATE_KEY", true},
        {"AWS_SECRET_KEY", true},
        {"SECRET", true},
        {"MY_TOKEN_2", true},
        {"db_password", true},
        {"tokenizer", true},
        {"PATH", false},
        {"HOME", false},
        {"KEY", false},
        {"PASS", false},
        {"", false},
        {"API", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
        assert_int_equal(redact_name_is_secret(ROWS[i].name), ROWS[i].is_secret);
    (void)state;
}

static void test_redactor_new__nothing_to_redact__is_null(void **state)
{
    const struct redact_value values[] = {{"short", 5}, {"", 0}};
    struct redactor *r = NULL;
    assert_int_equal(redactor_new(values, 2, REDACT_FORMS_MAX, &r), 0);
    assert_null(r);
    assert_int_equal(redactor_new(NULL, 0, REDACT_FORMS_MAX, &r), 0);
    assert_null(r);
    assert_false(redact_covers(5));
    assert_true(redact_covers(6));
    redactor_free(NULL);
    (void)state;
}

static void test_redactor_new__too_much__is_a_limit(void **state)
{
    const struct redact_value v = {"hunter22", 8};
    struct redactor *r = NULL;
    assert_int_equal(redactor_new(&v, 1, 20, &r), ERR_LIMIT);
    assert_null(r);
    (void)state;
}

static void test_redactor_new__no_memory__says_so(void **state)
{
    const struct redact_value v = {"first line\nhunter 22/\"", 22};
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct redactor *r = NULL;
        int err = redactor_new(&v, 1, REDACT_FORMS_MAX, &r);
        assert_int_equal(err, fail_alloc_off() ? ERR_NOMEM : 0);
        redactor_free(r);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redact_name_is_secret__names__as_runvoy_does),
        cmocka_unit_test(test_redactor_new__nothing_to_redact__is_null),
        cmocka_unit_test(test_redactor_new__too_much__is_a_limit),
        cmocka_unit_test(test_redactor_new__no_memory__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
