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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret_context__name__as_ever),
        cmocka_unit_test(test_secret_context__longest_name__whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
