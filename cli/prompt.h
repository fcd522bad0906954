/* Asking a person on the terminal. */
#ifndef TAILGATE_CLI_PROMPT_H
#define TAILGATE_CLI_PROMPT_H

#include "base/compiler.h"

#include <stdbool.h>

/*
 * Writes text and reads a line from standard input, without echo when is_hidden; the answer, owned,
 * "" when empty. ERR_END: no answer will come; ERR_AGAIN: Ctrl-C; ERR_TOO_LARGE, ERR_NOMEM,
 * ERR_SYS.
 */
MUST_CHECK int prompt_line(const char *text, bool is_hidden, char **ret);

#endif
