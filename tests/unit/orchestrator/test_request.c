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

struct text_row {
    const char *git_repo, *git_ref, *git_path, *secret, *key;
    const char *details; /* contained; NULL = fine */
};
static const struct text_row text_rows[] = {
    {"https://github.com/a/b.git", "v1.2", "src/x", "db-password", "key 1", NULL},
    {"https://github.com/a/b", NULL, NULL, NULL, NULL, NULL},
    {"ssh://git@host/a.git", NULL, NULL, NULL, NULL, NULL},
    {"git@host:a/b.git", NULL, NULL, NULL, NULL, NULL},
    {"", "--upload-pack=x", "../..", NULL, NULL, NULL}, /* say nothing without a repository */
    {"http://host/a", NULL, NULL, NULL, NULL, "https,ssh"},
    {"file:///etc", NULL, NULL, NULL, NULL, "https,ssh"},
    {"https://me:pw@host/a", NULL, NULL, NULL, NULL, "must not hold"},
    {"https://token@github.com/a", NULL, NULL, NULL, NULL, "GITHUB_TOKEN"},
    {"ssh://me:pw@host/a", NULL, NULL, NULL, NULL, "must not hold"},
    {"/etc", NULL, NULL, NULL, NULL, "git_repo"},
    {"ext::sh -c id", NULL, NULL, NULL, NULL, "git_repo"},
    {"https://h/a", "-x", NULL, NULL, NULL, "git_ref"},
    {"https://h/a", "a..b", NULL, NULL, NULL, "git_ref"},
    {"https://h/a", NULL, "/abs", NULL, NULL, "git_path"},
    {"https://h/a", NULL, "a/../../b", NULL, NULL, "git_path"},
    {NULL, NULL, NULL, "no/slash", NULL, "name"},
    {NULL, NULL, NULL, NULL, "tab\there", "idempotency_key"},
};

static void test_request_check__texts__table(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_SIZE(text_rows); i++) {
        const struct text_row *row = &text_rows[i];
        struct run_request r = request("true");
        struct request_limits limits;
        struct problem p = {0};
        r.git_repo = row->git_repo;
        r.git_ref = row->git_ref;
        r.git_path = row->git_path;
        r.secrets = &row->secret;
        r.secrets_count = row->secret != NULL;
        r.idempotency_key = row->key;
        int err = request_check(w->o, &r, &limits, &p);
        if (err != (row->details ? ERR_INVALID : 0))
            fail_msg("row %zu: %d, %s", i, err, p.details);
        if (row->details) {
            assert_non_null(strstr(p.details, row->details));
            assert_string_equal(p.error, "failed to run command");
        }
    }
}

static void test_request_check__counts__bounded(void **state)
{
    const struct world *w = *state;
    struct run_request r = request("true");
    struct request_limits limits;
    struct problem p;
    r.env_count = 1001;
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "1000"));
    r.env_count = 0;
    r.secrets_count = 101;
    assert_int_equal(request_check(w->o, &r, &limits, &p), ERR_INVALID);
    assert_non_null(strstr(p.details, "100"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_request_check__fields__table),
        TEST(test_request_check__timeout__default_and_maximum),
        TEST(test_request_check__command_size__both_bounds),
        TEST(test_request_check__env__table),
        TEST(test_request_check__texts__table),
        TEST(test_request_check__counts__bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
