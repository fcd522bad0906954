/* tailgate kill ID…: every one is tried; the exit code is the first failure's. */
#include "cli/api.h"
#include "cli/command.h"
#include "cli/report.h"

static int kill_one(struct rest *rest, const char *text)
{
    struct execution_id id;
    struct problem p = {0};
    bool has_ended = false;
    if (command_id(text, &id) != 0)
        return EXIT_USAGE;
    if (api_kill(rest, &id, &has_ended, &p) != 0)
        return command_answer_failed(&p);
    report(has_ended ? "%s has ended or is being stopped already" : "%s is being stopped", id.hex);
    return EXIT_DONE;
}

static int run(const struct cli_args *args, const struct settings *settings)
{
    struct rest *rest CLEANUP(rest_cleanup) = NULL;
    int code = EXIT_DONE;
    if (rest_new(settings, NULL, &rest) != 0) {
        report("out of memory");
        return EXIT_OTHER;
    }
    for (size_t i = 0; i < args->operand_count; i++) {
        int one = kill_one(rest, args->operands[i]);
        code = code == EXIT_DONE ? one : code;
    }
    return code;
}

const struct command command_kill = {
    .name = "kill",
    .usage = "ID…",
    .summary = "Stop executions: SIGTERM, after their grace SIGKILL.",
    .notes = "An execution that has ended already is no failure.\n",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .needs_settings = true,
    .run = run,
};
