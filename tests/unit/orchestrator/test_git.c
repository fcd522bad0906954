/* The setup stage: what is run, in which environment, where the command begins; the script itself
 * against a repository made here. */
#include "orchestrator/git.h"

#include "fake.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct plan plan_of(const char *repo, const char *ref, const char *path)
{
    struct plan p;
    plan_init(&p);
    p.git_repo = repo ? strdup(repo) : NULL;
    p.git_ref = ref ? strdup(ref) : NULL;
    p.git_path = path ? strdup(path) : NULL;
    return p;
}

static void test_git_directory__path__led_down(void **state)
{
    static const struct {
        const char *repo, *path, *wanted;
    } rows[] = {
        {"https://h/r", NULL, "repo"},
        {"https://h/r", "src", "repo/src"},
        {"https://h/r", "./a//b/", "repo/a/b"},
        {"https://h/r", ".", "repo"},
        {"https://h/r", ".hidden", "repo/.hidden"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct plan p = plan_of(rows[i].repo, NULL, rows[i].path);
        char *path = NULL;
        assert_int_equal(git_directory(&p, &path), 0);
        assert_string_equal(path, rows[i].wanted);
        free(path);
        plan_done(&p);
    }
    struct plan none = plan_of(NULL, NULL, "src");
    char *path = NULL;
    assert_int_equal(git_directory(&none, &path), 0);
    assert_null(path);
    plan_done(&none);
    (void)state;
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

static void test_git_setup__environment__asks_nobody(void **state)
{
    const struct world *w = *state;
    struct plan p = plan_of("https://h/r", NULL, NULL);
    char *script = NULL, **env = NULL;
    assert_int_equal(plan_set(&p, "GITHUB_TOKEN", "ghp_abc", true), 0);
    assert_int_equal(plan_set(&p, "GIT_DIR", "/elsewhere", false), 0);
    assert_int_equal(git_setup(w->o, "/w/1", &p, &script, &env), 0);
    assert_string_equal(value_of(env, "TG_REPO"), "https://h/r");
    assert_string_equal(value_of(env, "TG_REF"), "main");
    assert_string_equal(value_of(env, "TG_PATH"), "");
    assert_string_equal(value_of(env, "GIT_TERMINAL_PROMPT"), "0");
    assert_string_equal(value_of(env, "GIT_ALLOW_PROTOCOL"), "https:ssh");
    assert_string_equal(value_of(env, "GIT_CONFIG_GLOBAL"), "/dev/null");
    assert_string_equal(value_of(env, "GIT_CONFIG_VALUE_0"), "/dev/null");
    assert_string_equal(value_of(env, "GIT_CONFIG_COUNT"), "2");
    assert_null(value_of(env, "GIT_DIR"));
    assert_null(strstr(script, "https://h/r"));
    for (char **e = env; *e; e++) /* the token is GitHub's only */
        assert_null(strstr(*e, "ghp_"));
    free(script);
    strings_free(env);
    plan_done(&p);
}

static void test_git_setup__github__token_as_a_header(void **state)
{
    const struct world *w = *state;
    struct plan p = plan_of("https://github.com/a/b", "v1", "x");
    char *script = NULL, **env = NULL;
    unsigned char plain[64];
    size_t len;
    assert_int_equal(plan_set(&p, "GITHUB_TOKEN", "ghp_abc", true), 0);
    assert_int_equal(git_setup(w->o, "/w/1", &p, &script, &env), 0);
    assert_string_equal(value_of(env, "GIT_CONFIG_COUNT"), "3");
    assert_string_equal(value_of(env, "GIT_CONFIG_KEY_2"), "http.https://github.com/.extraHeader");
    const char *header = value_of(env, "GIT_CONFIG_VALUE_2");
    assert_int_equal(strncmp(header, "Authorization: Basic ", 21), 0);
    assert_int_equal(sodium_base642bin(plain, sizeof plain, header + 21, strlen(header + 21), NULL,
                                       &len, NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    assert_int_equal(len, strlen("x-access-token:ghp_abc"));
    assert_memory_equal(plain, "x-access-token:ghp_abc", len);
    assert_null(strstr(script, "ghp_"));
    free(script);
    strings_free(env);
    plan_done(&p);
}

static void test_git_setup__no_repository__nothing(void **state)
{
    const struct world *w = *state;
    struct plan p = plan_of(NULL, "main", NULL);
    char *script = NULL, **env = NULL;
    assert_int_equal(git_setup(w->o, "/w/1", &p, &script, &env), 0);
    assert_null(script);
    assert_null(env);
    plan_done(&p);
}

static void test_git_protocols__table(void **state)
{
    assert_true(git_protocols_are_valid("https,ssh"));
    assert_true(git_protocols_are_valid("file"));
    assert_true(git_protocols_are_valid(""));
    assert_true(git_protocols_are_valid(NULL));
    assert_false(git_protocols_are_valid("ext"));
    assert_false(git_protocols_are_valid("https,"));
    assert_false(git_protocols_are_valid("https,,ssh"));
    assert_false(git_protocols_are_valid("http,https:ssh"));
    (void)state;
}

static int sh(const char *dir, const char *text)
{
    char command[4096];
    int n = snprintf(command, sizeof command, "cd '%s' && { %s\n} >/dev/null 2>&1", dir, text);
    assert_true(n > 0 && (size_t)n < sizeof command);
    return system(command); /* NOLINT: words of our own */
}

/* Runs the stage as the runner would; its exit status. */
static int clone(const struct world *w, const char *workspace, const char *ref, const char *path)
{
    char repo[128], file[160];
    (void)snprintf(repo, sizeof repo, "file://%s/origin", w->dir);
    (void)snprintf(file, sizeof file, "%s/stage", w->dir);
    struct plan p = plan_of(repo, ref, path);
    char *script = NULL, **env = NULL;
    assert_int_equal(git_setup(w->o, workspace, &p, &script, &env), 0);
    FILE *f = fopen(file, "we");
    assert_non_null(f);
    for (char **e = env; *e; e++)
        (void)fprintf(f, "export '%s'\n", *e);
    (void)fprintf(f, "%s", script);
    (void)fclose(f);
    char command[256];
    (void)snprintf(command, sizeof command, "env -i /bin/sh %s", file);
    int status = sh(workspace, command);
    free(script);
    strings_free(env);
    plan_done(&p);
    return status;
}

static void test_script__branch_tag_commits_paths(void **state)
{
    struct world *w = *state;
    char origin[96], work[96], first[64] = "", path[128];
    w->o->opts.git_protocols = "file";
    (void)snprintf(origin, sizeof origin, "%s/origin", w->dir);
    (void)snprintf(work, sizeof work, "%s/work", w->dir);
    assert_int_equal(sh(w->dir, "mkdir origin work"), 0);
    assert_int_equal(sh(origin,
                        "export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@x "
                        "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@x; git init -q -b main . && "
                        "mkdir sub && echo one >sub/file && ln -s / out && git add . && "
                        "git commit -qm one && git tag v1 && git rev-parse HEAD >../first && "
                        "echo two >sub/file && git commit -qam two && git branch deadbeef && "
                        "git branch 1234567"),
                     0);
    (void)snprintf(path, sizeof path, "%s/first", w->dir);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(fgets(first, sizeof first, f));
    (void)fclose(f);
    first[strcspn(first, "\n")] = '\0';
    char cut[12];
    (void)snprintf(cut, sizeof cut, "%.10s", first);
    const struct {
        const char *ref, *path, *contents; /* NULL: it fails */
    } rows[] = {
        {NULL, NULL, "two"},        {"main", "sub", "two"},     {"v1", NULL, "one"},
        {first, NULL, "one"},       {cut, "sub", "one"},        {"deadbeef", NULL, "two"},
        {"1234567", NULL, "two"},   {"no-such", NULL, NULL},    {"v1", "no-such", NULL},
        {"abcdef0123", NULL, NULL}, {"main", "sub/file", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char check[64];
        int status = clone(w, work, rows[i].ref, rows[i].path);
        print_message("%s\n", rows[i].ref ? rows[i].ref : "-");
        assert_int_equal(status == 0, rows[i].contents != NULL);
        if (!rows[i].contents)
            continue;
        (void)snprintf(check, sizeof check, "grep -qx %s repo/sub/file", rows[i].contents);
        assert_int_equal(sh(work, check), 0);
        assert_int_equal(sh(work, "test -z \"$(ls repo/.git/hooks)\""), 0);
    }
    assert_int_equal(sh(work, "echo A=1 >.env"), 0);
    assert_int_equal(clone(w, work, "main", NULL), 0);
    assert_int_equal(sh(work, "grep -qx A=1 repo/.env"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_git_directory__path__led_down),
        TEST(test_git_setup__environment__asks_nobody),
        TEST(test_git_setup__github__token_as_a_header),
        TEST(test_git_setup__no_repository__nothing),
        TEST(test_git_protocols__table),
        TEST(test_script__branch_tag_commits_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
