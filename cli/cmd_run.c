/* tailgate run -- COMMAND…: starts, then tails; the command's exit code is ours. */
#include "cli/api.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/run_request.h"
#include "cli/tail_report.h"

static const struct arg_option options[] = {
    {'i', ARG_STRING, "image", offsetof(struct cli_args, image), "IMAGE", "run in this image"},
    {'e', ARG_LIST, "env", offsetof(struct cli_args, env), "K=V|K",
     "set a variable; K alone takes the value set here"},
    {0, ARG_LIST, "secret", offsetof(struct cli_args, secrets), "NAME", "give it a secret"},
    {0, ARG_SECONDS, "timeout", offsetof(struct cli_args, timeout), "DUR",
     "end it after DUR (whole seconds)"},
    {0, ARG_SECONDS, "grace", offsetof(struct cli_args, grace), "DUR",
     "between SIGTERM and SIGKILL (whole seconds)"},
    {0, ARG_FLAG, "tty", offsetof(struct cli_args, tty), NULL,
     "give the command a terminal: one stream, in exact order"},
    {0, ARG_STRING, "git-repo", offsetof(struct cli_args, git_repo), "URL", "clone it first"},
    {0, ARG_STRING, "git-ref", offsetof(struct cli_args, git_ref), "REF", "branch, tag or commit"},
    {0, ARG_STRING, "git-path", offsetof(struct cli_args, git_path), "PATH",
     "directory in it to run in"},
    {0, ARG_STRING, "idempotency-key", offsetof(struct cli_args, idempotency_key), "KEY",
     "the same key again is the same execution (24 hours)"},
    {'d', ARG_FLAG, "detach", offsetof(struct cli_args, detach), NULL,
     "only start: print the execution id on standard output"},
    {0, ARG_FLAG, "kill-on-interrupt", offsetof(struct cli_args, kill_on_interrupt), NULL,
     "the first Ctrl-C stops the execution, the second leaves"},
    {'t', ARG_FLAG, "timestamps", offsetof(struct cli_args, timestamps), NULL,
     "put each line's time (UTC) before it"},
    {'o', ARG_CHOICE, "output", offsetof(struct cli_args, output), "text|json",
     "json: one object a line with seq, timestamp (ms), stream, message"},
    {0, ARG_DURATION, "reconnect-timeout", offsetof(struct cli_args, reconnect_timeout), "DUR",
     "give up when a lost connection is not back after DUR (60s)"},
};

struct running {
    struct rest *rest;
    struct execution_id id;
    struct printer *printer;
};

/* --kill-on-interrupt: the first signal stops the execution, whose end is waited for. */
static bool kill_or_leave(void *user, UNUSED int signum, unsigned nth)
{
    struct running *r = user;
    struct problem p = {0};
    bool has_ended = false;
    if (nth > 1)
        return true;
    report("stopping %s; Ctrl-C again leaves it", r->id.hex);
    if (api_kill(r->rest, &r->id, &has_ended, &p) != 0)
        report_problem(&p);
    return false;
}

static int follow(const struct cli_args *args, const struct settings *settings, struct running *r,
                  struct interrupt *intr)
{
    struct printer_options printing = printer_options_here(args, intr);
    struct printer printer CLEANUP(printer_done);
    printer_init(&printer, &printing);
    struct tail_options opt = {
        .settings = settings,
        .intr = intr,
        .printer = &printer,
        .id = r->id,
        .follow = true,
        .retry_first = true,
        .reconnect_timeout_ms =
            args->reconnect_timeout.given ? args->reconnect_timeout.value : FOLLOW_TIMEOUT_MS,
        .leave = args->kill_on_interrupt ? kill_or_leave : NULL,
        .user = r,
    };
    struct tail_result result;
    tail_run(&opt, &result);
    return tail_report(&r->id, &result, true, EXIT_RUN_FAILED);
}

static int print_started(const struct cli_args *args, const struct execution_id *id,
                         struct buf *answer)
{
    if (args->output != OUTPUT_JSON) {
        buf_clear(answer);
        if (buf_append_str(answer, id->hex) != 0)
            return EXIT_RUN_FAILED;
    }
    if (buf_append_char(answer, '\n') != 0)
        return EXIT_RUN_FAILED;
    int code = command_print(NULL, answer);
    return code == EXIT_OTHER ? EXIT_RUN_FAILED : code;
}

static int start(const struct cli_args *args, struct running *r, struct buf *answer)
{
    struct run_request request CLEANUP(run_request_done) = {0};
    struct problem p = {0};
    int err = run_request_make(args, &request, &p);
    if (err == 0)
        err = api_start(r->rest, &request.wire, &r->id, answer, &p);
    if (err == 0)
        return EXIT_DONE;
    report_problem(&p);
    if (err != ERR_AGAIN)
        return EXIT_RUN_FAILED;
    report("it may have been started; see tailgate list");
    return EXIT_INTERRUPTED;
}

static int run(const struct cli_args *args, const struct settings *settings)
{
    struct interrupt intr CLEANUP(interrupt_done) = {.fd = -1};
    struct rest *rest CLEANUP(rest_cleanup) = NULL;
    struct buf answer CLEANUP_BUF;
    buf_init(&answer, REST_BODY_MAX);
    if (interrupt_init(&intr) != 0 || rest_new(settings, &intr, &rest) != 0) {
        report("cannot start: out of memory or signals");
        return EXIT_RUN_FAILED;
    }
    struct running r = {.rest = rest};
    int code = start(args, &r, &answer);
    if (code != EXIT_DONE)
        return code;
    if (args->detach)
        return print_started(args, &r.id, &answer);
    report("execution %s", r.id.hex);
    return follow(args, settings, &r, &intr);
}

const struct command command_run = {
    .name = "run",
    .usage = "[OPTION…] [--] COMMAND…",
    .summary = "Run a command, print its lines as they come, exit with its exit code.",
    .notes =
        "One word is a line for /bin/sh; several words are quoted, so that the command gets\n"
        "exactly these: tailgate run -- sh -c 'echo \"$HOME\"; exit 7'\n"
        "Variables RUNVOY_USER_NAME and TAILGATE_USER_NAME here are NAME there; --env beats them.\n"
        "Lines of stdout go to standard output; lines of stderr and of the system, and the\n"
        "execution's id, to standard error.\n"
        "Ctrl-C leaves, the execution goes on, and how to come back is printed (exit code 130).\n"
        "A lost connection is made again, after the last line printed.\n"
        "Exit code: the command's own (128 + N on signal N, 130 when stopped, 124 on timeout);\n"
        "125 when tailgate itself failed.\n",
    .table = {options, ARRAY_SIZE(options), true},
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .needs_settings = true,
    .own_failure = EXIT_RUN_FAILED,
    .run = run,
};
