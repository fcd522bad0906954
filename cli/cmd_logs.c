/* tailgate logs ID: over the stream; with --raw the bytes of logs.txt over HTTP; or what is
 * searched for. */
#include "cli/command.h"
#include "cli/out.h"
#include "cli/report.h"
#include "cli/rest.h"
#include "cli/search.h"
#include "cli/tail_report.h"

#include <stdio.h>
#include <unistd.h>

static const struct arg_option options[] = {
    {'f', ARG_FLAG, "follow", offsetof(struct cli_args, follow), NULL,
     "go on with what comes, until the execution ends"},
    {'n', ARG_NUMBER, "tail", offsetof(struct cli_args, tail), "N",
     "only the last N of the stored lines"},
    {0, ARG_NUMBER, "after", offsetof(struct cli_args, after), "SEQ", "only lines after line SEQ"},
    {0, ARG_STRING, "grep", offsetof(struct cli_args, grep), "TEXT",
     "only the lines that hold TEXT, found by the server"},
    {0, ARG_STRING, "regex", offsetof(struct cli_args, regex), "RE",
     "only the lines that the expression (PCRE2) matches"},
    {'i', ARG_FLAG, "ignore-case", offsetof(struct cli_args, ignore_case), NULL,
     "with --grep and --regex: upper and lower case alike"},
    {'t', ARG_FLAG, "timestamps", offsetof(struct cli_args, timestamps), NULL,
     "put each line's time (UTC) before it"},
    {'o', ARG_CHOICE, "output", offsetof(struct cli_args, output), "text|json",
     "json: one object a line with seq, timestamp (ms), stream, message"},
    {0, ARG_FLAG, "exit-code", offsetof(struct cli_args, exit_code), NULL,
     "with -f: exit with the command's exit code"},
    {0, ARG_DURATION, "reconnect-timeout", offsetof(struct cli_args, reconnect_timeout), "DUR",
     "give up when a lost connection is not back after DUR (60s)"},
    {0, ARG_FLAG, "raw", offsetof(struct cli_args, raw), NULL,
     "the command's exact bytes, both streams to standard output"},
};

static int raw_sink(void *user, const char *bytes, size_t len)
{
    return out_write(user, STDOUT_FILENO, bytes, len);
}

static int run_raw(const struct cli_args *args, const struct settings *settings,
                   const struct execution_id *id, struct interrupt *intr)
{
    struct rest *rest CLEANUP(rest_cleanup) = NULL;
    struct problem p = {0};
    char path[80];
    int sink_error = 0;
    if (rest_new(settings, intr, &rest) != 0) {
        report("out of memory");
        return EXIT_OTHER;
    }
    (void)snprintf(path, sizeof path, "/executions/%s/logs.txt%s", id->hex,
                   args->follow ? "?follow=1" : "");
    int r = rest_download(rest, path, raw_sink, intr, &sink_error, &p);
    if (sink_error != 0)
        return exit_of_output(sink_error);
    if (r == ERR_AGAIN)
        return EXIT_INTERRUPTED;
    return r == 0 ? EXIT_DONE : command_answer_failed(&p);
}

static int run_tail(const struct cli_args *args, const struct settings *settings,
                    const struct execution_id *id, struct interrupt *intr)
{
    struct printer_options printing = printer_options_here(args, intr);
    struct printer printer CLEANUP(printer_done);
    printer_init(&printer, &printing);
    struct tail_options opt = {
        .settings = settings,
        .intr = intr,
        .printer = &printer,
        .id = *id,
        .after = args->after.given ? (uint64_t)args->after.value : 0,
        .has_tail = args->tail.given,
        .tail = (uint64_t)args->tail.value,
        .follow = args->follow,
        .reconnect_timeout_ms =
            args->reconnect_timeout.given ? args->reconnect_timeout.value : FOLLOW_TIMEOUT_MS,
    };
    struct tail_result result;
    tail_run(&opt, &result);
    return tail_report(id, &result, args->exit_code, 0);
}

/* NULL, or the rule that the options break. */
static const char *broken_rule(const struct cli_args *args)
{
    if (args->tail.given && args->after.given)
        return "--tail and --after exclude each other";
    if (args->exit_code && !args->follow)
        return "--exit-code needs --follow";
    if (args->raw && (args->tail.given || args->after.given || args->timestamps ||
                      args->exit_code || args->output != OUTPUT_TEXT))
        return "--raw goes only with --follow";
    bool is_search = args->grep != NULL || args->regex != NULL;
    if (args->grep != NULL && args->regex != NULL)
        return "--grep and --regex exclude each other";
    if (args->ignore_case && !is_search)
        return "--ignore-case needs --grep or --regex";
    if (is_search && (args->follow || args->raw || args->tail.given))
        return "--grep and --regex go without --follow, --raw and --tail";
    return NULL;
}

static int run(const struct cli_args *args, const struct settings *settings)
{
    struct execution_id id;
    struct interrupt intr CLEANUP(interrupt_done) = {.fd = -1};
    const char *rule = broken_rule(args);
    if (rule != NULL)
        report("wrong usage: %s", rule);
    if (rule != NULL || command_id(args->operands[0], &id) != 0)
        return EXIT_USAGE;
    if (interrupt_init(&intr) != 0) {
        report("cannot watch signals");
        return EXIT_OTHER;
    }
    if (args->grep != NULL || args->regex != NULL)
        return search_print(args, settings, &id, &intr);
    return args->raw ? run_raw(args, settings, &id, &intr) : run_tail(args, settings, &id, &intr);
}

const struct command command_logs = {
    .name = "logs",
    .usage = "[-f] [--tail N | --after SEQ] [--grep TEXT | --regex RE [-i]] [-o text|json] ID",
    .summary = "Print an execution's lines.",
    .notes = "Lines of stdout go to standard output; lines of stderr and of the system to\n"
             "standard error. Where both are the same place, a line that comes into an\n"
             "unfinished one of another stream begins on a line of its own.\n"
             "A lost connection is made again, after the last line printed.\n"
             "With -f the exit code is 0 when the execution has ended, whatever its own.\n"
             "--grep and --regex print the lines that are there now; what matches is highlighted\n"
             "on a terminal. A line that was stored in parts is found and printed whole.\n"
             "--raw leaves out system lines, and is not resumed when the connection is lost.\n",
    .table = {options, ARRAY_SIZE(options), false},
    .min_operands = 1,
    .max_operands = 1,
    .needs_settings = true,
    .run = run,
};
