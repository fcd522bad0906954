/* tailgate status ID */
#include "cli/api.h"
#include "cli/command.h"
#include "cli/execution_text.h"
#include "cli/report.h"

static const struct arg_option options[] = {
    {'o', ARG_CHOICE, "output", offsetof(struct cli_args, output), "text|json",
     "fields by line, or the server's JSON"},
};

static int print(const struct cli_args *args, const json_t *doc)
{
    struct buf text CLEANUP_BUF;
    buf_init(&text, (size_t)16 << 20);
    struct problem p = {0};
    int r;
    if (args->output == OUTPUT_JSON) {
        r = json_append(&text, doc);
        if (r == 0)
            r = buf_append_char(&text, '\n');
    } else {
        r = execution_text_fields(&text, doc, &p);
    }
    if (r == 0)
        return command_print(NULL, &text);
    if (p.err == 0)
        (void)problem_set(&p, r, "cannot print", "out of memory");
    return command_answer_failed(&p);
}

static int run(const struct cli_args *args, const struct settings *settings)
{
    struct rest *rest CLEANUP(rest_cleanup) = NULL;
    json_t *doc CLEANUP_JSON = NULL;
    struct execution_id id;
    struct problem p = {0};
    if (command_id(args->operands[0], &id) != 0)
        return EXIT_USAGE;
    if (rest_new(settings, NULL, &rest) != 0) {
        report("out of memory");
        return EXIT_OTHER;
    }
    if (api_get(rest, &id, &doc, &p) != 0)
        return command_answer_failed(&p);
    return print(args, doc);
}

const struct command command_status = {
    .name = "status",
    .usage = "[-o text|json] ID",
    .summary = "Print what is known of an execution.",
    .notes = "",
    .table = {options, ARRAY_SIZE(options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = run,
};
