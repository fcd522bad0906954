/*
 * File operations relative to a directory. A file appears under its name whole: it is written as
 * NAME.new first, which a crash may leave behind and the next attempt replaces.
 */
#include "spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int files_open(int dirfd, const char *name, int flags)
{
    struct stat st;
    /* O_NONBLOCK: a FIFO in a file's place must not hang the caller. */
    int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        return -errno;
    int rc = fstat(fd, &st) < 0 ? -errno : 0;
    if (rc == 0 && !S_ISREG(st.st_mode))
        rc = -EINVAL;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

int files_write_all(int fd, const void *p, size_t n)
{
    const uint8_t *b = p;
    while (n > 0) {
        ssize_t k = write(fd, b, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -errno;
        b += k;
        n -= (size_t)k;
    }
    return 0;
}

/* tmp gets the temporary name. */
static int write_temporary(int dirfd, const char *name, const void *p, size_t n, char tmp[32])
{
    if ((size_t)snprintf(tmp, 32, "%s.new", name) >= 32)
        return -ENAMETOOLONG;
    if (unlinkat(dirfd, tmp, 0) < 0 && errno != ENOENT)
        return -errno;
    int fd = files_open(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return fd;
    int rc = files_write_all(fd, p, n);
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc < 0)
        unlinkat(dirfd, tmp, 0);
    return rc;
}

int files_create_whole(int dirfd, const char *name, const void *p, size_t n)
{
    char tmp[32];

    if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    int rc = write_temporary(dirfd, name, p, n, tmp);
    if (rc < 0)
        return rc;
    if (linkat(dirfd, tmp, dirfd, name, 0) < 0 && errno != EEXIST)
        rc = -errno;
    if (unlinkat(dirfd, tmp, 0) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

int files_replace(int dirfd, const char *name, const void *p, size_t n)
{
    char tmp[32];

    int rc = write_temporary(dirfd, name, p, n, tmp);
    if (rc < 0)
        return rc;
    if (renameat(dirfd, tmp, dirfd, name) < 0) {
        rc = -errno;
        unlinkat(dirfd, tmp, 0);
        return rc;
    }
    return 0;
}
