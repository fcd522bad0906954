/* tailgate help [COMMAND] */
#include "cli/help.h"

#include "cli/report.h"

static int run(const struct cli_args *args, UNUSED const struct settings *settings)
{
    if (args->operand_count == 0)
        return help_print(NULL);
    size_t used = 0;
    const struct command *c = command_find(args->operands, args->operand_count, &used);
    if (c != NULL && used == args->operand_count)
        return help_print(c);
    if (args->operand_count == 1 && command_is_group(args->operands[0]))
        return help_print_group(args->operands[0]);
    report("wrong usage: \"%.64s\" is no command; see tailgate --help", args->operands[0]);
    return EXIT_USAGE;
}

const struct command command_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "Print help.",
    .notes = "",
    .max_operands = 2,
    .run = run,
};
