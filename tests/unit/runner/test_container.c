/* Users as images name them, in files that images bring; environments; the whole as root. */
#include "runner/container.h"

#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void test_find_user__rows(void **state)
{
    static const struct {
        const char *user;
        int rc;
        unsigned uid, gid;
    } rows[] = {
        {"", 0, 0, 5},
        {"root", 0, 0, 5},
        {"node", 0, 1000, 1001},
        {"1000", 0, 1000, 1001},
        {"4711", 0, 4711, 0},
        {"4711:12", 0, 4711, 12},
        {"node:", 0, 1000, 1001},
        {"node:staff", 0, 1000, 50},
        {":staff", 0, 0, 50},
        {"nobody", -ENOENT, 0, 0},
        {"node:nogroup", -ENOENT, 0, 0},
        {"short", -ENOENT, 0, 0},
        {"odd", -EINVAL, 0, 0},
        {"4294967295", -ENOENT, 0, 0},
        {"node:4294967295", -ENOENT, 0, 0},
    };
    char passwd[] = "/tmp/passwd.XXXXXX";
    char group[] = "/tmp/group.XXXXXX";
    close(mkstemp(passwd));
    close(mkstemp(group));
    write_file(passwd, "root:x:0:5:root:/root:/bin/sh\nshort:x:1\n\nodd:x:12x:1:::\n"
                       "node:x:1000:1001::/home/node:/bin/sh");
    write_file(group, "root:x:0:\nstaff:x:50:node,root\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uid_t uid = 77;
        gid_t gid = 77;
        print_message("%s\n", rows[i].user);
        assert_int_equal(container_find_user(rows[i].user, passwd, group, &uid, &gid), rows[i].rc);
        if (rows[i].rc == 0) {
            assert_int_equal(uid, rows[i].uid);
            assert_int_equal(gid, rows[i].gid);
        }
    }
    unlink(passwd);
    unlink(group);
    (void)state;
}

static void test_find_user__image_without_files__numbers_do(void **state)
{
    char name[300];
    uid_t uid = 77;
    gid_t gid = 77;
    assert_int_equal(container_find_user("", "/nonexistent", "/nonexistent", &uid, &gid), 0);
    assert_int_equal(uid, 0);
    assert_int_equal(gid, 0);
    assert_int_equal(container_find_user("node", "/nonexistent", "/nonexistent", &uid, &gid),
                     -ENOENT);
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(container_find_user(name, "/nonexistent", "/nonexistent", &uid, &gid),
                     -EINVAL);
    (void)state;
}

static void test_merge_env__overrides_win(void **state)
{
    char *const base[] = {"PATH=/image/bin", "A=1", "AB=2", "noise", NULL};
    char *const overrides[] = {"A=3", "C=", NULL};
    static const char *const want[] = {"PATH=/image/bin", "AB=2", "A=3", "C="};
    char **merged = container_merge_env(base, overrides);
    assert_non_null(merged);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(merged[i], want[i]);
        free(merged[i]);
    }
    assert_null(merged[4]);
    free(merged);
    merged = container_merge_env(NULL, NULL);
    assert_non_null(merged);
    assert_null(merged[0]);
    free(merged);
    (void)state;
}

static void test_settle__unknown_user__not_started(void **state)
{
    struct fixture *f = *state;
    f->spec.sandbox = SPEC_SANDBOX_CONTAINER;
    f->spec.user = "no-such-user-of-any-image";
    fixture_command(f, "echo never");
    run_all(f);
    f->spec.user = NULL;
    run_assert_text(f, 'o', "");
    assert_int_equal(f->exit.flags, SPOOL_EXIT_NOT_STARTED);
    assert_int_equal(f->exit.exit_code, 126);
    assert_int_equal(run_count_system(f, "tailgate: the command could not be started: cannot find "
                                         "the image's user: No such file or directory"),
                     1);
}

static void test_settle__as_root__user_without_capabilities_owns_the_workspace(void **state)
{
    struct fixture *f = *state;
    if (geteuid() != 0) {
        print_message("SKIPPED: not root\n");
        skip();
    }
    assert_int_equal(setenv("OF_THE_IMAGE", "yes", 1), 0);
    f->spec.sandbox = SPEC_SANDBOX_CONTAINER;
    f->spec.user = "4711:4712";
    fixture_command(f, "id -u; id -g; stat -c %u:%g .; grep CapEff /proc/self/status; "
                       "echo $OF_THE_IMAGE");
    run_all(f);
    f->spec.user = NULL;
    run_assert_text(f, 'o', "4711\n4712\n4711:4712\nCapEff:\t0000000000000000\nyes\n");
}

static void test_settle__root_of_the_image__without_capabilities(void **state)
{
    struct fixture *f = *state;
    if (geteuid() != 0) {
        print_message("SKIPPED: not root\n");
        skip();
    }
    f->spec.sandbox = SPEC_SANDBOX_CONTAINER;
    fixture_command(f, "id -u; grep -E 'Cap(Eff|Prm)|NoNewPrivs' /proc/self/status");
    run_all(f);
    run_assert_text(f, 'o',
                    "0\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
                    "NoNewPrivs:\t1\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_user__rows),
        cmocka_unit_test(test_find_user__image_without_files__numbers_do),
        cmocka_unit_test(test_merge_env__overrides_win),
        T(test_settle__unknown_user__not_started),
        T(test_settle__as_root__user_without_capabilities_owns_the_workspace),
        T(test_settle__root_of_the_image__without_capabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
