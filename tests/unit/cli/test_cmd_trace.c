/* tailgate trace */
#include "cli_rows.h"

#define TRACE                                                                       \
    "{\"logs\":[{\"message\":\"{\\\"time\\\":\\\"T\\\",\\\"level\\\":\\\"info\\\"," \
    "\\\"msg\\\":\\\"http\\\",\\\"status\\\":\\\"202\\\",\\\"n\\\":7}\"},"          \
    "{\"message\":\"no \\u001brecord\"},{}],"                                       \
    "\"related_resources\":{\"executions\":[{\"execution_id\":\"" ID                \
    "\",\"command\":\"ls\"}],\"users\":[{\"email\":\"a@x\"}]}}"

static void test_trace__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"trace r1", NULL, OK(TRACE), 0, "GET /trace/r1", "",
         "T  info  http  status=202  n=7\nno  record\nexecutions  " ID "  ls\nusers  a@x\n", ""},
        {"trace -o json r1", NULL, OK("{\"logs\":null,\"related_resources\":{}}"), 0, NULL, NULL,
         "{\"logs\":null,\"related_resources\":{}}\n", ""},
        {"trace r1", NULL, OK("{\"logs\":null,\"related_resources\":{}}"), 0, NULL, NULL, "",
         "nothing is known of request r1"},
        {"trace a/b", NULL, REFUSED, 4, "GET /trace/a%2Fb", NULL, "", "not for you"},
        {"trace", NULL, {0}, 2, NULL, NULL, "", "REQUEST_ID"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_trace__rows)};
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
