/* Executions for people: the fields of one, the table of many. */
#ifndef TAILGATE_CLI_EXECUTION_TEXT_H
#define TAILGATE_CLI_EXECUTION_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* One "name: value" a line. ERR_INVALID (not an execution) fills *p; ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int execution_text_fields(struct buf *out, const json_t *execution, struct problem *p);
/* The table's lines. columns: of the terminal; the narrower it is, the fewer columns are shown. 0:
 * all, uncut. */
MUST_CHECK int execution_text_header(struct buf *out, size_t columns);
MUST_CHECK int execution_text_row(struct buf *out, const json_t *execution, size_t columns,
                                  struct problem *p);

#endif
