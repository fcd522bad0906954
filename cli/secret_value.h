/* A secret's value on its way in: never an argument, which other users of the machine can see. */
#ifndef TAILGATE_CLI_SECRET_VALUE_H
#define TAILGATE_CLI_SECRET_VALUE_H

#include "cli/command.h"

#define SECRET_VALUE_MAX ((size_t)65536)

/*
 * From `path` ("-" = standard input); NULL: from standard input, asked for without echo when that
 * is a terminal. One newline at its end is not part of it. EXIT_DONE and the owned *ret
 * (secret_value_free), or what failed is reported and its exit code returned.
 */
MUST_CHECK int secret_value_read(const char *path, char **ret);
void secret_value_free(char **value); /* for CLEANUP */

#endif
