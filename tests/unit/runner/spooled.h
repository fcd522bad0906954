/* An outlet on unnamed files, and what went through it: for the runner's sources one by one. */
#ifndef TAILGATE_TESTS_RUNNER_SPOOLED_H
#define TAILGATE_TESTS_RUNNER_SPOOLED_H

#include "runner/outlet.h"
#include "spool/reader.h"
#include "spool/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct spooled {
    struct outlet out;
    int spool_fd, ack_fd;
};

static inline int spooled_file(void)
{
    char path[] = "/tmp/tailgate-outlet-test.XXXXXX";
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    return fd;
}

static inline void spooled_init(struct spooled *s, uint64_t bound)
{
    uint8_t header[SPOOL_HEADER_LEN];
    s->spool_fd = spooled_file();
    char path[] = "/tmp/tailgate-ack-test.XXXXXX";
    s->ack_fd = mkostemp(path, O_CLOEXEC);
    assert_true(s->ack_fd >= 0);
    assert_int_equal(unlink(path), 0);
    spool_header_pack("00112233445566778899aabbccddeeff", 0, header);
    assert_int_equal(pwrite(s->spool_fd, header, sizeof(header), 0), sizeof(header));
    assert_int_equal(outlet_init(&s->out, s->spool_fd, s->ack_fd, bound), 0);
}

static inline void spooled_done(struct spooled *s)
{
    outlet_done(&s->out);
    close(s->spool_fd);
    close(s->ack_fd);
}

/* Joined bytes of a kind; *ret_records counts them. The caller frees. */
static inline char *spooled_joined(struct spooled *s, uint8_t kind, size_t *ret_n,
                                   size_t *ret_records)
{
    struct spool_reader *r = NULL;
    struct spool_record rec;
    struct stat st;
    size_t n = 0;
    size_t records = 0;

    assert_int_equal(fstat(s->spool_fd, &st), 0);
    char *p = malloc((size_t)st.st_size + 1);
    assert_non_null(p);
    assert_int_equal(spool_reader_new(s->spool_fd, NULL, 0, &r), 0);
    while (spool_reader_next(r, &rec) == 0) {
        if (rec.kind != kind)
            continue;
        memcpy(p + n, rec.payload, rec.len);
        n += rec.len;
        if (rec.flags == 0)
            p[n++] = '\n';
        records++;
    }
    spool_reader_free(r);
    *ret_n = n;
    *ret_records = records;
    return p;
}

#endif
