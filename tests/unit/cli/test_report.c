/* One report is one line on standard error. */
#include "capture.h"

#include "cli/report.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static struct capture caught;

static void test_report__text__one_line_with_the_name(void **state UNUSED)
{
    capture_begin(&caught, NULL);
    report("%s %d", "hello", 7);
    capture_end(&caught);
    assert_string_equal(caught.err, "tailgate: hello 7\n");
    assert_string_equal(caught.out, "");
}

static void test_report__control_characters__blanked(void **state UNUSED)
{
    capture_begin(&caught, NULL);
    report("a\nb\033[31m\tc\177");
    capture_end(&caught);
    assert_string_equal(caught.err, "tailgate: a b [31m c \n");
}

static void test_report__too_long__cut_with_its_newline(void **state UNUSED)
{
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    capture_begin(&caught, NULL);
    report("%s", text);
    capture_end(&caught);
    assert_in_range(strlen(caught.err), 1000, 1024);
    assert_int_equal(caught.err[strlen(caught.err) - 1], '\n');
}

static void test_report_problem__with_and_without_details__as_documented(void **state UNUSED)
{
    struct problem p = {.error = "cannot reach", .details = "refused"};
    capture_begin(&caught, NULL);
    report_problem(&p);
    p.details[0] = '\0';
    report_problem(&p);
    capture_end(&caught);
    assert_string_equal(caught.err, "tailgate: cannot reach: refused\ntailgate: cannot reach\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report__text__one_line_with_the_name),
        cmocka_unit_test(test_report__control_characters__blanked),
        cmocka_unit_test(test_report__too_long__cut_with_its_newline),
        cmocka_unit_test(test_report_problem__with_and_without_details__as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
