/* Text of others on a person's terminal: what it holds cannot draw there. */
#ifndef TAILGATE_CLI_PLAIN_TEXT_H
#define TAILGATE_CLI_PLAIN_TEXT_H

#include "base/buf.h"

/* Appends s with control characters blanked, at most columns characters (0 = all). */
MUST_CHECK int plain_text_append(struct buf *out, const char *s, size_t columns);
/* Characters that it shows. */
size_t plain_text_width(const char *s);

#endif
