#include "orchestrator/request.h"

#include "fake.h"

#include <stdio.h>
#include <string.h>

static struct run_request request(const char *command)
{
    return (struct run_request){.command = command, .timeout_s = -1, .grace_s = -1};
}

static char *repeat(char c, size_t n)
{
    char *s = malloc(n + 1);
    assert_non_null(s);
    memset(s, c, n);
    s[n] = '\0';
    return s;
}

struct row {
    const char *name;
    const char *command, *image;
    int64_t timeout_s, grace_s;
    int err;
    const char *details; /* contained */
};

static const struct row rows[] = {
    {"plain", "true", NULL, -1, -1, 0, ""},
    {"image named", "true", "host", 0, 0, 0, ""},
    {"image empty", "true", "", 5, 3600, 0, ""},
    {"no command", NULL, NULL, -1, -1, ERR_INVALID, "command is required"},
    {"empty command", "", NULL, -1, -1, ERR_INVALID, "command is required"},
    {"command not UTF-8", "echo \xff", NULL, -1, -1, ERR_INVALID, "command must be valid UTF-8"},
    {"other image", "true", "ubuntu:22.04", -1, -1, ERR_NOT_FOUND, "\"ubuntu:22.04\""},
    {"timeout negative", "true", NULL, -2, -1, ERR_INVALID, "timeout must be"},
    {"timeout huge", "true", NULL, INT64_MAX, -1, ERR_INVALID, "timeout must be"},
    {"grace negative", "true", NULL, -1, -7, ERR_INVALID, "grace must be"},
    {"grace huge", "true", NULL, -1, 3601, ERR_INVALID, "grace must be"},
};

static void test_request_check__fields__table(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct run_request r = request(rows[i].command);
        struct request_limits limits;
        struct problem p = {0};
        r.image = rows[i].image;
        r.timeout_s = rows[i].timeout_s;
        r.grace_s = rows[i].grace_s;
        print_message("%s\n", rows[i].name);
        assert_int_equal(request_check(w->o, &r, &limits, &p), rows[i].err);
        assert_non_null(strstr(p.details, rows[i].details));
        if (rows[i].err == ERR_INVALID)
            assert_string_equal(p.error, "failed to run command");
        if (rows[i].err == ERR_NOT_FOUND)
            assert_string_equal(p.error, "failed to resolve image");
    }
}

struct limit_row {
    int64_t def, max, asked;
    int err;
    int64_t wanted;
};

static void test_request_check__timeout__default_and_maximum(void **state)
{
    struct world *w = *state;
    static const struct limit_row limits[] = {
        {0, 0, -1, 0, 0},       {60, 0, -1, 0, 60},
        {60, 0, 0, 0, 0},       {60, 0, 9, 0, 9},
        {0, 100, -1, 0, 100},   {0, 100, 0, 0, 100},
        {60, 100, -1, 0, 60},   {200, 100, -1, 0, 100},
        {60, 100, 100, 0, 100}, {60, 100, 101, ERR_INVALID, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        struct run_request r = request("true");
        struct request_limits got = {0};
        struct problem p;
        w->o->opts.default_timeout_s = limits[i].def;
        w->o->opts.max_timeout_s = limits[i].max;
        r.timeout_s = limits[i].asked;
        assert_int_equal(request_check(w->o, &r, &got, &p), limits[i].err);
        assert_int_equal(got.timeout_s, limits[i].wanted);
        if (limits[i].err == 0)
            assert_int_equal(got.grace_s, 10);
    }
}

static void test_request_check__command_size__both_bounds(void **state)
{
    struct world *w = *state;
    struct request_limits limits;
    struct problem p;
    char *fits = repeat('x', 4096), *long_one = repeat('x', 4097);
    struct run_request r = request(fits);
    assert_int_equal(request_check(w->o, &r, &limits, &p), 0);
    r.command = long_one;
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "at most 4096 bytes"));
    free(fits);
    free(long_one);
    /* Whatever is configured, execve takes no more. */
    w->o->opts.command_bytes_max = SIZE_MAX;
    long_one = repeat('x', EXEC_STRING_MAX + 1);
    r.command = long_one;
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    free(long_one);
}

static void test_request_check__env__table(void **state)
{
    struct world *w = *state;
    struct request_limits limits;
    struct problem p;
    char *big = repeat('v', 4096), *huge = repeat('v', EXEC_STRING_MAX);
    struct env_var env[2] = {{"A", "1"}, {"B", ""}};
    struct run_request r = request("true");
    r.env = env;
    r.env_count = 2;
    assert_int_equal(request_check(w->o, &r, &limits, &p), 0);
    env[0].name = "";
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    env[0].name = NULL;
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    env[0].name = "A=B";
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    env[0] = (struct env_var){"A", NULL};
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "A must be a string"));
    env[0].value = big;
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "env must be at most 4096 bytes"));
    w->o->opts.env_bytes_max = SIZE_MAX;
    assert_int_equal(request_check(w->o, &r, &limits, &p), 0);
    env[0].value = huge;
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    free(big);
    free(huge);
}

static const char *value_of(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; *env; env++) {
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
            return *env + n + 1;
    }
    return NULL;
}

static size_t count(char *const *env)
{
    size_t n = 0;
    while (env[n])
        n++;
    return n;
}

static void test_request_environment__exactly_the_standard_ones(void **state)
{
    const struct world *w = *state;
    struct execution row = fake_row(1, EXEC_STARTING);
    char **env;
    assert_int_equal(request_environment(w->o, &row.id, "/w/1", NULL, &env), 0);
    assert_int_equal(count(env), 9);
    assert_string_equal(value_of(env, "HOME"), "/w/1");
    assert_string_equal(value_of(env, "PWD"), "/w/1");
    assert_string_equal(value_of(env, "TMPDIR"), "/w/1/.tmp");
    assert_string_equal(value_of(env, "SHELL"), "/bin/sh");
    assert_string_equal(value_of(env, "LANG"), "C.UTF-8");
    assert_string_equal(value_of(env, "USER"), w->o->user_name);
    assert_string_equal(value_of(env, "LOGNAME"), w->o->user_name);
    assert_string_equal(value_of(env, "TAILGATE_EXECUTION_ID"), row.id.hex);
    assert_non_null(strstr(value_of(env, "PATH"), "/usr/bin"));
    strings_free(env);
}

static void test_request_environment__overrides__last_wins(void **state)
{
    const struct world *w = *state;
    struct execution row = fake_row(1, EXEC_STARTING);
    const struct env_var vars[] = {{"A", "1"}, {"HOME", "/elsewhere"}, {"A", "2"}, {"AB", "3"}};
    struct run_request r = request("true");
    char **mine, **env;
    r.env = vars;
    r.env_count = 4;
    assert_int_equal(request_env(&r, &mine), 0);
    assert_int_equal(count(mine), 3);
    assert_string_equal(value_of(mine, "A"), "2");
    assert_int_equal(request_environment(w->o, &row.id, "/w/1", mine, &env), 0);
    assert_int_equal(count(env), 11);
    assert_string_equal(value_of(env, "HOME"), "/elsewhere");
    assert_string_equal(value_of(env, "AB"), "3");
    strings_free(mine);
    strings_free(env);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_request_check__fields__table),
        TEST(test_request_check__timeout__default_and_maximum),
        TEST(test_request_check__command_size__both_bounds),
        TEST(test_request_check__env__table),
        TEST(test_request_environment__exactly_the_standard_ones),
        TEST(test_request_environment__overrides__last_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
