/*
 * Appends records to a spool: collected in one bounded buffer, written with one write() a flush. A
 * write that stops half-way (disk full, signal) is continued at the next flush; the file never
 * holds a torn record followed by another.
 */
#ifndef TAILGATE_SPOOL_WRITER_H
#define TAILGATE_SPOOL_WRITER_H

#include "spool/format.h"

#define SPOOL_WRITE_BYTES (256u * 1024u)

struct spool_writer;

/* fd is opened for reading and appending (O_APPEND) and stays the caller's. Continues at the file's
 * end; a torn last record (no other writer lives) is cut off first. Time never goes below the last
 * record's. 0, -ENODATA (the spool has its exit record), -EBADMSG (damaged), -ENOMEM, -errno. */
int spool_writer_new(int fd, struct spool_writer **ret);
/* The same when the records before `from` (a record boundary: what ack says) may be holes. */
int spool_writer_new_at(int fd, uint64_t from, struct spool_writer **ret);
void spool_writer_free(struct spool_writer *w);
/* Into the buffer; -EAGAIN when it is full (flush first); -EMSGSIZE when len > SPOOL_LINE_MAX. */
int spool_writer_append(struct spool_writer *w, int64_t time_us, uint8_t kind, uint8_t flags,
                        const void *p, uint32_t len);
/* 0 when everything is in the file; -errno (ENOSPC, …) with the rest kept for the next flush. */
int spool_writer_flush(struct spool_writer *w);
/* Forgets what is not in the file, a record that is there in part included. from: a record boundary
 * that the file holds (what ack says). 0, -EBADMSG, -ENOMEM, -errno. */
int spool_writer_discard(struct spool_writer *w, uint64_t from);
/* File offset behind everything appended, written or not. */
uint64_t spool_writer_end(const struct spool_writer *w);
/* Bytes that the next flush will write. */
size_t spool_writer_waiting(const struct spool_writer *w);

#endif
