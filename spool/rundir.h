/*
 * A run directory (architecture.md, "A run directory"): spec, spool, ack, lock. All files are 0600,
 * opened with O_NOFOLLOW|O_CLOEXEC relative to the directory's descriptor.
 *
 * The lock is liveness. The runner writes its process id into a temporary file, takes a POSIX write
 * lock (fcntl F_SETLK) on it and then link()s it to `lock`: whoever sees `lock` sees it locked
 * while the runner lives, and the second runner's link() fails. F_GETLK names the holder's process
 * id. Where the files are mounted one by one no name can be made: there an empty `lock` is prepared
 * beforehand, and who locks it first while it is empty is the runner.
 */
#ifndef TAILGATE_SPOOL_RUNDIR_H
#define TAILGATE_SPOOL_RUNDIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RUNDIR_SPEC "spec"
#define RUNDIR_SPOOL "spool"
#define RUNDIR_ACK "ack"
#define RUNDIR_LOCK "lock"

/* What a spool has of the disk beyond its records, for the runner's own last ones. */
#define RUNDIR_RESERVE_BYTES 8192u

/* Creates PATH (0700; its parent exists) with an ack of 0 and a spool that has just its header,
 * both with the blocks that they cannot do without once the disk is full (-ENOSPC when it is);
 * idempotent (existing files stay as they are). id: 32 hex digits. Returns 0 or -errno. */
int rundir_create(const char *path, const char *id, int64_t created_us);
/* Descriptor of the directory, or -errno. */
int rundir_open(const char *path);
/* Removes the known files and the directory; absent is fine. */
int rundir_remove(const char *path);
/* Opens one of the files above for reading, or reading and writing. Descriptor or -errno. */
int rundir_open_file(int dirfd, const char *name, bool writable);

/* How tailgate-runner exits when it is not the one that runs the command, and otherwise. */
enum rundir_runner_exit {
    RUNDIR_RUNNER_DONE = 0,    /* the exit record is in the spool */
    RUNDIR_RUNNER_FAILED = 1,  /* said why on standard error, or the spool could not be written */
    RUNDIR_RUNNER_USAGE = 2,   /* wrong arguments */
    RUNDIR_RUNNER_ALREADY = 3, /* another runner was first */
};

enum rundir_liveness {
    RUNDIR_NOT_STARTED, /* no lock file, or a prepared one */
    RUNDIR_ALIVE,
    RUNDIR_DEAD, /* lock file, not locked */
};
/* *ret_pid: the holder, 0 unless alive. 0 or -errno. Never call it in the process that holds the
 * lock: closing would release it. */
int rundir_liveness(int dirfd, enum rundir_liveness *ret, pid_t *ret_pid);
/* An empty lock file; an existing one stays as it is. 0 or -errno. */
int rundir_prepare_lock(int dirfd);
/* The runner's side: takes the lock for life. Returns the descriptor to keep, -EEXIST when another
 * runner was first. */
int rundir_lock(int dirfd);
/* Sends signum to the living runner, safe against reuse of process ids (pidfd, then the lock is
 * asked again). -ESRCH when it does not live. */
int rundir_signal(int dirfd, int signum);

/* ack: committed bytes of the spool, u64 little endian. 0 or -errno. */
int rundir_ack_write(int ack_fd, uint64_t offset);
int rundir_ack_read(int ack_fd, uint64_t *ret_offset);
/* Takes blocks for [from, to) without changing the file's size. -ENOSPC, -EDQUOT, -EFBIG; others
 * (-EOPNOTSUPP) when its file system cannot do it. */
int rundir_reserve(int spool_fd, uint64_t from, uint64_t to);
/* Punches a hole over the whole pages in [from, to). -EOPNOTSUPP is returned like other errors. */
int rundir_punch(int spool_fd, uint64_t from, uint64_t to);

#endif
