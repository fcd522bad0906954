/* One value: each type, its range, and the words of a refusal. */
#include "base/config_value.h"
#include "base/err.h"
#include "config_table.h"
#include "fail_alloc.h"
#include "unit.h"

#include <string.h>

static const struct config_option *option(const char *name)
{
    const struct config_option *o = config_find(&test_table, name, strlen(name));

    assert_non_null(o);
    return o;
}

static void test_config_set__each_type__stored(void **state UNUSED)
{
    struct test_settings s = {0};
    struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"listen-host", "::1"},
        {"dev", "true"},
        {"validate", "off"},
        {"port", "65535"},
        {"any-number", "9000000000"},
        {"ring-bytes", "64KiB"},
        {"a-very-long-option-name-that-overflows", "250ms"},
        {"log-format", "json"},
    };

    s.validate = true;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(config_set(option(rows[i].name), &s, rows[i].text, &rule), 0);
    assert_string_equal(s.listen_host, "::1");
    assert_true(s.dev);
    assert_false(s.validate);
    assert_int_equal(s.port, 65535);
    assert_true(s.any_number == 9000000000);
    assert_int_equal(s.ring_bytes, 65536);
    assert_int_equal(s.ping_every, 250);
    assert_int_equal(s.log_format, 2);
    assert_int_equal(config_set(option("listen-host"), &s, "", &rule), 0);
    assert_null(s.listen_host);
    assert_null(rule.data);
}

static void test_config_set__bad_values__rule_in_one_line(void **state UNUSED)
{
    static const struct {
        const char *name, *text, *rule;
    } rows[] = {
        {"dev", "maybe", "\"maybe\" must be true or false"},
        {"dev", "", "\"\" must be true or false"},
        {"port", "0", "\"0\" must be between 1 and 65535"},
        {"port", "65536", "\"65536\" must be between 1 and 65535"},
        {"port", "http", "\"http\" must be an integer"},
        {"port", "80\n81", "\"80\\n81\" must be an integer"},
        {"any-number", "-1", "\"-1\" must be 0 or more"},
        {"ring-bytes", "4095", "\"4095\" must be between 4096 and 1073741824 bytes"},
        {"ring-bytes", "x", "\"x\" must be a size such as 4096, 64KiB, 10MiB, 1GiB"},
        {"ring-bytes", "18446744073709551615",
         "\"18446744073709551615\" must be a size such as 4096, 64KiB, 10MiB, 1GiB"},
        {"a-very-long-option-name-that-overflows", "2m", "\"2m\" must be between 10 and 60000 ms"},
        {"a-very-long-option-name-that-overflows", "soon",
         "\"soon\" must be a duration such as 250ms, 10s, 5m, 24h"},
        {"log-format", "xml", "\"xml\" must be one of auto|logfmt|json"},
        {"log-format", "auto|logfmt", "\"auto|logfmt\" must be one of auto|logfmt|json"},
        {"log-format", "", "\"\" must be one of auto|logfmt|json"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct test_settings s = {.port = 7, .log_format = 7};
        struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};
        assert_int_equal(config_set(option(rows[i].name), &s, rows[i].text, &rule), ERR_INVALID);
        assert_string_equal(rule.data, rows[i].rule);
        assert_int_equal(s.port, 7);
        assert_int_equal(s.log_format, 7);
    }
}

static void test_config_set__secret_of_another_type__not_shown(void **state UNUSED)
{
    static const struct config_option pin = {
        .name = "pin", .type = CONFIG_INT, .min = 1000, .max = 9999, .secret = true};
    int64_t place = 0;
    struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};

    assert_int_equal(config_set(&pin, &place, "123456", &rule), ERR_INVALID);
    assert_string_equal(rule.data, "must be between 1000 and 9999");
}

static void test_config_set__long_value__cut(void **state UNUSED)
{
    struct test_settings s = {0};
    struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};
    char text[5000];

    memset(text, '\001', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(config_set(option("log-format"), &s, text, &rule), ERR_INVALID);
    assert_in_range(rule.len, 64 * 6, 64 * 6 + 50);
}

static void test_config_set__no_memory__nomem(void **state UNUSED)
{
    struct test_settings s = {0};
    struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};

    assert_true(fail_alloc_at(1));
    assert_int_equal(config_set(option("listen-host"), &s, "x", &rule), ERR_NOMEM);
    assert_null(s.listen_host);
    assert_true(fail_alloc_at(1));
    assert_int_equal(config_set(option("port"), &s, "x", &rule), ERR_NOMEM);
    assert_true(fail_alloc_off());
}

static void test_config_set__unknown_type__internal(void **state UNUSED)
{
    static const struct config_option odd = {.name = "odd", .type = (enum config_type)99};
    struct test_settings s = {0};
    struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};

    assert_int_equal(config_set(&odd, &s, "x", &rule), ERR_INTERNAL);
}

static void test_config_find__names__whole_only(void **state UNUSED)
{
    assert_ptr_equal(config_find(&test_table, "port=1", 4), option("port"));
    assert_null(config_find(&test_table, "por", 3));
    assert_null(config_find(&test_table, "ports", 5));
    assert_null(config_find(&test_table, "", 0));
}

static void test_config_variable__name__upper_case(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 100};
    struct buf small CLEANUP_BUF = {.max = 12};

    assert_int_equal(config_variable("ring-bytes2", &b), 0);
    assert_string_equal(b.data, "TAILGATE_RING_BYTES2");
    assert_int_equal(config_variable("ring-bytes2", &small), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_set__each_type__stored),
        cmocka_unit_test(test_config_set__bad_values__rule_in_one_line),
        cmocka_unit_test(test_config_set__secret_of_another_type__not_shown),
        cmocka_unit_test(test_config_set__long_value__cut),
        cmocka_unit_test(test_config_set__no_memory__nomem),
        cmocka_unit_test(test_config_set__unknown_type__internal),
        cmocka_unit_test(test_config_find__names__whole_only),
        cmocka_unit_test(test_config_variable__name__upper_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
