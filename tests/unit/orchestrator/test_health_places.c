/* Reconciles between fakes: images, containers, run directories. */
#include "health_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void test_work__refused__issues(void **state)
{
    fake_works = false;
    rig_ask(*state);
    rig_run(1);
    assert_int_equal(rig_got.r.errors, 2); /* directories, files */
}

static void test_directories__orphans__listed_or_removed(void **state)
{
    struct world *w = *state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/runs/" ID_A, w->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    rig_ask(w);
    rig_run(1);
    assert_string_equal(fake_health_text, "");
    rig_assert_found("run_directory " ID_A);
    assert_int_equal(rig_got.r.compute.orphaned, 1);
    rig_errors[HEALTH_KNOWN] = ERR_DB;
    rig_ask(w);
    rig_run(2);
    rig_assert_found("run directories failed: DB");
    w->o->opts.remove_orphans = true;
    rig_ask(w);
    rig_run(3);
    assert_int_equal(rig_got.r.reconciled, 1);
    assert_false(fake_exists(path));
}

static void answer_engine(struct world *w)
{
    static const struct problem away = {.err = ERR_CLOSED, .details = "it is away"};
    rig_ask(w);
    fake_pass(1);
    assert_non_null(rig_asked.check);
    rig_asked.check(rig_asked.user, rig_got.calls == 0 ? ERR_CLOSED : 0, &away);
}

static void test_engine__away_then_there__containers_and_images(void **state)
{
    struct world *w = *state;
    static const char *const ids[] = {ID_A, ID_B, "no id"};
    static const struct problem gone = {.err = ERR_NOT_FOUND, .details = "not there"};
    const struct fake_row_of images[] = {{.text = {"app:1-ab", "app:1"}},
                                         {.text = {"web:1-ab", "web:1"}}};
    const struct fake_row_of live[] = {{.text = {ID_B}}};
    const struct fake_result compute = {{ROWS(images)}}, known = {{ROWS(live)}};
    rig_with_engine(w);
    answer_engine(w);
    rig_run(1);
    rig_assert_found("engine");
    assert_null(rig_asked.list);
    w->o->opts.remove_orphans = true;
    answer_engine(w);
    while (!rig_asked.has_image) {
        fake_pass(1);
        if (fake_health_waiting(HEALTH_COMPUTE))
            fake_health_answer(HEALTH_COMPUTE, 0, &compute);
    }
    rig_asked.has_image(rig_asked.user, 0, NULL);
    rig_asked.has_image(rig_asked.user, ERR_NOT_FOUND, &gone);
    fake_pass(1);
    fake_pass(1);
    rig_asked.list(rig_asked.user, 0, NULL, ids, 3);
    assert_string_equal(fake_health_text, ID_A "," ID_B);
    rig_results[HEALTH_KNOWN] = &known;
    rig_run(2);
    rig_assert_found("image web:1-ab not there");
    rig_assert_found("container " ID_A);
    assert_null(strstr(rig_got.text, ID_B));
    assert_int_equal(rig_asked.cleans, 1);
    assert_int_equal(rig_got.r.compute.verified, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_ROW(test_work__refused__issues),
        RIG_ROW(test_directories__orphans__listed_or_removed),
        RIG_ROW(test_engine__away_then_there__containers_and_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
