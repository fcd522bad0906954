/* A line that waits in redaction.c. */
#ifndef TAILGATE_LOGS_REDACTION_LINE_H
#define TAILGATE_LOGS_REDACTION_LINE_H

#include "base/list.h"
#include "logs/redaction.h"

struct line {
    struct list in_queue, in_stream;
    struct redaction_line l; /* p: the copy behind */
    uint64_t from, to;       /* its bytes' numbers */
    uint32_t state;          /* behind it */
    bool is_crossed;         /* a find reaches across its end */
    uint8_t bytes[];
};

struct line *line_new(const struct redaction_line *l); /* a copy; NULL without memory */
void line_free(struct line *w);                        /* wipes; it is in no list */

#endif
