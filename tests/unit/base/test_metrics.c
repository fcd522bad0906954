/* Histograms, and the text that Prometheus reads. */
#include "base/err.h"
#include "base/metrics.h"
#include "fail_alloc.h"
#include "unit.h"

#include <string.h>

static void test_metrics_observe_us__bounds__bucket_of_each(void **state UNUSED)
{
    static const struct {
        int64_t us;
        size_t bucket;
    } rows[] = {
        {-5, 0},   {0, 0},        {50, 0},        {51, 1},        {100, 1},        {1000, 4},
        {1001, 5}, {1000000, 13}, {10000000, 16}, {10000001, 17}, {INT64_MAX, 17},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct metrics_histogram h = {0};
        metrics_observe_us(&h, rows[i].us);
        assert_int_equal(h.counts[rows[i].bucket], 1);
        assert_int_equal(metrics_count(&h), 1);
        assert_int_equal(h.sum_us, rows[i].us > 0 ? rows[i].us : 0);
    }
}

static void test_metrics_sample__forms__as_prometheus_reads_them(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = 4096};
    struct metrics_text t = {.out = &out};

    metrics_family(&t, "a_total", METRICS_COUNTER, "Things.");
    metrics_sample(&t, "a_total", NULL, NULL, UINT64_MAX);
    metrics_family(&t, "b", METRICS_GAUGE, "Others.");
    metrics_sample(&t, "b", "kind", "x", 0);
    metrics_sample(&t, "b", "kind", "\"q\" \\ \n.", 1);
    metrics_family(&t, "c_seconds", METRICS_GAUGE, "Time.");
    metrics_sample_us(&t, "c_seconds", 12000034);
    metrics_sample_us(&t, "c_seconds", -1);
    assert_int_equal(t.err, 0);
    assert_string_equal(out.data, "# HELP a_total Things.\n"
                                  "# TYPE a_total counter\n"
                                  "a_total 18446744073709551615\n"
                                  "# HELP b Others.\n"
                                  "# TYPE b gauge\n"
                                  "b{kind=\"x\"} 0\n"
                                  "b{kind=\"\\\"q\\\" \\\\ \\n.\"} 1\n"
                                  "# HELP c_seconds Time.\n"
                                  "# TYPE c_seconds gauge\n"
                                  "c_seconds 12.000034\n"
                                  "c_seconds 0.000000\n");
}

static void test_metrics_sample_histogram__observations__cumulated(void **state UNUSED)
{
    struct buf out CLEANUP_BUF = {.max = 4096};
    struct metrics_text t = {.out = &out};
    struct metrics_histogram h = {0};

    metrics_observe_us(&h, 70);
    metrics_observe_us(&h, 80);
    metrics_observe_us(&h, 20000000);
    metrics_family(&t, "h_seconds", METRICS_HISTOGRAM, "Time.");
    metrics_sample_histogram(&t, "h_seconds", &h);
    assert_int_equal(t.err, 0);
    static const char *const lines[] = {
        "# TYPE h_seconds histogram\nh_seconds_bucket{le=\"0.00005\"} 0\n",
        "\nh_seconds_bucket{le=\"0.0001\"} 2\n",
        "\nh_seconds_bucket{le=\"10.0\"} 2\nh_seconds_bucket{le=\"+Inf\"} 3\n"
        "h_seconds_sum 20.000150\nh_seconds_count 3\n"};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_non_null(strstr(out.data, lines[i]));
}

static void test_metrics_labels__several__in_order_escaped(void **state UNUSED)
{
    static const struct metrics_label labels[] = {{"route", "/a/{id}"}, {"method", "G\"T"}};
    struct buf out CLEANUP_BUF = {.max = 8192};
    struct metrics_text t = {.out = &out};
    struct metrics_histogram h = {0};

    metrics_observe_us(&h, 60);
    metrics_sample_labels(&t, "n_total", labels, 2, 7);
    metrics_sample_histogram_labels(&t, "h_seconds", labels, 2, &h);
    assert_int_equal(t.err, 0);
    static const char *const lines[] = {
        "n_total{route=\"/a/{id}\",method=\"G\\\"T\"} 7\n",
        "h_seconds_bucket{route=\"/a/{id}\",method=\"G\\\"T\",le=\"0.00005\"} 0\n",
        "h_seconds_sum{route=\"/a/{id}\",method=\"G\\\"T\"} 0.000060\n",
        "h_seconds_count{route=\"/a/{id}\",method=\"G\\\"T\"} 1\n"};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_non_null(strstr(out.data, lines[i]));
}

static void fill(struct metrics_text *t)
{
    static const struct metrics_histogram h;

    metrics_family(t, "a", METRICS_COUNTER, "Things.");
    metrics_sample(t, "a", "l", "v", 1);
    metrics_sample_us(t, "a", 1);
    metrics_sample_histogram(t, "a", &h);
}

static void test_metrics_text__no_room_or_memory__says_so_and_stops(void **state UNUSED)
{
    struct buf whole CLEANUP_BUF = {.max = 4096};
    struct metrics_text t = {.out = &whole};
    fill(&t);
    assert_int_equal(t.err, 0);
    for (size_t max = 0; max < whole.len; max++) {
        struct buf out CLEANUP_BUF = {.max = max};
        t = (struct metrics_text){.out = &out};
        fill(&t);
        assert_int_equal(t.err, ERR_TOO_LARGE);
        assert_true(out.len <= max);
        assert_memory_equal(out.data ? out.data : "", whole.data, out.len);
    }
    struct buf none CLEANUP_BUF = {.max = 4096};
    t = (struct metrics_text){.out = &none};
    assert_true(fail_alloc_at(1));
    fill(&t);
    assert_true(fail_alloc_off());
    assert_int_equal(t.err, ERR_NOMEM);
    assert_int_equal(none.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_observe_us__bounds__bucket_of_each),
        cmocka_unit_test(test_metrics_sample__forms__as_prometheus_reads_them),
        cmocka_unit_test(test_metrics_sample_histogram__observations__cumulated),
        cmocka_unit_test(test_metrics_labels__several__in_order_escaped),
        cmocka_unit_test(test_metrics_text__no_room_or_memory__says_so_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
