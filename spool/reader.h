/*
 * Reads a spool as it grows; never trusts it. Holds one bounded buffer (SPOOL_READ_BYTES); records
 * point into it until the next call.
 */
#ifndef TAILGATE_SPOOL_READER_H
#define TAILGATE_SPOOL_READER_H

#include "spool/format.h"

#define SPOOL_READ_BYTES (256u * 1024u)

struct spool_reader;

/* fd: the spool, open for reading; stays the caller's. id: whose it must be, NULL: anyone's.
 * offset: where to start: 0 checks the header and begins behind it; otherwise a record boundary,
 * header checked too. 0, -EAGAIN (header not complete yet), -EBADMSG, -ENOMEM, -errno. */
int spool_reader_new(int fd, const char *id, uint64_t offset, struct spool_reader **ret);
void spool_reader_free(struct spool_reader *r);
/* The next record, in order. 0; -EAGAIN: nothing complete yet; -ENODATA: the exit record was given
 * out, nothing follows; -EBADMSG: damaged from here on (also: time goes back, oversize); -errno. */
int spool_reader_next(struct spool_reader *r, struct spool_record *ret);
/* Offset behind the last record given out. */
uint64_t spool_reader_offset(const struct spool_reader *r);
/* Continues at a record boundary given out before. */
void spool_reader_seek(struct spool_reader *r, uint64_t offset);

#endif
