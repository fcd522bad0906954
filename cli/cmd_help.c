/* tailgate help [COMMAND] */
#include "cli/help.h"

#include "cli/report.h"

static int run(const struct cli_args *args, UNUSED const struct settings *settings)
{
    if (args->operand_count == 0)
        return help_print(NULL);
    const struct command *c = command_find(args->operands[0]);
    if (c != NULL)
        return help_print(c);
    report("wrong usage: \"%.64s\" is no command; see tailgate --help", args->operands[0]);
    return EXIT_USAGE;
}

const struct command command_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "Print help.",
    .notes = "",
    .max_operands = 1,
    .run = run,
};
