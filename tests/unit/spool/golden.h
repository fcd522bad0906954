/* Golden files of this folder's formats. With TAILGATE_UPDATE_GOLDEN set they are written. */
#ifndef TAILGATE_TESTS_SPOOL_GOLDEN_H
#define TAILGATE_TESTS_SPOOL_GOLDEN_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_ID "00112233445566778899aabbccddeeff"

static inline size_t golden_load(const char *name, uint8_t *p, size_t size)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/golden/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("no golden file %s", path);
    ssize_t n = read(fd, p, size);
    close(fd);
    assert_true(n >= 0);
    return (size_t)n;
}

static inline void golden_check(const char *name, const uint8_t *p, size_t n)
{
    static uint8_t want[1u << 17];
    if (getenv("TAILGATE_UPDATE_GOLDEN") != NULL) {
        char path[256];
        snprintf(path, sizeof(path), "tests/golden/%s", name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, p, n), (ssize_t)n);
        close(fd);
    }
    assert_int_equal(golden_load(name, want, sizeof(want)), n);
    assert_memory_equal(p, want, n);
}

/* An unnamed file with these bytes, open for reading and appending. */
static inline int temporary_file(const void *p, size_t n)
{
    char path[] = "/tmp/tailgate-spool-test.XXXXXX";
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    const uint8_t *b = p;
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(fd, b + done, n - done, (off_t)done);
        assert_true(k > 0);
        done += (size_t)k;
    }
    return fd;
}

#endif
