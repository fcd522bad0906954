/* From the spool into the builder: one record after the other, control records to the owner. */
#include "base/err.h"
#include "base/log.h"
#include "logs/writer_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Memory short: the record is read again at the next look. */
static void take_back(struct feed *f, const struct spool_record *r)
{
    spool_reader_seek(f->reader, r->offset);
    f->stalled = true;
}

static int take_line(struct feed *f, const struct spool_record *r)
{
    if (f->redaction)
        return feed_redact_line(f, r);
    int rc = items_add_line(f, r->time_us, r->kind, r->flags, r->payload, r->len);
    if (rc == 0)
        f->read_offset = r->end;
    return rc;
}

static int take_begin(struct feed *f, const struct spool_record *r)
{
    if (r->len != 4)
        return ERR_CORRUPT;
    uint32_t pid = (uint32_t)r->payload[0] | (uint32_t)r->payload[1] << 8 |
                   (uint32_t)r->payload[2] << 16 | (uint32_t)r->payload[3] << 24;
    int rc = feed_redact_finish(f); /* what came before is not the command's */
    if (rc < 0)
        return rc;
    if (f->cb.on_begin)
        f->cb.on_begin(f->user, pid, r->time_us);
    f->read_offset = r->end;
    /* Lines that wait carry the offset themselves. */
    if (!f->freed && chunk_builder_lines(f->builder) == 0)
        items_add_offset(f, r->end);
    return 0;
}

/* The offset goes beyond the exit record only with the terminal state (feed_transition). */
static int take_exit(struct feed *f, const struct spool_record *r)
{
    struct spool_exit x;
    if (spool_exit_unpack(r->payload, r->len, &x) < 0)
        return ERR_CORRUPT;
    int rc = feed_redact_finish(f);
    if (rc < 0)
        return rc;
    f->exit_end = r->end;
    f->reading_on = false;
    f->more = false;
    if (f->cb.on_exit)
        f->cb.on_exit(f->user, &x);
    return 0;
}

static int take(struct feed *f, const struct spool_record *r)
{
    switch (r->kind) {
    case SPOOL_KIND_STDOUT:
    case SPOOL_KIND_STDERR:
    case SPOOL_KIND_SYSTEM:
        return take_line(f, r);
    case SPOOL_KIND_BEGIN:
        return take_begin(f, r);
    case SPOOL_KIND_EXIT:
        return take_exit(f, r);
    default:
        return ERR_CORRUPT;
    }
}

static void unreadable(struct feed *f, int err)
{
    char details[128];
    if (feed_redact_finish(f) < 0) {
        f->stalled = true; /* found again at the next look */
        return;
    }
    const char *what = err == -EBADMSG ? "damaged record" : strerror(-err);
    (void)snprintf(details, sizeof details, "%s at offset %llu", what,
                   (unsigned long long)f->read_offset);
    feed_stop(f, err == -EBADMSG ? FEED_CORRUPT : FEED_IO, details);
}

size_t feed_read(struct feed *f, size_t budget)
{
    size_t done = 0;
    f->more = true;
    f->stalled = feed_redact_drain(f) < 0;
    while (!f->stalled && done < budget && f->reading_on && !f->freed) {
        if (f->waiting_bytes >= f->w->opts.feed_bytes_max || feed_redact_is_full(f)) {
            f->stalled = true;
            break;
        }
        struct spool_record r;
        int rc = spool_reader_next(f->reader, &r);
        if (rc == -EAGAIN || rc == -ENODATA) {
            f->more = false;
            break;
        }
        if (rc == -ENOMEM) {
            f->stalled = true;
            break;
        }
        if (rc < 0) {
            unreadable(f, rc);
            break;
        }
        rc = take(f, &r);
        if (rc == ERR_CORRUPT) {
            unreadable(f, -EBADMSG);
            break;
        }
        if (rc < 0) {
            take_back(f, &r);
            break;
        }
        done += r.len + SPOOL_RECORD_HEADER_LEN;
    }
    return done;
}
