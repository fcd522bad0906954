/* The lock as liveness, with real processes: POSIX locks belong to processes. */
#include "spool/rundir.h"

#include "golden.h"

#include <signal.h>
#include <sys/wait.h>

struct dir {
    char path[40];
    int fd;
};

static int setup(void **state)
{
    struct dir *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return -1;
    snprintf(d->path, sizeof(d->path), "/tmp/tailgate-lock-test.XXXXXX");
    if (mkdtemp(d->path) == NULL)
        return -1;
    d->fd = rundir_open(d->path);
    *state = d;
    return d->fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct dir *d = *state;
    close(d->fd);
    int rc = rundir_remove(d->path);
    free(d);
    return rc;
}

/* A process that takes the lock, tells what rundir_lock said, and waits for a signal. */
static pid_t holder(const struct dir *d, int *ret_rc)
{
    int p[2];
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int rc = rundir_lock(d->fd);
        if (write(p[1], &rc, sizeof(rc)) != sizeof(rc) || rc < 0)
            _exit(1);
        for (;;)
            pause();
    }
    close(p[1]);
    assert_int_equal(read(p[0], ret_rc, sizeof(*ret_rc)), sizeof(*ret_rc));
    close(p[0]);
    return pid;
}

static void assert_liveness(const struct dir *d, enum rundir_liveness want, pid_t want_pid)
{
    enum rundir_liveness live = RUNDIR_NOT_STARTED;
    pid_t pid = -1;
    assert_int_equal(rundir_liveness(d->fd, &live, &pid), 0);
    assert_int_equal(live, want);
    assert_int_equal(pid, want_pid);
}

static void test_lock__life_of_a_holder__seen(void **state)
{
    struct dir *d = *state;
    int rc = 0;
    int status = 0;
    assert_liveness(d, RUNDIR_NOT_STARTED, 0);
    assert_int_equal(rundir_signal(d->fd, SIGTERM), -ESRCH);
    pid_t pid = holder(d, &rc);
    assert_true(rc >= 0);
    assert_liveness(d, RUNDIR_ALIVE, pid);
    char text[16] = {0};
    int fd = rundir_open_file(d->fd, RUNDIR_LOCK, false);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_int_equal(strtol(text, NULL, 10), pid);
    assert_int_equal(rundir_signal(d->fd, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_liveness(d, RUNDIR_DEAD, 0);
    assert_int_equal(rundir_signal(d->fd, SIGTERM), -ESRCH);
}

static void test_lock__second__refused_dead_or_alive(void **state)
{
    struct dir *d = *state;
    int rc = 0;
    pid_t first = holder(d, &rc);
    assert_true(rc >= 0);
    for (int i = 0; i < 2; i++) {
        pid_t second = holder(d, &rc);
        assert_int_equal(rc, -EEXIST);
        assert_int_equal(waitpid(second, NULL, 0), second);
        if (i == 0) {
            assert_liveness(d, RUNDIR_ALIVE, first); /* the second one's closing changed nothing */
            assert_int_equal(kill(first, SIGKILL), 0);
            assert_int_equal(waitpid(first, NULL, 0), first);
        }
    }
    assert_liveness(d, RUNDIR_DEAD, 0);
}

static void assert_one_winner(const struct dir *d)
{
    enum { RACERS = 8 };
    pid_t pids[RACERS];
    int p[2];
    int winners = 0;
    assert_int_equal(pipe(p), 0);
    for (int i = 0; i < RACERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            int rc = rundir_lock(d->fd);
            if (write(p[1], &rc, sizeof(rc)) != sizeof(rc))
                _exit(1);
            pause();
            _exit(0);
        }
    }
    for (int i = 0; i < RACERS; i++) {
        int rc = 0;
        assert_int_equal(read(p[0], &rc, sizeof(rc)), sizeof(rc));
        assert_true(rc >= 0 || rc == -EEXIST);
        winners += rc >= 0;
    }
    assert_int_equal(winners, 1);
    for (int i = 0; i < RACERS; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    close(p[0]);
    close(p[1]);
}

static void test_lock__race__one_winner(void **state)
{
    assert_one_winner(*state);
}

static void test_lock__race_for_a_prepared_one__one_winner(void **state)
{
    struct dir *d = *state;
    assert_int_equal(rundir_prepare_lock(d->fd), 0);
    assert_one_winner(d);
}

static void test_lock__prepared__not_started_until_it_is_taken(void **state)
{
    struct dir *d = *state;
    int rc = 0;
    assert_int_equal(rundir_prepare_lock(d->fd), 0);
    assert_liveness(d, RUNDIR_NOT_STARTED, 0);
    pid_t pid = holder(d, &rc);
    assert_true(rc >= 0);
    assert_liveness(d, RUNDIR_ALIVE, pid);
    assert_int_equal(rundir_prepare_lock(d->fd), 0); /* changes nothing */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_liveness(d, RUNDIR_DEAD, 0);
    pid = holder(d, &rc);
    assert_int_equal(rc, -EEXIST);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_lock__impossible__errno(void **state)
{
    enum rundir_liveness live = RUNDIR_NOT_STARTED;
    pid_t pid = 0;
    assert_int_equal(rundir_lock(-1), -EBADF);
    assert_int_equal(rundir_liveness(-1, &live, &pid), -EBADF);
    assert_int_equal(rundir_signal(-1, SIGTERM), -EBADF);
    (void)state;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_lock__life_of_a_holder__seen),
        T(test_lock__second__refused_dead_or_alive),
        T(test_lock__race__one_winner),
        T(test_lock__race_for_a_prepared_one__one_winner),
        T(test_lock__prepared__not_started_until_it_is_taken),
        cmocka_unit_test(test_lock__impossible__errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
