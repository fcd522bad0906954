/*
 * A whole command line run with scripts in the place of the network, and what came of it. Link with
 * SOURCES fake_curl.c fake_lws.c capture.c run_cli.c and their wraps, and isatty.
 */
#ifndef TAILGATE_TESTS_CLI_RUN_CLI_H
#define TAILGATE_TESTS_CLI_RUN_CLI_H

#include "capture.h"
#include "fake_curl.h"
#include "fake_lws.h"

#include "base/compiler.h"

#define ID "0000500000000001aabbccddeeff0011"
#define ID2 "0000500000000002aabbccddeeff0022"

struct cli_run {
    const char *input; /* NULL = standard input is left alone */
    const struct fake_answer *answers;
    size_t answers_count;
    const struct fake_step *steps;
    size_t steps_count;
    bool no_curl; /* libcurl gives no handle */
};

struct cli_result {
    int code;
    struct capture text;
};

/* words: the command line without the program's name, words with a blank between, '|' for a blank
 * inside one. Server and key are set in the environment; the home is an empty directory. */
void run_cli(const char *words, const struct cli_run *run, struct cli_result *ret);
/* The empty home's configuration file, and an end to it. */
const char *run_cli_config_path(void);
int run_cli_clean(void **state);
/* What isatty answers from now on: -1 = the truth. */
void run_cli_terminal(int is_terminal);

#define ANSWERS(a) .answers = (a), .answers_count = ARRAY_SIZE(a)
#define STEPS(s) .steps = (s), .steps_count = ARRAY_SIZE(s)

#endif
