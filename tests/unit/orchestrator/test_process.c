/* Engine `process` on the real loop: shell scripts in the runner's place, and the real runner. */
#include "orchestrator/engines/process.h"

#include "base/clock.h"
#include "base/log.h"
#include "spool/reader.h"
#include "spool/spec.h"

#include "../base/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "00004fe60000000100000000000000aa"

struct place {
    char dir[64], run_dir[128], runner[128];
    struct loop *loop;
    struct engine *e;
    int started, err, gone;
    struct problem p;
    bool forgets; /* inside started */
};

static void on_started(void *user, int err, const struct problem *p)
{
    struct place *pl = user;
    pl->started++;
    pl->err = err;
    if (p)
        pl->p = *p;
    if (pl->forgets)
        pl->e->ops->forget(pl->e, pl);
}

static void on_gone(void *user)
{
    struct place *pl = user;
    pl->gone++;
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    log_setup(LOG_ERROR, LOG_LOGFMT);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/process.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->run_dir, sizeof p->run_dir, "%s/run", p->dir);
    (void)snprintf(p->runner, sizeof p->runner, "%s/runner", p->dir);
    assert_int_equal(rundir_create(p->run_dir, ID, 1), 0);
    assert_int_equal(loop_new(&p->loop), 0);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[192];
    if (p->e)
        p->e->ops->free(p->e);
    loop_free(p->loop);
    (void)snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0); /* NOLINT: a fixed path of our own */
    free(p);
    return 0;
}

/* A runner that is this script; $1 is the run directory. */
static void use_script(struct place *p, const char *script)
{
    FILE *f = fopen(p->runner, "we");
    assert_non_null(f);
    assert_true(fprintf(f, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(p->runner, 0755), 0);
    assert_int_equal(engine_process_new(p->loop, p->runner, &p->e), 0);
}

static int start(struct place *p)
{
    const struct engine_run run = {.run_dir = p->run_dir};
    const struct engine_start fns = {.started = on_started, .on_gone = on_gone};
    return p->e->ops->start(p->e, &run, &fns, p);
}

static void turn_until(struct place *p, const int *counter, int wanted)
{
    int64_t deadline = clock_mono_ms() + 60000;
    while (*counter < wanted && clock_mono_ms() < deadline)
        assert_int_equal(loop_turn(p->loop, 100), 0);
    assert_int_equal(*counter, wanted);
}

static void test_process__named(void **state)
{
    struct place *p = *state;
    use_script(p, "exit 0");
    assert_string_equal(p->e->ops->name, "process");
    assert_string_equal(p->e->ops->image, "host");
}

static void test_process_start__no_such_program__error_and_no_call(void **state)
{
    struct place *p = *state;
    assert_int_equal(engine_process_new(p->loop, "/nonexistent/runner", &p->e), 0);
    assert_true(start(p) < 0);
    assert_int_equal(loop_turn(p->loop, 20), 0);
    assert_int_equal(p->started + p->gone, 0);
}

struct failure {
    const char *script, *details;
};

static void test_process_start__ends_without_a_lock__failed(void **state)
{
    struct place *p = *state;
    static const struct failure rows[] = {{"exit 4", "status 4"}, {"kill -9 $$", "signal 9"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        use_script(p, rows[i].script);
        p->started = 0;
        assert_int_equal(start(p), 0);
        assert_int_equal(p->started, 0);
        turn_until(p, &p->started, 1);
        assert_int_equal(p->err, ERR_SYS);
        assert_non_null(strstr(p->p.details, rows[i].details));
        assert_int_equal(p->gone, 0);
        p->e->ops->free(TAKE_PTR(p->e));
    }
}

static void test_process_start__lock_appears__started_then_gone(void **state)
{
    struct place *p = *state;
    char go[160];
    use_script(p, "echo $$ >$1/lock; while [ ! -e $1/../go ]; do sleep 0.01; done");
    assert_int_equal(start(p), 0);
    turn_until(p, &p->started, 1);
    assert_int_equal(p->err, 0);
    assert_int_equal(p->gone, 0);
    (void)snprintf(go, sizeof go, "%s/go", p->dir);
    int fd = open(go, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    turn_until(p, &p->gone, 1);
    assert_int_equal(p->started, 1);
}

static void test_process_start__ends_at_once_behind_a_lock__started_and_gone(void **state)
{
    struct place *p = *state;
    use_script(p, "echo $$ >$1/lock");
    assert_int_equal(start(p), 0);
    turn_until(p, &p->gone, 1);
    assert_int_equal(p->started, 1);
    assert_int_equal(p->err, 0);
}

static void test_process_start__environment_and_session_of_its_own(void **state)
{
    struct place *p = *state;
    char path[160], text[512] = "";
    use_script(p, "{ tr '\\0' '\\n' </proc/$$/environ; pwd; cut -d' ' -f1,6 /proc/$$/stat; "
                  "ls -l /proc/$$/fd | grep -c -- '->'; } >$1/../out; echo $$ >$1/lock");
    assert_int_equal(setenv("SECRET_OF_THE_SERVER", "x", 1), 0);
    assert_int_equal(start(p), 0);
    turn_until(p, &p->gone, 1);
    (void)snprintf(path, sizeof path, "%s/out", p->dir);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    (void)fclose(f);
    assert_null(strstr(text, "SECRET_OF_THE_SERVER"));
    assert_non_null(strstr(text, "/\n"));
    long pid = 0, session = -1;
    const char *numbers = strstr(text, "/\n") + 2;
    assert_int_equal(sscanf(numbers, "%ld %ld", &pid, &session), 2); /* NOLINT: our own text */
    assert_int_equal(pid, session);
}

static void test_process_forget__no_further_calls(void **state)
{
    struct place *p = *state;
    use_script(p, "sleep 0.05; echo $$ >$1/lock");
    assert_int_equal(start(p), 0);
    p->e->ops->forget(p->e, state); /* somebody else */
    p->e->ops->forget(p->e, p);
    int64_t deadline = clock_mono_ms() + 300;
    while (clock_mono_ms() < deadline)
        assert_int_equal(loop_turn(p->loop, 50), 0);
    assert_int_equal(p->started + p->gone, 0);
}

static void test_process_forget__inside_started__no_gone(void **state)
{
    struct place *p = *state;
    use_script(p, "echo $$ >$1/lock");
    p->forgets = true;
    assert_int_equal(start(p), 0);
    turn_until(p, &p->started, 1);
    int64_t deadline = clock_mono_ms() + 200;
    while (clock_mono_ms() < deadline)
        assert_int_equal(loop_turn(p->loop, 50), 0);
    assert_int_equal(p->gone, 0);
}

static void test_process_free__children_go_on(void **state)
{
    struct place *p = *state;
    use_script(p, "echo $$ >$1/lock");
    assert_int_equal(start(p), 0);
    p->e->ops->free(TAKE_PTR(p->e));
    assert_int_equal(loop_turn(p->loop, 20), 0);
    assert_int_equal(p->started, 0);
}

static void test_process_inspect_and_stop__without_a_runner(void **state)
{
    struct place *p = *state;
    enum rundir_liveness liveness;
    use_script(p, "exit 0");
    assert_int_equal(p->e->ops->inspect(p->e, p->run_dir, &liveness), 0);
    assert_int_equal(liveness, RUNDIR_NOT_STARTED);
    assert_int_equal(p->e->ops->stop(p->e, p->run_dir), ERR_NOT_FOUND);
    assert_int_equal(p->e->ops->inspect(p->e, "/nonexistent/run", &liveness), ERR_NOT_FOUND);
    assert_int_equal(p->e->ops->stop(p->e, "/nonexistent/run"), ERR_NOT_FOUND);
    assert_int_equal(p->e->ops->inspect(p->e, "/etc/passwd", &liveness), ERR_SYS);
    assert_int_equal(p->e->ops->stop(p->e, "/etc/passwd"), ERR_SYS);
}

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
static int64_t ahead_ms;
int64_t __wrap_clock_mono_ms(void)
{
    return __real_clock_mono_ms() + ahead_ms;
}

static void test_process_start__never_begins__killed_and_failed(void **state)
{
    struct place *p = *state;
    char path[160];
    use_script(p, "echo $$ >$1/../pid; exec sleep 600");
    assert_int_equal(start(p), 0);
    (void)snprintf(path, sizeof path, "%s/pid", p->dir);
    while (access(path, F_OK) != 0)
        assert_int_equal(loop_turn(p->loop, 10), 0);
    ahead_ms += 31000;
    turn_until(p, &p->started, 1);
    assert_int_equal(p->err, ERR_TIMEOUT);
    assert_non_null(strstr(p->p.details, "did not begin"));
}

#ifdef RUNNER_PATH
static void write_spec(const struct place *p, const char *command)
{
    char *env[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", NULL};
    char *none[] = {NULL};
    struct run_spec spec = {
        .id = ID,
        .command = (char *)(uintptr_t)command,
        .workspace = (char *)(uintptr_t)p->dir,
        .env = env,
        .grace_ms = 2000,
        .drain_ms = 100,
        .spool_max = 1 << 20,
        .read_paths = none,
        .write_paths = none,
    };
    int dirfd = rundir_open(p->run_dir);
    assert_true(dirfd >= 0);
    assert_int_equal(run_spec_write(dirfd, &spec), 0);
    close(dirfd);
}

static struct spool_exit read_exit(const struct place *p, unsigned *ret_lines)
{
    struct spool_reader *r;
    struct spool_record rec;
    struct spool_exit x;
    int dirfd = rundir_open(p->run_dir), fd = rundir_open_file(dirfd, RUNDIR_SPOOL, false);
    assert_int_equal(spool_reader_new(fd, ID, 0, &r), 0);
    *ret_lines = 0;
    do {
        assert_int_equal(spool_reader_next(r, &rec), 0);
        *ret_lines += rec.kind == SPOOL_KIND_STDOUT;
    } while (rec.kind != SPOOL_KIND_EXIT);
    assert_int_equal(spool_exit_unpack(rec.payload, rec.len, &x), 0);
    spool_reader_free(r);
    close(fd);
    close(dirfd);
    return x;
}

static void test_process__real_runner__runs_a_command(void **state)
{
    struct place *p = *state;
    unsigned lines;
    write_spec(p, "echo one; echo two; exit 7");
    assert_int_equal(engine_process_new(p->loop, RUNNER_PATH, &p->e), 0);
    assert_int_equal(start(p), 0);
    turn_until(p, &p->gone, 1);
    assert_int_equal(p->started, 1);
    assert_int_equal(p->err, 0);
    struct spool_exit x = read_exit(p, &lines);
    assert_int_equal(x.exit_code, 7);
    assert_int_equal(lines, 2);
}

static void test_process__real_runner__started_twice_runs_once_and_stops(void **state)
{
    struct place *p = *state;
    enum rundir_liveness liveness;
    unsigned lines;
    write_spec(p, "echo begun; exec sleep 600");
    assert_int_equal(engine_process_new(p->loop, RUNNER_PATH, &p->e), 0);
    assert_int_equal(start(p), 0);
    assert_int_equal(start(p), 0);
    turn_until(p, &p->started, 2);
    assert_int_equal(p->err, 0);
    turn_until(p, &p->gone, 1); /* the second ends at once */
    assert_int_equal(p->e->ops->inspect(p->e, p->run_dir, &liveness), 0);
    assert_int_equal(liveness, RUNDIR_ALIVE);
    assert_int_equal(p->e->ops->stop(p->e, p->run_dir), 0);
    turn_until(p, &p->gone, 2);
    assert_int_equal(p->e->ops->inspect(p->e, p->run_dir, &liveness), 0);
    assert_int_equal(liveness, RUNDIR_DEAD);
    struct spool_exit x = read_exit(p, &lines);
    assert_true(x.flags & SPOOL_EXIT_STOPPED);
    assert_int_equal(x.signal, SIGTERM);
    assert_int_equal(p->e->ops->stop(p->e, p->run_dir), ERR_NOT_FOUND);
}

static void test_process__real_runner__no_spec__failed(void **state)
{
    struct place *p = *state;
    assert_int_equal(engine_process_new(p->loop, RUNNER_PATH, &p->e), 0);
    assert_int_equal(start(p), 0);
    turn_until(p, &p->started, 1);
    assert_int_equal(p->err, ERR_SYS);
    assert_int_equal(p->gone, 0);
}
#endif

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_process__named),
        TEST(test_process_start__no_such_program__error_and_no_call),
        TEST(test_process_start__ends_without_a_lock__failed),
        TEST(test_process_start__lock_appears__started_then_gone),
        TEST(test_process_start__ends_at_once_behind_a_lock__started_and_gone),
        TEST(test_process_start__environment_and_session_of_its_own),
        TEST(test_process_forget__no_further_calls),
        TEST(test_process_forget__inside_started__no_gone),
        TEST(test_process_free__children_go_on),
        TEST(test_process_inspect_and_stop__without_a_runner),
        TEST(test_process_start__never_begins__killed_and_failed),
#ifdef RUNNER_PATH
        TEST(test_process__real_runner__runs_a_command),
        TEST(test_process__real_runner__started_twice_runs_once_and_stops),
        TEST(test_process__real_runner__no_spec__failed),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
