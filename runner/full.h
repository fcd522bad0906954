/*
 * What the log is told of times in which no output could be taken.
 *
 *   open ──(the outlet is not)──▶ blocked ──(it is again: a line, unless it was too short)──▶ open
 */
#ifndef TAILGATE_RUNNER_FULL_H
#define TAILGATE_RUNNER_FULL_H

#include "runner/outlet.h"

struct full {
    enum outlet_state why; /* OUTLET_OPEN: not blocked */
    int64_t since_ms;
};

/* Looks at the outlet; to be called before more goes in. */
enum outlet_state full_watch(struct full *f, struct outlet *o, int64_t now_ms);
/* The command is to end since nothing more can be kept: gives up the outlet, says so in the log.
 * Returns the exit record's flag for it. */
uint32_t full_end(enum outlet_state why, struct outlet *o);
/* The command has ended, but what it wrote last cannot be kept. */
void full_lose_rest(struct outlet *o);

#endif
