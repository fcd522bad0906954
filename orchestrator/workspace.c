/*
 * Making a workspace and removing one (workspace.h). Removal walks with descriptors only: a name is
 * looked up once, relative to its directory, so that what a command left there (links, renamed
 * directories, no permissions, great depth) cannot lead it elsewhere.
 */
#include "orchestrator/workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Deeper directories are moved up to the top of the tree first, so the walk holds few descriptors
 * and little stack. */
#define DEPTH_MAX 32

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define CLEANUP_FD CLEANUP(close_fd)

static int make_private_dir(int parent, const char *name, bool set_ids, uid_t uid, gid_t gid)
{
    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return -errno;
    if (set_ids && fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return 0;
}

int workspace_create(const char *path, bool set_ids, uid_t uid, gid_t gid)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd CLEANUP_FD = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = make_private_dir(fd, WORKSPACE_TMP, set_ids, uid, gid);
    if (r == 0 && set_ids && fchown(fd, uid, gid) < 0)
        r = -errno;
    return r;
}

void workspace_mark_ended(const char *path)
{
    /* Only the change of st_ctime matters; without a workspace there is nothing to keep. */
    (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

struct walk {
    int top;        /* descriptor of the tree's root */
    unsigned moved; /* directories moved up so far */
    const atomic_bool *cancel;
    int error; /* the first */
};

static bool is_cancelled(const struct walk *w)
{
    return w->cancel && atomic_load(w->cancel);
}

static void note_error(struct walk *w, int error)
{
    if (w->error == 0 && error != ENOENT)
        w->error = -error;
}

/* Opens the directory `name`; one without permissions (its owner is us) is given them first. */
static int open_dir(int parent, const char *name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);
    if (fd >= 0 && faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) == 0)
        return fd;
    if (fd < 0 && errno != EACCES)
        return -errno;
    close_fd(&fd);
    int path_fd CLEANUP_FD = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (path_fd < 0)
        return -errno;
    char self[64];
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", path_fd);
    if (chmod(self, 0700) < 0)
        return -errno;
    fd = openat(parent, name, flags);
    return fd < 0 ? -errno : fd;
}

/* Names that are free, tried in order. */
static int move_up(struct walk *w, int parent, const char *name)
{
    for (;;) {
        char to[32];
        (void)snprintf(to, sizeof to, ".moved-%u", w->moved++);
        if (renameat2(parent, name, w->top, to, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
    }
}

static void empty_dir(struct walk *w, int fd, unsigned depth);

static void remove_entry(struct walk *w, int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0)
        return;
    /* POSIX allows EPERM for a directory, Linux says EISDIR. */
    if (errno != EISDIR && errno != EPERM) {
        note_error(w, errno);
        return;
    }
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return;
    int fd CLEANUP_FD = open_dir(parent, name);
    if (fd < 0) {
        note_error(w, -fd);
        return;
    }
    if (depth >= DEPTH_MAX) {
        int r = move_up(w, parent, name);
        if (r < 0)
            note_error(w, -r);
        return;
    }
    empty_dir(w, fd, depth + 1);
    if (!is_cancelled(w) && unlinkat(parent, name, AT_REMOVEDIR) < 0)
        note_error(w, errno);
}

/* fd stays the caller's. */
static void empty_dir(struct walk *w, int fd, unsigned depth)
{
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    if (!dir) {
        note_error(w, errno);
        close_fd(&own);
        return;
    }
    const struct dirent *entry;
    while (!is_cancelled(w) && (errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(w, fd, entry->d_name, depth);
    }
    (void)closedir(dir);
}

int workspace_remove_tree(int dirfd, const char *name, const atomic_bool *cancel)
{
    int top CLEANUP_FD = open_dir(dirfd, name);
    if (top == -ENOENT)
        return 0;
    if (top == -ENOTDIR || top == -ELOOP)
        return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
    if (top < 0)
        return top;
    struct walk w = {.top = top, .cancel = cancel};
    /* What a pass moved up is removed by the next. */
    unsigned moved;
    do {
        moved = w.moved;
        empty_dir(&w, top, 1);
    } while (w.moved != moved && w.error == 0 && !is_cancelled(&w));
    if (is_cancelled(&w))
        return -ECANCELED;
    if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && w.error == 0)
        note_error(&w, errno);
    return w.error;
}
