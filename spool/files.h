/* Small file operations that the run directory's sources share. */
#ifndef TAILGATE_SPOOL_FILES_H
#define TAILGATE_SPOOL_FILES_H

#include <stddef.h>

/* Regular file, 0600 when created, O_NOFOLLOW and O_CLOEXEC. Descriptor or -errno; -EINVAL when the
 * name is something else than a regular file. */
int files_open(int dirfd, const char *name, int flags);
int files_write_all(int fd, const void *p, size_t n);
/* Creates NAME with these bytes, all or nothing; an existing one stays as it is. */
int files_create_whole(int dirfd, const char *name, const void *p, size_t n);
/* Creates or replaces NAME with these bytes, all or nothing. Not synced: what a crash of the host
 * takes is not needed after it. */
int files_replace(int dirfd, const char *name, const void *p, size_t n);

#endif
