/*
 * poll() promises room for at least PIPE_BUF bytes in a pipe, so what is written at once is not
 * more: the wait is then always in poll(), where a signal is seen, never in write().
 */
#include "cli/out.h"

#include "base/err.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int out_write(struct interrupt *intr, int fd, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len > 0) {
        if (intr != NULL) {
            int r = interrupt_wait(intr, fd, POLLOUT);
            if (r != 0)
                return r;
        }
        ssize_t n = write(fd, p, intr != NULL && len > PIPE_BUF ? PIPE_BUF : len);
        if (n < 0 && errno == EPIPE)
            return ERR_CLOSED;
        if (n < 0 && errno != EINTR && !(errno == EAGAIN && intr != NULL))
            return ERR_SYS;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

bool out_has_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    return (no_color == NULL || no_color[0] == '\0') && isatty(fd) == 1;
}

size_t out_columns(int fd)
{
    struct winsize size = {0};
    if (isatty(fd) != 1)
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

bool out_is_same(int fd_a, int fd_b)
{
    struct stat a, b;
    return fstat(fd_a, &a) == 0 && fstat(fd_b, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}
