/*
 * Wires the modules together, runs the server and takes it down again.
 *
 *   CLUSTER ─▶ MIGRATE ─▶ CONNECT ─▶ ADOPT ─▶ BOOTSTRAP (--dev) ─▶ SERVING ─(signal)▶ LEAVING ─▶
 * DOWN └─────────┴───────────┴──(signal, failure)┴────────┴───────────────────────────────────▶
 * DOWN
 */
#ifndef TAILGATE_GATEWAY_BOOT_H
#define TAILGATE_GATEWAY_BOOT_H

#include "base/compiler.h"
#include "gateway/options.h"

struct sealer;

/* Until a signal. o is complete and checked, its state directory is ours. Returns the program's
 * exit code: 0, 1 (failed), 2 (unusable settings, said in one line on stderr). */
MUST_CHECK int boot_run(const struct options *o, const char *gateway_id, struct sealer *sealer);

#endif
