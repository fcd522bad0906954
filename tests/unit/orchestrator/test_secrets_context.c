/* What a value is sealed for: written down, since sealed values in databases depend on it. */
#include "orchestrator/secrets_internal.h"

#include "../base/unit.h"

#include <string.h>

static void test_secret_context__name__as_ever(void **state UNUSED)
{
    char context[SECRET_CONTEXT_SIZE];
    secret_context("github-token", context);
    assert_string_equal(context, "secret/github-token");
}

static void test_secret_context__longest_name__whole(void **state UNUSED)
{
    char name[SECRET_NAME_SIZE], context[SECRET_CONTEXT_SIZE];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    secret_context(name, context);
    assert_int_equal(strlen(context), strlen("secret/") + sizeof name - 1);
}

static void test_secret_open__server_without_keys__says_so(void **state UNUSED)
{
    const struct orchestrator o = {0};
    const struct store_secret row = {.about.name = "token"};
    struct problem p = {0};
    void *value = NULL;
    size_t len = 0;
    assert_int_equal(secret_open(&o, &row, "failed to get secret", &value, &len, &p), ERR_INTERNAL);
    assert_string_equal(p.error, "failed to get secret");
    assert_string_equal(p.details, "the server has no key for secrets");
    assert_null(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret_context__name__as_ever),
        cmocka_unit_test(test_secret_context__longest_name__whole),
        cmocka_unit_test(test_secret_open__server_without_keys__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
