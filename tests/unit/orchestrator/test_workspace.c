/* Workspaces made and removed on a real file system. */
#include "orchestrator/workspace.h"

#include "../base/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64];
    int fd;
};

/* ---- system calls that fail when told to, with this errno ---- */

static int mkdirat_errno, fchownat_errno, fchown_errno, fdopendir_errno;

static bool fails(int with)
{
    if (with != 0)
        errno = with;
    return with != 0;
}

int __real_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_mkdirat(int fd, const char *name, mode_t mode)
{
    return fails(mkdirat_errno) ? -1 : __real_mkdirat(fd, name, mode);
}

int __real_fchownat(int fd, const char *name, uid_t uid, gid_t gid, int flags);
int __wrap_fchownat(int fd, const char *name, uid_t uid, gid_t gid, int flags);
int __wrap_fchownat(int fd, const char *name, uid_t uid, gid_t gid, int flags)
{
    return fails(fchownat_errno) ? -1 : __real_fchownat(fd, name, uid, gid, flags);
}

int __real_fchown(int fd, uid_t uid, gid_t gid);
int __wrap_fchown(int fd, uid_t uid, gid_t gid);
int __wrap_fchown(int fd, uid_t uid, gid_t gid)
{
    return fails(fchown_errno) ? -1 : __real_fchown(fd, uid, gid);
}

DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd)
{
    return fails(fdopendir_errno) ? NULL : __real_fdopendir(fd);
}

/* ---- */

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/workspace.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(p->fd >= 0);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[192];
    close(p->fd);
    (void)snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", p->dir, p->dir);
    assert_int_equal(system(command), 0); /* NOLINT: a fixed path of our own */
    free(p);
    return 0;
}

static void shell(const struct place *p, const char *script)
{
    char command[1100];
    (void)snprintf(command, sizeof command, "cd %s && %.1000s", p->dir, script);
    assert_int_equal(system(command), 0); /* NOLINT: fixed scripts */
}

static bool is_there(const struct place *p, const char *name)
{
    return faccessat(p->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_workspace_create__private_with_tmp_and_idempotent(void **state)
{
    const struct place *p = *state;
    char path[128];
    struct stat st;
    bool root = geteuid() == 0;
    (void)snprintf(path, sizeof path, "%s/w", p->dir);
    for (int i = 0; i < 2; i++)
        assert_int_equal(workspace_create(path, root, 12345, 23456), 0);
    assert_int_equal(fstatat(p->fd, "w/.tmp", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(st.st_uid, root ? 12345 : geteuid());
    assert_int_equal(fstatat(p->fd, "w", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(st.st_uid, root ? 12345 : geteuid());
    assert_int_equal(st.st_gid, root ? 23456 : getegid());
}

static void test_workspace_create__no_parent_or_a_link__error(void **state)
{
    const struct place *p = *state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/none/w", p->dir);
    assert_int_equal(workspace_create(path, false, 0, 0), -ENOENT);
    shell(p, "mkdir elsewhere && ln -s elsewhere w");
    (void)snprintf(path, sizeof path, "%s/w", p->dir);
    assert_true(workspace_create(path, false, 0, 0) < 0);
    assert_false(is_there(p, "elsewhere/.tmp"));
    (void)snprintf(path, sizeof path, "%s/v", p->dir);
    shell(p, "mkdir v && touch v/.tmp");
    assert_int_equal(workspace_create(path, false, 0, 0), 0);
}

struct tree {
    const char *name, *script;
};

/* "keep" is what a link points to: it must stay. */
static const struct tree trees[] = {
    {"absent", "true"},
    {"empty", "mkdir w"},
    {"files", "mkdir -p w/a/b/c && touch w/1 w/a/2 w/a/b/3 w/a/b/c/.hidden"},
    {"link to a directory outside", "mkdir w && ln -s ../keep w/link && ln -s $PWD/keep w/abs"},
    {"link to a file outside", "mkdir w && ln -s ../keep/file w/link"},
    {"link to /", "mkdir w && ln -s / w/root"},
    {"dangling and circular links", "mkdir w && ln -s nowhere w/d && ln -s c w/c"},
    {"the workspace itself a link", "ln -s keep w"},
    {"a file in its place", "touch w"},
    {"no permissions", "mkdir -p w/a/b && touch w/a/b/f && chmod 0 w/a/b w/a && chmod 0 w"},
    {"read-only directories", "mkdir -p w/a/b && touch w/a/b/f && chmod 500 w/a/b w/a w"},
    {"special files", "mkdir w && mkfifo w/fifo"},
    {"deep",
     "mkdir w && cd w && for i in $(seq 300); do mkdir d && touch f && cd d || exit 1; done"},
    {"wide and deep", "mkdir w && for i in 1 2 3 4; do p=w/$i; for j in $(seq 50); do p=$p/d; done;"
                      " mkdir -p $p && touch $p/f; done"},
    {"names of ours are taken", "mkdir w && cd w && touch .moved-0 && mkdir .moved-1 && "
                                "for i in $(seq 100); do mkdir d && cd d || exit 1; done"},
};

static void check_tree(const struct place *p, const struct tree *t)
{
    print_message("%s\n", t->name);
    shell(p, "mkdir -p keep/sub && touch keep/file keep/sub/file");
    shell(p, t->script);
    assert_int_equal(workspace_remove_tree(p->fd, "w", NULL), 0);
    assert_false(is_there(p, "w"));
    assert_true(is_there(p, "keep/file") && is_there(p, "keep/sub/file"));
}

static void test_workspace_remove_tree__trees__gone_and_nothing_else(void **state)
{
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++)
        check_tree(*state, &trees[i]);
    assert_true(access("/usr/bin/env", F_OK) == 0);
}

static void become(uid_t uid)
{
    assert_int_equal(seteuid(uid), 0);
}

/* Permissions bind only one who is not root. */
static void test_workspace_remove_tree__as_an_ordinary_user__trees_gone(void **state)
{
    struct place *p = *state;
    char path[128];
    if (geteuid() != 0)
        skip();
    (void)snprintf(path, sizeof path, "%s/theirs", p->dir);
    assert_int_equal(chmod(p->dir, 0755), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chown(path, 65534, 65534), 0);
    struct place theirs = {.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    (void)snprintf(theirs.dir, sizeof theirs.dir, "%.40s/theirs", p->dir);
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        const struct tree *t = &trees[i];
        print_message("%s\n", t->name);
        shell(&theirs, "mkdir -p keep/sub && touch keep/file keep/sub/file");
        shell(&theirs, t->script);
        shell(&theirs, "chown -Rh 65534:65534 .");
        become(65534);
        int r = workspace_remove_tree(theirs.fd, "w", NULL);
        become(0);
        assert_int_equal(r, 0);
        assert_false(is_there(&theirs, "w"));
        assert_true(is_there(&theirs, "keep/file") && is_there(&theirs, "keep/sub/file"));
    }
    close(theirs.fd);
}

static void test_workspace_remove_tree__cancelled__stops(void **state)
{
    const struct place *p = *state;
    atomic_bool cancel = true;
    shell(p, "mkdir -p w/a/b && touch w/a/b/f");
    assert_int_equal(workspace_remove_tree(p->fd, "w", &cancel), -ECANCELED);
    assert_true(is_there(p, "w/a/b/f"));
}

static void test_workspace_remove_tree__cannot__first_error_and_rest_removed(void **state)
{
    const struct place *p = *state;
    if (geteuid() != 0)
        skip();
    shell(p,
          "mkdir -p w/theirs w/closed w/ours && touch w/theirs/f w/ours/f && chmod 700 w/closed &&"
          " touch w/closed/f && chown 65534:65534 . w w/ours w/ours/f && chmod 755 w .");
    become(65534);
    int r = workspace_remove_tree(p->fd, "w", NULL);
    become(0);
    assert_true(r == -EACCES || r == -EPERM);
    assert_true(is_there(p, "w/theirs/f") && is_there(p, "w/closed/f"));
    assert_false(is_there(p, "w/ours"));
}

static void test_workspace_remove_tree__no_such_directory_around__error(void **state)
{
    (void)state;
    assert_int_equal(workspace_remove_tree(-1, "w", NULL), -EBADF);
}

static void test_workspace_create__a_call_fails__its_error(void **state)
{
    static int *const CALLS[] = {&mkdirat_errno, &fchownat_errno, &fchown_errno};
    const struct place *p = *state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/w", p->dir);
    for (size_t i = 0; i < ARRAY_SIZE(CALLS); i++) {
        *CALLS[i] = ENOSPC;
        assert_int_equal(workspace_create(path, true, geteuid(), getegid()), -ENOSPC);
        *CALLS[i] = 0;
        assert_int_equal(workspace_create(path, true, geteuid(), getegid()), 0);
    }
}

static void test_workspace_remove_tree__cannot_be_read__error_and_gone_at_the_next(void **state)
{
    const struct place *p = *state;
    shell(p, "mkdir -p w/a && touch w/a/f");
    fdopendir_errno = ENOMEM;
    assert_int_equal(workspace_remove_tree(p->fd, "w", NULL), -ENOMEM);
    fdopendir_errno = 0;
    assert_true(is_there(p, "w/a/f"));
    assert_int_equal(workspace_remove_tree(p->fd, "w", NULL), 0);
    assert_false(is_there(p, "w"));
}

static void test_workspace_mark_ended__changes_ctime_and_forgives_absence(void **state)
{
    const struct place *p = *state;
    char path[128];
    struct stat before, after;
    (void)snprintf(path, sizeof path, "%s/w", p->dir);
    workspace_mark_ended(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(stat(path, &before), 0);
    do {
        workspace_mark_ended(path);
        assert_int_equal(stat(path, &after), 0);
    } while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
             after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_workspace_create__private_with_tmp_and_idempotent),
        TEST(test_workspace_create__a_call_fails__its_error),
        TEST(test_workspace_remove_tree__cannot_be_read__error_and_gone_at_the_next),
        TEST(test_workspace_create__no_parent_or_a_link__error),
        TEST(test_workspace_remove_tree__trees__gone_and_nothing_else),
        TEST(test_workspace_remove_tree__as_an_ordinary_user__trees_gone),
        TEST(test_workspace_remove_tree__cancelled__stops),
        TEST(test_workspace_remove_tree__cannot__first_error_and_rest_removed),
        TEST(test_workspace_remove_tree__no_such_directory_around__error),
        TEST(test_workspace_mark_ended__changes_ctime_and_forgives_absence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
