/* The order of the sources, flags in all their forms, and errors that keep secrets. */
#include "base/config.h"
#include "base/err.h"
#include "config_table.h"
#include "fail_alloc.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 8

struct run {
    struct test_settings settings;
    struct buf error;
    const char *special;
    int r;
};

static struct run load(const char *const args[ARGS_MAX], const char *const env[ARGS_MAX])
{
    struct run run = {.error = {.max = 4096}};
    const char *argv[ARGS_MAX + 2] = {"tailgated"};
    int argc = 1;

    for (int i = 0; i < ARGS_MAX && args[i]; i++)
        argv[argc++] = args[i];
    run.r = config_load(&test_table, &run.settings, argc, (char *const *)(uintptr_t)argv,
                        (char *const *)(uintptr_t)env, &run.error, &run.special);
    return run;
}

static void run_done(struct run *run)
{
    config_done(&test_table, &run->settings);
    buf_done(&run->error);
}

static const char *const nothing[ARGS_MAX] = {NULL};

static void test_config_defaults__table__all_set(void **state UNUSED)
{
    struct test_settings s = {0};

    assert_int_equal(config_defaults(&test_table, &s), 0);
    assert_string_equal(s.listen_host, "127.0.0.1");
    assert_string_equal(s.admin_key, "default-secret");
    assert_false(s.dev);
    assert_true(s.validate);
    assert_int_equal(s.port, 8080);
    assert_int_equal(s.any_number, 0);
    assert_int_equal(s.ring_bytes, 1048576);
    assert_int_equal(s.ping_every, 25000);
    assert_int_equal(s.log_format, 0);
    config_done(&test_table, &s);
    assert_null(s.listen_host);
}

static void test_config_defaults__bad_default__internal(void **state UNUSED)
{
    static const struct config_option bad = {.name = "n", .type = CONFIG_INT, .def = "x"};
    static const struct config_table table = {"p", "p", &bad, 1};
    int64_t place = 0;

    assert_int_equal(config_defaults(&table, &place), ERR_INTERNAL);
}

static void test_config_load__flags__each_form(void **state UNUSED)
{
    static const char *const args[ARGS_MAX] = {
        "--port",       "1",   "--port=2", "--dev", "--no-validate", "--listen-host=a=b",
        "--ring-bytes", "8KiB"};
    struct run run = load(args, nothing);

    assert_int_equal(run.r, 0);
    assert_int_equal(run.settings.port, 2);
    assert_true(run.settings.dev);
    assert_false(run.settings.validate);
    assert_string_equal(run.settings.listen_host, "a=b");
    assert_int_equal(run.settings.ring_bytes, 8192);
    run_done(&run);

    static const char *const booleans[ARGS_MAX] = {"--dev=false", "--validate=false",
                                                   "--listen-host", "--dev"};
    run = load(booleans, nothing);
    assert_int_equal(run.r, 0);
    assert_false(run.settings.dev);
    assert_false(run.settings.validate);
    assert_string_equal(run.settings.listen_host, "--dev");
    run_done(&run);
}

static void test_config_load__sources__each_over_the_one_before(void **state UNUSED)
{
    char path[] = "/tmp/tailgate-test-config-XXXXXX";
    char path_variable[sizeof(path) + 20];
    int fd = mkstemp(path);
    static const char text[] = "port = 10\nany-number = 10\nlog-format = json\n";

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
    (void)snprintf(path_variable, sizeof(path_variable), "TAILGATE_CONFIG=%s", path);

    const char *const args[ARGS_MAX] = {"--port=30", "--config", path};
    const char *const env[ARGS_MAX] = {"TAILGATE_PORT=20", "TAILGATE_ANY_NUMBER=20",
                                       "TAILGATE_LISTEN_HOST=", "TAILGATE_UNKNOWN=1",
                                       "TAILGATE_CONFIG=/nonexistent"};
    struct run run = load(args, env);
    assert_int_equal(run.r, 0);
    assert_int_equal(run.settings.port, 30);
    assert_int_equal(run.settings.any_number, 20);
    assert_int_equal(run.settings.log_format, 2);
    assert_int_equal(run.settings.ring_bytes, 1048576);
    assert_string_equal(run.settings.listen_host, "127.0.0.1");
    run_done(&run);

    const char *const env_file[ARGS_MAX] = {path_variable};
    run = load(nothing, env_file);
    assert_int_equal(run.r, 0);
    assert_int_equal(run.settings.port, 10);
    run_done(&run);
    assert_int_equal(unlink(path), 0);
}

static void test_config_load__bad_input__one_line_naming_it(void **state UNUSED)
{
    static const struct {
        const char *args[ARGS_MAX], *env[ARGS_MAX], *error;
    } rows[] = {
        {{"--prot", "1"}, {NULL}, "\"--prot\": unknown flag, see --help"},
        {{"--prot=1"}, {NULL}, "\"--prot\": unknown flag, see --help"},
        {{"--no-port"}, {NULL}, "\"--no-port\": unknown flag, see --help"},
        {{"--no-dev=true"}, {NULL}, "\"--no-dev\": unknown flag, see --help"},
        {{"--no-"}, {NULL}, "\"--no-\": unknown flag, see --help"},
        {{"--"}, {NULL}, "\"--\": unknown flag, see --help"},
        {{"stray"}, {NULL}, "\"stray\": unexpected argument"},
        {{"-p"}, {NULL}, "\"-p\": unexpected argument"},
        {{""}, {NULL}, "\"\": unexpected argument"},
        {{"--dev", "true"}, {NULL}, "\"true\": unexpected argument"},
        {{"--port"}, {NULL}, "\"--port\": needs a value"},
        {{"--config"}, {NULL}, "\"--config\": needs a value"},
        {{"--port", "x"}, {NULL}, "--port: \"x\" must be an integer"},
        {{"--dev=x"}, {NULL}, "--dev: \"x\" must be true or false"},
        {{"--li\nne"}, {NULL}, "\"--li\\nne\": unknown flag, see --help"},
        {{NULL}, {"TAILGATE_PORT=0"}, "TAILGATE_PORT: \"0\" must be between 1 and 65535"},
        {{"--config", "/nonexistent"},
         {NULL},
         "/nonexistent: cannot be read: No such file or directory"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct run run = load(rows[i].args, rows[i].env);
        assert_int_equal(run.r, ERR_INVALID);
        assert_string_equal(run.error.data, rows[i].error);
        run_done(&run);
    }
}

static void test_config_load__unknown_flag_with_secret__value_not_shown(void **state UNUSED)
{
    static const char *const args[ARGS_MAX] = {"--admin-keys=tg_private"};
    struct run run = load(args, nothing);

    assert_int_equal(run.r, ERR_INVALID);
    assert_null(strstr(run.error.data, "private"));
    run_done(&run);
}

static void test_config_load__help_and_version__end(void **state UNUSED)
{
    static const struct {
        const char *arg, *special;
    } rows[] = {{"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *const args[ARGS_MAX] = {"--port", "bad", rows[i].arg, "--unknown"};
        struct run run = load(args, nothing);
        assert_int_equal(run.r, ERR_END);
        assert_string_equal(run.special, rows[i].special);
        run_done(&run);
    }
}

static void test_config_load__config_in_the_table__stored_too(void **state UNUSED)
{
    static const struct config_option option = {.name = "config", .type = CONFIG_STRING};
    static const struct config_table table = {"p", "p", &option, 1};
    char *file = NULL;
    char *argv[] = {(char[]){"p"}, (char[]){"--config=/dev/null"}, NULL};
    struct buf error CLEANUP_BUF = {.max = 4096};
    const char *special = NULL;

    assert_int_equal(config_load(&table, &file, 2, argv, NULL, &error, &special), 0);
    assert_string_equal(file, "/dev/null");
    config_done(&table, &file);
}

static void test_config_load__each_allocation_fails__nomem(void **state UNUSED)
{
    static const char *const args[ARGS_MAX] = {"--listen-host=b", "--config", "/dev/null"};
    static const char *const env[ARGS_MAX] = {"TAILGATE_ADMIN_KEY=x"};
    unsigned failed = 0;

    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct run run = load(args, env);
        bool has_failed = fail_alloc_off();
        assert_int_equal(run.r, has_failed ? ERR_NOMEM : 0);
        failed += has_failed;
        run_done(&run);
    }
    assert_in_range(failed, 5, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_defaults__table__all_set),
        cmocka_unit_test(test_config_defaults__bad_default__internal),
        cmocka_unit_test(test_config_load__flags__each_form),
        cmocka_unit_test(test_config_load__sources__each_over_the_one_before),
        cmocka_unit_test(test_config_load__bad_input__one_line_naming_it),
        cmocka_unit_test(test_config_load__unknown_flag_with_secret__value_not_shown),
        cmocka_unit_test(test_config_load__help_and_version__end),
        cmocka_unit_test(test_config_load__config_in_the_table__stored_too),
        cmocka_unit_test(test_config_load__each_allocation_fails__nomem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
