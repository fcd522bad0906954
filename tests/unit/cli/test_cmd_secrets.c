/* tailgate secrets create, get, list, update, delete */
#include "cli_rows.h"

#define SECRET                                                                          \
    "{\"name\":\"db\",\"key_name\":\"DB\",\"value\":\"s3cret\",\"created_by\":\"a@x\"," \
    "\"updated_at\":\"2026-01-02T03:04:05.678Z\"}"

static void test_secrets_create__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"secrets create --key-name DB --description the|db db", "s3cret\n",
         MADE("{\"message\":\"done\"}"), 0, "POST /secrets",
         "{\"name\":\"db\",\"key_name\":\"DB\",\"description\":\"the db\",\"value\":\"s3cret\"}",
         "", "secret db is created"},
        {"secrets create --key-name DB db -o json", "x", MADE("{\"message\":\"done\"}"), 0, NULL,
         NULL, "{\"message\":\"done\"}\n", ""},
        {"secrets create db", "x", {0}, 2, NULL, NULL, "", "--key-name is required"},
        {"secrets create --key-name 1A db", "x", {0}, 2, NULL, NULL, "", "key_name must be"},
        {"secrets create --key-name DB a|b", "x", {0}, 2, NULL, NULL, "", "name must be"},
        {"secrets create --key-name DB db", "", {0}, 2, NULL, NULL, "", "value is required"},
        {"secrets create --key-name DB --value-file /tmp/tg-none db",
         "x",
         {0},
         2,
         NULL,
         NULL,
         "",
         "/tmp/tg-none"},
        {"secrets create --key-name DB db", "x", REFUSED, 4, NULL, NULL, "", "not for you"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

static void test_secrets_update__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"secrets update --value db", "new\n", OK("{\"message\":\"done\"}"), 0, "PUT /secrets/db",
         "{\"value\":\"new\"}", "", "secret db is changed"},
        {"secrets update --value-file - db", "new", OK("{}"), 0, "PUT /secrets/db",
         "{\"value\":\"new\"}", "", NULL},
        {"secrets update --key-name X --description d db", NULL, OK("{}"), 0, "PUT /secrets/db",
         "{\"key_name\":\"X\",\"description\":\"d\"}", "", NULL},
        {"secrets update db", NULL, {0}, 2, NULL, NULL, "", "nothing to change"},
        {"secrets update --key-name 1 db", NULL, {0}, 2, NULL, NULL, "", "key_name must be"},
        {"secrets update --value db", "x", ABSENT, 3, NULL, NULL, "", "not there"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

static void test_secrets__get_list_delete__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"secrets get db", NULL, OK("{\"secret\":" SECRET "}"), 0, "GET /secrets/db", "",
         "value        s3cret\n", ""},
        {"secrets get --value db", NULL, OK("{\"secret\":" SECRET "}"), 0, NULL, NULL, "s3cret\n",
         ""},
        {"secrets get --value db", NULL, OK("{\"secret\":{}}"), 6, NULL, NULL, "",
         "the value is missing"},
        {"secrets get -o json db", NULL, OK("{\"secret\":" SECRET "}"), 0, NULL, NULL, SECRET "\n",
         ""},
        {"secrets get db", NULL, ABSENT, 3, NULL, NULL, "", "not there"},
        {"secrets list", NULL, OK("{\"secrets\":[" SECRET "],\"total\":1}"), 0, "GET /secrets", "",
         "db    DB        -            a@x    2026-01-02T03:04:05Z\n", ""},
        {"secrets delete db", NULL, OK("{\"name\":\"db\"}"), 0, "DELETE /secrets/db", "", "",
         "secret db is deleted"},
        {"secrets delete db -o json", NULL, OK("{\"name\":\"db\"}"), 0, NULL, NULL,
         "{\"name\":\"db\"}\n", ""},
        {"secrets delete db", NULL, REFUSED, 4, NULL, NULL, "", "not for you"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_create__rows),
        cmocka_unit_test(test_secrets_update__rows),
        cmocka_unit_test(test_secrets__get_list_delete__rows),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
