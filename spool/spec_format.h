/*
 * The spec file's layout, shared by its encoder and its decoder. Fields stand in any order; those
 * marked * may stand several times, all others once:
 *
 *   1 id (32 hex digits)    2 command           3 workspace          4* environment entry
 *   5 tty (u8)              6 uid (u32)         7 gid (u32)          8 timeout_ms (i64)
 *   9 grace_ms (i64)       10 drain_ms (i64)   11 spool_max (u64)   12 sandbox (u8)
 *  13* read path           14* write path      15 setup            16* setup environment entry
 *  17 directory           18 spool_full (u8)
 *
 * uid and gid stand together or not at all: they are set_ids. Setup, directory and spool_full
 * (then: block) may be absent, all others that are not marked must be there.
 */
#ifndef TAILGATE_SPOOL_SPEC_FORMAT_H
#define TAILGATE_SPOOL_SPEC_FORMAT_H

#include "spool/spec.h"

#define SPEC_MAGIC "TGSPEC1\n"
#define SPEC_MAGIC_LEN 8u
#define SPEC_FIELD_LEN 6u /* tag and length */
#define SPEC_TRAILER_LEN (SPEC_FIELD_LEN + 4u)

enum spec_tag {
    SPEC_TAG_END = 0,
    SPEC_TAG_ID,
    SPEC_TAG_COMMAND,
    SPEC_TAG_WORKSPACE,
    SPEC_TAG_ENV,
    SPEC_TAG_TTY,
    SPEC_TAG_UID,
    SPEC_TAG_GID,
    SPEC_TAG_TIMEOUT,
    SPEC_TAG_GRACE,
    SPEC_TAG_DRAIN,
    SPEC_TAG_SPOOL_MAX,
    SPEC_TAG_SANDBOX,
    SPEC_TAG_READ_PATH,
    SPEC_TAG_WRITE_PATH,
    SPEC_TAG_SETUP,
    SPEC_TAG_SETUP_ENV,
    SPEC_TAG_DIRECTORY,
    SPEC_TAG_SPOOL_FULL,
    SPEC_TAG_USER,
    SPEC_TAG_HIDDEN,
    SPEC_TAG_COUNT
};
#define SPEC_TAGS_REPEATED                                                       \
    (1u << SPEC_TAG_ENV | 1u << SPEC_TAG_READ_PATH | 1u << SPEC_TAG_WRITE_PATH | \
     1u << SPEC_TAG_SETUP_ENV)
#define SPEC_TAGS_IDS (1u << SPEC_TAG_UID | 1u << SPEC_TAG_GID)
#define SPEC_TAGS_REQUIRED                                                                        \
    (1u << SPEC_TAG_ID | 1u << SPEC_TAG_COMMAND | 1u << SPEC_TAG_WORKSPACE | 1u << SPEC_TAG_TTY | \
     1u << SPEC_TAG_TIMEOUT | 1u << SPEC_TAG_GRACE | 1u << SPEC_TAG_DRAIN |                       \
     1u << SPEC_TAG_SPOOL_MAX | 1u << SPEC_TAG_SANDBOX)

/* The rules that a spec keeps on both ways. */
bool spec_is_valid(const struct run_spec *s);

#endif
