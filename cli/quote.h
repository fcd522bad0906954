/* Words for sh. */
#ifndef TAILGATE_CLI_QUOTE_H
#define TAILGATE_CLI_QUOTE_H

#include "base/buf.h"

/*
 * The command line for `/bin/sh -c` from COMMAND words: a single word is that line already; several
 * are quoted one by one, so that sh sees exactly these words. ERR_NOMEM, ERR_TOO_LARGE.
 */
MUST_CHECK int quote_command(struct buf *out, const char *const *words, size_t count);

#endif
