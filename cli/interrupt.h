/*
 * Ctrl-C and SIGTERM as something to poll for (signalfd), so that neither a wait nor a blocked
 * terminal keeps a person from leaving. A handler decides what a signal means.
 */
#ifndef TAILGATE_CLI_INTERRUPT_H
#define TAILGATE_CLI_INTERRUPT_H

#include "base/compiler.h"

#include <signal.h>
#include <stdbool.h>

/* Non-zero: stop what goes on now. */
typedef bool (*interrupt_fn)(void *user, int signum);

struct interrupt {
    int fd;
    sigset_t saved;
    interrupt_fn fn; /* NULL: every signal stops */
    void *user;
    int last_signal; /* 0 = none came */
};

/* Blocks the signals. ERR_SYS. */
MUST_CHECK int interrupt_init(struct interrupt *i);
/* Forgets signals that came and restores the mask. */
void interrupt_done(struct interrupt *i);
/* A signal waits for interrupt_dispatch. */
bool interrupt_is_pending(const struct interrupt *i);
/* Hands over the signals that came: true when the handler said stop. */
bool interrupt_dispatch(struct interrupt *i);
/* Waits until fd is ready for events (poll's). ERR_AGAIN: a signal said stop. ERR_SYS. */
MUST_CHECK int interrupt_wait(struct interrupt *i, int fd, short events);

#endif
