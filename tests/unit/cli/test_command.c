/* The way from a command line to its command. */
#include "run_cli.h"

#include "base/str.h"
#include "cli/command.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static struct cli_result r;

static void test_command_main__wrong_lines__exit_2_and_one_line(void **state UNUSED)
{
    static const struct {
        const char *words;
        int code;
        const char *text;
    } rows[] = {
        {"", 2, "no command"},
        {"dance", 2, "\"dance\" is no command"},
        {"--what", 2, "\"--what\" is no command"},
        {"--endpoint", 2, "--endpoint needs a value"},
        {"--endpoint http://x", 2, "no command"},
        {"list --what", 2, "--what is no option here"},
        {"list one", 2, "\"one\" is one word too many"},
        {"status", 2, "tailgate status [-o text|json] ID"},
        {"status " ID " " ID, 2, "one word too many"},
        {"kill", 2, "tailgate kill ID"},
        {"version x", 2, "one word too many"},
        {"users", 2, "tailgate users needs a command behind it"},
        {"users dance", 2, "\"dance\" is no command of users"},
        {"secrets get", 2, "tailgate secrets get [--value]"},
        {"--endpoint nowhere users list", 2, "unusable endpoint"},
        {"help users dance", 2, "no command"},
        {"help list list", 2, "no command"},
        {"list --endpoint nowhere", 2, "unusable endpoint"},
        {"list --api-key-file /tmp/tg-no-such", 2, "/tmp/tg-no-such"},
        {"run", 125, "tailgate run [OPTION"},
        {"run --what", 125, "--what is no option here"},
        {"run --endpoint nowhere ls", 125, "unusable endpoint"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        run_cli(rows[i].words, NULL, &r);
        assert_int_equal(r.code, rows[i].code);
        assert_non_null(strstr(r.text.err, rows[i].text));
        assert_string_equal(r.text.out, "");
        assert_ptr_equal(strchr(r.text.err, '\n'), r.text.err + strlen(r.text.err) - 1);
        assert_int_equal(fake_curl.calls + fake_lws.connects, 0);
    }
}

static void test_command_main__help_and_version__wherever_asked_for(void **state UNUSED)
{
    static const struct {
        const char *words, *text;
    } rows[] = {
        {"--help", "Usage: tailgate COMMAND"},
        {"-h", "Usage: tailgate COMMAND"},
        {"help", "Usage: tailgate COMMAND"},
        {"run --help", "Usage: tailgate run"},
        {"logs -h", "Usage: tailgate logs"},
        {"list --limit 1 -h", "Usage: tailgate list"},
        {"--version", "tailgate " TAILGATE_VERSION},
        {"users --help", "users create"},
        {"secrets -h", "secrets delete"},
        {"users create --help", "Usage: tailgate users create"},
        {"help keys list", "Usage: tailgate keys list"},
        {"help keys", "Usage: tailgate keys COMMAND"},
        {"--endpoint x version", "tailgate " TAILGATE_VERSION},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        run_cli(rows[i].words, NULL, &r);
        assert_int_equal(r.code, 0);
        assert_non_null(strstr(r.text.out, rows[i].text));
        assert_string_equal(r.text.err, "");
    }
}

static void test_command_main__common_options_before_the_name__taken(void **state UNUSED)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "[]"}};
    struct cli_run run = {ANSWERS(answers)};
    run_cli("--endpoint http://other:1 --ca-file /etc/passwd list -o json", &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(fake_curl.requests[0].url, "http://other:1/api/v1/executions?limit=20");
    assert_string_equal(fake_curl.requests[0].ca_file, "/etc/passwd");
}

static void test_command_main__no_memory_for_libcurl__told(void **state UNUSED)
{
    static const struct {
        const char *words;
        int code;
    } rows[] = {
        {"list", 1}, {"status " ID, 1}, {"kill " ID, 1}, {"logs --raw " ID, 1}, {"run ls", 125}};
    struct cli_run run = {.no_curl = true};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        run_cli(rows[i].words, &run, &r);
        assert_int_equal(r.code, rows[i].code);
        assert_non_null(strstr(r.text.err, "out of memory"));
    }
}

static void test_command_find__names__each_once(void **state UNUSED)
{
    for (const struct command *const *c = commands; *c != NULL; c++) {
        char name[64];
        assert_int_equal(str_copy(name, sizeof name, (*c)->name), 0);
        char *blank = strchr(name, ' ');
        if (blank)
            *blank = '\0';
        const char *const words[] = {name, blank ? blank + 1 : "more"};
        size_t used;
        assert_ptr_equal(command_find(words, 2, &used), *c);
        assert_int_equal(used, blank ? 2 : 1);
        assert_non_null((*c)->summary);
        assert_non_null((*c)->notes);
    }
    static const char *const unknown[][2] = {
        {"", ""}, {"lists", "x"}, {"users", "x"}, {"user", "list"}};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        size_t used;
        assert_null(command_find(unknown[i], 2, &used));
        assert_null(command_find(unknown[i], 1, &used));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_main__wrong_lines__exit_2_and_one_line),
        cmocka_unit_test(test_command_main__help_and_version__wherever_asked_for),
        cmocka_unit_test(test_command_main__common_options_before_the_name__taken),
        cmocka_unit_test(test_command_main__no_memory_for_libcurl__told),
        cmocka_unit_test(test_command_find__names__each_once),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
