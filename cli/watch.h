/* tailgate list --watch: what is live now, then each change, until a person leaves. */
#ifndef TAILGATE_CLI_WATCH_H
#define TAILGATE_CLI_WATCH_H

#include "cli/args.h"
#include "cli/settings.h"

/* Prints a row for each execution that is live, and one for each change; the exit code. */
int watch_list(const struct cli_args *args, const struct settings *settings);

#endif
