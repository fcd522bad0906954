/* A command's environment and its .env file. */
#include "orchestrator/environment.h"

#include "fake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void test_environment_make__empty_plan__exactly_the_standard_ones(void **state)
{
    const struct world *w = *state;
    struct execution row = fake_row(1, EXEC_STARTING);
    struct plan plan;
    char **env;
    plan_init(&plan);
    assert_int_equal(environment_make(w->o, &row.id, "/w/1", "/w/1/repo", &plan, &env), 0);
    assert_int_equal(count(env), 10);
    assert_string_equal(value_of(env, "HOME"), "/w/1");
    assert_string_equal(value_of(env, "PWD"), "/w/1/repo");
    assert_string_equal(value_of(env, "TMPDIR"), "/w/1/.tmp");
    assert_string_equal(value_of(env, "SHELL"), "/bin/sh");
    assert_string_equal(value_of(env, "LANG"), "C.UTF-8");
    assert_string_equal(value_of(env, "USER"), w->o->user_name);
    assert_string_equal(value_of(env, "LOGNAME"), w->o->user_name);
    assert_string_equal(value_of(env, "TAILGATE_EXECUTION_ID"), row.id.hex);
    assert_string_equal(value_of(env, "RUNVOY_SHARED_VOLUME_PATH"), "/w/1");
    assert_non_null(strstr(value_of(env, "PATH"), "/usr/bin"));
    strings_free(env);
}

static void test_environment_make__plan__overrides(void **state)
{
    const struct world *w = *state;
    struct execution row = fake_row(1, EXEC_STARTING);
    struct plan plan;
    char **env;
    plan_init(&plan);
    assert_int_equal(plan_set(&plan, "HOME", "/elsewhere", false), 0);
    assert_int_equal(plan_set(&plan, "TOKEN", "t", true), 0);
    assert_int_equal(environment_make(w->o, &row.id, "/w/1", "/w/1", &plan, &env), 0);
    assert_int_equal(count(env), 11);
    assert_string_equal(value_of(env, "HOME"), "/elsewhere");
    assert_string_equal(value_of(env, "TOKEN"), "t");
    strings_free(env);
    plan_done(&plan);
}

/* What a shell reads back from the file must be what was said, whatever it is. */
static void test_environment_file__any_value__read_back(void **state)
{
    struct world *w = *state;
    static const struct env_var vars[] = {
        {"PLAIN", "a/b:c@d%e+f,g-h.i"},
        {"SPACES", " two  words "},
        {"QUOTES", "it's \"so\" `id` $HOME \\ $(id)"},
        {"LINES", "one\ntwo\n\nfour"},
        {"EMPTY", ""},
        {"HASH", "#no comment"},
        {"GLOB", "* ? [a]"},
        {"TILDE", "~"},
        {"ASSIGN", "A=B;C=D&"},
        {"UTF8", "\xc3\xa4\xe2\x82\xac"},
        {"TABS", "\t\r\x01"},
    };
    struct plan plan;
    struct stat st;
    char path[128], command[512];
    plan_init(&plan);
    for (size_t i = 0; i < ARRAY_SIZE(vars); i++)
        assert_int_equal(plan_set(&plan, vars[i].name, vars[i].value, false), 0);
    assert_int_equal(plan_set(&plan, "not-a-name", "x", false), 0);
    assert_int_equal(plan_set(&plan, "THE_SECRET", "hidden", true), 0);
    assert_int_equal(environment_write_file(w->o, w->dir, &plan), 0);
    assert_int_equal(environment_write_file(w->o, w->dir, &plan), 0); /* again, after a crash */
    (void)snprintf(path, sizeof path, "%s/.env", w->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, w->o->uid);
    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        (void)snprintf(command, sizeof command,
                       "env -i /bin/sh -c 'set -a; . %s; exec /usr/bin/printenv %s'", path,
                       vars[i].name);
        FILE *f = popen(command, "re"); /* NOLINT: words of our own */
        char got[256] = "";
        assert_non_null(f);
        size_t n = fread(got, 1, sizeof got - 1, f);
        assert_int_equal(pclose(f), 0);
        assert_int_equal(n, strlen(vars[i].value) + 1);
        assert_memory_equal(got, vars[i].value, n - 1);
    }
    (void)snprintf(command, sizeof command, "grep -q -e hidden -e not-a-name %s", path);
    assert_int_not_equal(system(command), 0); /* NOLINT: words of our own */
    plan_done(&plan);
}

static void test_environment_file__nothing_said__none(void **state)
{
    struct world *w = *state;
    struct plan plan;
    char path[128];
    plan_init(&plan);
    assert_int_equal(plan_set(&plan, "S", "secret", true), 0);
    assert_int_equal(environment_write_file(w->o, w->dir, &plan), 0);
    (void)snprintf(path, sizeof path, "%s/.env", w->dir);
    assert_false(fake_exists(path));
    assert_int_equal(plan_set(&plan, "A", "1", false), 0);
    assert_int_equal(environment_write_file(w->o, "/nonexistent", &plan), -ENOENT);
    plan_done(&plan);
}

/* A link that lies in the file's place is replaced, not followed. */
static void test_environment_file__link_in_its_place__replaced(void **state)
{
    struct world *w = *state;
    struct plan plan;
    struct stat st;
    char path[128], target[128];
    plan_init(&plan);
    assert_int_equal(plan_set(&plan, "A", "1", false), 0);
    (void)snprintf(path, sizeof path, "%s/.env", w->dir);
    (void)snprintf(target, sizeof target, "%s/target", w->dir);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(environment_write_file(w->o, w->dir, &plan), 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_false(fake_exists(target));
    plan_done(&plan);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_environment_make__empty_plan__exactly_the_standard_ones),
        TEST(test_environment_make__plan__overrides),
        TEST(test_environment_file__any_value__read_back),
        TEST(test_environment_file__nothing_said__none),
        TEST(test_environment_file__link_in_its_place__replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
