/* Help against its golden files; TAILGATE_UPDATE_GOLDEN=1 writes them anew. */
#include "capture.h"

#include "cli/help.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/base/unit.h"

#include <stdio.h>
#include <string.h>

static struct capture caught;

static void check_golden(const char *name, const struct buf *text)
{
    char path[200];
    static char golden[65536];
    (void)snprintf(path, sizeof path, "tests/golden/cli_help/%s.txt", name);
    for (char *space; (space = strchr(path, ' ')) != NULL;)
        *space = '-';
    bool writes = getenv("TAILGATE_UPDATE_GOLDEN") != NULL;
    FILE *f = fopen(path, writes ? "w" : "r");
    assert_non_null(f);
    if (writes) {
        assert_int_equal(fwrite(text->data, 1, text->len, f), text->len);
        assert_int_equal(fclose(f), 0);
        return;
    }
    size_t n = fread(golden, 1, sizeof golden - 1, f);
    golden[n] = '\0';
    assert_int_equal(fclose(f), 0);
    assert_string_equal(text->data, golden);
}

static void test_help_text__each_command__as_golden(void **state UNUSED)
{
    struct buf text CLEANUP_BUF;
    buf_init(&text, 65536);
    assert_int_equal(help_text(NULL, &text), 0);
    check_golden("tailgate", &text);
    for (const struct command *const *c = commands; *c != NULL; c++) {
        buf_clear(&text);
        assert_int_equal(help_text(*c, &text), 0);
        check_golden((*c)->name, &text);
    }
}

static void test_help_text__lines__fit_a_wide_terminal(void **state UNUSED)
{
    struct buf text CLEANUP_BUF;
    buf_init(&text, 65536);
    for (const struct command *const *c = commands; *c != NULL; c++) {
        buf_clear(&text);
        assert_int_equal(help_text(*c, &text), 0);
        for (const char *line = text.data; *line != '\0'; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= 100);
    }
}

static void test_help_print__output__to_standard_output(void **state UNUSED)
{
    capture_begin(&caught, NULL);
    int code = help_print(&command_version);
    capture_end(&caught);
    assert_int_equal(code, 0);
    assert_non_null(strstr(caught.out, "Usage: tailgate version\n"));
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        capture_begin(&caught, NULL);
        code = help_print(NULL);
        bool failed = fail_alloc_off();
        capture_end(&caught);
        assert_int_equal(code, failed ? EXIT_OTHER : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_text__each_command__as_golden),
        cmocka_unit_test(test_help_text__lines__fit_a_wide_terminal),
        cmocka_unit_test(test_help_print__output__to_standard_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
