/* A signalfd, made by interrupt_init and closed by interrupt_done. */
#include "cli/interrupt.h"

#include "base/err.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

int interrupt_init(struct interrupt *i)
{
    sigset_t set;
    *i = (struct interrupt){.fd = -1};
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, &i->saved) != 0)
        return ERR_SYS;
    i->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (i->fd >= 0)
        return 0;
    (void)sigprocmask(SIG_SETMASK, &i->saved, NULL);
    return ERR_SYS;
}

void interrupt_done(struct interrupt *i)
{
    if (i->fd < 0)
        return;
    i->fn = NULL;
    (void)interrupt_dispatch(i);
    (void)close(i->fd);
    i->fd = -1;
    (void)sigprocmask(SIG_SETMASK, &i->saved, NULL);
}

bool interrupt_is_pending(const struct interrupt *i)
{
    struct pollfd pfd = {.fd = i->fd, .events = POLLIN};
    return poll(&pfd, 1, 0) > 0;
}

bool interrupt_dispatch(struct interrupt *i)
{
    struct signalfd_siginfo info;
    bool stop = false;
    while (read(i->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        i->last_signal = (int)info.ssi_signo;
        if (i->fn == NULL || i->fn(i->user, i->last_signal))
            stop = true;
    }
    return stop;
}

int interrupt_wait(struct interrupt *i, int fd, short events)
{
    for (;;) {
        struct pollfd pfd[2] = {{.fd = fd, .events = events}, {.fd = i->fd, .events = POLLIN}};
        if (poll(pfd, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return ERR_SYS;
        }
        if (pfd[1].revents != 0 && interrupt_dispatch(i))
            return ERR_AGAIN;
        if (pfd[0].revents != 0)
            return 0;
    }
}
