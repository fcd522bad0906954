/* tailgate version */
#include "cli/command.h"

#include "cli/report.h"

static int run(UNUSED const struct cli_args *args, UNUSED const struct settings *settings)
{
    struct buf text CLEANUP_BUF;
    buf_init(&text, 256);
    if (buf_printf(&text, "tailgate %s\n", TAILGATE_VERSION) != 0) {
        report("out of memory");
        return EXIT_OTHER;
    }
    return command_print(NULL, &text);
}

const struct command command_version = {
    .name = "version",
    .usage = "",
    .summary = "Print the program's version.",
    .notes = "",
    .run = run,
};
