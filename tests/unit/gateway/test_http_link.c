#include "rig_team.h"

#include "gateway/http_link.h"

/* Through the audit, whose list is read in pages; here the odd values. */
static void test_http_add_next_link__values__encoded(void **state UNUSED)
{
    struct answer a;
    rig_team.rows = 2;
    rig_request("GET /api/v1/audit?limit=1&result=a%26b%3Dc%3E%22%C3%A4&action=-_.~&other=x", "",
                NULL, &a);
    assert_string_equal(answer_header(&a, "Link"),
                        "</api/v1/audit?limit=1&action=-_.~&result=a%26b%3Dc%3E%22%C3%A4&"
                        "cursor=100>; rel=\"next\"");
    answer_done(&a);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, rig_team_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_http_add_next_link__values__encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
