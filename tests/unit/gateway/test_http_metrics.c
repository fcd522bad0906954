#include "server_rig.h"

/* The route's pattern is the label, whatever the path; of those asked for only. */
static void test_http_metrics__requests__by_route_method_and_class(void **state)
{
    static const char *const samples[] = {
        "\ntailgate_http_requests_total{route=\"/livez\",method=\"GET\",code=\"2xx\"} 2\n",
        "\ntailgate_http_requests_total{route=\"/api/v1/executions/{id}\",method=\"GET\","
        "code=\"2xx\"} 1\n",
        "\ntailgate_http_requests_total{route=\"/api/v1/executions/{id}\",method=\"GET\","
        "code=\"4xx\"} 1\n",
        "\ntailgate_http_requests_total{route=\"unmatched\",method=\"POST\",code=\"4xx\"} 1\n",
        "\ntailgate_http_request_duration_seconds_count{route=\"/livez\",method=\"GET\"} 2\n",
        "\ntailgate_http_request_duration_seconds_bucket{route=\"/api/v1/executions/{id}\","
        "method=\"GET\",le=\"+Inf\"} 2\n",
    };
    struct answer a;
    (void)state;
    for (int i = 0; i < 2; i++)
        rig_expect("GET /livez", "!", NULL, 200, NULL);
    rig_expect("GET /api/v1/executions/" RIG_ID, "", NULL, 200, NULL);
    rig_expect("GET /api/v1/executions/nonsense", "", NULL, 404, NULL);
    rig_expect("POST /nothing/here", "", "", 404, NULL);
    rig_request("GET /metrics", "!", NULL, &a);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        assert_non_null(strstr(a.body.data, samples[i]));
    assert_null(strstr(a.body.data, "nonsense"));
    assert_null(strstr(a.body.data, "nothing"));
    assert_null(strstr(a.body.data, "{route=\"/api/v1/run\""));
    answer_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_http_metrics__requests__by_route_method_and_class,
                                        rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
