/*
 * Landlock by its system calls (Documentation/userspace-api/landlock.rst). Numbers and structures
 * are defined here: they are kernel ABI, and the headers of the machine that builds may be older
 * than the kernel that runs. What an older kernel does not know is left out.
 *
 *   ABI 1 files · 2 REFER · 3 TRUNCATE · 5 IOCTL_DEV · 6 scopes (signals, abstract sockets)
 */
#include "runner/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_MAKE_BLOCK (1ull << 11)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define FS_READ (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

#define SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0)
#define SCOPE_SIGNAL (1ull << 1)

struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4 */
    uint64_t scoped;             /* ABI 6 */
};

struct path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

/* The system's programs and their settings. */
static const char *const system_trees[] = {
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/proc",
    "/sys",
    "/run/systemd/resolve", /* resolv.conf may point there */
};

/* Devices that every program may expect. */
static const char *const devices[] = {
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
    "/dev/tty",  "/dev/ptmx", "/dev/pts",  "/dev/shm",
};

int sandbox_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

/* All file access that this ABI knows. */
static uint64_t all_access(int abi)
{
    unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return (1ull << bits) - 1;
}

static int create_ruleset(int abi, uint64_t files)
{
    struct ruleset_attr attr = {
        .handled_access_fs = files,
        .scoped = abi >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0,
    };
    size_t size = abi >= 6   ? sizeof(attr)
                  : abi >= 4 ? offsetof(struct ruleset_attr, scoped)
                             : offsetof(struct ruleset_attr, handled_access_net);
    long fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    return fd < 0 ? -errno : (int)fd;
}

static int add_rule(int ruleset, const char *path, uint64_t access)
{
    struct stat st;
    int rc = 0;

    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0) {
        rc = -errno;
    } else {
        struct path_beneath_attr rule = {
            .allowed_access = S_ISDIR(st.st_mode) ? access : access & FS_OF_FILES,
            .parent_fd = fd,
        };
        if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
            rc = -errno;
    }
    close(fd);
    return rc;
}

/* Not every system has every tree; one that cannot be reached needs no rule. */
static int add_if_there(int ruleset, const char *path, uint64_t access)
{
    int rc = add_rule(ruleset, path, access);
    return rc == -ENOENT || rc == -ENOTDIR || rc == -EACCES || rc == -ELOOP ? 0 : rc;
}

static int add_list(int ruleset, char *const *paths, uint64_t access)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && paths != NULL && paths[i] != NULL; i++)
        rc = add_if_there(ruleset, paths[i], access);
    return rc;
}

static int add_files(int ruleset, int abi, const struct run_spec *spec)
{
    uint64_t all = all_access(abi);
    int rc = add_rule(ruleset, spec->workspace, all);

    for (size_t i = 0; rc == 0 && i < sizeof(system_trees) / sizeof(system_trees[0]); i++)
        rc = add_if_there(ruleset, system_trees[i], FS_READ);
    for (size_t i = 0; rc == 0 && i < sizeof(devices) / sizeof(devices[0]); i++)
        rc = add_if_there(ruleset, devices[i], all & ~FS_EXECUTE);
    if (rc == 0)
        rc = add_list(ruleset, spec->read_paths, FS_READ);
    if (rc == 0)
        rc = add_list(ruleset, spec->write_paths, all);
    return rc;
}

/* Everything in the directory but the entry `but` (n bytes). */
static int add_siblings(int ruleset, const char *dir_path, const char *but, size_t n,
                        uint64_t access)
{
    char path[PATH_MAX];
    int rc = 0;

    DIR *dir = opendir(dir_path);
    if (dir == NULL) /* what cannot be listed is not there for the command */
        return 0;
    const struct dirent *e = NULL;
    while (rc == 0 && (e = readdir(dir)) != NULL) {
        bool is_but = strlen(e->d_name) == n && memcmp(e->d_name, but, n) == 0;
        if (is_but || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", dir_path, e->d_name) < (int)sizeof(path))
            rc = add_if_there(ruleset, path, access);
    }
    (void)closedir(dir);
    return rc;
}

/* Landlock only allows: so all that stands beside the way down to the hidden tree is allowed, and
 * the workspace in it. What appears beside that way later is not. */
static int add_all_but_hidden(int ruleset, int abi, const struct run_spec *spec)
{
    char prefix[PATH_MAX] = "";
    uint64_t all = all_access(abi);
    const char *at = spec->hidden + strspn(spec->hidden, "/");

    int rc = add_rule(ruleset, spec->workspace, all);
    while (rc == 0 && *at != '\0') {
        size_t n = strcspn(at, "/");
        size_t have = strlen(prefix);
        rc = add_siblings(ruleset, have > 0 ? prefix : "/", at, n, all);
        if (have + 1 + n >= sizeof(prefix))
            return -ENAMETOOLONG;
        prefix[have] = '/';
        memcpy(prefix + have + 1, at, n);
        prefix[have + 1 + n] = '\0';
        at += n;
        at += strspn(at, "/");
    }
    return rc;
}

/* Any domain keeps its members from tracing what is outside. Before scopes existed a domain had to
 * handle some file access: this one, allowed everywhere. */
static int add_harmless(int ruleset, int abi)
{
    return abi >= 6 ? 0 : add_rule(ruleset, "/", FS_MAKE_BLOCK);
}

static int enter_domain(const struct run_spec *spec, int abi)
{
    bool files = spec->sandbox == SPEC_SANDBOX_FILES;
    bool hides = spec->sandbox == SPEC_SANDBOX_SCOPE && spec->hidden != NULL;
    uint64_t handled = files || hides ? all_access(abi) : abi >= 6 ? 0 : FS_MAKE_BLOCK;

    int ruleset = create_ruleset(abi, handled);
    if (ruleset < 0)
        return ruleset;
    int rc = files   ? add_files(ruleset, abi, spec)
             : hides ? add_all_but_hidden(ruleset, abi, spec)
                     : add_harmless(ruleset, abi);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        rc = -errno;
    close(ruleset);
    return rc;
}

int sandbox_enter(const struct run_spec *spec)
{
    if (spec->sandbox == SPEC_SANDBOX_NONE && !spec->set_ids)
        return 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    int abi = sandbox_abi();
    if (spec->sandbox == SPEC_SANDBOX_NONE || spec->sandbox == SPEC_SANDBOX_CONTAINER || abi == 0)
        return 0;
    return enter_domain(spec, abi);
}
