/* The configuration file: what is accepted, and the line that a refusal names. */
#include "base/config_file.h"
#include "base/err.h"
#include "base/str.h"
#include "config_table.h"
#include "fail_alloc.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static int setup(void **state UNUSED)
{
    strncpy(path, "/tmp/tailgate-test-config-XXXXXX", sizeof(path) - 1);
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state UNUSED)
{
    return unlink(path);
}

static void write_file(const char *text, size_t len)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void test_config_load_file__good_file__settings(void **state UNUSED)
{
    static const char text[] = "# a comment\n"
                               "\n"
                               "  listen-host = ::1  # behind a blank\r\n"
                               "admin-key=secret#not-a-comment = x\n"
                               "\tport\t=\t99\n"
                               "validate = no\n"
                               "log-format = json";
    struct test_settings s = {0};
    struct buf error CLEANUP_BUF = {.max = 4096};

    write_file(text, strlen(text));
    assert_int_equal(config_load_file(&test_table, &s, path, &error), 0);
    assert_string_equal(s.listen_host, "::1");
    assert_string_equal(s.admin_key, "secret#not-a-comment = x");
    assert_int_equal(s.port, 99);
    assert_int_equal(s.log_format, 2);
    assert_int_equal(error.len, 0);
    config_done(&test_table, &s);
}

static void test_config_load_file__empty_file__nothing(void **state UNUSED)
{
    struct test_settings s = {0};
    struct buf error CLEANUP_BUF = {.max = 4096};

    assert_int_equal(config_load_file(&test_table, &s, path, &error), 0);
    assert_null(s.listen_host);
}

static void test_config_load_file__bad_lines__named(void **state UNUSED)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"port = 1\nlisten_host = x\n", ":2: \"listen_host\" is no known setting"},
        {"\n\nport = 70000\n", ":3: port: \"70000\" must be between 1 and 65535"},
        {"port = 1\n\nport = 2\n", ":3: \"port\" was already set on line 1"},
        {"just words\n", ":1: must be NAME = VALUE"},
        {"= 1\n", ":1: \"\" is no known setting"},
        {"x\ty = 1\n", ":1: \"x\\ty\" is no known setting"},
        {"dev\n", ":1: must be NAME = VALUE"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct test_settings s = {0};
        struct buf error CLEANUP_BUF = {.max = 4096};
        write_file(rows[i].text, strlen(rows[i].text));
        assert_int_equal(config_load_file(&test_table, &s, path, &error), ERR_INVALID);
        assert_true(str_starts_with(error.data, path));
        assert_string_equal(error.data + strlen(path), rows[i].error);
        config_done(&test_table, &s);
    }
}

static void test_config_load_file__nul__refused(void **state UNUSED)
{
    struct test_settings s = {0};
    struct buf error CLEANUP_BUF = {.max = 4096};

    write_file("port = 1\nadmin-key = a\0b\n", 25);
    assert_int_equal(config_load_file(&test_table, &s, path, &error), ERR_INVALID);
    assert_true(str_ends_with(error.data, ":2: must not hold NUL"));
    assert_null(s.admin_key);
}

static void test_config_load_file__unreadable__named_with_reason(void **state UNUSED)
{
    struct test_settings s = {0};
    struct buf error CLEANUP_BUF = {.max = 4096};
    struct buf other CLEANUP_BUF = {.max = 4096};

    assert_int_equal(config_load_file(&test_table, &s, "/nonexistent/x", &error), ERR_INVALID);
    assert_string_equal(error.data, "/nonexistent/x: cannot be read: No such file or directory");
    assert_int_equal(config_load_file(&test_table, &s, "/tmp", &other), ERR_INVALID);
    assert_string_equal(other.data, "/tmp: cannot be read: Is a directory");
}

static void test_config_load_file__too_large__refused(void **state UNUSED)
{
    char *text CLEANUP_FREE = malloc(CONFIG_FILE_MAX + 1);
    struct test_settings s = {0};
    struct buf error CLEANUP_BUF = {.max = 4096};

    assert_non_null(text);
    memset(text, '#', CONFIG_FILE_MAX + 1);
    write_file(text, CONFIG_FILE_MAX);
    assert_int_equal(config_load_file(&test_table, &s, path, &error), 0);
    write_file(text, CONFIG_FILE_MAX + 1);
    assert_int_equal(config_load_file(&test_table, &s, path, &error), ERR_INVALID);
    assert_true(str_ends_with(error.data, ": must be at most 1048576 bytes"));
}

static void test_config_load_file__each_allocation_fails__nomem(void **state UNUSED)
{
    static const char text[] = "listen-host = a\nport = x\n";
    unsigned failed = 0;

    write_file(text, strlen(text));
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct test_settings s = {0};
        struct buf error CLEANUP_BUF = {.max = 4096};
        int r = config_load_file(&test_table, &s, path, &error);
        bool has_failed = fail_alloc_off();
        assert_int_equal(r, has_failed ? ERR_NOMEM : ERR_INVALID);
        failed += has_failed;
        config_done(&test_table, &s);
    }
    assert_in_range(failed, 4, 20);
}

#define FILE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(test_config_load_file__good_file__settings),
        FILE_TEST(test_config_load_file__empty_file__nothing),
        FILE_TEST(test_config_load_file__bad_lines__named),
        FILE_TEST(test_config_load_file__nul__refused),
        FILE_TEST(test_config_load_file__unreadable__named_with_reason),
        FILE_TEST(test_config_load_file__too_large__refused),
        FILE_TEST(test_config_load_file__each_allocation_fails__nomem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
