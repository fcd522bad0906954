/* The key file: read, checked, made and replaced. Internal to seal.c. */
#ifndef TAILGATE_ORCHESTRATOR_SEAL_FILE_H
#define TAILGATE_ORCHESTRATOR_SEAL_FILE_H

#include "orchestrator/seal.h"

#include <sys/types.h>
#include <time.h>

#define SEAL_KEY_BYTES 32

struct seal_key {
    char id[SEAL_KEY_ID_SIZE];
    uint8_t bytes[SEAL_KEY_BYTES];
};
struct seal_keys {
    struct seal_key key[SEAL_KEYS_MAX]; /* the current one first */
    size_t count;
    /* The file as it was read. */
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
};

void seal_key_make(struct seal_key *ret);
/* ERR_INVALID with one line in error, ERR_NOMEM. */
MUST_CHECK int seal_file_read(const char *path, struct seal_keys *ret, struct buf *error);
bool seal_file_has_changed(const char *path, const struct seal_keys *keys);
/* Unless there is one: with one fresh key. ERR_INVALID with one line in error. */
MUST_CHECK int seal_file_make(const char *path, struct buf *error);
/* In place of what is there; keys then tells of that file. ERR_SYS. */
MUST_CHECK int seal_file_write(const char *path, struct seal_keys *keys);

#endif
