/*
 * Reads records from a spool through one fixed buffer. What is incomplete at the buffer's end is
 * read from the file again, never pieced together: a torn record may have been cut off and replaced
 * since (writer.h).
 */
#include "spool/reader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct spool_reader {
    int fd;
    uint64_t base; /* offset in the file of buf[0] */
    size_t pos;    /* of the next record in buf */
    size_t len;    /* bytes in buf */
    int64_t last_time_us;
    bool ended; /* the exit record was given out */
    uint8_t buf[SPOOL_READ_BYTES];
};

/* Fills up to n bytes from offset; fewer at the file's end. */
static int read_at(int fd, uint64_t offset, uint8_t *p, size_t n, size_t *ret_n)
{
    size_t got = 0;
    if (offset > (uint64_t)INT64_MAX - n)
        return -EOVERFLOW;
    while (got < n) {
        ssize_t k = pread(fd, p + got, n - got, (off_t)(offset + got));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -errno;
        if (k == 0)
            break;
        got += (size_t)k;
    }
    *ret_n = got;
    return 0;
}

static int check_header(int fd, const char *id)
{
    uint8_t header[SPOOL_HEADER_LEN];
    char found[SPOOL_ID_LEN + 1];
    int64_t created_us = 0;
    size_t n = 0;

    int rc = read_at(fd, 0, header, sizeof(header), &n);
    if (rc < 0)
        return rc;
    if (n < sizeof(header))
        return -EAGAIN;
    rc = spool_header_unpack(header, found, &created_us);
    if (rc < 0)
        return rc;
    return id == NULL || strcmp(id, found) == 0 ? 0 : -EBADMSG;
}

int spool_reader_new(int fd, const char *id, uint64_t offset, struct spool_reader **ret)
{
    if (offset != 0 && offset < SPOOL_HEADER_LEN)
        return -EBADMSG;
    int rc = check_header(fd, id);
    if (rc < 0)
        return rc;
    struct spool_reader *r = malloc(sizeof(*r));
    if (r == NULL)
        return -ENOMEM;
    r->fd = fd;
    spool_reader_seek(r, offset == 0 ? SPOOL_HEADER_LEN : offset);
    *ret = r;
    return 0;
}

void spool_reader_free(struct spool_reader *r)
{
    free(r);
}

void spool_reader_seek(struct spool_reader *r, uint64_t offset)
{
    r->base = offset;
    r->pos = 0;
    r->len = 0;
    r->last_time_us = INT64_MIN;
    r->ended = false;
}

uint64_t spool_reader_offset(const struct spool_reader *r)
{
    return r->base + r->pos;
}

static int refill(struct spool_reader *r)
{
    size_t n = 0;
    uint64_t offset = spool_reader_offset(r);
    int rc = read_at(r->fd, offset, r->buf, sizeof(r->buf), &n);
    r->base = offset;
    r->pos = 0;
    r->len = rc < 0 ? 0 : n;
    return rc;
}

int spool_reader_next(struct spool_reader *r, struct spool_record *ret)
{
    struct spool_record rec;

    if (r->ended)
        return -ENODATA;
    int rc = spool_record_unpack(r->buf + r->pos, r->len - r->pos, &rec);
    if (rc == -EAGAIN) {
        rc = refill(r);
        if (rc < 0)
            return rc;
        rc = spool_record_unpack(r->buf, r->len, &rec);
    }
    if (rc < 0)
        return rc;
    if (rec.time_us < r->last_time_us)
        return -EBADMSG;
    r->last_time_us = rec.time_us;
    rec.offset = spool_reader_offset(r);
    r->pos += SPOOL_RECORD_HEADER_LEN + (size_t)rec.len;
    rec.end = spool_reader_offset(r);
    r->ended = rec.kind == SPOOL_KIND_EXIT;
    *ret = rec;
    return 0;
}
