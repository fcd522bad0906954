/* Values from files and standard input. */
#include "capture.h"

#include "cli/secret_value.h"
#include "tests/unit/base/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct capture caught;
static int terminal;

int __wrap_isatty(int fd);
int __wrap_isatty(int fd UNUSED)
{
    return terminal;
}

static int read_input(const char *path, const char *input, char **ret)
{
    capture_begin(&caught, input);
    int code = secret_value_read(path, ret);
    capture_end(&caught);
    return code;
}

static void test_secret_value_read__input__one_newline_less(void **state UNUSED)
{
    static const struct {
        const char *input, *value;
    } rows[] = {{"v", "v"},         {"v\n", "v"}, {"v\n\n", "v\n"},
                {"a\nb\n", "a\nb"}, {"\n", ""},   {"", ""}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *value CLEANUP(secret_value_free) = NULL;
        assert_int_equal(read_input(i % 2 ? "-" : NULL, rows[i].input, &value), EXIT_DONE);
        assert_string_equal(value, rows[i].value);
        assert_string_equal(caught.err, "");
    }
}

static void write_file(char *path, const char *text, size_t len)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(close(fd), 0);
}

static void test_secret_value_read__file__its_text(void **state UNUSED)
{
    char path[] = "/tmp/tg-secret-XXXXXX";
    char *value CLEANUP(secret_value_free) = NULL;
    write_file(path, "in a file\n", 10);
    assert_int_equal(read_input(path, NULL, &value), EXIT_DONE);
    assert_string_equal(value, "in a file");
    assert_int_equal(unlink(path), 0);
    secret_value_free(&value);
    assert_int_equal(read_input(path, NULL, &value), EXIT_USAGE);
    assert_non_null(strstr(caught.err, path));
}

static void test_secret_value_read__too_long_or_no_text__refused(void **state UNUSED)
{
    static char longer[SECRET_VALUE_MAX + 10];
    char path[] = "/tmp/tg-secret-XXXXXX";
    char *value CLEANUP(secret_value_free) = NULL;
    memset(longer, 'x', sizeof longer - 1);
    assert_int_equal(read_input(NULL, longer, &value), EXIT_USAGE);
    assert_non_null(strstr(caught.err, "at most 65536 bytes"));
    write_file(path, "a\0b", 3);
    assert_int_equal(read_input(path, NULL, &value), EXIT_USAGE);
    assert_non_null(strstr(caught.err, "NUL"));
    assert_int_equal(unlink(path), 0);
}

static void test_secret_value_read__terminal__asked(void **state UNUSED)
{
    char *value CLEANUP(secret_value_free) = NULL;
    terminal = 1;
    assert_int_equal(read_input(NULL, "typed\n", &value), EXIT_DONE);
    assert_string_equal(value, "typed");
    assert_non_null(strstr(caught.err, "Value (not shown): "));
    secret_value_free(&value);
    assert_int_equal(read_input(NULL, "", &value), EXIT_USAGE);
    assert_non_null(strstr(caught.err, "nothing was changed"));
    terminal = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret_value_read__input__one_newline_less),
        cmocka_unit_test(test_secret_value_read__file__its_text),
        cmocka_unit_test(test_secret_value_read__too_long_or_no_text__refused),
        cmocka_unit_test(test_secret_value_read__terminal__asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
