/*
 * The commands of `tailgate`: one file each (cmd_NAME.c), one table (command.c), from which the
 * command line is parsed and the help is printed.
 */
#ifndef TAILGATE_CLI_COMMAND_H
#define TAILGATE_CLI_COMMAND_H

#include "base/buf.h"
#include "base/model.h"
#include "cli/args.h"
#include "cli/exit.h"
#include "cli/interrupt.h"
#include "cli/settings.h"

struct command {
    const char *name;    /* one word, or two: "users create" */
    const char *usage;   /* behind the name */
    const char *summary; /* one line */
    const char *notes;   /* more for its --help, lines ended; "" = none */
    struct arg_table table;
    size_t min_operands, max_operands;
    bool needs_settings; /* endpoint and key are loaded before it runs */
    int own_failure;     /* exit code of every failure that is tailgate's own; 0 = by kind */
    int (*run)(const struct cli_args *args, const struct settings *settings);
};

extern const struct command command_run, command_logs, command_list, command_status, command_kill,
    command_configure, command_version, command_help;
extern const struct command command_users_create, command_users_list, command_users_revoke,
    command_claim, command_keys_create, command_keys_list, command_keys_revoke,
    command_secrets_create, command_secrets_get, command_secrets_list, command_secrets_update,
    command_secrets_delete, command_images_register, command_images_list, command_images_show,
    command_images_unregister, command_audit, command_trace, command_health,
    command_health_reconcile;

/* NULL-ended, in the order of the help. */
extern const struct command *const commands[];
/* The command that the words begin with; *ret_used: how many of them are its name. NULL = none. */
const struct command *command_find(const char *const *words, size_t count, size_t *ret_used);
/* Whether `word` is the first of commands of two words, such as "users". */
bool command_is_group(const char *word);

/* The whole program: parses, runs, returns the exit code. argv[0] is the program. */
int command_main(int argc, char *const argv[]);

/* ---- for the commands ---- */

/* Reports *p; the exit code for it. */
int command_answer_failed(const struct problem *p);
/* Writes text to standard output; the exit code. */
int command_print(struct interrupt *intr, const struct buf *text);
/* The operand as an id; ERR_INVALID is reported already. */
MUST_CHECK int command_id(const char *text, struct execution_id *ret);

#endif
