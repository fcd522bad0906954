/* memfds put in the place of descriptors 0 to 2, and the old ones back. */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void must(int ok)
{
    if (!ok) {
        perror("capture");
        abort();
    }
}

void capture_begin(struct capture *c, const char *input)
{
    (void)fflush(NULL);
    for (int fd = input != NULL ? 0 : 1; fd < 3; fd++) {
        c->saved[fd] = dup(fd);
        c->files[fd] = memfd_create("capture", 0);
        must(c->saved[fd] >= 0 && c->files[fd] >= 0);
    }
    c->saved[0] = input != NULL ? c->saved[0] : -1;
    if (input != NULL) {
        must(write(c->files[0], input, strlen(input)) == (ssize_t)strlen(input));
        must(lseek(c->files[0], 0, SEEK_SET) == 0);
        must(dup2(c->files[0], 0) == 0);
    }
    must(dup2(c->files[1], 1) == 1 && dup2(c->files[2], 2) == 2);
}

void capture_end(struct capture *c)
{
    for (int fd = c->saved[0] >= 0 ? 0 : 1; fd < 3; fd++) {
        char *text = fd == 1 ? c->out : c->err;
        must(dup2(c->saved[fd], fd) == fd);
        if (fd > 0) {
            ssize_t n = pread(c->files[fd], text, CAPTURE_MAX - 1, 0);
            must(n >= 0);
            text[n] = '\0';
        }
        must(close(c->saved[fd]) == 0 && close(c->files[fd]) == 0);
    }
}
