/*
 * The private cluster with real PostgreSQL programs: first start, restart, adoption, crashes, an
 * interrupted initdb. As root some of it runs again as user nobody.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "db/cluster.h"
#include "tests/unit/db/fixture.h"

#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[256]; /* STATE_DIR */
    char root[64]; /* what is removed at the end */
    struct loop *loop;
    struct db_cluster *cluster;
    int started, stopped, err;
};

static void on_started(void *user, int err)
{
    struct place *p = user;
    p->started++;
    p->err = err;
}

static void on_stopped(void *user, int err)
{
    struct place *p = user;
    p->stopped++;
    p->err = err;
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    if (!p)
        return -1;
    snprintf(p->root, sizeof(p->root), "/tmp/tailgate-cluster-XXXXXX");
    if (!mkdtemp(p->root) || chmod(p->root, 0755) < 0 || loop_new(&p->loop) < 0)
        return -1;
    snprintf(p->dir, sizeof(p->dir), "%s/state", p->root);
    *state = p;
    return mkdir(p->dir, 0700);
}

static void start_with(struct place *p, const char *bin_dir)
{
    p->started = 0;
    assert_int_equal(db_cluster_start(p->loop, p->dir, bin_dir, on_started, p, &p->cluster), 0);
    assert_int_equal(p->started, 0);
    await_count(p->loop, &p->started, 1);
}

static void start(struct place *p)
{
    start_with(p, NULL);
    assert_int_equal(p->err, 0);
}

static void stop(struct place *p)
{
    p->stopped = 0;
    db_cluster_stop(p->cluster, on_stopped, p);
    assert_int_equal(p->stopped, 0);
    await_count(p->loop, &p->stopped, 1);
    assert_int_equal(p->err, 0);
    db_cluster_free(p->cluster);
    p->cluster = NULL;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[128];
    if (p->cluster)
        stop(p);
    loop_free(p->loop);
    snprintf(command, sizeof(command), "rm -rf '%s'", p->root);
    int r = system(command);
    free(p);
    return r;
}

static int64_t query_number(const struct place *p, const char *sql)
{
    char text[64];
    assert_int_equal(pg_cluster_query(db_cluster_conninfo(p->cluster), sql, text, sizeof(text)), 0);
    return strtoll(text, NULL, 10);
}

static pid_t postmaster(const struct place *p)
{
    char path[320], line[32] = "";
    snprintf(path, sizeof(path), "%s/pg/postmaster.pid", p->dir);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    fclose(f);
    return (pid_t)strtol(line, NULL, 10);
}

static bool exists(const struct place *p, const char *name)
{
    char path[320];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    return lstat(path, &st) == 0;
}

static void test_db_cluster_start__nothing_there__private_and_up(void **state)
{
    struct place *p = *state;
    char path[320];
    struct stat st;
    start(p);
    assert_int_equal(query_number(p, "SELECT 41 + 1"), 42);
    assert_int_equal(query_number(p, "SELECT count(*) FROM pg_settings WHERE name = "
                                     "'listen_addresses' AND setting = ''"),
                     1);
    snprintf(path, sizeof(path), "%s/pg", p->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_true(geteuid() != 0 || st.st_uid != 0);
    assert_false(exists(p, "pg.new"));
    assert_int_equal(exists(p, "pg.password"), geteuid() != 0);
    if (geteuid() != 0) {
        snprintf(path, sizeof(path), "%s/pg.password", p->dir);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        /* Our own user id alone is not enough. */
        snprintf(path, sizeof(path), "host=%s/pg/run port=5432 user=postgres dbname=postgres",
                 p->dir);
        setenv("PGPASSWORD", "wrong", 1);
        assert_int_equal(pg_cluster_exec(path, "SELECT 1"), -1);
        unsetenv("PGPASSWORD");
    }
}

static void test_db_cluster_start__after_a_stop__same_data(void **state)
{
    struct place *p = *state;
    start(p);
    assert_int_equal(pg_cluster_exec(db_cluster_conninfo(p->cluster), "CREATE TABLE kept (a int)"),
                     0);
    stop(p);
    assert_int_equal(postmaster(p), 0);
    start(p);
    assert_int_equal(query_number(p, "SELECT count(*) FROM kept"), 0);
}

static void test_db_cluster_start__postmaster_runs_there__adopts_it(void **state)
{
    struct place *p = *state;
    start(p);
    pid_t pid = postmaster(p);
    db_cluster_free(p->cluster); /* as after our own crash */
    start(p);
    assert_int_equal(postmaster(p), pid);
    assert_int_equal(query_number(p, "SELECT 1"), 1);
}

static bool is_another(void *user)
{
    struct place *p = user;
    return postmaster(p) != p->err && postmaster(p) > 0;
}

static bool accepts(void *user)
{
    struct place *p = user;
    return pg_cluster_exec(db_cluster_conninfo(p->cluster), "SELECT 1") == 0;
}

static void test_watch__postmaster_killed__starts_it_again(void **state)
{
    struct place *p = *state;
    start(p);
    p->err = (int)postmaster(p);
    assert_int_equal(kill(postmaster(p), SIGKILL), 0);
    await_true(p->loop, is_another, p);
    await_true(p->loop, accepts, p);
}

static void test_db_cluster_start__stale_pid_of_a_living_process__starts(void **state)
{
    struct place *p = *state;
    char path[320];
    start(p);
    stop(p);
    snprintf(path, sizeof(path), "%s/pg/postmaster.pid", p->dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fprintf(f, "%d\n%s/pg\n1700000000\n5432\n%s/pg/run\n*\n  1 2\nready   \n", (int)getpid(),
            p->dir, p->dir);
    fclose(f);
    start(p);
    assert_int_not_equal(postmaster(p), getpid());
    assert_int_equal(query_number(p, "SELECT 1"), 1);
}

static void test_db_cluster_start__initdb_was_interrupted__begins_anew(void **state)
{
    struct place *p = *state;
    char path[320];
    snprintf(path, sizeof(path), "%s/pg.new", p->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/pg.new/PG_VERSION", p->dir);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    start(p);
    assert_false(exists(p, "pg.new"));
}

static void test_db_cluster_start__path_too_long_for_a_socket__short_directory(void **state)
{
    struct place *p = *state;
    size_t len = strlen(p->dir);
    snprintf(p->dir + len, sizeof(p->dir) - len, "/%0100d", 7);
    if (geteuid() == 0)
        assert_int_equal(chmod(p->root, 0711), 0);
    char parent[256];
    snprintf(parent, sizeof(parent), "%.*s", (int)len, p->dir);
    assert_int_equal(chmod(parent, 0711), 0);
    assert_int_equal(mkdir(p->dir, 0700), 0);
    start(p);
    char first[1024];
    snprintf(first, sizeof(first), "%s", db_cluster_conninfo(p->cluster));
    assert_non_null(strstr(first, "/tailgate-"));
    assert_int_equal(query_number(p, "SELECT 1"), 1);
    stop(p);
    start(p);
    assert_string_equal(db_cluster_conninfo(p->cluster), first);
    stop(p);
    char dir[128];
    assert_int_equal(sscanf(first, "host=%127s", dir), 1);
    assert_int_equal(rmdir(dir), 0);
}

static void test_db_cluster_stop__while_starting__ends_stopped(void **state)
{
    struct place *p = *state;
    assert_int_equal(db_cluster_start(p->loop, p->dir, NULL, on_started, p, &p->cluster), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_turn(p->loop, 20), 0);
    stop(p);
    assert_int_equal(p->started, 0);
    assert_int_equal(postmaster(p), 0);
}

static void test_db_cluster_stop__before_anything__ends_stopped(void **state)
{
    struct place *p = *state;
    assert_int_equal(db_cluster_start(p->loop, p->dir, NULL, on_started, p, &p->cluster), 0);
    stop(p);
    assert_int_equal(p->started, 0);
    assert_false(exists(p, "pg"));
}

/* A directory of programs that do as `script` says. */
static void make_programs(struct place *p, const char *postgres, const char *initdb, char ret[320])
{
    const char *const names[] = {"postgres", "initdb", "pg_ctl"};
    const char *const scripts[] = {postgres, initdb, "exit 1"};
    snprintf(ret, 320, "%s/bin", p->root);
    assert_int_equal(mkdir(ret, 0755), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[400];
        snprintf(path, sizeof(path), "%s/%s", ret, names[i]);
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        fprintf(f, "#!/bin/sh\n%s\n", scripts[i]);
        fclose(f);
        assert_int_equal(chmod(path, 0755), 0);
    }
}

struct bad_programs {
    const char *postgres, *initdb;
    int err;
};

static void test_db_cluster_start__unusable_programs__error(void **state)
{
    struct place *p = *state;
    static const struct bad_programs rows[] = {
        {"echo 'postgres (PostgreSQL) 14.9'", "exit 0", ERR_NOT_FOUND},
        {"echo nonsense", "exit 0", ERR_NOT_FOUND},
        {"exit 3", "exit 0", ERR_SYS},
        {"echo 'postgres (PostgreSQL) 15.2'", "echo disk full; exit 1", ERR_SYS},
        {"echo 'postgres (PostgreSQL) 15.2'", "exit 0", ERR_SYS}, /* but made no files */
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char bin[320], command[400];
        make_programs(p, rows[i].postgres, rows[i].initdb, bin);
        start_with(p, bin);
        assert_int_equal(p->err, rows[i].err);
        db_cluster_free(p->cluster);
        p->cluster = NULL;
        snprintf(command, sizeof(command), "rm -rf '%s'", bin);
        assert_int_equal(system(command), 0);
        assert_false(exists(p, "pg"));
    }
    start_with(p, "/nonexistent");
    assert_int_equal(p->err, ERR_NOT_FOUND);
}

static void test_db_cluster_start__data_of_another_version__error(void **state)
{
    struct place *p = *state;
    char command[640];
    snprintf(command, sizeof(command), "mkdir '%s/pg' && echo 13 > '%s/pg/PG_VERSION'", p->dir,
             p->dir);
    assert_int_equal(system(command), 0);
    start_with(p, NULL);
    assert_int_equal(p->err, ERR_SYS);
    db_cluster_free(p->cluster);
    p->cluster = NULL;
}

static void test_db_cluster_start__parent_not_traversable__error_for_root(void **state)
{
    struct place *p = *state;
    if (geteuid() != 0)
        return;
    assert_int_equal(chmod(p->root, 0700), 0);
    assert_int_equal(db_cluster_start(p->loop, p->dir, NULL, on_started, p, &p->cluster), ERR_SYS);
    assert_null(p->cluster);
}

#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_db_cluster_start__nothing_there__private_and_up),
        ROW(test_db_cluster_start__after_a_stop__same_data),
        ROW(test_db_cluster_start__postmaster_runs_there__adopts_it),
        ROW(test_watch__postmaster_killed__starts_it_again),
        ROW(test_db_cluster_start__stale_pid_of_a_living_process__starts),
        ROW(test_db_cluster_start__initdb_was_interrupted__begins_anew),
        ROW(test_db_cluster_start__path_too_long_for_a_socket__short_directory),
        ROW(test_db_cluster_stop__while_starting__ends_stopped),
        ROW(test_db_cluster_stop__before_anything__ends_stopped),
        ROW(test_db_cluster_start__unusable_programs__error),
        ROW(test_db_cluster_start__data_of_another_version__error),
        ROW(test_db_cluster_start__parent_not_traversable__error_for_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What an ordinary user's cluster does otherwise: its password, its ids. */
static int run_some(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_db_cluster_start__nothing_there__private_and_up),
        ROW(test_db_cluster_start__after_a_stop__same_data),
        ROW(test_db_cluster_start__postmaster_runs_there__adopts_it),
        ROW(test_db_cluster_start__initdb_was_interrupted__begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

static int run_as_nobody(void)
{
    const struct passwd *pw = getpwnam("nobody");
    if (!pw)
        return 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0 ||
            unsetenv("XDG_RUNTIME_DIR") != 0)
            _exit(99);
        exit(run_some());
    }
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

int main(void)
{
    int failed = run_all();
    return failed == 0 && geteuid() == 0 ? run_as_nobody() : failed;
}
