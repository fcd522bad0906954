/*
 * The codec of the spool's header, records and exit record (layouts: format.h). Plain functions
 * over the caller's bytes; nothing is held.
 */
#include "spool/format.h"

#include "spool/bytes.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BEGIN_LEN 4u /* payload of a 'b' record: the command's process id */

static const uint8_t magic[8] = SPOOL_MAGIC; /* without the NUL */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

void spool_header_pack(const char id[SPOOL_ID_LEN], int64_t created_us,
                       uint8_t ret[SPOOL_HEADER_LEN])
{
    memcpy(ret, magic, sizeof(magic));
    put_u32(ret + 8, SPOOL_VERSION);
    put_u32(ret + 12, SPOOL_HEADER_LEN);
    memcpy(ret + 16, id, SPOOL_ID_LEN);
    put_u64(ret + 48, (uint64_t)created_us);
    put_u32(ret + 56, 0);
    put_u32(ret + 60, spool_crc32c(0, ret, 60));
}

int spool_header_unpack(const uint8_t h[SPOOL_HEADER_LEN], char ret_id[SPOOL_ID_LEN + 1],
                        int64_t *ret_created_us)
{
    if (memcmp(h, magic, sizeof(magic)) != 0 || get_u32(h + 8) != SPOOL_VERSION ||
        get_u32(h + 12) != SPOOL_HEADER_LEN || get_u32(h + 60) != spool_crc32c(0, h, 60))
        return -EBADMSG;
    for (size_t i = 0; i < SPOOL_ID_LEN; i++) {
        if (!is_hex((char)h[16 + i]))
            return -EBADMSG;
    }
    memcpy(ret_id, h + 16, SPOOL_ID_LEN);
    ret_id[SPOOL_ID_LEN] = '\0';
    *ret_created_us = (int64_t)get_u64(h + 48);
    return 0;
}

static uint32_t record_crc(const uint8_t head[SPOOL_RECORD_HEADER_LEN], const void *payload,
                           uint32_t len)
{
    uint32_t crc = spool_crc32c(0, head + 8, SPOOL_RECORD_HEADER_LEN - 8);
    if (len > 0)
        crc = spool_crc32c(crc, payload, len);
    return spool_crc32c(crc, head, 4);
}

void spool_record_pack(int64_t time_us, uint8_t kind, uint8_t flags, const void *payload,
                       uint32_t len, uint8_t ret[SPOOL_RECORD_HEADER_LEN])
{
    put_u32(ret, len);
    put_u64(ret + 8, (uint64_t)time_us);
    ret[16] = kind;
    ret[17] = flags;
    put_u16(ret + 18, 0);
    put_u32(ret + 4, record_crc(ret, payload, len));
}

/* What of a record's head can be judged before its payload is there. */
static bool head_is_valid(uint8_t kind, uint8_t flags, uint32_t len)
{
    switch (kind) {
    case SPOOL_KIND_STDOUT:
    case SPOOL_KIND_STDERR:
    case SPOOL_KIND_SYSTEM:
        return len <= SPOOL_LINE_MAX &&
               (flags == 0 || flags == SPOOL_PART || flags == SPOOL_NO_EOL);
    case SPOOL_KIND_BEGIN:
        return len == BEGIN_LEN && flags == 0;
    case SPOOL_KIND_EXIT:
        return len == SPOOL_EXIT_LEN && flags == 0;
    default:
        return false;
    }
}

int spool_record_unpack(const uint8_t *p, size_t n, struct spool_record *ret)
{
    if (n < SPOOL_RECORD_HEADER_LEN)
        return -EAGAIN;
    uint32_t len = get_u32(p);
    uint8_t kind = p[16];
    uint8_t flags = p[17];
    if (!head_is_valid(kind, flags, len) || get_u16(p + 18) != 0)
        return -EBADMSG;
    if (n - SPOOL_RECORD_HEADER_LEN < len)
        return -EAGAIN;
    const uint8_t *payload = p + SPOOL_RECORD_HEADER_LEN;
    if (get_u32(p + 4) != record_crc(p, payload, len))
        return -EBADMSG;
    ret->time_us = (int64_t)get_u64(p + 8);
    ret->kind = kind;
    ret->flags = flags;
    ret->len = len;
    ret->payload = payload;
    return 0;
}

/*
 * The exit record's payload:
 *
 *   0           4        8       12  16        24          32            40           48         56
 *   | exit_code | signal | flags | 0 | user_us | system_us | max_rss_kib | started_us | ended_us |
 *   | i32       | i32    | u32   |u32| i64     | i64       | i64         | i64        | i64      |
 */
void spool_exit_pack(const struct spool_exit *x, uint8_t ret[SPOOL_EXIT_LEN])
{
    put_u32(ret, (uint32_t)x->exit_code);
    put_u32(ret + 4, (uint32_t)x->signal);
    put_u32(ret + 8, x->flags);
    put_u32(ret + 12, 0);
    put_u64(ret + 16, (uint64_t)x->user_us);
    put_u64(ret + 24, (uint64_t)x->system_us);
    put_u64(ret + 32, (uint64_t)x->max_rss_kib);
    put_u64(ret + 40, (uint64_t)x->started_us);
    put_u64(ret + 48, (uint64_t)x->ended_us);
}

int spool_exit_unpack(const uint8_t *p, size_t n, struct spool_exit *ret)
{
    const uint32_t known = SPOOL_EXIT_TIMED_OUT | SPOOL_EXIT_STOPPED | SPOOL_EXIT_KILLED |
                           SPOOL_EXIT_STRAGGLERS | SPOOL_EXIT_NOT_STARTED |
                           SPOOL_EXIT_SETUP_FAILED | SPOOL_EXIT_SPOOL_FULL | SPOOL_EXIT_DISK_FULL |
                           SPOOL_EXIT_OUT_OF_MEMORY;

    if (n != SPOOL_EXIT_LEN || (get_u32(p + 8) & ~known) != 0 || get_u32(p + 12) != 0)
        return -EBADMSG;
    ret->exit_code = (int32_t)get_u32(p);
    ret->signal = (int32_t)get_u32(p + 4);
    ret->flags = get_u32(p + 8);
    ret->user_us = (int64_t)get_u64(p + 16);
    ret->system_us = (int64_t)get_u64(p + 24);
    ret->max_rss_kib = (int64_t)get_u64(p + 32);
    ret->started_us = (int64_t)get_u64(p + 40);
    ret->ended_us = (int64_t)get_u64(p + 48);
    return 0;
}
