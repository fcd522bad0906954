/* tailgate keys create, list, revoke */
#include "cli_rows.h"

static void test_keys__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"keys create --description for|tests", NULL,
         MADE("{\"api_key\":\"tg_secret\",\"id\":\"7\"}"), 0, "POST /api-keys",
         "{\"description\":\"for tests\"}", "tg_secret\n", "not shown again"},
        {"keys create -o json", NULL, MADE("{\"api_key\":\"tg_secret\",\"id\":\"7\"}"), 0,
         "POST /api-keys", "{}", "{\"api_key\":\"tg_secret\",\"id\":\"7\"}\n", ""},
        {"keys create", NULL, MADE("{\"id\":\"7\"}"), 6, NULL, NULL, "", "the key is missing"},
        {"keys create", NULL, REFUSED, 4, NULL, NULL, "", "not for you"},
        {"keys list", NULL,
         OK("{\"api_keys\":[{\"id\":\"7\",\"prefix\":\"tg_abcde\",\"description\":\"d\"}]}"), 0,
         "GET /api-keys", "", "7   tg_abcde  d ", ""},
        {"keys revoke 7", NULL, OK("{\"id\":\"7\"}"), 0, "DELETE /api-keys/7", "", "",
         "key 7 is revoked"},
        {"keys revoke 7 -o json", NULL, OK("{\"id\":\"7\"}"), 0, NULL, NULL, "{\"id\":\"7\"}\n",
         ""},
        {"keys revoke a/b", NULL, ABSENT, 3, "DELETE /api-keys/a%2Fb", NULL, "", "not there"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

static void test_keys_create__long_description__refused_here(void **state UNUSED)
{
    char words[400] = "keys create --description ";
    const struct cli_row row = {words, NULL, {0}, 2, NULL, NULL, "", "at most 256 characters"};
    size_t len = strlen(words);
    memset(words + len, 'x', 257);
    check_row(&row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys__rows),
        cmocka_unit_test(test_keys_create__long_description__refused_here),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
