/* tailgate audit */
#include "cli_rows.h"

static struct cli_result r;
#define ENTRY(id)                                                                 \
    "{\"audit_id\":" id ",\"at\":\"2026-01-02T03:04:05.678Z\",\"email\":\"a@x\"," \
    "\"action\":\"images.create\",\"resource\":\"image/x\",\"result\":\"ok\",\"count\":1}"

static void test_audit__rows(void **state UNUSED)
{
    static const struct cli_row rows[] = {
        {"audit", NULL, OK("{\"entries\":[" ENTRY("1") "]}"), 0, "GET /audit?limit=50", "",
         "2026-01-02T03:04:05Z  a@x   images.create  image/x   ok      1", ""},
        {"audit -o json", NULL, OK("{\"entries\":[" ENTRY("1") "]}"), 0, NULL, NULL,
         ENTRY("1") "\n", ""},
        {"audit --email a@x --action images --resource image/ --result ok --request-id r1 "
         "--since 2026-01-02T03:04:05Z --until 2026-01-02T03:04:06Z -n 5",
         NULL, OK("{\"entries\":[]}"), 0,
         "GET /audit?limit=5&email=a%40x&action=images&resource=image%2F&result=ok&request_id=r1"
         "&since=2026-01-02T03%3A04%3A05.000Z&until=2026-01-02T03%3A04%3A06.000Z",
         "", "TIME  USER", ""},
        {"audit --since yesterday", NULL, {0}, 2, NULL, NULL, "", "--since and --until must be"},
        {"audit -n 0", NULL, {0}, 2, NULL, NULL, "", "--limit must be"},
        {"audit -n 100001", NULL, {0}, 2, NULL, NULL, "", "--limit must be"},
        {"audit", NULL, REFUSED, 4, NULL, NULL, "", "not for you"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

static void test_audit__since_a_duration__so_long_ago(void **state UNUSED)
{
    static const struct fake_answer answers[] = {OK("{\"entries\":[]}")};
    struct cli_run run = {ANSWERS(answers)};
    run_cli("audit --since 24h", &run, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(fake_curl.requests[0].url, "&since=20"));
}

static void test_audit__pages__read_until_the_limit(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 200,
         .header = "Link: </api/v1/audit?limit=1000&cursor=2>; rel=\"next\"\r\n",
         .body = "{\"entries\":[" ENTRY("3") "," ENTRY("2") "]}"},
        {.status = 200,
         .header = "Link: </api/v1/audit?limit=1000&cursor=1>; rel=\"next\"\r\n",
         .body = "{\"entries\":[" ENTRY("1") "," ENTRY("0") "]}"},
        OK("{\"entries\":[]}"),
    };
    struct cli_run run = {ANSWERS(answers)};
    run_cli("audit -o json -n 3", &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, ENTRY("3") "\n" ENTRY("2") "\n" ENTRY("1") "\n");
    assert_int_equal(fake_curl.calls, 2);
    assert_string_equal(fake_curl.requests[1].url,
                        "http://server:8080/api/v1/audit?limit=1000&cursor=2");
    run_cli("audit -o json -n 2000", &run, &r);
    assert_int_equal(fake_curl.calls, 3);
    assert_int_equal(r.code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audit__rows),
        cmocka_unit_test(test_audit__since_a_duration__so_long_ago),
        cmocka_unit_test(test_audit__pages__read_until_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
