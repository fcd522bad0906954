/*
 * The runner's side of a spool: what goes in, when it is written, and whether more may come.
 *
 *   open ──(bytes past ack reach the bound)──▶ paused ──(ack moves)──▶ open
 *   open ──(no room on the disk)──▶ blocked ──(a later try goes through)──▶ open
 *   any ──outlet_give_up──▶ ending: only the runner's own records are written
 *
 * While it is not open nobody reads the command's pipes, so the command blocks; nothing is dropped.
 * Blocks of the file are taken before lines are written to it, and some more, so that the runner's
 * own last records have a place however full the disk is.
 */
#ifndef TAILGATE_RUNNER_OUTLET_H
#define TAILGATE_RUNNER_OUTLET_H

#include "spool/writer.h"

#include <stdbool.h>

enum outlet_state {
    OUTLET_OPEN,
    OUTLET_SPOOL_FULL, /* the bound is reached */
    OUTLET_DISK_FULL,  /* or a quota, or the largest file */
    OUTLET_FAILING,    /* writes fail for another reason */
};

struct outlet {
    struct spool_writer *writer;
    int spool_fd, ack_fd;
    uint64_t bound;    /* the spec's spool_max, what is added past a pause taken off */
    uint64_t ack;      /* as last read */
    uint64_t punched;  /* holes reach to here */
    uint64_t reserved; /* the file has blocks to here; UINT64_MAX: its file system cannot tell */
    bool is_ending;    /* the reserve is used up */
    int64_t look_at_ms;
    int64_t waiting_since_ms; /* of the oldest unwritten record; NEVER_MS = none */
    int64_t retry_at_ms;      /* blocked until then; NEVER_MS = not blocked */
    int error;                /* of the last try, while blocked */
    unsigned tries;           /* failed ones in a row */
};

/* Both descriptors stay the caller's. 0 or -errno (spool_writer_new). */
int outlet_init(struct outlet *o, int spool_fd, int ack_fd, uint64_t bound);
void outlet_done(struct outlet *o);

/* A line of the command. -EAGAIN: no room as long as the outlet is blocked. */
int outlet_line(struct outlet *o, uint8_t kind, uint8_t flags, const void *p, uint32_t len);
/* The runner's own records; room is kept for them. */
void outlet_record(struct outlet *o, int64_t time_us, uint8_t kind, const void *p, uint32_t len);
void outlet_system(struct outlet *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes what waits, unless it is blocked and not yet time for the next try. */
void outlet_flush(struct outlet *o, int64_t now_ms);
/* So much or so old that it should be written although more is coming. */
bool outlet_is_due(const struct outlet *o, int64_t now_ms);
/* Reads ack when it matters, punches holes behind it. */
void outlet_look(struct outlet *o, int64_t now_ms);
bool outlet_is_open(const struct outlet *o);
/* Looks at ack first: what was committed meanwhile counts. */
enum outlet_state outlet_state(struct outlet *o);
/* Forgets lines that are not on the disk; the runner's own records can still be added. */
void outlet_give_up(struct outlet *o);
/* A write keeps failing for another reason than a full disk. */
bool outlet_is_broken(const struct outlet *o);
/* When outlet_flush or outlet_look has something to do. */
int64_t outlet_next_ms(const struct outlet *o);
/* Writes all, waiting for room on the disk; then fsync and the last holes. 0 or -errno. */
int outlet_finish(struct outlet *o);

#endif
