/* tailgate logs --grep and --regex: the lines that match, found by the server, page after page. */
#ifndef TAILGATE_CLI_SEARCH_H
#define TAILGATE_CLI_SEARCH_H

#include "base/model.h"
#include "cli/args.h"
#include "cli/interrupt.h"
#include "cli/settings.h"

/* Prints them as logs are printed, what matched highlighted on a terminal; the exit code. */
int search_print(const struct cli_args *args, const struct settings *settings,
                 const struct execution_id *id, struct interrupt *intr);

#endif
