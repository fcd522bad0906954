/* tailgate configure */
#include "run_cli.h"

#include "cli/profile.h"
#include "tests/unit/base/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cli_result r;
static char key_file[] = "/tmp/tg-configure-XXXXXX";

static int make_key_file(void **state UNUSED)
{
    int fd = mkstemp(key_file);
    return fd >= 0 && write(fd, "tg_new\n", 7) == 7 ? close(fd) : -1;
}

static int clean(void **state)
{
    (void)unlink(key_file);
    return run_cli_clean(state);
}

static void assert_profile(const char *endpoint, const char *key)
{
    struct profile v CLEANUP(profile_done) = {0};
    struct problem p = {0};
    assert_int_equal(profile_read(run_cli_config_path(), &v, &p), 0);
    assert_string_equal(v.api_endpoint, endpoint);
    assert_string_equal(v.api_key, key);
    assert_false(v.is_exposed);
}

static void test_configure__options__written_and_private(void **state UNUSED)
{
    char words[200];
    (void)snprintf(words, sizeof words, "configure --endpoint http://h:1 --api-key-file %s",
                   key_file);
    run_cli(words, NULL, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.text.err, run_cli_config_path()));
    assert_profile("http://h:1", "tg_new");
}

static void test_configure__terminal__asks_and_keeps_what_is_unchanged(void **state UNUSED)
{
    struct cli_run run = {.input = "\ntg_typed\n"};
    (void)unlink(run_cli_config_path());
    run_cli_terminal(1);
    run_cli("configure", &run, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.text.err, "Endpoint [http://127.0.0.1:8080]: "));
    assert_non_null(strstr(r.text.err, "API key (not shown): "));
    assert_profile("http://127.0.0.1:8080", "tg_typed");
    run.input = "https://other\n\n";
    run_cli("configure", &run, &r);
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.text.err, "[unchanged]"));
    assert_profile("https://other", "tg_typed");
    run.input = "half";
    run_cli("configure", &run, &r);
    assert_int_equal(r.code, 2);
    assert_profile("https://other", "tg_typed");
    run_cli_terminal(-1);
}

static void test_configure__unusable__nothing_written(void **state UNUSED)
{
    static const struct {
        const char *words, *input;
    } rows[] = {
        {"configure", ""},
        {"configure --endpoint http://x", ""},
        {"configure --endpoint nowhere --api-key-file -", "k\n"},
        {"configure --endpoint http://x --api-key-file -", ""},
        {"configure --endpoint http://x --api-key-file -", "two words\n"},
        {"configure --endpoint http://x --api-key-file /tmp/tg-no-such", ""},
    };
    (void)unlink(run_cli_config_path());
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cli_run run = {.input = rows[i].input};
        run_cli(rows[i].words, &run, &r);
        assert_int_equal(r.code, 2);
        assert_int_not_equal(access(run_cli_config_path(), F_OK), 0);
    }
}

static void test_configure__broken_file__not_replaced(void **state UNUSED)
{
    struct cli_run run = {.input = "tg_k\n"};
    run_cli("configure --endpoint http://x --api-key-file -", &run, &r);
    assert_int_equal(r.code, 0);
    FILE *f = fopen(run_cli_config_path(), "w");
    assert_non_null(f);
    assert_true(fputs("api_key: [", f) >= 0);
    assert_int_equal(fclose(f), 0);
    run_cli("configure --endpoint http://x --api-key-file -", &run, &r);
    assert_int_equal(r.code, 2);
    assert_non_null(strstr(r.text.err, "unusable configuration"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configure__options__written_and_private),
        cmocka_unit_test(test_configure__terminal__asks_and_keeps_what_is_unchanged),
        cmocka_unit_test(test_configure__unusable__nothing_written),
        cmocka_unit_test(test_configure__broken_file__not_replaced),
    };
    return cmocka_run_group_tests(tests, make_key_file, clean);
}
