/*
 * The spec file: all that the runner needs to know, written by tailgated before the start.
 * Binary: "TGSPEC1\n", then fields of u16 tag, u32 length, bytes; then tag 0, u32 4, crc32c of all
 * before. Unknown tags are refused. Tags are listed in spec.c.
 */
#ifndef TAILGATE_SPOOL_SPEC_H
#define TAILGATE_SPOOL_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPEC_BYTES_MAX (4u << 20) /* largest spec file accepted */

/* How the command is confined (besides its user). */
enum spec_sandbox {
    SPEC_SANDBOX_NONE,
    SPEC_SANDBOX_SCOPE, /* Landlock domain: no ptrace, no signals across runs, no way into `hidden`
                         */
    SPEC_SANDBOX_FILES, /* and files: its workspace, the system's files, `paths` */
    SPEC_SANDBOX_CONTAINER, /* the container confines it: `user` instead of set_ids, and `env` on
                               top of the image's variables */
};

/* What a command meets whose output finds no room: spool_max is reached, or the disk is full. */
enum spec_spool_full {
    SPEC_SPOOL_FULL_BLOCK, /* it waits */
    SPEC_SPOOL_FULL_FAIL,  /* it is ended */
};

struct run_spec {
    char id[33];
    char *command;   /* /bin/sh -c command */
    char *workspace; /* absolute; the command's working directory */
    char **env;      /* NULL-ended NAME=VALUE, exactly the command's environment; NULL = empty */
    bool tty;        /* pseudo-terminal: all output is stream 'o' */
    bool set_ids;    /* become uid/gid (no supplementary groups) before the command */
    uid_t uid;
    gid_t gid;
    int64_t timeout_ms; /* 0 = none */
    int64_t grace_ms;   /* between TERM and KILL */
    int64_t drain_ms;   /* how long descendants may hold the pipes after the command's end */
    uint64_t spool_max; /* bytes past ack at which reading stops */
    enum spec_spool_full spool_full;
    enum spec_sandbox sandbox;
    char **read_paths; /* NULL-ended; further trees the command may read, with SPEC_SANDBOX_FILES */
    char **write_paths; /* … and write */
    char *setup; /* /bin/sh -c, before the command, in the workspace; NULL = none. Its output are
                    system lines; unless it exits with 0 the command is not started */
    char **setup_env; /* NULL-ended; exactly its environment */
    char *directory;  /* where the command begins, below the workspace; NULL = in it */
    char *hidden; /* absolute; a tree that the command is kept out of, its workspace in it aside,
                     with SPEC_SANDBOX_SCOPE; NULL = none */
    char *user;   /* of the image: "" = root, "NAME", "UID:GID"; with SPEC_SANDBOX_CONTAINER */
};

void run_spec_done(struct run_spec *s); /* frees strings; safe on zeroed */
/* Writes RUNDIR_SPEC atomically (temporary file, rename), 0600. 0 or -errno. */
int run_spec_write(int dirfd, const struct run_spec *s);
/* 0, -EBADMSG, -ENOMEM, -errno. */
int run_spec_read(int dirfd, struct run_spec *ret);
/* The environment is on disk only until the runner has it: unlinks the file, or empties it where
 * its name cannot go (mounted by itself). 0, also when it is absent, or -errno. */
int run_spec_drop(int dirfd);
/* The codec itself, for tests and fuzzing. *ret_p is malloc'd. */
int run_spec_encode(const struct run_spec *s, uint8_t **ret_p, size_t *ret_n);
int run_spec_decode(const uint8_t *p, size_t n, struct run_spec *ret);

#endif
