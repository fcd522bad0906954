/*
 * The exit codes of `tailgate`. `run` and `logs --exit-code` return the command's own code, which
 * may be any of these numbers; `run` reports its own failures as EXIT_RUN_FAILED only.
 */
#ifndef TAILGATE_CLI_EXIT_H
#define TAILGATE_CLI_EXIT_H

enum cli_exit {
    EXIT_DONE = 0,
    EXIT_OTHER = 1,         /* memory, output, something local */
    EXIT_USAGE = 2,         /* command line or configuration */
    EXIT_NO_EXECUTION = 3,  /* no such execution, user, key, secret, image */
    EXIT_NOT_ALLOWED = 4,   /* key missing, wrong, revoked or not allowed */
    EXIT_LOST = 5,          /* server not reachable, or connection lost for good */
    EXIT_REFUSED = 6,       /* the server answered with another error */
    EXIT_DEGRADED = 7,      /* `health`: there are warnings */
    EXIT_UNHEALTHY = 8,     /* `health`: there are errors, or the server is not ready */
    EXIT_RUN_FAILED = 125,  /* `run`: tailgate itself failed (as docker and env do) */
    EXIT_INTERRUPTED = 130, /* Ctrl-C: 128 + SIGINT */
    EXIT_PIPE = 141,        /* nobody reads the output: 128 + SIGPIPE */
    EXIT_TERMINATED = 143,  /* 128 + SIGTERM */
};

/* The exit code for what a call to the server came to (rest.h, tail.h): 0 or one of enum err. */
int exit_of_answer(int err);
/* The exit code for a failure to write output (out.h). */
int exit_of_output(int err);
/* Text of --help: a line for each code. Static storage. */
const char *exit_help(void);

#endif
