/* Executions for people: the fields of one, the table of many. */
#ifndef TAILGATE_CLI_EXECUTION_TEXT_H
#define TAILGATE_CLI_EXECUTION_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* One "name: value" a line. ERR_INVALID (not an execution) fills *p; ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int execution_text_fields(struct buf *out, const json_t *execution, struct problem *p);
MUST_CHECK int execution_text_header(struct buf *out);
/* A line of the table; columns: where the line is cut, 0 = not at all. */
MUST_CHECK int execution_text_row(struct buf *out, const json_t *execution, size_t columns,
                                  struct problem *p);

#endif
