#include "gateway/state_dir.h"

#include "base/err.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[128];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tg-state-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/deep/state", dir);
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* The lock is a process's: what another one is told. */
static int take_elsewhere(const char *wanted)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct buf error = {.max = 1024};
        int fd = -1;
        int err = state_dir_take(path, &error, &fd);
        _exit(err == 0 ? 0 : err == ERR_CONFLICT && strstr(error.data, wanted) ? 1 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_state_dir_take__new__made_and_locked(void **state)
{
    struct buf error CLEANUP_BUF = {.max = 1024};
    struct stat st;
    char text[32] = "", wanted[64];
    int fd = -1;
    (void)state;
    assert_int_equal(state_dir_take(path, &error, &fd), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, geteuid() == 0 ? 0711 : 0700);
    assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
    (void)snprintf(wanted, sizeof(wanted), "%ld\n", (long)getpid());
    assert_string_equal(text, wanted);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    (void)snprintf(wanted, sizeof(wanted), "is in use by process %ld", (long)getpid());
    assert_int_equal(take_elsewhere(wanted), 1);
    (void)close(fd);
    assert_int_equal(take_elsewhere(wanted), 0); /* free again */
}

static void test_state_dir_take__child_of_a_killed_server__free(void **state)
{
    struct buf error CLEANUP_BUF = {.max = 1024};
    int fd = -1, status = 0, tell[2], wait[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(tell), 0);
    assert_int_equal(pipe(wait), 0);
    pid_t server = fork();
    if (server == 0) {
        (void)close(wait[1]);
        int err = state_dir_take(path, &error, &fd);
        if (fork() == 0) /* as between fork and exec: it has all that the server had open */
            _exit(read(wait[0], &byte, 1) == 0 ? 0 : 1);
        _exit(write(tell[1], err == 0 ? "y" : "n", 1) == 1 ? 0 : 1);
    }
    assert_int_equal(read(tell[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_int_equal(state_dir_take(path, &error, &fd), 0);
    (void)close(fd);
    for (int i = 0; i < 2; i++) { /* lets the child go */
        (void)close(tell[i]);
        (void)close(wait[i]);
    }
}

static void test_state_dir_take__unusable__one_line(void **state)
{
    struct buf error CLEANUP_BUF = {.max = 8192};
    static char long_path[5000];
    int fd = -1;
    (void)state;
    assert_int_equal(state_dir_take("/proc/nothing/here", &error, &fd), ERR_SYS);
    assert_non_null(strstr(error.data, "/proc/nothing/here"));
    assert_null(strchr(error.data, '\n'));
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[0] = '/';
    assert_int_equal(state_dir_take(long_path, &error, &fd), ERR_SYS);
    assert_int_equal(mkdir(path, 0700), -1);
    assert_int_equal(fd, -1);
}

static void test_state_dir_take__lock_is_a_link__refused(void **state)
{
    struct buf error CLEANUP_BUF = {.max = 1024};
    char lock[160];
    int fd = -1;
    (void)state;
    (void)snprintf(lock, sizeof(lock), "%s/lock", dir);
    assert_int_equal(symlink("/tmp/elsewhere", lock), 0);
    assert_int_equal(state_dir_take(dir, &error, &fd), ERR_SYS);
}

static void test_state_dir_gateway_id__kept(void **state)
{
    struct buf error CLEANUP_BUF = {.max = 1024};
    char first[GATEWAY_ID_SIZE], second[GATEWAY_ID_SIZE], file[160];
    (void)state;
    assert_int_equal(state_dir_gateway_id(dir, &error, first), 0);
    assert_int_equal(strlen(first), 32);
    assert_int_equal(state_dir_gateway_id(dir, &error, second), 0);
    assert_string_equal(first, second);
    (void)snprintf(file, sizeof(file), "%s/gateway.id", dir);
    assert_int_equal(truncate(file, 5), 0);
    assert_int_equal(state_dir_gateway_id(dir, &error, second), ERR_SYS);
    assert_non_null(strstr(error.data, "gateway.id"));
    assert_int_equal(state_dir_gateway_id("/proc/nothing", &error, second), ERR_SYS);
}

static void test_state_dir_gateway_id__half_made_one__made_anew(void **state)
{
    struct buf error CLEANUP_BUF = {.max = 1024};
    char first[GATEWAY_ID_SIZE], second[GATEWAY_ID_SIZE], file[160];
    (void)state;
    (void)snprintf(file, sizeof(file), "%s/gateway.id.new", dir);
    assert_int_equal(close(open(file, O_WRONLY | O_CREAT, 0600)), 0);
    assert_int_equal(state_dir_gateway_id(dir, &error, first), 0);
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(state_dir_gateway_id(dir, &error, second), 0);
    assert_string_equal(first, second);
}

static void test_state_dir_default__by_environment(void **state)
{
    char *got = NULL;
    (void)state;
    assert_int_equal(state_dir_default(&got), 0);
    assert_int_equal(got[0], '/');
    assert_non_null(strstr(got, "tailgate"));
    free(got);
}

static void test_state_dir_make_absolute__relative_only(void **state)
{
    char cwd[4096], *whole = strdup("/a/b"), *relative = strdup("a/b");
    (void)state;
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_int_equal(state_dir_make_absolute(&whole), 0);
    assert_string_equal(whole, "/a/b");
    assert_int_equal(state_dir_make_absolute(&relative), 0);
    assert_int_equal(strncmp(relative, cwd, strlen(cwd)), 0);
    assert_string_equal(relative + strlen(cwd), "/a/b");
    free(relative);
    relative = strdup("c");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(state_dir_make_absolute(&relative), 0);
    assert_string_equal(relative, "/c");
    assert_int_equal(chdir(cwd), 0);
    free(relative);
    free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_dir_make_absolute__relative_only),
        cmocka_unit_test_setup_teardown(test_state_dir_take__new__made_and_locked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_state_dir_take__child_of_a_killed_server__free, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_state_dir_take__unusable__one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_state_dir_take__lock_is_a_link__refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_state_dir_gateway_id__kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_state_dir_gateway_id__half_made_one__made_anew, setup,
                                        teardown),
        cmocka_unit_test(test_state_dir_default__by_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
