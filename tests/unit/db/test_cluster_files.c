/* The cluster's files without PostgreSQL: programs, data version, sockets, pid file, failing calls.
 */
#include "base/err.h"
#include "base/str.h"
#include "db/cluster_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- seams: who we are, and calls that fail when their turn comes ---- */

static uid_t user;
static bool no_postgres;
static int calls_left = -1; /* of those below, until one fails; -1 = none does */

static bool may_go_on(void)
{
    if (calls_left == 0) {
        errno = EIO;
        return false;
    }
    if (calls_left > 0)
        calls_left--;
    return true;
}

uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
    return user;
}

/* As user postgres: whoever really runs the test. */
struct passwd *__wrap_getpwnam(const char *name);
struct passwd *__wrap_getpwnam(const char *name)
{
    static struct passwd pw;
    assert_string_equal(name, "postgres");
    pw.pw_uid = getuid();
    pw.pw_gid = getgid();
    return no_postgres ? NULL : &pw;
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    return may_go_on() ? __real_mkdir(path, mode) : -1;
}

int __real_chmod(const char *path, mode_t mode);
int __wrap_chmod(const char *path, mode_t mode);
int __wrap_chmod(const char *path, mode_t mode)
{
    return may_go_on() ? __real_chmod(path, mode) : -1;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return may_go_on() ? __real_fsync(fd) : -1;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return may_go_on() ? __real_rename(from, to) : -1;
}

ssize_t __real_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags)
{
    return may_go_on() ? __real_getrandom(p, n, flags) : -1;
}

char *__real_mkdtemp(char *template);
char *__wrap_mkdtemp(char *template);
char *__wrap_mkdtemp(char *template)
{
    return may_go_on() ? __real_mkdtemp(template) : NULL;
}

/* ---- the tests ---- */

struct place {
    char dir[64];
    struct cluster_files f;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    *state = p;
    user = 1000; /* an ordinary one */
    no_postgres = false;
    calls_left = -1;
    if (!p)
        return -1;
    snprintf(p->dir, sizeof(p->dir), "/tmp/tailgate-files-XXXXXX");
    if (!__real_mkdtemp(p->dir))
        return -1;
    return cluster_files_init(&p->f, p->dir);
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
    int r = system(command);
    free(p);
    return r;
}

static void put(const struct place *p, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(__real_chmod(path, 0755), 0);
}

static void make_dir(const struct place *p, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    assert_int_equal(__real_mkdir(path, 0700), 0);
}

static void get(const struct place *p, const char *name, char ret[1024])
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    size_t n = fread(ret, 1, 1023, f);
    ret[n] = '\0';
    fclose(f);
}

static void test_cluster_files_init__root__needs_user_postgres_and_a_way_in(void **state)
{
    struct place *p = *state;
    struct cluster_files f;
    struct stat st;
    user = 0;
    assert_int_equal(cluster_files_init(&f, p->dir), 0);
    assert_true(f.as_root);
    assert_int_equal(stat(p->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0711);
    no_postgres = true;
    assert_int_equal(cluster_files_init(&f, p->dir), ERR_NOT_FOUND);
    no_postgres = false;
    calls_left = 0;
    assert_int_equal(cluster_files_init(&f, p->dir), ERR_SYS);
    calls_left = -1;
    assert_int_equal(cluster_files_init(&f, "/nonexistent/state"), ERR_SYS);
}

static void test_cluster_files_init__path_too_long__invalid(void **state)
{
    (void)state;
    struct cluster_files f;
    char path[PATH_MAX + 8];
    memset(path, 'p', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(cluster_files_init(&f, path), ERR_INVALID);
    path[PATH_MAX - 5] = '\0';
    assert_int_equal(cluster_files_init(&f, path), ERR_INVALID);
}

struct version_row {
    const char *text; /* NULL = no file */
    int version;
};

static void test_cluster_data_version__files__number_or_none(void **state)
{
    struct place *p = *state;
    static const struct version_row rows[] = {{NULL, 0}, {"15\n", 15}, {"16", 16},
                                              {"", 0},   {"x\n", 0},   {"-1\n", 0}};
    make_dir(p, "pg");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].text)
            put(p, "pg/PG_VERSION", rows[i].text);
        assert_int_equal(cluster_data_version(&p->f), rows[i].version);
    }
}

static void test_cluster_find_programs__all_three_or_none(void **state)
{
    struct place *p = *state;
    char bin[128];
    static const char *const names[] = {"bin/initdb", "bin/pg_ctl", "bin/postgres"};
    snprintf(bin, sizeof(bin), "%s/bin", p->dir);
    make_dir(p, "bin");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(cluster_find_programs(&p->f, bin), ERR_NOT_FOUND);
        put(p, names[i], "#!/bin/sh\n");
    }
    assert_int_equal(cluster_find_programs(&p->f, bin), 0);
    assert_string_equal(p->f.bin, bin);
    assert_int_equal(cluster_find_programs(&p->f, NULL), 0);
}

static void assert_each_call_fails(struct place *p, int (*fn)(struct cluster_files *f), bool fresh)
{
    int r = ERR_SYS;
    for (int n = 0; r != 0; n++) {
        assert_true(n < 20);
        calls_left = n;
        r = fn(&p->f);
        calls_left = -1;
        assert_true(r == 0 || r == ERR_SYS);
        if (fresh && r == 0)
            assert_int_equal(access(p->f.data, F_OK), 0);
    }
}

static int make_fresh(struct cluster_files *f)
{
    return cluster_make_fresh(f);
}

static int finish_fresh(struct cluster_files *f)
{
    return cluster_finish_fresh(f);
}

static void test_cluster_make_and_finish_fresh__user__password_and_its_hba(void **state)
{
    struct place *p = *state;
    char text[1024];
    struct stat st;
    assert_each_call_fails(p, make_fresh, false);
    get(p, "pg.password", text);
    assert_int_equal(strlen(text), 48);
    snprintf(text, sizeof(text), "%s/pg.password", p->dir);
    assert_int_equal(stat(text, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    put(p, "pg.new/pg_hba.conf", "host all all all trust\n");
    put(p, "pg.new/postgresql.conf", "# theirs\n");
    assert_each_call_fails(p, finish_fresh, true);
    get(p, "pg/pg_hba.conf", text);
    assert_string_equal(text, "local all postgres scram-sha-256\n");
    get(p, "pg/postgresql.conf", text);
    assert_non_null(strstr(text, "# theirs\n"));
    assert_non_null(strstr(text, "include = 'tailgate.conf'\n"));
}

static void test_cluster_finish_fresh__root__peer_with_a_map(void **state)
{
    struct place *p = *state;
    char text[1024];
    user = 0;
    assert_int_equal(cluster_files_init(&p->f, p->dir), 0);
    assert_int_equal(cluster_make_fresh(&p->f), 0);
    put(p, "pg.new/pg_hba.conf", "");
    put(p, "pg.new/pg_ident.conf", "");
    put(p, "pg.new/postgresql.conf", "");
    assert_int_equal(cluster_finish_fresh(&p->f), 0);
    get(p, "pg/pg_hba.conf", text);
    assert_string_equal(text, "local all postgres peer map=tailgate\n");
    get(p, "pg/pg_ident.conf", text);
    assert_string_equal(text, "tailgate root postgres\ntailgate postgres postgres\n");
}

static void test_cluster_finish_fresh__no_files__error(void **state)
{
    struct place *p = *state;
    assert_int_equal(cluster_make_fresh(&p->f), 0);
    assert_int_equal(cluster_finish_fresh(&p->f), ERR_SYS);
}

/* uid of the directory is compared with PostgreSQL's user. */
static void become_real(struct place *p)
{
    p->f.uid = getuid();
    p->f.gid = getgid();
}

static int prepare_start(struct cluster_files *f)
{
    return cluster_prepare_start(f);
}

static void test_cluster_prepare_start__short_path__socket_inside(void **state)
{
    struct place *p = *state;
    char text[1024], expected[256];
    become_real(p);
    make_dir(p, "pg");
    assert_each_call_fails(p, prepare_start, false);
    snprintf(expected, sizeof(expected), "%s/pg/run", p->dir);
    assert_string_equal(p->f.socket_dir, expected);
    get(p, "pg/tailgate.conf", text);
    assert_non_null(strstr(text, "listen_addresses = ''\n"));
    assert_non_null(strstr(text, expected));
}

static void test_cluster_prepare_start__unusual_path__short_directory_remembered(void **state)
{
    struct place *p = *state;
    char dir[128], first[PATH_MAX], text[PATH_MAX + 128];
    snprintf(dir, sizeof(dir), "%s/it's, \"odd\"", p->dir);
    assert_int_equal(__real_mkdir(dir, 0700), 0);
    unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(cluster_files_init(&p->f, dir), 0);
    become_real(p);
    assert_int_equal(__real_mkdir(p->f.data, 0700), 0);
    calls_left = 0;
    assert_int_equal(cluster_prepare_start(&p->f), ERR_SYS);
    calls_left = -1;
    assert_int_equal(cluster_prepare_start(&p->f), 0);
    assert_true(str_starts_with(p->f.socket_dir, "/tmp/tailgate-"));
    snprintf(first, sizeof(first), "%s", p->f.socket_dir);
    assert_int_equal(cluster_prepare_start(&p->f), 0);
    assert_string_equal(p->f.socket_dir, first);
    /* Somebody else could read it: another one is made. */
    assert_int_equal(__real_chmod(first, 0755), 0);
    setenv("XDG_RUNTIME_DIR", p->dir, 1);
    assert_int_equal(cluster_prepare_start(&p->f), 0);
    assert_string_not_equal(p->f.socket_dir, first);
    assert_true(str_starts_with(p->f.socket_dir, p->dir));
    assert_int_equal(rmdir(first), 0);
    snprintf(text, sizeof(text), "host=%s port=5432 user=postgres dbname=postgres password=s3",
             p->f.socket_dir);
    struct buf b;
    buf_init(&b, 4096);
    assert_int_equal(cluster_conninfo(&p->f, &b), ERR_SYS);
    FILE *f = fopen(p->f.password_file, "we");
    assert_non_null(f);
    fputs("s3", f);
    fclose(f);
    assert_int_equal(cluster_conninfo(&p->f, &b), 0);
    assert_string_equal(b.data, text);
    buf_done(&b);
    unsetenv("XDG_RUNTIME_DIR");
}

struct pid_row {
    const char *what;
    const char *text; /* behind the process id */
    bool ours, there, ready;
};

static void test_cluster_postmaster__pid_files__running_ready_or_stale(void **state)
{
    struct place *p = *state;
    static const struct pid_row rows[] = {
        {"complete", "\n/data\n1\n5432\n/sock\n*\n1 2\nready   \n", true, true, true},
        {"starting", "\n/data\n1\n5432\n/sock\n*\n1 2\nstarting\n", true, true, false},
        {"short", "\n/data\n1\n", true, true, false},
        {"another's number", "\n/data\n1\n5432\n/sock\n*\n1 2\nready   \n", false, false, false},
    };
    char cwd[PATH_MAX], text[256], path[256];
    bool ready;
    make_dir(p, "pg");
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    snprintf(path, sizeof(path), "%s/pg/postmaster.pid", p->dir);
    assert_int_equal(cluster_postmaster(&p->f, &ready), 0);
    put(p, "pg/postmaster.pid", "being written");
    assert_int_equal(cluster_postmaster(&p->f, &ready), 0);
    assert_int_equal(access(path, F_OK), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        snprintf(text, sizeof(text), "%d%s", (int)getpid(), rows[i].text);
        put(p, "pg/postmaster.pid", text);
        assert_int_equal(chdir(rows[i].ours ? p->f.data : cwd), 0);
        pid_t pid = cluster_postmaster(&p->f, &ready);
        assert_int_equal(chdir(cwd), 0);
        if (pid != (rows[i].there ? getpid() : 0) || ready != rows[i].ready)
            fail_msg("%s: %d %d", rows[i].what, (int)pid, ready);
        assert_int_equal(access(path, F_OK) == 0, rows[i].there);
    }
    assert_string_equal(p->f.socket_dir, "/sock");
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_cluster_files_init__root__needs_user_postgres_and_a_way_in),
        ROW(test_cluster_files_init__path_too_long__invalid),
        ROW(test_cluster_data_version__files__number_or_none),
        ROW(test_cluster_find_programs__all_three_or_none),
        ROW(test_cluster_make_and_finish_fresh__user__password_and_its_hba),
        ROW(test_cluster_finish_fresh__root__peer_with_a_map),
        ROW(test_cluster_finish_fresh__no_files__error),
        ROW(test_cluster_prepare_start__short_path__socket_inside),
        ROW(test_cluster_prepare_start__unusual_path__short_directory_remembered),
        ROW(test_cluster_postmaster__pid_files__running_ready_or_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
