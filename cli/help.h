/* --help, printed from the commands' table. */
#ifndef TAILGATE_CLI_HELP_H
#define TAILGATE_CLI_HELP_H

#include "cli/command.h"

/* NULL = the program as a whole. ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int help_text(const struct command *c, struct buf *out);
/* To standard output; the exit code. */
int help_print(const struct command *c);
/* The commands that begin with this word. */
int help_print_group(const char *word);

#endif
