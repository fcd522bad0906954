/* tailgate audit: pages are read until the limit, then printed as one table. */
#include "cli/call.h"
#include "cli/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 100000 /* entries in memory */
#define PAGE 1000        /* the server's largest */

static const struct table_column columns[] = {
    {"TIME", "at", TABLE_TIME, 0, false},         {"USER", "email", TABLE_TEXT, 0, true},
    {"ACTION", "action", TABLE_TEXT, 0, true},    {"RESOURCE", "resource", TABLE_TEXT, 1, true},
    {"RESULT", "result", TABLE_TEXT, 0, true},    {"TIMES", "count", TABLE_TEXT, 2, false},
    {"ADDRESS", "address", TABLE_TEXT, 3, false}, {"REQUEST", "request_id", TABLE_TEXT, 4, false},
};

static const struct arg_option options[] = {
    {0, ARG_STRING, "email", offsetof(struct cli_args, email), "EMAIL", "only this user's"},
    {0, ARG_STRING, "action", offsetof(struct cli_args, action), "ACTION",
     "such as secrets.create, or secrets for all of them"},
    {0, ARG_STRING, "resource", offsetof(struct cli_args, resource), "RESOURCE",
     "such as secret/NAME, or secret/ for all of them"},
    {0, ARG_STRING, "result", offsetof(struct cli_args, result), "RESULT",
     "ok, or a refusal such as FORBIDDEN"},
    {0, ARG_STRING, "request-id", offsetof(struct cli_args, request_id), "ID",
     "only this request's"},
    {0, ARG_STRING, "since", offsetof(struct cli_args, since), "TIME",
     "not before 2026-01-02T03:04:05Z, or 24h ago"},
    {0, ARG_STRING, "until", offsetof(struct cli_args, until), "TIME", "before then"},
    {'n', ARG_NUMBER, "limit", offsetof(struct cli_args, limit), "N", "the newest N (50)"},
    CALL_OUTPUT_OPTION,
};

static int first_path(const struct cli_args *args, uint64_t limit, struct buf *path)
{
    int r = buf_printf(path, "/audit?limit=%" PRIu64, limit < PAGE ? limit : PAGE);
    if (r == 0)
        r = call_append_text(path, "email", args->email);
    if (r == 0)
        r = call_append_text(path, "action", args->action);
    if (r == 0)
        r = call_append_text(path, "resource", args->resource);
    if (r == 0)
        r = call_append_text(path, "result", args->result);
    if (r == 0)
        r = call_append_text(path, "request_id", args->request_id);
    if (r == 0)
        r = call_append_time(path, "since", args->since);
    return r != 0 ? r : call_append_time(path, "until", args->until);
}

/* Moves a page's entries to all, at most limit of them. */
static int take(json_t *all, const json_t *doc, uint64_t limit)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(doc, "entries"), i, entry) {
        if (json_array_size(all) < limit && json_array_append(all, entry) != 0)
            return ERR_NOMEM;
    }
    return 0;
}

static int gather(const struct settings *settings, struct buf *path, uint64_t limit, json_t *all)
{
    for (;;) {
        json_t *doc CLEANUP_JSON = NULL;
        char next[1024] = "";
        size_t before = json_array_size(all);
        int code = call_json(settings, "GET", path->data, NULL, &doc, next);
        if (code != EXIT_DONE)
            return code;
        if (take(all, doc, limit) != 0)
            return call_no_memory();
        /* An empty page with a next one would be asked for without end. */
        if (next[0] == '\0' || json_array_size(all) >= limit || json_array_size(all) == before)
            return EXIT_DONE;
        buf_clear(path);
        if (buf_printf(path, "/audit?%s", next) != 0)
            return call_no_memory();
    }
}

static int run(const struct cli_args *args, const struct settings *settings)
{
    struct buf path CLEANUP_BUF = {.max = 8192};
    json_t *all CLEANUP_JSON = json_array();
    uint64_t limit = args->limit.given ? (uint64_t)args->limit.value : LIMIT_DEFAULT;
    if (limit == 0 || limit > LIMIT_MAX) {
        report("wrong usage: --limit must be between 1 and %d", LIMIT_MAX);
        return EXIT_USAGE;
    }
    if (all == NULL)
        return call_no_memory();
    int r = first_path(args, limit, &path);
    if (r != 0) {
        report(r == ERR_INVALID ? "wrong usage: --since and --until must be times such as "
                                  "2026-01-02T03:04:05Z, or durations such as 24h"
                                : "wrong usage: the filters are too long");
        return EXIT_USAGE;
    }
    int code = gather(settings, &path, limit, all);
    return code != EXIT_DONE ? code : call_print_rows(args, columns, ARRAY_SIZE(columns), all);
}

const struct command command_audit = {
    .name = "audit",
    .usage = "[--email EMAIL] [--action ACTION] [--since TIME] … [-n N] [-o text|json]",
    .summary = "List who changed what and who was refused, the newest first.",
    .notes = "",
    .table = {options, ARRAY_SIZE(options), false},
    .needs_settings = true,
    .run = run,
};
