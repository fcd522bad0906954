/* What a launch leaves on disk, and what becomes of it when it cannot. */
#include "base/str.h"
#include "spool/spec.h"

#include "fake.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct live *launch(struct world *w, struct plan *plan)
{
    struct live *l;
    struct execution row = fake_row(1, EXEC_STARTING);
    row.timeout_s = 60;
    row.tty = true;
    assert_int_equal(live_new(w->o, &row, &l), 0);
    live_launch(l, plan);
    return l;
}

static bool has(char *const *env, const char *text)
{
    for (; *env; env++) {
        if (strcmp(*env, text) == 0)
            return true;
    }
    return false;
}

static void test_live_launch__spec_says_all(void **state)
{
    struct world *w = *state;
    struct plan plan;
    plan_init(&plan);
    assert_int_equal(plan_set(&plan, "GREETING", "hello", false), 0);
    struct run_spec spec;
    strings_free(w->o->read_paths);
    w->o->read_paths = paths_split("/opt:/srv");
    w->o->opts.spool_full_fails = true;
    struct live *l = launch(w, &plan);
    assert_int_equal(fake_engine.starts, 1);
    int dirfd = rundir_open(l->run_dir);
    assert_true(dirfd >= 0);
    assert_int_equal(run_spec_read(dirfd, &spec), 0);
    close(dirfd);
    assert_string_equal(spec.id, l->row.id.hex);
    assert_string_equal(spec.command, "true");
    assert_string_equal(spec.workspace, l->workspace);
    assert_true(has(spec.env, "GREETING=hello"));
    assert_true(spec.tty);
    assert_int_equal(spec.timeout_ms, 60000);
    assert_int_equal(spec.grace_ms, 10000);
    assert_int_equal(spec.drain_ms, 100);
    assert_int_equal(spec.spool_max, 1 << 20);
    assert_int_equal(spec.spool_full, SPEC_SPOOL_FULL_FAIL);
    assert_string_equal(spec.read_paths[1], "/srv");
    if (geteuid() == 0) {
        assert_true(spec.set_ids && spec.uid != 0);
        assert_int_equal(spec.sandbox, SPEC_SANDBOX_SCOPE);
    } else {
        assert_false(spec.set_ids);
        assert_int_equal(spec.sandbox, SPEC_SANDBOX_FILES);
    }
    run_spec_done(&spec);
}

static void test_live_launch__container__paths_user_and_variables_of_the_image(void **state)
{
    struct world *w = *state;
    struct plan plan;
    struct run_spec spec;
    plan_init(&plan);
    fake_engine.base.ops = &fake_container_ops;
    assert_int_equal(str_set(&w->o->container_user, "node"), 0);
    assert_int_equal(plan_set(&plan, "GREETING", "hello", false), 0);
    struct live *l = launch(w, &plan);
    int dirfd = rundir_open(l->run_dir);
    assert_true(dirfd >= 0);
    assert_int_equal(run_spec_read(dirfd, &spec), 0);
    close(dirfd);
    assert_int_equal(spec.sandbox, SPEC_SANDBOX_CONTAINER);
    assert_string_equal(spec.user, "node");
    assert_false(spec.set_ids);
    assert_string_equal(spec.workspace, "/workspace");
    assert_true(has(spec.env, "HOME=/workspace"));
    assert_true(has(spec.env, "PWD=/workspace"));
    assert_true(has(spec.env, "GREETING=hello"));
    for (char **v = spec.env; *v; v++)
        assert_false(str_starts_with(*v, "PATH=") || str_starts_with(*v, "USER="));
    run_spec_done(&spec);
}

static void test_live_launch__files_are_private(void **state)
{
    struct world *w = *state;
    struct plan plan;
    plan_init(&plan);
    struct stat st;
    struct live *l = launch(w, &plan);
    assert_int_equal(stat(w->o->runs_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(l->run_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(l->workspace, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(st.st_uid, w->o->uid);
}

static void test_live_launch__no_workspace__start_failed_with_a_line(void **state)
{
    struct world *w = *state;
    struct plan plan;
    plan_init(&plan);
    assert_int_equal(rmdir(w->o->workspaces_dir), 0);
    struct live *l = launch(w, &plan);
    assert_int_equal(fake_engine.starts, 0);
    assert_int_equal(l->feed->state.status, EXEC_FAILED);
    assert_string_equal(l->feed->state.reason, "start_failed");
    assert_non_null(strstr(l->feed->line, "No such file or directory"));
    char run_dir[256];
    (void)snprintf(run_dir, sizeof run_dir, "%s", l->run_dir);
    fake_engine.liveness = RUNDIR_NOT_STARTED;
    fake_commit(l->feed);
    fake_pass(0);
    assert_true(list_is_empty(&w->o->lives));
    assert_false(fake_exists(run_dir));
}

static void test_live_launch__no_run_directory__ended_in_postgres(void **state)
{
    struct world *w = *state;
    struct plan plan;
    plan_init(&plan);
    assert_int_equal(rmdir(w->o->runs_dir), 0);
    struct live *l = launch(w, &plan);
    assert_null(l->feed);
    fake_pass(0);
    struct execution row = fake_row(1, EXEC_STARTING);
    fake_answer_execution(CALL_GET, 0, &row);
    fake_answer_batch(CALL_SUBMIT, 0);
    assert_string_equal(fake_published.reason, "start_failed");
}

static void test_live_launch__feed_cannot_open__ended_in_postgres(void **state)
{
    struct world *w = *state;
    struct plan plan;
    plan_init(&plan);
    fake_feed_open_returns(ERR_CORRUPT);
    struct live *l = launch(w, &plan);
    assert_null(l->feed);
    assert_int_equal(l->end_event, RUN_START_FAILED);
}

static void test_live_launch__engine_refuses__start_failed(void **state)
{
    struct world *w = *state;
    struct plan plan;
    plan_init(&plan);
    fake_engine.start_err = ERR_SYS;
    struct live *l = launch(w, &plan);
    assert_string_equal(l->feed->state.reason, "start_failed");
    assert_non_null(strstr(l->feed->line, "engine fake"));
}

/* A secret of 2,000 bytes. */
static struct live *launch_with_long_secret(struct world *w)
{
    char value[2001];
    struct plan plan;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    plan_init(&plan);
    assert_int_equal(plan_set(&plan, "LONG", value, true), 0);
    return launch(w, &plan);
}

static void test_live_launch__long_secrets__lines_wait_for_what_is_secret(void **state)
{
    struct world *w = *state;
    fake_hold_work(true);
    struct live *l = launch_with_long_secret(w);
    assert_int_equal(fake_engine.starts, 1);
    assert_true(l->feed->is_held);
    fake_do_work(0);
    assert_false(l->feed->is_held);
    assert_true(l->feed->is_redacting);
    assert_null(l->redactor_job);
    fake_hold_work(false);
}

static void test_live_launch__what_is_secret_cannot_be_known__stopped_and_failed(void **state)
{
    struct world *w = *state;
    fake_hold_work(true);
    struct live *l = launch_with_long_secret(w);
    fake_do_work(ERR_CLOSED);
    assert_true(l->feed->is_held);
    assert_true(l->is_breaking);
    assert_int_equal(live_state(l)->status, EXEC_FAILED);
    fake_hold_work(false);
}

static void test_live_launch__freed_while_secrets_are_prepared__forgotten(void **state)
{
    struct world *w = *state;
    fake_hold_work(true);
    live_free(launch_with_long_secret(w));
    fake_do_work(0);
    assert_int_equal(orchestrator_live_count(w->o), 0);
    fake_hold_work(false);
}

static void test_live_launch__no_thread_for_long_secrets__not_started(void **state)
{
    struct world *w = *state;
    (void)launch_with_long_secret(w);
    assert_int_equal(fake_engine.starts, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_live_launch__spec_says_all),
        TEST(test_live_launch__long_secrets__lines_wait_for_what_is_secret),
        TEST(test_live_launch__what_is_secret_cannot_be_known__stopped_and_failed),
        TEST(test_live_launch__freed_while_secrets_are_prepared__forgotten),
        TEST(test_live_launch__no_thread_for_long_secrets__not_started),
        TEST(test_live_launch__container__paths_user_and_variables_of_the_image),
        TEST(test_live_launch__files_are_private),
        TEST(test_live_launch__no_workspace__start_failed_with_a_line),
        TEST(test_live_launch__no_run_directory__ended_in_postgres),
        TEST(test_live_launch__feed_cannot_open__ended_in_postgres),
        TEST(test_live_launch__engine_refuses__start_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
