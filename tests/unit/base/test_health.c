/* The word for a report. */
#include "base/health.h"
#include "unit.h"

static void test_health_status__counts__word(void **state UNUSED)
{
    static const struct {
        int64_t errors, warnings;
        const char *word;
    } rows[] = {{0, 0, "healthy"}, {0, 1, "degraded"}, {1, 0, "unhealthy"}, {2, 5, "unhealthy"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct health_report r = {.errors = rows[i].errors, .warnings = rows[i].warnings};
        assert_string_equal(health_status(&r), rows[i].word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_health_status__counts__word)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
