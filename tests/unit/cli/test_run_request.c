/* Arguments of run to the request's fields. */
#include "cli/run_request.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static const char *words[] = {"echo", "a b"};
static const char *variables[] = {"A=1=2", "EMPTY=", "TG_FROM_HERE"};
static const char *secrets[] = {"s1"};

static struct cli_args sample(void)
{
    return (struct cli_args){
        .operands = words,
        .operand_count = 2,
        .env = {variables, 3},
        .secrets = {secrets, 1},
        .image = "debian",
        .git_repo = "r",
        .git_ref = "f",
        .git_path = "p",
        .timeout = {true, 90000},
        .tty = true,
    };
}

static void test_run_request_make__everything__fields(void **state UNUSED)
{
    struct cli_args args = sample();
    struct run_request r CLEANUP(run_request_done) = {0};
    struct problem p = {0};
    assert_int_equal(setenv("TG_FROM_HERE", "here", 1), 0);
    assert_int_equal(run_request_make(&args, &r, &p), 0);
    assert_string_equal(r.wire.command, "echo 'a b'");
    assert_int_equal(r.wire.env_count, 3);
    static const char *const pairs[][2] = {{"A", "1=2"}, {"EMPTY", ""}, {"TG_FROM_HERE", "here"}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(r.wire.env[i].name, pairs[i][0]);
        assert_string_equal(r.wire.env[i].value, pairs[i][1]);
    }
    assert_string_equal(r.wire.secrets[0], "s1");
    assert_int_equal(r.wire.secrets_count, 1);
    assert_string_equal(r.wire.image, "debian");
    assert_string_equal(r.wire.git_repo, "r");
    assert_string_equal(r.wire.git_ref, "f");
    assert_string_equal(r.wire.git_path, "p");
    assert_int_equal(r.wire.timeout_s, 90);
    assert_int_equal(r.wire.grace_s, -1);
    assert_true(r.wire.tty);
}

static void test_run_request_make__nothing_but_a_word__as_it_is(void **state UNUSED)
{
    const char *word = "make | tail";
    struct cli_args args = {.operands = &word, .operand_count = 1, .grace = {true, 3000}};
    struct run_request r CLEANUP(run_request_done) = {0};
    struct problem p = {0};
    assert_int_equal(run_request_make(&args, &r, &p), 0);
    assert_string_equal(r.wire.command, "make | tail");
    assert_int_equal(r.wire.env_count, 0);
    assert_int_equal(r.wire.timeout_s, -1);
    assert_int_equal(r.wire.grace_s, 3);
}

static void test_run_request_make__prefixed_variables__without_prefix(void **state UNUSED)
{
    static const char *own[] = {"D=yes", "D=last"};
    struct cli_args args = sample();
    struct run_request r CLEANUP(run_request_done) = {0};
    struct problem p = {0};
    args.env = (struct arg_list){own, 2};
    args.idempotency_key = "k";
    assert_int_equal(setenv("RUNVOY_USER_A", "1=2", 1), 0);
    assert_int_equal(setenv("RUNVOY_USER_C", "runvoy", 1), 0);
    assert_int_equal(setenv("TAILGATE_USER_C", "tailgate", 1), 0);
    assert_int_equal(setenv("TAILGATE_USER_D", "no", 1), 0);
    assert_int_equal(setenv("TAILGATE_USER_", "nameless", 1), 0);
    assert_int_equal(run_request_make(&args, &r, &p), 0);
    static const char *const pairs[][2] = {{"A", "1=2"}, {"C", "tailgate"}, {"D", "last"}};
    assert_int_equal(r.wire.env_count, 3);
    for (size_t i = 0; i < 3; i++) {
        size_t k = 0;
        while (strcmp(r.wire.env[k].name, pairs[i][0]) != 0)
            assert_true(++k < 3);
        assert_string_equal(r.wire.env[k].value, pairs[i][1]);
    }
    assert_string_equal(r.wire.idempotency_key, "k");
    static const char *const names[] = {"RUNVOY_USER_A", "RUNVOY_USER_C", "TAILGATE_USER_C",
                                        "TAILGATE_USER_D", "TAILGATE_USER_"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(unsetenv(names[i]), 0);
}

static void test_run_request_make__bad__named(void **state UNUSED)
{
    static char big[(1 << 20) + 2];
    static const char *no_name[] = {"=x"}, *unset[] = {"TG_NOT_SET_ANYWHERE"};
    const char *huge = big;
    struct problem p = {0};
    struct cli_args args = sample();
    struct run_request r = {0};
    memset(big, 'x', sizeof big - 1);

    args.env = (struct arg_list){no_name, 1};
    assert_int_equal(run_request_make(&args, &r, &p), ERR_INVALID);
    assert_string_equal(p.details, "--env \"=x\" has no name");
    run_request_done(&r);
    args.env = (struct arg_list){unset, 1};
    assert_int_equal(run_request_make(&args, &r, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "TG_NOT_SET_ANYWHERE"));
    run_request_done(&r);
    args = (struct cli_args){.operands = &huge, .operand_count = 1};
    assert_int_equal(run_request_make(&args, &r, &p), ERR_TOO_LARGE);
    run_request_done(&r);
}

static void test_run_request_make__no_memory__reported(void **state UNUSED)
{
    struct cli_args args = sample();
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct run_request r CLEANUP(run_request_done) = {0};
        struct problem p = {0};
        int err = run_request_make(&args, &r, &p);
        assert_int_equal(err, fail_alloc_off() ? ERR_NOMEM : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_request_make__everything__fields),
        cmocka_unit_test(test_run_request_make__nothing_but_a_word__as_it_is),
        cmocka_unit_test(test_run_request_make__prefixed_variables__without_prefix),
        cmocka_unit_test(test_run_request_make__bad__named),
        cmocka_unit_test(test_run_request_make__no_memory__reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
