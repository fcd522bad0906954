/* The request that `tailgate run`'s arguments make. */
#ifndef TAILGATE_CLI_RUN_REQUEST_H
#define TAILGATE_CLI_RUN_REQUEST_H

#include "base/buf.h"
#include "cli/args.h"
#include "wire/messages.h"

struct run_request { /* strings point into argv, the environment, and the two buffers */
    struct wire_run_request wire;
    struct buf command;
    char *names; /* one block for the names of variables */
};

/* ERR_INVALID names the option; ERR_NOMEM, ERR_TOO_LARGE. run_request_done frees in either case. */
MUST_CHECK int run_request_make(const struct cli_args *args, struct run_request *ret,
                                struct problem *p);
void run_request_done(struct run_request *r);

#endif
