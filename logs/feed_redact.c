/*
 * Redaction of a feed's lines, between the spool and the builder. Where a chunk ends inside a
 * secret, what is open there must outlive this process, for the spool's bytes before it are gone
 * then: it is written into the run directory, behind what `ack` says, and synced, before the chunk
 * is sent. That is the spool's place and has its permissions: such bytes never get into PostgreSQL.
 *
 *   ack:  | committed offset, 8 | … 4096: | slot | slot | slot | slot |
 *   slot: | crc, u32 | version, u32 | from, u64 | for each stream: length, u16; bytes | 0 … | 4096
 *
 * A slot holds from the line `from` on, until the next one. Which chunks are committed at the next
 * start is not known when one is written: the one that holds for the last chunk known to be
 * committed is never overwritten, the others oldest first.
 */
#include "base/err.h"
#include "base/log.h"
#include "logs/redaction.h"
#include "logs/writer_internal.h"
#include "spool/bytes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SLOTS 4u
#define SLOT_BYTES 4096u
#define SLOT_VERSION 1u
#define SLOT_HEADER 16u

static_assert(SLOT_HEADER + REDACTION_STREAMS * (2 + REDACT_PIECE) <= SLOT_BYTES, "slot size");

struct carry {
    bool is_written;
    struct redaction_marks marks;
};

/* ---- slots ---- */

static uint32_t slot_crc(const uint8_t slot[SLOT_BYTES])
{
    return spool_crc32c(0, slot + 4, SLOT_BYTES - 4);
}

/* 0: the slot is empty or torn; otherwise from which line on it holds. */
static uint64_t slot_read(int fd, unsigned i, uint8_t ret[SLOT_BYTES])
{
    ssize_t n = pread(fd, ret, SLOT_BYTES, (off_t)(i + 1) * SLOT_BYTES);
    if (n != (ssize_t)SLOT_BYTES || get_u32(ret) != slot_crc(ret) ||
        get_u32(ret + 4) != SLOT_VERSION)
        return 0;
    return get_u64(ret + 8);
}

/* The slot that holds for `seq`; *ret_victim: the one to overwrite. SLOTS: none holds. */
static unsigned slot_find(int fd, uint64_t seq, unsigned *ret_victim, uint8_t buffer[SLOT_BYTES])
{
    uint64_t from[SLOTS];
    unsigned best = SLOTS, victim = SLOTS;
    for (unsigned i = 0; i < SLOTS; i++) {
        from[i] = slot_read(fd, i, buffer);
        if (from[i] > 0 && from[i] <= seq && (best == SLOTS || from[i] > from[best]))
            best = i;
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        if (i != best && (victim == SLOTS || from[i] < from[victim]))
            victim = i;
    }
    *ret_victim = victim;
    return best;
}

int feed_redact_save(struct feed *f, const struct item *i)
{
    uint8_t slot[SLOT_BYTES] = {0};
    unsigned victim;
    struct carry *c = i->carry;
    if (!c || c->is_written)
        return 0;
    (void)slot_find(f->ack_fd, topic_last_seq(f->topic), &victim, slot);
    memset(slot, 0, sizeof slot);
    put_u32(slot + 4, SLOT_VERSION);
    put_u64(slot + 8, i->last_seq);
    uint8_t *at = slot + SLOT_HEADER;
    for (unsigned s = 0; s < REDACTION_STREAMS; s++) {
        size_t len = redaction_mark_text(f->redaction, c->marks.state[s], at + 2);
        put_u16(at, (uint16_t)len);
        at += 2 + len;
    }
    put_u32(slot, slot_crc(slot));
    ssize_t n = pwrite(f->ack_fd, slot, sizeof slot, (off_t)(victim + 1) * SLOT_BYTES);
    bool failed = n != (ssize_t)sizeof slot || fdatasync(f->ack_fd) < 0;
    explicit_bzero(slot, sizeof slot);
    if (failed) {
        log_error("what is open of a secret cannot be written", "execution_id", f->id.hex, "error",
                  strerror(errno));
        return ERR_SYS;
    }
    c->is_written = true;
    return 0;
}

static void load(struct feed *f)
{
    uint8_t slot[SLOT_BYTES];
    unsigned victim;
    unsigned best = slot_find(f->ack_fd, f->opened_seq, &victim, slot);
    if (best == SLOTS || slot_read(f->ack_fd, best, slot) == 0)
        return;
    const uint8_t *at = slot + SLOT_HEADER, *end = slot + sizeof slot;
    for (unsigned s = 0; s < REDACTION_STREAMS && end - at >= 2; s++) {
        size_t len = get_u16(at);
        at += 2;
        if (len > (size_t)(end - at))
            break;
        redaction_restore(f->redaction, s, at, len);
        at += len;
    }
    explicit_bzero(slot, sizeof slot);
}

/* ---- marks of chunks ---- */

int feed_redact_cut(struct feed *f, struct item *i)
{
    struct redaction_marks marks;
    if (!f->redaction)
        return 0;
    redaction_marks(f->redaction, &marks);
    if (memcmp(&marks, &f->marks, sizeof marks) == 0)
        return 0;
    i->carry = calloc(1, sizeof *i->carry);
    if (!i->carry)
        return ERR_NOMEM;
    i->carry->marks = marks;
    return 0;
}

void feed_redact_did_cut(struct feed *f, const struct item *i)
{
    if (i->carry)
        f->marks = i->carry->marks;
}

/* ---- lines ---- */

static int set_redactor(struct feed *f, struct redactor *r)
{
    int rc = redaction_new(r, CHUNK_BYTES_MAX, f->opened_seq > 0, &f->redaction);
    if (rc < 0)
        return rc;
    if (f->opened_seq > 0)
        load(f);
    redaction_marks(f->redaction, &f->marks);
    return 0;
}

int feed_set_redactor(struct feed *f, struct redactor *r)
{
    int rc = r ? set_redactor(f, r) : 0;
    if (rc == 0 && f->is_held) {
        f->is_held = false;
        feed_wake(f);
    }
    return rc;
}

int feed_redact_drain(struct feed *f)
{
    struct redaction_line l;
    int rc;
    if (!f->redaction)
        return 0;
    while ((rc = redaction_peek(f->redaction, &l)) == 0) {
        rc = items_add_line(f, l.time_us, l.stream, l.flags, l.p, l.len);
        if (rc < 0)
            return rc;
        f->read_offset = l.end;
        redaction_pop(f->redaction);
    }
    return rc == ERR_AGAIN ? 0 : rc;
}

int feed_redact_line(struct feed *f, const struct spool_record *r)
{
    const struct redaction_line l = {
        .time_us = r->time_us,
        .end = r->end,
        .stream = r->kind,
        .flags = r->flags,
        .p = r->payload,
        .len = r->len,
    };
    if (redaction_is_clean(f->redaction, &l)) {
        int rc = items_add_line(f, l.time_us, l.stream, l.flags, l.p, l.len);
        if (rc == 0) {
            redaction_passed(f->redaction, &l);
            f->read_offset = l.end;
        }
        return rc;
    }
    int rc = redaction_put(f->redaction, &l);
    if (rc == 0 && feed_redact_drain(f) < 0)
        f->stalled = true; /* it is in the queue: the next look goes on with that */
    return rc;
}

int feed_redact_finish(struct feed *f)
{
    if (!f->redaction)
        return 0;
    redaction_finish(f->redaction);
    return feed_redact_drain(f);
}

bool feed_redact_is_full(struct feed *f)
{
    if (!f->redaction || redaction_bytes(f->redaction) < f->w->opts.held_bytes_max)
        return false;
    /* What is on its way to PostgreSQL goes first. Then nothing else would ever make room: the next
     * part may be behind output that has no place. */
    if (f->n_items == 0 && chunk_builder_lines(f->builder) == 0 &&
        redaction_force(f->redaction) == 0 && feed_redact_drain(f) < 0)
        log_warn("redacted lines wait for memory", "execution_id", f->id.hex);
    return true;
}
