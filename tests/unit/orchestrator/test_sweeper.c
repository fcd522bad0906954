/* The sweep on the real loop and thread pool; the wall clock is moved on. */
#include "orchestrator/workspace.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include "../base/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_A "00004fe60000000100000000000000aa"
#define ID_B "00004fe60000000200000000000000bb"

static int64_t ahead_us;
int64_t __real_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void)
{
    return __real_clock_wall_us() + ahead_us;
}

struct place {
    char dir[64];
    struct loop *loop;
    struct sweeper *s;
    const char *live;
};

static bool keep(void *user, const char *id)
{
    const struct place *p = user;
    return str_eq(p->live, id);
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    log_setup(LOG_ERROR, LOG_LOGFMT);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/sweeper.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_int_equal(loop_new(&p->loop), 0);
    ahead_us = 0;
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[192];
    sweeper_free(p->s);
    loop_free(p->loop);
    (void)snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0); /* NOLINT: a fixed path of our own */
    free(p);
    return 0;
}

static void make(const struct place *p, const char *name)
{
    char path[192];
    (void)snprintf(path, sizeof path, "%s/%s", p->dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static bool is_there(const struct place *p, const char *name)
{
    char path[192];
    (void)snprintf(path, sizeof path, "%s/%s", p->dir, name);
    return access(path, F_OK) == 0;
}

static void wait_gone(const struct place *p, const char *name)
{
    int64_t deadline = clock_mono_ms() + 60000;
    while ((is_there(p, name) || sweeper_is_busy(p->s)) && clock_mono_ms() < deadline)
        assert_int_equal(loop_turn(p->loop, 100), 0);
    assert_false(is_there(p, name));
}

static void wait_idle(const struct place *p)
{
    int64_t deadline = clock_mono_ms() + 60000;
    assert_int_equal(loop_turn(p->loop, 100), 0);
    while (sweeper_is_busy(p->s) && clock_mono_ms() < deadline)
        assert_int_equal(loop_turn(p->loop, 100), 0);
    assert_false(sweeper_is_busy(p->s));
}

static void test_sweeper__retention_over__removes_only_ended_workspaces(void **state)
{
    struct place *p = *state;
    make(p, ID_A);
    make(p, ID_B);
    make(p, "something-else");
    p->live = ID_B;
    assert_int_equal(sweeper_new(p->loop, p->dir, 3600 * 1000, keep, p, &p->s), 0);
    ahead_us = INT64_C(3601) * 1000000;
    sweeper_start(p->s);
    wait_gone(p, ID_A);
    assert_true(is_there(p, ID_B));
    assert_true(is_there(p, "something-else"));
}

static void test_sweeper__within_retention__stays(void **state)
{
    struct place *p = *state;
    make(p, ID_A);
    assert_int_equal(sweeper_new(p->loop, p->dir, 3600 * 1000, keep, p, &p->s), 0);
    sweeper_start(p->s);
    wait_idle(p);
    assert_true(is_there(p, ID_A));
    sweeper_note_end(p->s); /* far away: the interval is soon enough */
    assert_true(is_there(p, ID_A));
}

static void test_sweeper_note_end__short_retention__removed_soon_after(void **state)
{
    struct place *p = *state;
    assert_int_equal(sweeper_new(p->loop, p->dir, 30, keep, p, &p->s), 0);
    sweeper_start(p->s);
    wait_idle(p);
    make(p, ID_A);
    sweeper_note_end(p->s);
    sweeper_note_end(p->s);
    wait_gone(p, ID_A);
}

static void test_sweeper__no_directory__goes_on(void **state)
{
    struct place *p = *state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/none", p->dir);
    assert_int_equal(sweeper_new(p->loop, path, -5, keep, p, &p->s), 0);
    sweeper_start(p->s);
    wait_idle(p);
    make(p, "none");
    make(p, "none/" ID_A);
    sweeper_note_end(p->s);
    wait_gone(p, "none/" ID_A);
}

static void test_sweeper_free__busy__job_ends_alone(void **state)
{
    struct place *p = *state;
    make(p, ID_A);
    assert_int_equal(sweeper_new(p->loop, p->dir, 0, keep, p, &p->s), 0);
    ahead_us = INT64_C(1000) * 1000000;
    sweeper_start(p->s);
    while (!sweeper_is_busy(p->s))
        assert_int_equal(loop_turn(p->loop, 100), 0);
    sweeper_free(TAKE_PTR(p->s));
    sweeper_free(NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_turn(p->loop, 20), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sweeper__retention_over__removes_only_ended_workspaces),
        TEST(test_sweeper__within_retention__stays),
        TEST(test_sweeper_note_end__short_retention__removed_soon_after),
        TEST(test_sweeper__no_directory__goes_on),
        TEST(test_sweeper_free__busy__job_ends_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
