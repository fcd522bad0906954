/* Run directories that an earlier process left behind. */
#include "fake.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(const struct world *w, const struct execution *e, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s/%s", w->o->runs_dir, e->id.hex);
    assert_int_equal(rundir_create(ret, e->id.hex, 1), 0);
}

static void test_leftovers__ended__removed(void **state)
{
    struct world *w = *state;
    struct execution e = fake_row(1, EXEC_FAILED);
    char path[320];
    make(w, &e, path, sizeof path);
    leftovers_look(w->o);
    fake_engine.liveness = RUNDIR_DEAD;
    fake_answer_execution(CALL_GET, 0, &e);
    assert_int_equal(orchestrator_live_count(w->o), 0);
    fake_pass(0);
    assert_false(fake_exists(path));
    assert_true(list_is_empty(&w->o->lives));
    assert_int_equal(fake_engine.stops, 0);
}

static void test_leftovers__ended_but_the_runner_lives__stopped_first(void **state)
{
    struct world *w = *state;
    struct execution e = fake_row(1, EXEC_FAILED);
    char path[320];
    make(w, &e, path, sizeof path);
    leftovers_look(w->o);
    fake_answer_execution(CALL_GET, 0, &e);
    fake_pass(0);
    assert_int_equal(fake_engine.stops, 1);
    assert_true(fake_exists(path));
    fake_engine.liveness = RUNDIR_DEAD;
    fake_pass(300);
    assert_false(fake_exists(path));
}

static void test_leftovers__not_ended_or_unknown__left_alone(void **state)
{
    struct world *w = *state;
    struct execution e[3] = {fake_row(1, EXEC_RUNNING), fake_row(2, EXEC_FAILED),
                             fake_row(3, EXEC_FAILED)};
    char path[3][320];
    for (int i = 0; i < 3; i++)
        make(w, &e[i], path[i], sizeof path[i]);
    leftovers_look(w->o);
    fake_engine.liveness = RUNDIR_DEAD;
    for (int i = 0; i < 3; i++) { /* in the directory's order */
        struct fake_call c = fake_take(CALL_GET);
        int at = strcmp(c.id.hex, e[0].id.hex) == 0   ? 0
                 : strcmp(c.id.hex, e[1].id.hex) == 0 ? 1
                                                      : 2;
        c.fn.execution(c.user, at == 1 ? ERR_NOT_FOUND : 0, at == 1 ? NULL : &e[at]);
    }
    assert_int_equal(fake_waiting(CALL_GET), 0);
    fake_pass(0);
    assert_true(fake_exists(path[0]));
    assert_true(fake_exists(path[1]));
    assert_false(fake_exists(path[2]));
}

static void test_leftovers__live_and_foreign_names__not_asked_for(void **state)
{
    struct world *w = *state;
    char path[320];
    (void)fake_live(w, 1, EXEC_RUNNING);
    (void)snprintf(path, sizeof path, "%s/something", w->o->runs_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    leftovers_look(w->o);
    assert_int_equal(fake_waiting(CALL_GET), 0);
    assert_true(fake_exists(path));
}

static void test_leftovers__errors__given_up_quietly(void **state)
{
    struct world *w = *state;
    struct execution e = fake_row(1, EXEC_FAILED);
    char path[320];
    make(w, &e, path, sizeof path);
    fake_stores_return(ERR_LIMIT);
    leftovers_look(w->o);
    fake_stores_return(0);
    leftovers_look(w->o);
    orchestrator_free(TAKE_PTR(w->o));
    fake_answer_execution(CALL_GET, 0, &e);
    assert_true(fake_exists(path));
}

static void test_leftovers__no_directory__nothing(void **state)
{
    struct world *w = *state;
    assert_int_equal(rmdir(w->o->runs_dir), 0);
    leftovers_look(w->o);
    assert_int_equal(fake_waiting(CALL_GET), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_leftovers__ended__removed),
        TEST(test_leftovers__ended_but_the_runner_lives__stopped_first),
        TEST(test_leftovers__not_ended_or_unknown__left_alone),
        TEST(test_leftovers__live_and_foreign_names__not_asked_for),
        TEST(test_leftovers__errors__given_up_quietly),
        TEST(test_leftovers__no_directory__nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
