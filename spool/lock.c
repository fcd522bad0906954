/*
 * The run directory's lock: who holds it lives (rundir.h says how it is taken). A POSIX lock ends
 * with its process whatever way that ends, is not inherited over fork, and names its holder.
 */
#include "spool/rundir.h"

#include "spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int rundir_liveness(int dirfd, enum rundir_liveness *ret, pid_t *ret_pid)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st = {.st_size = 0};

    int fd = rundir_open_file(dirfd, RUNDIR_LOCK, false);
    if (fd == -ENOENT) {
        *ret = RUNDIR_NOT_STARTED;
        *ret_pid = 0;
        return 0;
    }
    if (fd < 0)
        return fd;
    int rc = fcntl(fd, F_GETLK, &lock) < 0 || fstat(fd, &st) < 0 ? -errno : 0;
    close(fd);
    if (rc < 0)
        return rc;
    bool alive = lock.l_type != F_UNLCK;
    *ret = alive ? RUNDIR_ALIVE : st.st_size > 0 ? RUNDIR_DEAD : RUNDIR_NOT_STARTED;
    *ret_pid = alive && lock.l_pid > 0 ? lock.l_pid : 0;
    return 0;
}

int rundir_prepare_lock(int dirfd)
{
    return files_create_whole(dirfd, RUNDIR_LOCK, NULL, 0);
}

/* Locks the open file and writes the process id into it. */
static int take(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st = {.st_size = 0};
    char pid[16];

    if (fcntl(fd, F_SETLK, &lock) < 0)
        return errno == EAGAIN || errno == EACCES ? -EEXIST : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size > 0) /* of one that has ended */
        return -EEXIST;
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    return files_write_all(fd, pid, (size_t)n);
}

static int take_prepared(int fd)
{
    int rc = take(fd);
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

int rundir_lock(int dirfd)
{
    char tmp[32];

    int prepared = rundir_open_file(dirfd, RUNDIR_LOCK, true);
    if (prepared != -ENOENT)
        return prepared < 0 ? prepared : take_prepared(prepared);
    snprintf(tmp, sizeof(tmp), RUNDIR_LOCK ".%ld", (long)getpid());
    if (unlinkat(dirfd, tmp, 0) < 0 && errno != ENOENT) /* of a former process of this id */
        return -errno;
    int fd = files_open(dirfd, tmp, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0)
        return fd;
    int rc = take(fd);
    if (rc == 0 && linkat(dirfd, tmp, dirfd, RUNDIR_LOCK, 0) < 0)
        rc = -errno;
    if (unlinkat(dirfd, tmp, 0) < 0 && rc == 0)
        rc = -errno;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

static int signal_holder(int dirfd, int pidfd, pid_t pid, int signum)
{
    enum rundir_liveness live = RUNDIR_DEAD;
    pid_t now = 0;

    int rc = rundir_liveness(dirfd, &live, &now);
    if (rc < 0)
        return rc;
    if (live != RUNDIR_ALIVE || now != pid)
        return -ESRCH;
    return syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) < 0 ? -errno : 0;
}

int rundir_signal(int dirfd, int signum)
{
    enum rundir_liveness live = RUNDIR_DEAD;
    pid_t pid = 0;

    int rc = rundir_liveness(dirfd, &live, &pid);
    if (rc < 0)
        return rc;
    if (live != RUNDIR_ALIVE || pid == 0)
        return -ESRCH;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return -errno;
    rc = signal_holder(dirfd, pidfd, pid, signum);
    close(pidfd);
    return rc;
}
