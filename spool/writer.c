/*
 * Appends records through one bounded buffer.
 *
 *   buf: | written | waiting for the next flush | free |
 *        0         done                         len    SPOOL_WRITE_BYTES
 */
#include "spool/writer.h"

#include "spool/reader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool_writer {
    int fd;
    uint64_t end; /* file offset behind buf[len] */
    size_t done;
    size_t len;
    int64_t last_time_us;
    uint8_t buf[SPOOL_WRITE_BYTES];
};

/* Walks the records from `from` on; *ret_end is behind the last whole one. */
static int find_end(int fd, uint64_t from, uint64_t *ret_end, int64_t *ret_time_us)
{
    struct spool_reader *r = NULL;
    struct spool_record rec = {.time_us = INT64_MIN};

    int rc = spool_reader_new(fd, NULL, from, &r);
    if (rc < 0)
        return rc == -EAGAIN ? -EBADMSG : rc; /* run directories are born with a whole header */
    do {
        rc = spool_reader_next(r, &rec);
    } while (rc == 0);
    *ret_end = spool_reader_offset(r);
    *ret_time_us = rec.time_us;
    spool_reader_free(r);
    return rc == -EAGAIN ? 0 : rc;
}

/* Cuts off what is behind the last whole record. */
static int cut_torn(int fd, uint64_t from, uint64_t *ret_end, int64_t *ret_time_us)
{
    struct stat st;

    int rc = find_end(fd, from, ret_end, ret_time_us);
    if (rc < 0)
        return rc;
    if (fstat(fd, &st) < 0)
        return -errno;
    if ((uint64_t)st.st_size < *ret_end) /* `from` is no boundary of this file */
        return -EBADMSG;
    if ((uint64_t)st.st_size > *ret_end && ftruncate(fd, (off_t)*ret_end) < 0)
        return -errno;
    return 0;
}

int spool_writer_new_at(int fd, uint64_t from, struct spool_writer **ret)
{
    uint64_t end = 0;
    int64_t time_us = INT64_MIN;

    int rc = cut_torn(fd, from, &end, &time_us);
    if (rc < 0)
        return rc;
    struct spool_writer *w = malloc(sizeof(*w));
    if (w == NULL)
        return -ENOMEM;
    w->fd = fd;
    w->end = end;
    w->done = 0;
    w->len = 0;
    w->last_time_us = time_us;
    *ret = w;
    return 0;
}

int spool_writer_new(int fd, struct spool_writer **ret)
{
    return spool_writer_new_at(fd, 0, ret);
}

void spool_writer_free(struct spool_writer *w)
{
    free(w);
}

static bool has_room(const struct spool_writer *w, size_t n)
{
    return sizeof(w->buf) - w->len >= n;
}

int spool_writer_append(struct spool_writer *w, int64_t time_us, uint8_t kind, uint8_t flags,
                        const void *p, uint32_t len)
{
    if (len > SPOOL_LINE_MAX)
        return -EMSGSIZE;
    size_t need = SPOOL_RECORD_HEADER_LEN + (size_t)len;
    if (!has_room(w, need) && w->done > 0) {
        memmove(w->buf, w->buf + w->done, w->len - w->done);
        w->len -= w->done;
        w->done = 0;
    }
    if (!has_room(w, need))
        return -EAGAIN;
    if (time_us < w->last_time_us) /* the wall clock was set back */
        time_us = w->last_time_us;
    w->last_time_us = time_us;
    spool_record_pack(time_us, kind, flags, p, len, w->buf + w->len);
    if (len > 0)
        memcpy(w->buf + w->len + SPOOL_RECORD_HEADER_LEN, p, len);
    w->len += need;
    w->end += need;
    return 0;
}

int spool_writer_flush(struct spool_writer *w)
{
    while (w->done < w->len) {
        ssize_t k = write(w->fd, w->buf + w->done, w->len - w->done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -errno;
        w->done += (size_t)k;
    }
    w->done = 0;
    w->len = 0;
    return 0;
}

int spool_writer_discard(struct spool_writer *w, uint64_t from)
{
    uint64_t end = 0;
    int64_t time_us =
        INT64_MIN; /* of what is there; what was given out goes on from last_time_us */

    int rc = cut_torn(w->fd, from, &end, &time_us);
    if (rc < 0)
        return rc;
    w->end = end;
    w->done = 0;
    w->len = 0;
    return 0;
}

uint64_t spool_writer_end(const struct spool_writer *w)
{
    return w->end;
}

size_t spool_writer_waiting(const struct spool_writer *w)
{
    return w->len - w->done;
}
