/* What the commands of one call share: the call, its answer on standard output, the exit code. */
#ifndef TAILGATE_CLI_CALL_H
#define TAILGATE_CLI_CALL_H

#include "base/json.h"
#include "cli/command.h"
#include "cli/rest.h"
#include "cli/table.h"

/* EXIT_DONE and the answer's JSON (json_decref; NULL for an empty one), or what failed is reported
 * and its exit code returned. next (may be NULL): the query of the next page, "" = none. */
MUST_CHECK int call_json(const struct settings *settings, const char *method, const char *path,
                         const struct buf *body, json_t **ret, char next[1024]);
/* A part of a path, so encoded that it stays one (RFC 3986 2.3). */
MUST_CHECK int call_append_segment(struct buf *path, const char *text);
/* "&NAME=TEXT" of a query; nothing for NULL. */
MUST_CHECK int call_append_text(struct buf *path, const char *name, const char *text);
/* The same for a time: RFC 3339, or so long ago ("24h"). ERR_INVALID: neither. */
MUST_CHECK int call_append_time(struct buf *path, const char *name, const char *text);
/* "PREFIX/SEGMENT" for a call; EXIT_OTHER when it is too long. */
MUST_CHECK int call_path(struct buf *path, const char *prefix, const char *segment);

/* All of these print and return the exit code. -o json: the object, or an array's objects, one a
 * line; else the table, or the object's fields. */
int call_print_rows(const struct cli_args *args, const struct table_column *table, size_t n,
                    const json_t *rows);
int call_print_object(const struct cli_args *args, const struct table_column *table, size_t n,
                      const json_t *object);
/* A body that could not be made, or a field that breaks its rule: reported. */
int call_usage_failed(const struct problem *p);
int call_no_memory(void);

/* The row of the option table that all of them have. */
#define CALL_OUTPUT_OPTION                                                         \
    {                                                                              \
        'o', ARG_CHOICE, "output", offsetof(struct cli_args, output), "text|json", \
            "for people, or the server's JSON, one object a line"                  \
    }

#endif
