/* A secret as people see it. Plain values, spoken of by several folders. */
#ifndef TAILGATE_BASE_SECRET_H
#define TAILGATE_BASE_SECRET_H

#include <stdint.h>

struct secret { /* borrowed strings */
    const char *name, *key_name, *description;
    const char *value; /* NULL unless it was asked for */
    const char *created_by, *updated_by;
    int64_t created_at_us, updated_at_us;
    const char *created_by_request_id, *modified_by_request_id;
};

#endif
