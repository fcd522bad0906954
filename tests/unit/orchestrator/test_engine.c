/* Liveness as all engines tell it: by the lock. */
#include "orchestrator/engine.h"

#include "base/err.h"

#include "../base/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "00004fe60000000100000000000000aa"

static void test_engine_liveness__not_started_alive_dead(void **state)
{
    char dir[] = "/tmp/engine.XXXXXX", run_dir[64], byte = 0;
    enum rundir_liveness live = RUNDIR_ALIVE;
    int told[2], over[2];
    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(run_dir, sizeof run_dir, "%s/run", dir);
    assert_int_equal(engine_liveness(run_dir, &live), ERR_NOT_FOUND);
    assert_int_equal(rundir_create(run_dir, ID, 1), 0);
    assert_int_equal(engine_liveness(run_dir, &live), 0);
    assert_int_equal(live, RUNDIR_NOT_STARTED);
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(over), 0);
    pid_t runner = fork();
    if (runner == 0) {
        int dirfd = rundir_open(run_dir);
        int lock = rundir_lock(dirfd);
        byte = (char)(lock >= 0);
        if (write(told[1], &byte, 1) != 1 || read(over[0], &byte, 1) != 1)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    assert_int_equal(engine_liveness(run_dir, &live), 0);
    assert_int_equal(live, RUNDIR_ALIVE);
    assert_int_equal(write(over[1], &byte, 1), 1);
    assert_int_equal(waitpid(runner, NULL, 0), runner);
    assert_int_equal(engine_liveness(run_dir, &live), 0);
    assert_int_equal(live, RUNDIR_DEAD);
    for (int i = 0; i < 2; i++) {
        close(told[i]);
        close(over[i]);
    }
    assert_int_equal(rundir_remove(run_dir), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void test_engine_liveness__no_directory_at_all__not_found(void **state)
{
    enum rundir_liveness live = RUNDIR_ALIVE;
    (void)state;
    assert_int_equal(engine_liveness("/dev/null/run", &live), ERR_SYS);
    assert_int_equal(engine_liveness("/nonexistent/run", &live), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engine_liveness__not_started_alive_dead),
        cmocka_unit_test(test_engine_liveness__no_directory_at_all__not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
