/* Starts the command: /bin/sh -c, in its own session, with nothing of the runner's but its pipes.
 */
#ifndef TAILGATE_RUNNER_CHILD_H
#define TAILGATE_RUNNER_CHILD_H

#include "spool/spec.h"

struct child {
    pid_t pid;
    int out_fd; /* its standard output, or its terminal; non-blocking */
    int err_fd; /* -1 with a terminal */
};

struct child_failure {
    const char *what; /* "cannot enter the workspace" */
    int error;        /* errno */
    int exit_code;    /* 127: no such program, else 126 (POSIX XCU 2.8.2) */
};

/* Returns once the command has been exec'd: 0; or -1 with *ret_failure, and nothing is left. */
int child_start(const struct run_spec *spec, struct child *ret, struct child_failure *ret_failure);

#endif
