/*
 * Feeds the spool's writer and minds its bounds: the bytes past ack, the disk's room, the age of
 * what is not yet written.
 *
 *   file: | holes | to be read | about to be written | own records |
 *         0       ack          end of file                         reserved
 */
#include "runner/outlet.h"

#include "runner/now.h"
#include "spool/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOOK_MS 20            /* between looks at ack while its moving on is waited for */
#define LOOK_IDLE_MS 500      /* … and while it only decides about holes */
#define RETRY_MS 500          /* between tries to write to a full disk */
#define TRIES_MAX 20u         /* ten seconds of another error: broken */
#define PUNCH_STEP (1u << 20) /* smaller holes cost more calls than they free */
#define WAIT_MS 5             /* a record waits no longer, however busy the streams are */
/* What the disk may hold past the pause: one round of reading, what is reserved ahead, one step of
 * holes not yet punched. A bound that is large beside it includes it; a small one is passed by that
 * much. */
#define SLACK_BYTES (PUNCH_STEP + 3 * SPOOL_WRITE_BYTES)
#define SLACK_INCLUDED_FROM (16u << 20)
#define OWN_BYTES RUNDIR_RESERVE_BYTES /* of buffer and disk, for the runner's own records */
#define SYSTEM_LINE_MAX 1024u

static void read_ack(struct outlet *o)
{
    uint64_t ack = 0;
    if (rundir_ack_read(o->ack_fd, &ack) == 0 && ack > o->ack && ack <= spool_writer_end(o->writer))
        o->ack = ack;
}

/* A file system without holes keeps the bytes: nothing else to do about it. */
static void punch(struct outlet *o)
{
    (void)rundir_punch(o->spool_fd, o->punched, o->ack);
    o->punched = o->ack;
}

/* ---- the disk's room ---- */

static bool is_full(int error)
{
    return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

static int reserve_to(struct outlet *o, uint64_t end)
{
    if (end <= o->reserved)
        return 0;
    int rc = rundir_reserve(o->spool_fd, o->reserved, end);
    if (rc == 0)
        o->reserved = end;
    else if (!is_full(rc))
        o->reserved = UINT64_MAX; /* then writes themselves tell */
    return is_full(rc) ? rc : 0;
}

/* Blocks for what waits to be written and, behind it, the runner's own records. With as much again
 * where there is plenty, so that a busy spool asks half as often. */
static int reserve(struct outlet *o)
{
    struct rlimit limit;
    uint64_t need = spool_writer_end(o->writer) + OWN_BYTES;

    if (o->is_ending)
        return 0;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        need > limit.rlim_cur)
        return -EFBIG;
    if (need <= o->reserved)
        return 0;
    int rc = reserve_to(o, need + spool_writer_waiting(o->writer));
    if (rc < 0) {
        read_ack(o);
        punch(o);
        rc = reserve_to(o, need);
    }
    return rc;
}

/* ---- life cycle ---- */

int outlet_init(struct outlet *o, int spool_fd, int ack_fd, uint64_t bound)
{
    uint64_t ack = 0;

    int rc = rundir_ack_read(ack_fd, &ack);
    if (rc < 0)
        return rc;
    *o = (struct outlet){.spool_fd = spool_fd,
                         .ack_fd = ack_fd,
                         .bound = bound >= SLACK_INCLUDED_FROM ? bound - SLACK_BYTES : bound,
                         .ack = ack > SPOOL_HEADER_LEN ? ack : SPOOL_HEADER_LEN,
                         .waiting_since_ms = NEVER_MS,
                         .retry_at_ms = NEVER_MS};
    rc = spool_writer_new_at(spool_fd, ack, &o->writer);
    if (rc == 0) {
        o->reserved = spool_writer_end(o->writer);
        (void)reserve(o); /* a disk that is full already is met again by the first flush */
    }
    return rc;
}

void outlet_done(struct outlet *o)
{
    spool_writer_free(o->writer);
    o->writer = NULL;
}

static void mark_waiting(struct outlet *o)
{
    if (o->waiting_since_ms == NEVER_MS)
        o->waiting_since_ms = now_ms();
}

static bool has_room(const struct outlet *o, uint32_t len)
{
    return spool_writer_waiting(o->writer) + SPOOL_RECORD_HEADER_LEN + len <=
           SPOOL_WRITE_BYTES - OWN_BYTES;
}

int outlet_line(struct outlet *o, uint8_t kind, uint8_t flags, const void *p, uint32_t len)
{
    if (!has_room(o, len))
        outlet_flush(o, now_ms());
    if (!has_room(o, len))
        return -EAGAIN;
    int rc = spool_writer_append(o->writer, now_us(), kind, flags, p, len);
    if (rc == 0)
        mark_waiting(o);
    return rc;
}

void outlet_record(struct outlet *o, int64_t time_us, uint8_t kind, const void *p, uint32_t len)
{
    /* It fits: a run has a handful of these, and lines leave OWN_BYTES to them. */
    (void)spool_writer_append(o->writer, time_us, kind, 0, p, len);
    mark_waiting(o);
}

void outlet_system(struct outlet *o, const char *fmt, ...)
{
    char line[SYSTEM_LINE_MAX];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof(line))
        n = (int)sizeof(line) - 1;
    outlet_record(o, now_us(), SPOOL_KIND_SYSTEM, line, (uint32_t)n);
}

void outlet_flush(struct outlet *o, int64_t now)
{
    if (o->error != 0 && now < o->retry_at_ms)
        return;
    int rc = reserve(o);
    if (rc == 0)
        rc = spool_writer_flush(o->writer);
    if (rc < 0) {
        o->error = rc;
        o->retry_at_ms = now + RETRY_MS;
        o->tries++;
        return;
    }
    o->error = 0;
    o->retry_at_ms = NEVER_MS;
    o->tries = 0;
    o->waiting_since_ms = NEVER_MS;
}

bool outlet_is_due(const struct outlet *o, int64_t now)
{
    return spool_writer_waiting(o->writer) > SPOOL_WRITE_BYTES / 2 ||
           (o->waiting_since_ms != NEVER_MS && now - o->waiting_since_ms >= WAIT_MS);
}

static bool is_paused(const struct outlet *o)
{
    return spool_writer_end(o->writer) - o->ack >= o->bound;
}

static bool has_holes_to_come(const struct outlet *o)
{
    return spool_writer_end(o->writer) - o->punched >= PUNCH_STEP;
}

void outlet_look(struct outlet *o, int64_t now)
{
    if (now < o->look_at_ms || (!is_paused(o) && !has_holes_to_come(o)))
        return;
    read_ack(o);
    if (o->ack - o->punched >= PUNCH_STEP)
        punch(o);
    o->look_at_ms = now + LOOK_MS;
}

bool outlet_is_open(const struct outlet *o)
{
    return o->error == 0 && (o->is_ending || !is_paused(o));
}

bool outlet_is_broken(const struct outlet *o)
{
    return o->tries >= TRIES_MAX && !is_full(o->error);
}

enum outlet_state outlet_state(struct outlet *o)
{
    if (o->error != 0)
        return is_full(o->error) ? OUTLET_DISK_FULL : OUTLET_FAILING;
    if (outlet_is_open(o))
        return OUTLET_OPEN;
    read_ack(o);
    return is_paused(o) ? OUTLET_SPOOL_FULL : OUTLET_OPEN;
}

void outlet_give_up(struct outlet *o)
{
    o->is_ending = true;
    if (o->error == 0) /* all of it can be written */
        return;
    /* When the file cannot even be read and cut, what waits stays and is tried again at the end. */
    if (spool_writer_discard(o->writer, o->ack) == 0)
        o->waiting_since_ms = NEVER_MS;
    o->error = 0;
    o->retry_at_ms = NEVER_MS;
    o->tries = 0;
}

int64_t outlet_next_ms(const struct outlet *o)
{
    int64_t next = o->retry_at_ms;
    if (is_paused(o) && o->look_at_ms < next)
        next = o->look_at_ms;
    if (has_holes_to_come(o) && o->look_at_ms + LOOK_IDLE_MS < next)
        next = o->look_at_ms + LOOK_IDLE_MS;
    return next;
}

int outlet_finish(struct outlet *o)
{
    o->is_ending = true;
    for (;;) {
        int64_t now = now_ms();
        outlet_flush(o, now);
        if (o->error == 0)
            break;
        if (outlet_is_broken(o))
            return o->error;
        usleep(RETRY_MS * 1000);
    }
    read_ack(o);
    punch(o);
    (void)ftruncate(o->spool_fd, (off_t)spool_writer_end(o->writer)); /* the reserve's blocks */
    return fsync(o->spool_fd) < 0 ? -errno : 0;
}
