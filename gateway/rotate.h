/* tailgated --rotate-secrets-key: replaces the key, says what was done, ends. */
#ifndef TAILGATE_GATEWAY_ROTATE_H
#define TAILGATE_GATEWAY_ROTATE_H

#include "base/compiler.h"
#include "gateway/options.h"

#include <stdbool.h>

struct sealer;

/* owns: the state directory is ours, no server runs on it; otherwise its private cluster is left
 * running. Returns the program's exit code. */
MUST_CHECK int rotate_run(const struct options *o, struct sealer *s, bool owns);

#endif
