/*
 * Cuts one stream of bytes into line records. Joining the payloads, with a newline after each that
 * has neither SPOOL_PART nor SPOOL_NO_EOL, gives the stream's bytes again.
 */
#ifndef TAILGATE_RUNNER_LINES_H
#define TAILGATE_RUNNER_LINES_H

#include "runner/outlet.h"

#include <stddef.h>

struct lines {
    uint8_t kind; /* SPOOL_KIND_STDOUT or _STDERR */
    bool in_part; /* the last record was a part: its line goes on */
    uint32_t len; /* bytes of the unfinished line */
    uint8_t buf[SPOOL_LINE_MAX];
};

void lines_init(struct lines *l, uint8_t kind);
/* Takes up to n bytes; returns how many: fewer only while the outlet has no room. */
size_t lines_feed(struct lines *l, struct outlet *o, const uint8_t *p, size_t n);
/* Gives out the unfinished line, if there is one, as a part. */
void lines_give_part(struct lines *l, struct outlet *o);
/* The stream has ended. -EAGAIN: no room, again later. */
int lines_end(struct lines *l, struct outlet *o);

#endif
