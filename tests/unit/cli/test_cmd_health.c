/* tailgate health, tailgate health reconcile */
#include "cli_rows.h"

#define HEALTH(ready)                                                                     \
    "{\"status\":\"ok\",\"version\":\"1\",\"provider\":\"tailgate\",\"ready\":" ready "," \
    "\"checks\":[{\"name\":\"database\",\"status\":\"ok\",\"details\":\"\"}]}"
#define REPORT(status, issues)                                   \
    "{\"status\":\"" status "\",\"report\":{\"issues\":[" issues \
    "],\"reconciled_count\":1,\"error_count\":0}}"
#define ISSUE                                                                      \
    "{\"resource_type\":\"image\",\"resource_id\":\"i\",\"severity\":\"warning\"," \
    "\"message\":\"gone\",\"action\":\"pull it\"}"

static void test_health__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"health", NULL, OK(HEALTH("true")), 0, "GET /health?verbose", "", NULL, ""},
        {"health", NULL, OK(HEALTH("false")), 8, "GET /health?verbose", "", NULL, ""},
        {"health -o json", NULL, OK(HEALTH("true")), 0, NULL, NULL, HEALTH("true") "\n", ""},
        {"health", NULL, REFUSED, 4, NULL, NULL, "", "not for you"},
        {"health reconcile", NULL, OK(REPORT("healthy", "")), 0, "POST /health/reconcile", "", NULL,
         ""},
        {"health reconcile", NULL, OK(REPORT("degraded", ISSUE)), 7, NULL, NULL, NULL, ""},
        {"health reconcile", NULL, OK(REPORT("unhealthy", ISSUE)), 8, NULL, NULL, NULL, ""},
        {"health reconcile -o json", NULL, OK(REPORT("degraded", ISSUE)), 7, NULL, NULL,
         REPORT("degraded", ISSUE) "\n", ""},
        {"health reconcile", NULL, OK("{}"), 6, NULL, NULL, "", "no report"},
        {"health reconcile", NULL, REFUSED, 4, NULL, NULL, "", "not for you"},
        {"health reconcile x", NULL, {0}, 2, NULL, NULL, "", "wrong usage"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_health__rows)};
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
