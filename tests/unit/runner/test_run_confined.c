/* What the command cannot reach: other users, files, processes; as far as this machine can show. */
#include "harness.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static bool is_root(void)
{
    return geteuid() == 0;
}

static int landlock_abi(void)
{
    char text[16] = {0};
    FILE *p = popen(RUNNER_PROGRAM " --landlock-abi", "r");
    assert_non_null(p);
    assert_non_null(fgets(text, sizeof(text), p));
    assert_int_equal(pclose(p), 0);
    return (int)strtol(text, NULL, 10);
}

/* A file beside the workspace that anybody may read. */
static void write_secret(const struct fixture *f, char *path, size_t size)
{
    snprintf(path, size, "%s/secret", f->base);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "topsecret\n", 10), 10);
    assert_int_equal(fchmod(fd, 0666), 0);
    close(fd);
}

static void test_confined__ids__no_groups_no_root(void **state)
{
    struct fixture *f = *state;
    if (!is_root())
        skip();
    f->spec.set_ids = true;
    f->spec.uid = NOBODY;
    f->spec.gid = NOBODY;
    fixture_command(f, "id -u; id -g; id -G; grep -e ^CapEff -e ^NoNewPrivs /proc/$$/status; "
                       "cat ../run/spec 2>/dev/null || echo denied; "
                       "kill -0 $PPID 2>/dev/null || echo 'no signal'; "
                       "cat /proc/$PPID/environ 2>/dev/null || echo 'no look'");
    run_all(f);
    run_assert_text(f, 'o',
                    "65534\n65534\n65534\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\ndenied\n"
                    "no signal\nno look\n");
}

static void test_confined__ids_with_tty__own_terminal(void **state)
{
    struct fixture *f = *state;
    if (!is_root())
        skip();
    f->spec.set_ids = true;
    f->spec.uid = NOBODY;
    f->spec.gid = NOBODY;
    f->spec.tty = true;
    fixture_command(f, "echo by-name >$(tty); stat -c %u $(tty)");
    run_all(f);
    run_assert_text(f, 'o', "by-name\n65534\n");
}

/* uid -1 would mean "unchanged" to the kernel. */
static void test_confined__ids_minus_one__not_started(void **state)
{
    struct fixture *f = *state;
    f->spec.set_ids = true;
    f->spec.uid = (uid_t)-1;
    f->spec.gid = NOBODY;
    fixture_command(f, "id -u");
    run_all(f);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_NOT_STARTED);
    assert_int_equal(run_count_system(f, "cannot become its user"), 1);
    run_assert_text(f, 'o', "");
}

static void test_confined__workspace_of_another__not_started(void **state)
{
    struct fixture *f = *state;
    if (!is_root())
        skip();
    f->spec.set_ids = true;
    f->spec.uid = NOBODY;
    f->spec.gid = NOBODY;
    assert_int_equal(chmod(f->work, 0700), 0);
    fixture_command(f, "echo never");
    run_all(f);
    assert_int_equal(run_count_system(f, "cannot enter the workspace: Permission denied"), 1);
}

static void test_confined__files__only_workspace_and_system(void **state)
{
    struct fixture *f = *state;
    char secret[96];
    if (landlock_abi() < 1)
        skip();
    write_secret(f, secret, sizeof(secret));
    f->spec.sandbox = SPEC_SANDBOX_FILES;
    fixture_command(f, "cat ../secret 2>/dev/null || echo 'no read'; "
                       "(echo x >../secret) 2>/dev/null || echo 'no write'; "
                       "ls .. >/dev/null 2>&1 || echo 'no list'; "
                       "cat ../run/spec >/dev/null 2>&1 || echo 'no spec'; "
                       "(echo x >/etc/x) 2>/dev/null || echo 'no etc'; "
                       "echo in >here && mkdir d && mv here d/there && cat d/there; "
                       "echo zero >/dev/null && head -c 1 /dev/urandom | wc -c; "
                       "test -r /etc/passwd && echo etc; echo err >/dev/stderr");
    run_all(f);
    run_assert_text(f, 'o', "no read\nno write\nno list\nno spec\nno etc\nin\n1\netc\n");
    run_assert_text(f, 'e', "err\n");
}

static void test_confined__files_with_paths__may_use_them(void **state)
{
    struct fixture *f = *state;
    char secret[96];
    char other[96];
    if (landlock_abi() < 1)
        skip();
    write_secret(f, secret, sizeof(secret));
    snprintf(other, sizeof(other), "%s/other", f->base);
    assert_int_equal(mkdir(other, 0777), 0);
    char *read_paths[] = {strdup(secret), strdup("/no/such/path"), NULL};
    char *write_paths[] = {strdup(other), NULL};
    f->spec.read_paths = calloc(3, sizeof(char *));
    f->spec.write_paths = calloc(2, sizeof(char *));
    memcpy(f->spec.read_paths, read_paths, sizeof(read_paths));
    memcpy(f->spec.write_paths, write_paths, sizeof(write_paths));
    f->spec.sandbox = SPEC_SANDBOX_FILES;
    fixture_command(f, "cat ../secret; (echo x >../secret) 2>/dev/null || echo 'no write'; "
                       "echo y >../other/y && cat ../other/y");
    run_all(f);
    run_assert_text(f, 'o', "topsecret\nno write\ny\n");
}

/* With scopes another process of the same user cannot be signalled, nor looked into. */
static void test_confined__scope__no_signal_no_trace(void **state)
{
    struct fixture *f = *state;
    char secret[96];
    char command[512];
    if (landlock_abi() < 6)
        skip();
    write_secret(f, secret, sizeof(secret));
    f->spec.sandbox = SPEC_SANDBOX_SCOPE;
    snprintf(command, sizeof(command),
             "kill -0 %ld 2>/dev/null || echo 'no signal'; "
             "readlink /proc/%ld/cwd || echo 'no look'; "
             "sleep 100 & kill $! && echo 'own child'; cat ../secret",
             (long)getpid(), (long)getpid());
    fixture_command(f, command);
    run_all(f);
    run_assert_text(f, 'o', "no signal\nno look\nown child\ntopsecret\n");
}

static void test_confined__hidden__all_but_that_tree_and_the_workspace_in_it(void **state)
{
    struct fixture *f = *state;
    char secret[96];
    char other[] = "/tmp/tailgate-beside.XXXXXX";
    char command[512];
    if (landlock_abi() < 1)
        skip();
    write_secret(f, secret, sizeof(secret));
    int fd = mkstemp(other);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "beside\n", 7), 7);
    close(fd);
    f->spec.sandbox = SPEC_SANDBOX_SCOPE;
    f->spec.hidden = f->base;
    snprintf(command, sizeof(command),
             "cat %s 2>/dev/null || echo hidden; echo x 2>/dev/null >>%s || echo 'not written'; "
             "ls .. 2>/dev/null || echo 'not listed'; echo mine >file && cat file; cat %s; "
             "echo y >>%s && tail -n 1 %s; ls /usr >/dev/null && echo usr",
             secret, secret, other, other, other);
    fixture_command(f, command);
    run_all(f);
    f->spec.hidden = NULL;
    unlink(other);
    run_assert_text(f, 'o', "hidden\nnot written\nnot listed\nmine\nbeside\ny\nusr\n");
}

/* The runner can still end what is in a domain. */
static void test_confined__scope__runner_reaches_in(void **state)
{
    struct fixture *f = *state;
    f->spec.sandbox = SPEC_SANDBOX_SCOPE;
    f->spec.timeout_ms = 200;
    fixture_command(f, "setsid sleep 1000 & sleep 1000");
    run_all(f);
    assert_int_equal(f->exit.signal, SIGTERM);
    assert_int_equal(f->exit.flags, SPOOL_EXIT_TIMED_OUT);
}

/* Without sandbox and ids the command is as free as the runner. */
static void test_confined__none__may_gain_privileges(void **state)
{
    struct fixture *f = *state;
    fixture_command(f, "grep ^NoNewPrivs /proc/$$/status");
    run_all(f);
    run_assert_text(f, 'o', "NoNewPrivs:\t0\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_confined__ids__no_groups_no_root),
        T(test_confined__ids_with_tty__own_terminal),
        T(test_confined__ids_minus_one__not_started),
        T(test_confined__workspace_of_another__not_started),
        T(test_confined__files__only_workspace_and_system),
        T(test_confined__files_with_paths__may_use_them),
        T(test_confined__scope__no_signal_no_trace),
        T(test_confined__hidden__all_but_that_tree_and_the_workspace_in_it),
        T(test_confined__scope__runner_reaches_in),
        T(test_confined__none__may_gain_privileges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
