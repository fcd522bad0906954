/* Reconciles between fakes: the database role's rights, files' modes. */
#include "health_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_rights__rows__issues(void **state)
{
    const struct fake_row_of lacking[] = {{.text = {"secrets", "DELETE"}}},
                             count[] = {{.number = {50, 0}}};
    const struct fake_result rights = {{ROWS(lacking), ROWS(count)}};
    rig_results[HEALTH_RIGHTS] = &rights;
    rig_ask(*state);
    rig_run(1);
    rig_assert_found("database_role secrets/DELETE the database role lacks DELETE on secrets");
    assert_false(rig_got.r.identity.default_roles_verified);
}

static void test_files__modes_and_kinds__repaired_or_issues(void **state)
{
    struct world *w = *state;
    char runs[128], key[128];
    struct stat st;
    (void)snprintf(runs, sizeof runs, "%s/runs", w->dir);
    (void)snprintf(key, sizeof key, "%s/admin.key", w->dir);
    assert_int_equal(chmod(runs, 0755), 0);
    assert_int_equal(mkdir(key, 0700), 0);
    rig_ask(*state);
    rig_run(1);
    rig_assert_found("its mode was 0755");
    rig_assert_found("Is a directory");
    assert_int_equal(stat(runs, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(rmdir(key), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_ROW(test_rights__rows__issues),
        RIG_ROW(test_files__modes_and_kinds__repaired_or_issues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
