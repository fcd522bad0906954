/*
 * The command line: options from a table, one struct of values for all commands. Strings point into
 * argv.
 */
#ifndef TAILGATE_CLI_ARGS_H
#define TAILGATE_CLI_ARGS_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arg_type {
    ARG_FLAG,     /* bool */
    ARG_STRING,   /* const char * */
    ARG_LIST,     /* struct arg_list; may be repeated */
    ARG_NUMBER,   /* struct arg_number, 0 … INT64_MAX */
    ARG_DURATION, /* struct arg_number in ms, "10s" */
    ARG_SECONDS,  /* struct arg_number in ms, a duration of whole seconds, at least one */
    ARG_CHOICE,   /* int, index into arg "a|b" */
};

struct arg_list {
    const char **items;
    size_t count;
};

struct arg_number {
    bool given;
    int64_t value;
};

struct arg_option {
    int letter; /* 0 = none */
    enum arg_type type;
    const char *name;
    size_t offset;   /* into struct cli_args */
    const char *arg; /* "DUR", for the help; the choices of ARG_CHOICE; NULL for a flag */
    const char *help;
};

enum output_format { OUTPUT_TEXT, OUTPUT_JSON };

struct cli_args {
    /* every command */
    bool help;
    const char *endpoint, *api_key_file, *ca_file;
    /* run */
    const char *image, *git_repo, *git_ref, *git_path, *idempotency_key;
    struct arg_list env, secrets;
    struct arg_number timeout, grace;
    bool tty, detach, kill_on_interrupt;
    /* logs and run */
    bool follow, raw, exit_code, timestamps;
    struct arg_number tail, after, reconnect_timeout;
    const char *grep, *regex;
    bool ignore_case;
    int output; /* enum output_format */
    /* list */
    const char *status, *created_by;
    bool watch;
    struct arg_number limit;
    /* users, keys, secrets */
    const char *role, *description, *key_name, *value_file;
    bool value;
    /* images */
    bool is_default;
    struct arg_number cpu, memory;
    const char *platform, *task_role, *execution_role;
    /* claim */
    bool yes;
    /* audit */
    const char *email, *action, *resource, *result, *since, *until, *request_id;
    /* the rest of the line */
    const char **operands;
    size_t operand_count;
};

/* A set of options: the common ones and one command's. */
struct arg_table {
    const struct arg_option *options;
    size_t count;
    bool stop_at_operand; /* what follows the first operand belongs to it (`run`) */
};

/* Options of every command: --endpoint, --api-key-file, --ca-file, --help. */
extern const struct arg_table args_common;

/*
 * Parses argv[0 … argc-1] (no program name) into the zeroed *ret. `--` ends the options.
 * ERR_INVALID names the option and the rule; ERR_NOMEM. args_done frees in either case.
 */
MUST_CHECK int args_parse(const struct arg_table *table, int argc, char *const argv[],
                          struct cli_args *ret, struct problem *p);
/* Number of leading words that are common options; they may stand before the command's name. */
MUST_CHECK int args_skip_common(int argc, char *const argv[], int *ret_count, struct problem *p);
void args_done(struct cli_args *a);

#endif
