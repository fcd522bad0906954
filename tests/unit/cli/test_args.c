/* The command line parser against a table of lines. */
#include "cli/args.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static const struct arg_option options[] = {
    {'f', ARG_FLAG, "follow", offsetof(struct cli_args, follow), NULL, ""},
    {'t', ARG_FLAG, "timestamps", offsetof(struct cli_args, timestamps), NULL, ""},
    {'i', ARG_STRING, "image", offsetof(struct cli_args, image), "I", ""},
    {'e', ARG_LIST, "env", offsetof(struct cli_args, env), "K", ""},
    {'n', ARG_NUMBER, "tail", offsetof(struct cli_args, tail), "N", ""},
    {0, ARG_SECONDS, "grace", offsetof(struct cli_args, grace), "DUR", ""},
    {0, ARG_DURATION, "reconnect-timeout", offsetof(struct cli_args, reconnect_timeout), "DUR", ""},
    {'o', ARG_CHOICE, "output", offsetof(struct cli_args, output), "text|json", ""},
};
static const struct arg_table table = {options, ARRAY_SIZE(options), false};
static const struct arg_table stopping = {options, ARRAY_SIZE(options), true};

static char *const line_full[] = {"-ft",  "--image=a b", "--env", "A=1",       "one", "-e",
                                  "B",    "-n5",         "two",   "--grace",   "10s", "-o",
                                  "json", "--",          "-f",    "--endpoint"};

static void test_args_parse__everything__values(void **state UNUSED)
{
    struct cli_args a CLEANUP(args_done) = {0};
    struct problem p = {0};
    assert_int_equal(args_parse(&table, ARRAY_SIZE(line_full), line_full, &a, &p), 0);
    assert_true(a.follow);
    assert_true(a.timestamps);
    assert_false(a.help);
    assert_string_equal(a.image, "a b");
    assert_int_equal(a.env.count, 2);
    assert_string_equal(a.env.items[0], "A=1");
    assert_string_equal(a.env.items[1], "B");
    assert_true(a.tail.given);
    assert_int_equal(a.tail.value, 5);
    assert_int_equal(a.grace.value, 10000);
    assert_false(a.reconnect_timeout.given);
    assert_int_equal(a.output, OUTPUT_JSON);
    assert_int_equal(a.operand_count, 4);
    assert_string_equal(a.operands[0], "one");
    assert_string_equal(a.operands[3], "--endpoint");
}

static void test_args_parse__stop_at_operand__rest_belongs_to_it(void **state UNUSED)
{
    char *const line[] = {"-f", "ls", "-f", "--", "--image"};
    struct cli_args a CLEANUP(args_done) = {0};
    struct problem p = {0};
    assert_int_equal(args_parse(&stopping, 5, line, &a, &p), 0);
    assert_int_equal(a.operand_count, 4);
    assert_string_equal(a.operands[2], "--");
}

static void test_args_parse__common_options_and_dash__taken(void **state UNUSED)
{
    char *const line[] = {"--endpoint", "http://x", "--api-key-file=-", "--ca-file=c", "-h", "-"};
    struct cli_args a CLEANUP(args_done) = {0};
    struct problem p = {0};
    assert_int_equal(args_parse(&table, 6, line, &a, &p), 0);
    assert_string_equal(a.endpoint, "http://x");
    assert_string_equal(a.api_key_file, "-");
    assert_string_equal(a.ca_file, "c");
    assert_true(a.help);
    assert_int_equal(a.operand_count, 1);
}

static void test_args_parse__wrong_lines__named(void **state UNUSED)
{
    static const struct {
        char *words[3];
        int count;
        const char *details;
    } rows[] = {
        {{"--what"}, 1, "--what is no option here; see --help"},
        {{"--imag=x"}, 1, "--imag=x is no option here; see --help"},
        {{"-x"}, 1, "-x is no option here; see --help"},
        {{"-fx"}, 1, "-fx is no option here; see --help"},
        {{"--follow=1"}, 1, "--follow=1 takes no value"},
        {{"--image"}, 1, "--image needs a value"},
        {{"-i"}, 1, "-i needs a value"},
        {{"-n", "x"}, 2, "-n must be a whole number"},
        {{"--tail=-1"}, 1, "--tail must be a whole number"},
        {{"--grace", "1500ms"},
         2,
         "--grace must be a duration of whole seconds such as 10s, 5m, 2h"},
        {{"--grace", "0s"}, 2, "--grace must be a duration of whole seconds such as 10s, 5m, 2h"},
        {{"--reconnect-timeout=soon"},
         1,
         "--reconnect-timeout must be a duration such as 500ms, 10s, 5m, 2h"},
        {{"-o", "jso"}, 2, "-o is not one of the choices in --help"},
        {{"-o", "jsonx"}, 2, "-o is not one of the choices in --help"},
        {{"-o", ""}, 2, "-o is not one of the choices in --help"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cli_args a CLEANUP(args_done) = {0};
        struct problem p = {0};
        assert_int_equal(args_parse(&table, rows[i].count, rows[i].words, &a, &p), ERR_INVALID);
        assert_string_equal(p.error, "wrong usage");
        assert_string_equal(p.details, rows[i].details);
    }
}

static void test_args_parse__no_memory__reported(void **state UNUSED)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct cli_args a CLEANUP(args_done) = {0};
        struct problem p = {0};
        int r = args_parse(&table, ARRAY_SIZE(line_full), line_full, &a, &p);
        assert_int_equal(r, fail_alloc_off() ? ERR_NOMEM : 0);
    }
}

static void test_args_skip_common__leading_words__counted(void **state UNUSED)
{
    static const struct {
        char *words[4];
        int count, skipped;
    } rows[] = {
        {{"list"}, 1, 0},
        {{"--endpoint", "x", "list", "--endpoint"}, 4, 2},
        {{"--endpoint=x", "--api-key-file", "f", "run"}, 4, 3},
        {{"--version"}, 1, 0},
        {{"--"}, 1, 0},
        {{"-o", "x"}, 2, 0},
    };
    struct problem p = {0};
    int n;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        n = -1;
        assert_int_equal(args_skip_common(rows[i].count, rows[i].words, &n, &p), 0);
        assert_int_equal(n, rows[i].skipped);
    }
    char *const incomplete[] = {"--endpoint"};
    assert_int_equal(args_skip_common(1, incomplete, &n, &p), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_args_parse__everything__values),
        cmocka_unit_test(test_args_parse__stop_at_operand__rest_belongs_to_it),
        cmocka_unit_test(test_args_parse__common_options_and_dash__taken),
        cmocka_unit_test(test_args_parse__wrong_lines__named),
        cmocka_unit_test(test_args_parse__no_memory__reported),
        cmocka_unit_test(test_args_skip_common__leading_words__counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
