/* tailgate list: pages are printed as they come; with --watch the live list. */
#include "cli/api.h"
#include "cli/call.h"
#include "cli/command.h"
#include "cli/execution_text.h"
#include "cli/out.h"
#include "cli/report.h"
#include "cli/watch.h"

#include <string.h>
#include <unistd.h>

#define LIMIT_DEFAULT 20
#define FLUSH_BYTES ((size_t)64 << 10)

static const struct arg_option options[] = {
    {0, ARG_STRING, "status", offsetof(struct cli_args, status), "NAME,…",
     "only these states, such as RUNNING,FAILED"},
    {0, ARG_STRING, "created-by", offsetof(struct cli_args, created_by), "EMAIL",
     "only this user's"},
    {0, ARG_STRING, "since", offsetof(struct cli_args, since), "TIME",
     "not before 2026-01-02T03:04:05Z, or 24h ago"},
    {0, ARG_STRING, "until", offsetof(struct cli_args, until), "TIME", "before then"},
    {'n', ARG_NUMBER, "limit", offsetof(struct cli_args, limit), "N",
     "the newest N (20); 0 is all"},
    {'o', ARG_CHOICE, "output", offsetof(struct cli_args, output), "text|json",
     "a table, or one JSON object a line"},
    {'w', ARG_FLAG, "watch", offsetof(struct cli_args, watch), NULL,
     "what is live now, then each change, until Ctrl-C"},
};

struct list {
    enum output_format format;
    size_t columns;
    struct buf text;
    struct problem p;
    int code; /* of output that failed */
};

static int flush(struct list *l)
{
    l->code = command_print(NULL, &l->text);
    buf_clear(&l->text);
    return l->code == EXIT_DONE ? 0 : ERR_CLOSED;
}

static int add(void *user, const json_t *execution)
{
    struct list *l = user;
    int r;
    if (l->format == OUTPUT_JSON) {
        r = json_append(&l->text, execution);
        if (r == 0)
            r = buf_append_char(&l->text, '\n');
    } else {
        r = execution_text_row(&l->text, execution, l->columns, &l->p);
    }
    if (r != 0 && l->p.err == 0)
        return problem_set(&l->p, r, "cannot print", "out of memory");
    if (r == 0 && l->text.len >= FLUSH_BYTES)
        r = flush(l);
    return r;
}

/* The value becomes part of a URL. */
static bool is_status_list(const char *s)
{
    return s[0] != '\0' && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ,")] == '\0';
}

/* "" without filters. */
static int make_filter(const struct cli_args *args, struct buf *ret)
{
    int r = buf_append_str(ret, "");
    if (r == 0 && args->status != NULL)
        r = buf_printf(ret, "&status=%s", args->status);
    if (r == 0)
        r = call_append_text(ret, "created_by", args->created_by);
    if (r == 0)
        r = call_append_time(ret, "since", args->since);
    return r != 0 ? r : call_append_time(ret, "until", args->until);
}

static int print_list(const struct cli_args *args, struct rest *rest, struct list *l)
{
    struct problem p = {0};
    struct buf filter CLEANUP_BUF = {.max = 1500};
    uint64_t limit = args->limit.given ? (uint64_t)args->limit.value : LIMIT_DEFAULT;
    if (l->format == OUTPUT_TEXT && execution_text_header(&l->text, l->columns) != 0) {
        report("out of memory");
        return EXIT_OTHER;
    }
    int r = make_filter(args, &filter);
    if (r != 0) {
        report(r == ERR_INVALID ? "wrong usage: --since and --until must be times such as "
                                  "2026-01-02T03:04:05Z, or 24h"
                                : "wrong usage: the filters are too long");
        return EXIT_USAGE;
    }
    r = api_list(rest, filter.data, limit, add, l, &p);
    if (r != 0 && l->code != EXIT_DONE)
        return l->code;
    if (r != 0)
        return command_answer_failed(p.err != 0 ? &p : &l->p);
    return command_print(NULL, &l->text);
}

static int run(const struct cli_args *args, const struct settings *settings)
{
    struct rest *rest CLEANUP(rest_cleanup) = NULL;
    if (args->status != NULL && !is_status_list(args->status)) {
        report("wrong usage: --status must be state names with commas between");
        return EXIT_USAGE;
    }
    if (args->watch && (args->status != NULL || args->created_by != NULL || args->since != NULL ||
                        args->until != NULL || args->limit.given)) {
        report("wrong usage: --watch goes only with --output");
        return EXIT_USAGE;
    }
    if (args->watch)
        return watch_list(args, settings);
    if (rest_new(settings, NULL, &rest) != 0) {
        report("out of memory");
        return EXIT_OTHER;
    }
    struct list l = {.format = args->output == OUTPUT_JSON ? OUTPUT_JSON : OUTPUT_TEXT,
                     .columns = out_columns(STDOUT_FILENO)};
    buf_init(&l.text, (size_t)16 << 20);
    int code = print_list(args, rest, &l);
    buf_done(&l.text);
    return code;
}

const struct command command_list = {
    .name = "list",
    .usage = "[--status NAME,…] [--created-by EMAIL] [--since TIME] … [-o text|json]",
    .summary = "List executions, the newest first.",
    .notes =
        "--watch prints a row for each execution that has not ended, then one whenever any of\n"
        "yours to see begins or changes. A lost connection is made again; nothing is missed.\n",
    .table = {options, ARRAY_SIZE(options), false},
    .needs_settings = true,
    .run = run,
};
