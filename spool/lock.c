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
#include <sys/syscall.h>
#include <unistd.h>

int rundir_liveness(int dirfd, enum rundir_liveness *ret, pid_t *ret_pid)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    int fd = rundir_open_file(dirfd, RUNDIR_LOCK, false);
    if (fd == -ENOENT) {
        *ret = RUNDIR_NOT_STARTED;
        *ret_pid = 0;
        return 0;
    }
    if (fd < 0)
        return fd;
    int rc = fcntl(fd, F_GETLK, &lock) < 0 ? -errno : 0;
    close(fd);
    if (rc < 0)
        return rc;
    bool alive = lock.l_type != F_UNLCK;
    *ret = alive ? RUNDIR_ALIVE : RUNDIR_DEAD;
    *ret_pid = alive && lock.l_pid > 0 ? lock.l_pid : 0;
    return 0;
}

int rundir_lock(int dirfd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char tmp[32];
    char pid[16];
    int rc = 0;

    snprintf(tmp, sizeof(tmp), RUNDIR_LOCK ".%ld", (long)getpid());
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (unlinkat(dirfd, tmp, 0) < 0 && errno != ENOENT) /* of a former process of this id */
        return -errno;
    int fd = files_open(dirfd, tmp, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0)
        return fd;
    rc = files_write_all(fd, pid, (size_t)n);
    if (rc == 0 && fcntl(fd, F_SETLK, &lock) < 0)
        rc = -errno;
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
