/*
 * Any bytes as a spool: the reader must end, stay inside the file, keep its promises about order
 * and never give out a record twice.
 */
#include "spool/reader.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes with a valid header in front, so that records are reached. */
static int make_file(const uint8_t *data, size_t size)
{
    uint8_t header[SPOOL_HEADER_LEN];
    int fd = memfd_create("spool", MFD_CLOEXEC);
    spool_header_pack("00112233445566778899aabbccddeeff", 0, header);
    if (fd < 0 || write(fd, header, sizeof(header)) != (ssize_t)sizeof(header) ||
        write(fd, data, size) != (ssize_t)size)
        abort();
    return fd;
}

static void walk(struct spool_reader *r, size_t size)
{
    struct spool_record rec;
    uint64_t last = SPOOL_HEADER_LEN;
    int64_t time_us = INT64_MIN;
    uint32_t sum = 0;

    while (spool_reader_next(r, &rec) == 0) {
        if (rec.offset != last || rec.end <= rec.offset || rec.end > size + SPOOL_HEADER_LEN ||
            rec.len > SPOOL_LINE_MAX || rec.time_us < time_us)
            abort();
        for (uint32_t i = 0; i < rec.len; i++)
            sum += rec.payload[i];
        if (rec.kind == SPOOL_KIND_EXIT)
            (void)spool_exit_unpack(rec.payload, rec.len, &(struct spool_exit){.signal = (int)sum});
        last = rec.end;
        time_us = rec.time_us;
    }
    if (spool_reader_offset(r) != last)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spool_reader *r = NULL;
    int fd = make_file(data, size);

    if (size >= SPOOL_HEADER_LEN) {
        char id[SPOOL_ID_LEN + 1];
        int64_t created = 0;
        (void)spool_header_unpack(data, id, &created);
    }
    if (spool_reader_new(fd, NULL, 0, &r) < 0)
        abort();
    walk(r, size);
    spool_reader_free(r);
    close(fd);
    return 0;
}
