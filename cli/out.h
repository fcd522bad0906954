/*
 * Standard output and standard error as sinks that may block: writing waits, reading from the
 * server stops meanwhile, and a signal still gets through.
 */
#ifndef TAILGATE_CLI_OUT_H
#define TAILGATE_CLI_OUT_H

#include "cli/interrupt.h"

#include <stddef.h>

/*
 * All of it to fd. intr may be NULL (then plain blocking writes). ERR_CLOSED: nobody reads any
 * more; ERR_AGAIN: a signal said stop; ERR_SYS.
 */
MUST_CHECK int out_write(struct interrupt *intr, int fd, const void *bytes, size_t len);
/* fd is a terminal and NO_COLOR (no-color.org) is not set. */
bool out_has_colour(int fd);
/* Columns of the terminal at fd; 0 when it is none. */
size_t out_columns(int fd);
/* Both go to the same place, so that what is written to one stands between the other's bytes. */
bool out_is_same(int fd_a, int fd_b);

#endif
