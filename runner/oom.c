/* Two small files of the kernel's, of either version; what is not as expected tells nothing. */
#include "runner/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE 512
#define UNBOUNDED (INT64_C(1) << 60) /* v1 has a number for "no limit" */

/* 0, or -1 when it cannot be read. */
static int read_file(const char *cgroup, const char *name, char text[FILE_SIZE])
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", cgroup, name) >= (int)sizeof(path))
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, FILE_SIZE - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? 0 : -1;
}

static int64_t number(const char *text)
{
    errno = 0;
    long long v = strtoll(text, NULL, 10);
    return errno != 0 || v < 0 ? 0 : v;
}

static int64_t count_in(const char *text)
{
    static const char key[] = "oom_kill ";
    const size_t len = sizeof(key) - 1;
    for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, key, len) == 0)
            return number(at + len);
    }
    return 0;
}

int64_t oom_kills(const char *cgroup)
{
    char text[FILE_SIZE];
    if (read_file(cgroup, "memory.events", text) < 0 &&
        read_file(cgroup, "memory/memory.oom_control", text) < 0)
        return 0;
    return count_in(text);
}

int64_t oom_limit(const char *cgroup)
{
    char text[FILE_SIZE];
    if (read_file(cgroup, "memory.max", text) < 0 &&
        read_file(cgroup, "memory/memory.limit_in_bytes", text) < 0)
        return 0;
    int64_t limit = number(text); /* "max" is no number */
    return limit < UNBOUNDED ? limit : 0;
}
