#include "gateway/negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_takes_gzip__rows__as_the_rfc_says(void **state)
{
    static const struct {
        const char *header;
        bool takes;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"deflate, gzip;q=0.5, br", true},
        {"gzip, deflate, br, zstd", true},
        {"br ,\tgzip ; q=1.0", true},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=0.001", true},
        {"identity", false},
        {"br", false},
        {"gzipped", false},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0, *", false},
        {"*, gzip;q=0", false},
        {"*;q=0, gzip", true},
        {",,,", false},
        {";q=1", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(negotiate_takes_gzip(rows[i].header), rows[i].takes);
}

static void test_has_tag__rows__weakly_compared(void **state)
{
    static const struct {
        const char *header;
        bool has;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"\"abc\"", true},
        {"W/\"abc\"", true},
        {"*", true},
        {"\"x\", \"abc\"", true},
        {"\"x\",W/\"y\" , W/\"abc\"", true},
        {"\"ab\"", false},
        {"\"abcd\"", false},
        {"abc", false},
        {"abc, \"abc\"", true},
        {"\"abc", false},
        {"\"x, \"abc\"", false},
        {"\"abc-gzip\"", false},
        {"W/", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(negotiate_has_tag(rows[i].header, "\"abc\""), rows[i].has);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_gzip__rows__as_the_rfc_says),
        cmocka_unit_test(test_has_tag__rows__weakly_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
