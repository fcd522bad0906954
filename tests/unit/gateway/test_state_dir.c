#include "gateway/state_dir.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[128];

/* ---- system calls that fail, or say something else, when told to ---- */

static int lock_errno, cut_errno, random_errno, write_errno, rename_errno, chmod_errno;
static uid_t as_uid = (uid_t)-1; /* who we are said to be; -1 = who we are */

static void seams_off(void)
{
    lock_errno = cut_errno = random_errno = write_errno = rename_errno = chmod_errno = 0;
    as_uid = (uid_t)-1;
}

/* True when this call is to fail. */
static bool fails(int with)
{
    if (with != 0)
        errno = with;
    return with != 0;
}

int __real_fcntl(int fd, int cmd, ...);
int __wrap_fcntl(int fd, int cmd, ...);
int __wrap_fcntl(int fd, int cmd, ...)
{
    va_list args;
    va_start(args, cmd);
    void *arg = va_arg(args, void *);
    va_end(args);
    return cmd == F_SETLK && fails(lock_errno) ? -1 : __real_fcntl(fd, cmd, arg);
}

int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len)
{
    return fails(cut_errno) ? -1 : __real_ftruncate(fd, len);
}

ssize_t __real_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags)
{
    return fails(random_errno) ? -1 : __real_getrandom(p, n, flags);
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    return fails(write_errno) ? -1 : __real_write(fd, p, n);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return fails(rename_errno) ? -1 : __real_rename(from, to);
}

int __real_chmod(const char *name, mode_t mode);
int __wrap_chmod(const char *name, mode_t mode);
int __wrap_chmod(const char *name, mode_t mode)
{
    return fails(chmod_errno) ? -1 : __real_chmod(name, mode);
}

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
    return as_uid == (uid_t)-1 ? __real_geteuid() : as_uid;
}

/* ---- */

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
    seams_off();
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

static void test_state_dir_take__lock_cannot_be_had__said(void **state)
{
    static const struct {
        const char *holder; /* what the lock's file says */
        int lock_errno, cut_errno, err;
        const char *word;
    } ROWS[] = {
        {"4711\n", EAGAIN, 0, ERR_CONFLICT, "is in use by process 4711"},
        {"4711\n", EACCES, 0, ERR_CONFLICT, "is in use by process 4711"},
        {"", EAGAIN, 0, ERR_CONFLICT, "is in use by process (unknown)"},
        {"", ENOLCK, 0, ERR_SYS, "lock"},
        {"", 0, EIO, ERR_SYS, "lock"},
    };
    char lock[160];
    (void)state;
    (void)snprintf(lock, sizeof(lock), "%s/lock", dir);
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct buf error CLEANUP_BUF = {.max = 1024};
        int fd = -1;
        FILE *f = fopen(lock, "we");
        assert_non_null(f);
        assert_true(fputs(ROWS[i].holder, f) >= 0);
        assert_int_equal(fclose(f), 0);
        lock_errno = ROWS[i].lock_errno;
        cut_errno = ROWS[i].cut_errno;
        assert_int_equal(state_dir_take(dir, &error, &fd), ROWS[i].err);
        assert_non_null(strstr(error.data, ROWS[i].word));
        assert_non_null(strstr(error.data, dir));
        assert_int_equal(fd, -1);
    }
}

static void test_state_dir_take__as_root__others_pass_or_it_says_why_not(void **state)
{
    struct buf error CLEANUP_BUF = {.max = 1024};
    struct stat st;
    int fd = -1;
    (void)state;
    as_uid = 0;
    chmod_errno = EROFS;
    assert_int_equal(state_dir_take(dir, &error, &fd), ERR_SYS); /* mkdtemp's is 0700 */
    assert_non_null(strstr(error.data, "cannot be made"));
    chmod_errno = 0;
    assert_int_equal(state_dir_take(dir, &error, &fd), 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0711);
    (void)close(fd);
}

static void test_state_dir_gateway_id__cannot_be_kept__none_is_given(void **state)
{
    static int *const CALLS[] = {&random_errno, &write_errno, &rename_errno};
    char id[GATEWAY_ID_SIZE], file[160], fresh[160];
    (void)state;
    (void)snprintf(file, sizeof(file), "%s/gateway.id", dir);
    (void)snprintf(fresh, sizeof(fresh), "%s/gateway.id.new", dir);
    for (size_t i = 0; i < ARRAY_SIZE(CALLS); i++) {
        struct buf error CLEANUP_BUF = {.max = 1024};
        *CALLS[i] = EIO;
        assert_int_equal(state_dir_gateway_id(dir, &error, id), ERR_SYS);
        assert_non_null(strstr(error.data, "gateway.id"));
        assert_int_equal(access(file, F_OK), -1);
        assert_int_equal(access(fresh, F_OK), -1);
        *CALLS[i] = 0;
    }
}

static void test_state_dir_gateway_id__path_too_long__refused(void **state)
{
    static char long_path[5000];
    struct buf error CLEANUP_BUF = {.max = 8192};
    char id[GATEWAY_ID_SIZE];
    (void)state;
    memset(long_path, 'a', sizeof(long_path) - 1);
    assert_int_equal(state_dir_gateway_id(long_path, &error, id), ERR_SYS);
    assert_non_null(strstr(error.data, "too long"));
}

static void test_state_dir_default__by_user_and_environment(void **state)
{
    static const struct {
        uid_t uid;
        const char *state_home, *home, *expected; /* NULL: none */
    } ROWS[] = {
        {0, "/s", "/h", "/var/lib/tailgate"},
        {1000, "/s", "/h", "/s/tailgate"},
        {1000, "", "/h", "/h/.local/state/tailgate"},
        {1000, NULL, "/h", "/h/.local/state/tailgate"},
        {1000, NULL, "", NULL},
        {1000, NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        char *got = NULL;
        as_uid = ROWS[i].uid;
        assert_int_equal(ROWS[i].state_home ? setenv("XDG_STATE_HOME", ROWS[i].state_home, 1)
                                            : unsetenv("XDG_STATE_HOME"),
                         0);
        assert_int_equal(ROWS[i].home ? setenv("HOME", ROWS[i].home, 1) : unsetenv("HOME"), 0);
        assert_int_equal(state_dir_default(&got), ROWS[i].expected ? 0 : ERR_NOT_FOUND);
        if (ROWS[i].expected)
            assert_string_equal(got, ROWS[i].expected);
        free(got);
    }
    seams_off();
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
        cmocka_unit_test_setup_teardown(test_state_dir_take__lock_cannot_be_had__said, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_state_dir_take__as_root__others_pass_or_it_says_why_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_state_dir_gateway_id__cannot_be_kept__none_is_given,
                                        setup, teardown),
        cmocka_unit_test(test_state_dir_gateway_id__path_too_long__refused),
        cmocka_unit_test(test_state_dir_default__by_user_and_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
