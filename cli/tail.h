/*
 * Prints an execution's lines as they come until its end, or until a person leaves: subscribes,
 * connects again after the last line printed, and never prints a line twice.
 */
#ifndef TAILGATE_CLI_TAIL_H
#define TAILGATE_CLI_TAIL_H

#include "base/model.h"
#include "cli/follow.h"
#include "cli/printer.h"
#include "cli/settings.h"

struct tail_options {
    const struct settings *settings;
    struct interrupt *intr; /* tail_run takes over its handler */
    struct printer *printer;
    struct execution_id id;
    uint64_t after; /* lines up to this one are not wanted */
    bool has_tail;
    uint64_t tail; /* only so many of the stored lines */
    bool follow;   /* false: what is stored, then done */
    bool retry_first;
    int64_t reconnect_timeout_ms;
    /* A signal came, the nth: true = leave. NULL: the first leaves. */
    bool (*leave)(void *user, int signum, unsigned nth);
    void *user;
};

enum tail_outcome {
    TAIL_ENDED,     /* the execution has ended and every line was printed */
    TAIL_CAUGHT_UP, /* what was stored is printed (follow is false) */
    TAIL_LEFT,      /* a signal */
    TAIL_OUTPUT,    /* output failed: out_write's code in err */
    TAIL_FAILED,    /* p says why */
};

struct tail_result {
    enum tail_outcome outcome;
    uint64_t last_seq; /* printed */
    enum exec_status status;
    int32_t exit_code; /* EXIT_CODE_NONE: the server knows none */
    char reason[64];
    int signum;
    int err;
    struct problem p;
};

/* Fills *ret whatever happens. */
void tail_run(const struct tail_options *opt, struct tail_result *ret);

#endif
