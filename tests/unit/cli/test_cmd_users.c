/* tailgate users create, list, revoke */
#include "cli_rows.h"

#define ANN                                                                                     \
    "{\"email\":\"ann@x.org\",\"role\":\"viewer\",\"created_at\":\"2026-01-02T03:04:05.678Z\"," \
    "\"revoked\":true}"

static void test_users__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"users create --role viewer ann@x.org", NULL,
         MADE("{\"user\":" ANN ",\"claim_token\":\"once\"}"), 0, "POST /users/create",
         "{\"email\":\"ann@x.org\",\"role\":\"viewer\"}", "claim token  once\n",
         "tailgate claim TOKEN"},
        {"users create ann@x.org", NULL, MADE("{}"), 0, "POST /users/create",
         "{\"email\":\"ann@x.org\",\"role\":\"developer\"}", NULL, NULL},
        {"users create ann@x.org -o json", NULL,
         MADE("{\"user\":" ANN ",\"claim_token\":\"once\"}"), 0, NULL, NULL,
         "\"claim_token\":\"once\"}\n", ""},
        {"users create nobody", NULL, {0}, 2, NULL, NULL, "", "email must be"},
        {"users create --role king ann@x.org", NULL, {0}, 2, NULL, NULL, "", "role must be"},
        {"users create ann@x.org", NULL, REFUSED, 4, NULL, NULL, "", "not for you"},
        {"users list", NULL, OK("{\"users\":[" ANN "]}"), 0, "GET /users", "",
         "ann@x.org  viewer  2026-01-02T03:04:05Z  -          yes\n", ""},
        {"users revoke ann@x.org", NULL, OK("{\"email\":\"ann@x.org\"}"), 0, "POST /users/revoke",
         "{\"email\":\"ann@x.org\"}", "", "ann@x.org is revoked"},
        {"users revoke -o json ann@x.org", NULL, OK("{\"email\":\"ann@x.org\"}"), 0, NULL, NULL,
         "{\"email\":\"ann@x.org\"}\n", ""},
        {"users revoke x", NULL, {0}, 2, NULL, NULL, "", "email must be"},
        {"users revoke ann@x.org", NULL, ABSENT, 3, NULL, NULL, "", "not there"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_users__rows)};
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
