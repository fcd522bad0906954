/* What is known of one request. A plain value; strings are borrowed. */
#ifndef TAILGATE_BASE_TRACE_H
#define TAILGATE_BASE_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct trace_record {
    int64_t record_id, at_us;
    const char *text; /* the log's record: a JSON object */
    size_t len;
};

struct trace {
    const struct trace_record *records; /* in order */
    size_t count;
    /* What it made or changed: JSON arrays of objects as the API shows them; NULL = none. */
    const char *executions, *secrets, *users, *images;
};

#endif
