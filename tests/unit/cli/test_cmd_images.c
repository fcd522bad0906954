/* tailgate images register, list, show, unregister */
#include "cli_rows.h"

#define APP                                                 \
    "{\"image_id\":\"app:1-01234567\",\"image\":\"ghcr.io/" \
    "app:1\",\"is_default\":true,\"cpu\":512}"

static void test_images__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"images register ghcr.io/app:1", NULL, MADE(APP), 0, "POST /images/register",
         "{\"image\":\"ghcr.io/app:1\"}", "", "image app:1-01234567 is registered"},
        {"images register --default --cpu 512 --memory 64 --platform Linux/ARM64 --task-role a "
         "--execution-role b app",
         NULL, MADE("{}"), 0, "POST /images/register",
         "{\"image\":\"app\",\"is_default\":true,\"task_role_name\":\"a\","
         "\"task_execution_role_name\":\"b\",\"cpu\":512,\"memory\":64,"
         "\"runtime_platform\":\"Linux/ARM64\"}",
         "", "image app is registered"},
        {"images register app -o json", NULL, MADE(APP), 0, NULL, NULL, APP "\n", ""},
        {"images register Bad", NULL, {0}, 2, NULL, NULL, "", "image must be"},
        {"images register --platform x app", NULL, {0}, 2, NULL, NULL, "", "runtime_platform"},
        {"images register --cpu x app", NULL, {0}, 2, NULL, NULL, "", "--cpu must be"},
        {"images register app", NULL, REFUSED, 4, NULL, NULL, "", "not for you"},
        {"images list", NULL, OK("{\"images\":[" APP "]}"), 0, "GET /images", "",
         "app:1-01234567  ghcr.io/app:1  yes      512", ""},
        {"images show ghcr.io/app:1", NULL, OK(APP), 0, "GET /images/ghcr.io%2Fapp%3A1", "",
         "cpu       512\n", ""},
        {"images show app", NULL, ABSENT, 3, NULL, NULL, "", "not there"},
        {"images unregister app:1-01234567", NULL, OK(APP), 0, "DELETE /images/app%3A1-01234567",
         "", "", "image app:1-01234567 is removed"},
        {"images unregister app", NULL, ABSENT, 3, NULL, NULL, "", "not there"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_images__rows)};
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
