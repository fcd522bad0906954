/*
 * The run directory's files. Everything goes through the directory's descriptor, with O_NOFOLLOW;
 * what is opened must be a regular file, as names in it are not trusted once a command has run.
 *
 * Life cycle: rundir_create ─▶ (runner: rundir_lock) ─▶ reads, appends, acks ─▶ rundir_remove.
 */
#include "spool/rundir.h"

#include "spool/bytes.h"
#include "spool/files.h"
#include "spool/format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const known_files[] = {RUNDIR_SPEC, RUNDIR_SPOOL, RUNDIR_ACK, RUNDIR_LOCK};
#define KNOWN_COUNT (sizeof(known_files) / sizeof(known_files[0]))

int rundir_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* A file system that cannot do it is as good as its luck. */
static int reserve_first(int dirfd)
{
    int fd = rundir_open_file(dirfd, RUNDIR_SPOOL, true);
    if (fd < 0)
        return fd;
    int rc = rundir_reserve(fd, 0, SPOOL_HEADER_LEN + RUNDIR_RESERVE_BYTES);
    close(fd);
    return rc == -ENOSPC || rc == -EDQUOT ? rc : 0;
}

int rundir_create(const char *path, const char *id, int64_t created_us)
{
    static const uint8_t no_ack[8] = {0}; /* a later one overwrites them: that needs no room */
    uint8_t header[SPOOL_HEADER_LEN];

    if (strnlen(id, SPOOL_ID_LEN + 1) != SPOOL_ID_LEN)
        return -EINVAL;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    int dirfd = rundir_open(path);
    if (dirfd < 0)
        return dirfd;
    spool_header_pack(id, created_us, header);
    int rc = files_create_whole(dirfd, RUNDIR_SPOOL, header, sizeof(header));
    if (rc == 0)
        rc = files_create_whole(dirfd, RUNDIR_ACK, no_ack, sizeof(no_ack));
    if (rc == 0)
        rc = reserve_first(dirfd);
    close(dirfd);
    return rc;
}

/* A known file or the temporary one of it: "spool", "lock.4711". */
static bool is_ours(const char *name)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        size_t n = strlen(known_files[i]);
        if (strncmp(name, known_files[i], n) == 0 && (name[n] == '\0' || name[n] == '.'))
            return true;
    }
    return false;
}

static int remove_files(DIR *dir)
{
    const struct dirent *e = NULL;
    while ((void)(errno = 0), (e = readdir(dir)) != NULL) {
        if (is_ours(e->d_name) && unlinkat(dirfd(dir), e->d_name, 0) < 0 && errno != ENOENT)
            return -errno;
    }
    return -errno;
}

int rundir_remove(const char *path)
{
    int fd = rundir_open(path);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    int rc = remove_files(dir);
    closedir(dir);
    if (rc == 0 && rmdir(path) < 0 && errno != ENOENT)
        rc = -errno;
    return rc;
}

int rundir_open_file(int dirfd, const char *name, bool writable)
{
    bool known = false;
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        known = known || strcmp(name, known_files[i]) == 0;
    if (!known)
        return -EINVAL;
    int flags = writable ? O_RDWR : O_RDONLY;
    if (writable && strcmp(name, RUNDIR_SPOOL) == 0)
        flags |= O_APPEND;
    return files_open(dirfd, name, flags);
}

int rundir_ack_write(int ack_fd, uint64_t offset)
{
    uint8_t b[8];
    put_u64(b, offset);
    ssize_t n = pwrite(ack_fd, b, sizeof(b), 0);
    if (n < 0)
        return -errno;
    return n == (ssize_t)sizeof(b) ? 0 : -EIO;
}

int rundir_ack_read(int ack_fd, uint64_t *ret_offset)
{
    uint8_t b[8];
    ssize_t n = pread(ack_fd, b, sizeof(b), 0);
    if (n < 0)
        return -errno;
    if (n != 0 && n != (ssize_t)sizeof(b))
        return -EBADMSG;
    *ret_offset = n == 0 ? 0 : get_u64(b);
    return 0;
}

int rundir_reserve(int spool_fd, uint64_t from, uint64_t to)
{
    int rc = 0;

    if (to > (uint64_t)INT64_MAX)
        return -EFBIG;
    if (from >= to)
        return 0;
    do {
        rc = fallocate(spool_fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from));
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : 0;
}

int rundir_punch(int spool_fd, uint64_t from, uint64_t to)
{
    const uint64_t page = 4096; /* a file system with larger blocks zeroes the rest: just as gone */

    if (to > (uint64_t)INT64_MAX || from > to)
        return -EINVAL;
    if (from < SPOOL_HEADER_LEN) /* the header stays */
        from = SPOOL_HEADER_LEN;
    from = (from + page - 1) / page * page;
    to = to / page * page;
    if (from >= to)
        return 0;
    if (fallocate(spool_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
                  (off_t)(to - from)) < 0)
        return -errno;
    return 0;
}
