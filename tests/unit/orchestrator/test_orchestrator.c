/* Birth, heartbeat and end. */
#include "fake.h"

#include "base/log.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int new_with(const struct world *w, const struct orchestrator_opts *opts,
                    struct orchestrator **ret)
{
    (void)w;
    return orchestrator_new(NULL, NULL, NULL, NULL, &fake_engine.base, opts, ret);
}

static void test_orchestrator_new__directories_and_modes(void **state)
{
    struct world *w = *state;
    struct stat st;
    assert_int_equal(stat(w->o->runs_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(w->o->workspaces_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0711 : 0700);
    /* Again over what is there, with other modes. */
    assert_int_equal(chmod(w->o->runs_dir, 0755), 0);
    struct orchestrator_opts opts = fake_opts(w);
    struct orchestrator *o;
    assert_int_equal(new_with(w, &opts, &o), 0);
    assert_int_equal(stat(w->o->runs_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    orchestrator_free(o);
}

static void test_orchestrator_new__no_state_directory__error(void **state)
{
    struct world *w = *state;
    struct orchestrator_opts opts = fake_opts(w);
    struct orchestrator *o = NULL;
    opts.state_dir = "/nonexistent/state";
    assert_int_equal(new_with(w, &opts, &o), ERR_SYS);
    assert_null(o);
}

struct user_row {
    const char *run_user;
    int wanted;
};

static void test_orchestrator_new__run_user__never_root(void **state)
{
    struct world *w = *state;
    static const struct user_row rows[] = {
        {"nobody", 0},     {"root", ERR_INVALID}, {"no-such-user", ERR_INVALID},
        {"", ERR_INVALID}, {NULL, ERR_INVALID},
    };
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct orchestrator_opts opts = fake_opts(w);
        struct orchestrator *o = NULL;
        opts.run_user = rows[i].run_user;
        assert_int_equal(new_with(w, &opts, &o), rows[i].wanted);
        if (rows[i].wanted == 0) {
            assert_true(o->set_ids && o->uid != 0);
            assert_string_equal(o->user_name, "nobody");
        }
        orchestrator_free(o);
    }
}

/* As an ordinary user: commands run as ourselves, whatever is asked for. */
uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
static uid_t fake_uid;
uid_t __wrap_geteuid(void)
{
    return fake_uid ? fake_uid : __real_geteuid();
}

static void test_orchestrator_new__ordinary_user__commands_run_as_it(void **state)
{
    struct world *w = *state;
    static const uid_t uids[] = {65534, 54321};
    for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
        struct orchestrator_opts opts = fake_opts(w);
        struct orchestrator *o;
        fake_uid = uids[i];
        const struct passwd *pw = getpwuid(fake_uid);
        opts.run_user = "root";
        assert_int_equal(new_with(w, &opts, &o), 0);
        fake_uid = 0;
        assert_false(o->set_ids);
        assert_int_equal(o->uid, uids[i]);
        assert_string_equal(o->user_name, pw ? pw->pw_name : "54321");
        orchestrator_free(o);
    }
}

/* ---- Landlock ---- */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
static bool has_no_landlock;
long __wrap_syscall(long number, ...)
{
    if (has_no_landlock && number == 444)
        return -1;
    va_list ap;
    va_start(ap, number);
    long a = va_arg(ap, long), b = va_arg(ap, long), c = va_arg(ap, long), d = va_arg(ap, long);
    va_end(ap);
    return __real_syscall(number, a, b, c, d);
}

static void catch_landlock(void *user, enum log_level level UNUSED, const char *request_id UNUSED,
                           const char *json)
{
    *(bool *)user = *(bool *)user || strstr(json, "no Landlock") != NULL;
}

static void test_orchestrator_new__no_landlock__says_so(void **state)
{
    struct world *w = *state;
    struct orchestrator_opts opts = fake_opts(w);
    log_setup(LOG_WARN, LOG_LOGFMT);
    for (int i = 0; i < 2; i++) {
        struct orchestrator *o;
        bool said = false;
        has_no_landlock = i == 1;
        assert_int_equal(log_add_sink(catch_landlock, &said), 0);
        assert_int_equal(new_with(w, &opts, &o), 0);
        log_remove_sink(catch_landlock, &said);
        orchestrator_free(o);
        if (has_no_landlock)
            assert_true(said);
    }
    has_no_landlock = false;
}

static void test_orchestrator__heartbeat__each_5_s_one_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(fake_waiting(CALL_HEARTBEAT), 0);
    fake_pass(5000);
    assert_int_equal(fake_waiting(CALL_HEARTBEAT), 1);
    fake_pass(20000);
    assert_int_equal(fake_waiting(CALL_HEARTBEAT), 1);
    fake_answer_batch(CALL_HEARTBEAT, ERR_DB_AWAY);
    fake_stores_return(ERR_LIMIT);
    fake_pass(5000);
    fake_stores_return(0);
    fake_pass(5000);
    fake_answer_batch(CALL_HEARTBEAT, 0);
}

static void test_orchestrator_free__heartbeat_in_flight(void **state)
{
    struct world *w = *state;
    fake_pass(5000);
    orchestrator_free(TAKE_PTR(w->o));
    fake_answer_batch(CALL_HEARTBEAT, ERR_CLOSED);
    orchestrator_free(NULL);
}

static void test_orchestrator_is_ready__needs_start_and_database(void **state)
{
    struct world *w = *state;
    assert_true(orchestrator_is_ready(w->o));
    fake_set_pool_ready(false);
    assert_false(orchestrator_is_ready(w->o));
    fake_set_pool_ready(true);
    orchestrator_leave(w->o);
    assert_false(orchestrator_is_ready(w->o));
}

static void test_orchestrator_free__live_runs__left_alone(void **state)
{
    struct world *w = *state;
    char run_dir[256];
    struct live *l = fake_live(w, 1, EXEC_RUNNING);
    (void)snprintf(run_dir, sizeof run_dir, "%s", l->run_dir);
    orchestrator_free(TAKE_PTR(w->o));
    assert_null(fake_engine.user); /* forgotten */
    assert_int_equal(fake_engine.stops, 0);
    assert_true(fake_exists(run_dir));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_orchestrator_new__directories_and_modes),
        TEST(test_orchestrator_new__no_state_directory__error),
        TEST(test_orchestrator_new__run_user__never_root),
        TEST(test_orchestrator_new__ordinary_user__commands_run_as_it),
        TEST(test_orchestrator_new__no_landlock__says_so),
        TEST(test_orchestrator__heartbeat__each_5_s_one_at_a_time),
        TEST(test_orchestrator_free__heartbeat_in_flight),
        TEST(test_orchestrator_is_ready__needs_start_and_database),
        TEST(test_orchestrator_free__live_runs__left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
