/* Which source wins, and what is said of unusable ones. */
#include "capture.h"

#include "cli/profile.h"
#include "cli/settings.h"
#include "tests/unit/base/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct capture caught;
static char home[64], config[128], key_file[128];

static int make_home(void **state UNUSED)
{
    struct profile v = {
        .api_endpoint = "http://file:1", .api_key = "file_key", .ca_file = "/etc/passwd"};
    struct problem p = {0};
    (void)snprintf(home, sizeof home, "/tmp/tg-settings-XXXXXX");
    if (mkdtemp(home) == NULL)
        return -1;
    (void)snprintf(config, sizeof config, "%s/tailgate/config.yaml", home);
    (void)snprintf(key_file, sizeof key_file, "%s/key", home);
    (void)setenv("XDG_CONFIG_HOME", home, 1);
    (void)unsetenv("TAILGATE_ENDPOINT");
    (void)unsetenv("TAILGATE_API_KEY");
    (void)unsetenv("TAILGATE_CA_FILE");
    return profile_write(config, &v, &p);
}

static int remove_home(void **state UNUSED)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command);
}

static void write_key(const char *text)
{
    FILE *f = fopen(key_file, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void test_settings_load__sources__later_wins(void **state UNUSED)
{
    struct cli_args args = {0};
    struct settings s CLEANUP(settings_done) = {0};
    struct problem p = {0};
    assert_int_equal(settings_load(&args, &s, &p), 0);
    assert_string_equal(s.endpoint.authority, "file:1");
    assert_string_equal(s.api_key, "file_key");
    assert_string_equal(s.ca_file, "/etc/passwd");
    settings_done(&s);

    (void)setenv("TAILGATE_ENDPOINT", "http://env:2", 1);
    (void)setenv("TAILGATE_API_KEY", "env_key", 1);
    (void)setenv("TAILGATE_CA_FILE", "", 1);
    assert_int_equal(settings_load(&args, &s, &p), 0);
    assert_string_equal(s.endpoint.authority, "env:2");
    assert_string_equal(s.api_key, "env_key");
    assert_string_equal(s.ca_file, "/etc/passwd");
    settings_done(&s);

    write_key("\n  flag_key \r\n");
    args.endpoint = "https://flag:3";
    args.api_key_file = key_file;
    args.ca_file = "/etc/group";
    assert_int_equal(settings_load(&args, &s, &p), 0);
    assert_string_equal(s.endpoint.authority, "flag:3");
    assert_string_equal(s.api_key, "flag_key");
    assert_string_equal(s.ca_file, "/etc/group");
}

static void test_settings_load__nothing_set__default_endpoint_but_no_key(void **state UNUSED)
{
    struct cli_args args = {0};
    struct settings s CLEANUP(settings_done) = {0};
    struct problem p = {0};
    assert_int_equal(unlink(config), 0);
    assert_int_equal(settings_load(&args, &s, &p), ERR_UNAUTHORIZED);
    assert_string_equal(p.error, "no API key");
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)setenv("HOME", "nowhere", 1);
    (void)setenv("TAILGATE_API_KEY", "k", 1);
    assert_int_equal(settings_load(&args, &s, &p), 0);
    assert_string_equal(s.endpoint.authority, "127.0.0.1:8080");
    assert_null(s.ca_file);
}

static void test_settings_load__others_may_read_the_key__warning(void **state UNUSED)
{
    struct cli_args args = {0};
    struct settings s CLEANUP(settings_done) = {0};
    struct problem p = {0};
    assert_int_equal(chmod(config, 0640), 0);
    capture_begin(&caught, NULL);
    int r = settings_load(&args, &s, &p);
    capture_end(&caught);
    assert_int_equal(r, 0);
    assert_non_null(strstr(caught.err, "warning: others may read the API key"));
    assert_null(strstr(caught.err, "file_key"));
}

static void test_settings_load__unusable__named_without_the_key(void **state UNUSED)
{
    static const struct {
        const char *endpoint, *key, *details;
    } rows[] = {
        {"nowhere", "k", "must begin with http"},
        {"http://h", "a b", "printable characters"},
        {"http://h", "a\nb", "printable characters"},
        {"http://h", "\xc3\xa9", "printable characters"},
    };
    struct cli_args args = {0};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings s CLEANUP(settings_done) = {0};
        struct problem p = {0};
        (void)setenv("TAILGATE_ENDPOINT", rows[i].endpoint, 1);
        (void)setenv("TAILGATE_API_KEY", rows[i].key, 1);
        assert_int_equal(settings_load(&args, &s, &p), ERR_INVALID);
        assert_non_null(strstr(p.details, rows[i].details));
    }
    args.ca_file = "/tmp/tg-no-such-file";
    struct settings none CLEANUP(settings_done) = {0};
    struct problem why = {0};
    (void)setenv("TAILGATE_API_KEY", "k", 1);
    assert_int_equal(settings_load(&args, &none, &why), ERR_INVALID);
    assert_string_equal(why.details, "/tmp/tg-no-such-file: No such file or directory");
    FILE *f = fopen(config, "w");
    assert_non_null(f);
    assert_true(fputs("api_key: [", f) >= 0);
    assert_int_equal(fclose(f), 0);
    struct settings s CLEANUP(settings_done) = {0};
    struct problem p = {0};
    assert_int_equal(settings_load(&args, &s, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, config));
}

static void test_settings_read_key_file__bad__refused(void **state UNUSED)
{
    static char long_text[5000];
    struct problem p = {0};
    char *key = NULL;
    assert_int_equal(settings_read_key_file("/tmp/tg-no-such-key", &key, &p), ERR_INVALID);
    write_key("one two");
    assert_int_equal(settings_read_key_file(key_file, &key, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "more than one word"));
    memset(long_text, 'k', sizeof long_text - 1);
    write_key(long_text);
    assert_int_equal(settings_read_key_file(key_file, &key, &p), ERR_INVALID);
    assert_null(key);
    write_key("");
    assert_int_equal(settings_read_key_file(key_file, &key, &p), 0);
    assert_string_equal(key, "");
    assert_int_equal(settings_check_key(key, &p), ERR_INVALID);
    long_text[SETTINGS_KEY_MAX + 1] = '\0';
    assert_int_equal(settings_check_key(long_text, &p), ERR_INVALID);
    long_text[SETTINGS_KEY_MAX] = '\0';
    assert_int_equal(settings_check_key(long_text, &p), 0);
    free(key);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_settings_load__sources__later_wins),
        TEST(test_settings_load__nothing_set__default_endpoint_but_no_key),
        TEST(test_settings_load__others_may_read_the_key__warning),
        TEST(test_settings_load__unusable__named_without_the_key),
        TEST(test_settings_read_key_file__bad__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
