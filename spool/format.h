/*
 * The spool's byte layout. Little endian throughout.
 *
 *   header (64 bytes)
 *   0        8         12          16                48            56       60     64
 *   | magic  | version | header_len | execution id    | created_us  | 0      | crc  |
 *   |"TGSPOOL1"| u32=1 | u32=64     | 32 hex digits   | i64         | u32    | u32  |
 *
 *   record (20 bytes + payload)
 *   0       4       8          16     17      18     20
 *   | len   | crc   | time_us  | kind | flags | 0    | payload, len bytes |
 *   | u32   | u32   | i64      | u8   | u8    | u16  |
 *
 * crc is CRC-32C (RFC 3720 B.4): of the header's first 60 bytes; of a record's bytes 8 … 20+len
 * followed by its len field. Kinds: lines 'o' stdout, 'e' stderr, 's' system; control 'b' (the
 * command has begun; payload: pid u32) and 'x' (exit record, the last one). Only lines have a
 * sequence number: the nth line record is seq n. Time never decreases.
 *
 * This folder knows nothing but libc, so its errors are 0 or a negative errno value.
 */
#ifndef TAILGATE_SPOOL_FORMAT_H
#define TAILGATE_SPOOL_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define SPOOL_MAGIC "TGSPOOL1"
#define SPOOL_VERSION 1u
#define SPOOL_HEADER_LEN 64u
#define SPOOL_RECORD_HEADER_LEN 20u
#define SPOOL_LINE_MAX 65536u /* bytes of one line record; longer lines are cut */
#define SPOOL_ID_LEN 32u

#define SPOOL_KIND_STDOUT 'o'
#define SPOOL_KIND_STDERR 'e'
#define SPOOL_KIND_SYSTEM 's'
#define SPOOL_KIND_BEGIN 'b'
#define SPOOL_KIND_EXIT 'x'

/* Line flags. */
#define SPOOL_PART 1u   /* the line goes on in the next record of the same stream */
#define SPOOL_NO_EOL 2u /* the stream ended without a newline after this */

struct spool_record {
    uint64_t offset; /* of the record in the file */
    uint64_t end;    /* offset of what follows it */
    int64_t time_us;
    uint8_t kind;
    uint8_t flags;
    uint32_t len;
    const uint8_t *payload;
};

/* Why and how the command ended: the exit record's payload, 56 bytes. */
#define SPOOL_EXIT_LEN 56u
#define SPOOL_EXIT_TIMED_OUT 1u  /* the runner's own timeout ended it */
#define SPOOL_EXIT_STOPPED 2u    /* SIGTERM to the runner ended it */
#define SPOOL_EXIT_KILLED 4u     /* the grace ran out: SIGKILL */
#define SPOOL_EXIT_STRAGGLERS 8u /* descendants were ended after the command */
/* The command could not be started; exit_code has 126 or 127, or the failed setup's. */
#define SPOOL_EXIT_NOT_STARTED 16u
#define SPOOL_EXIT_SETUP_FAILED 32u   /* … because the setup before it failed */
#define SPOOL_EXIT_SPOOL_FULL 64u     /* ended since what waits for a commit reached its bound */
#define SPOOL_EXIT_DISK_FULL 128u     /* … since the spool's disk had no room */
#define SPOOL_EXIT_OUT_OF_MEMORY 256u /* the kernel killed it for want of memory */
struct spool_exit {
    int32_t exit_code; /* the command's own; 128+signal when signalled */
    int32_t signal;    /* 0 = none */
    uint32_t flags;
    int64_t user_us, system_us; /* CPU of the command and its reaped descendants */
    int64_t max_rss_kib;
    int64_t started_us, ended_us;
};

/* Continues crc (0 at first) over n bytes. */
uint32_t spool_crc32c(uint32_t crc, const void *p, size_t n);
/* The same without the processor's instruction. */
uint32_t spool_crc32c_portable(uint32_t crc, const void *p, size_t n);

void spool_header_pack(const char id[SPOOL_ID_LEN], int64_t created_us,
                       uint8_t ret[SPOOL_HEADER_LEN]);
/* -EBADMSG unless magic, version, length and crc are right. */
int spool_header_unpack(const uint8_t h[SPOOL_HEADER_LEN], char ret_id[SPOOL_ID_LEN + 1],
                        int64_t *ret_created_us);
/* The 20 bytes before the payload. */
void spool_record_pack(int64_t time_us, uint8_t kind, uint8_t flags, const void *payload,
                       uint32_t len, uint8_t ret[SPOOL_RECORD_HEADER_LEN]);
/*
 * Reads the record at p, n bytes available; sets time, kind, flags, len, payload (pointing into p).
 * -EAGAIN: incomplete; -EBADMSG: crc, length, kind or flags are wrong.
 */
int spool_record_unpack(const uint8_t *p, size_t n, struct spool_record *ret);
void spool_exit_pack(const struct spool_exit *x, uint8_t ret[SPOOL_EXIT_LEN]);
int spool_exit_unpack(const uint8_t *p, size_t n, struct spool_exit *ret); /* -EBADMSG */

#endif
