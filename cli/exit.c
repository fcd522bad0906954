/* Which failure becomes which exit code: one table, also printed by --help. */
#include "cli/exit.h"

#include "base/compiler.h"
#include "base/err.h"

#include <stddef.h>

static const struct {
    int err;
    int code;
} answers[] = {
    {ERR_OK, EXIT_DONE},
    {ERR_NOT_FOUND, EXIT_NO_EXECUTION},
    {ERR_UNAUTHORIZED, EXIT_NOT_ALLOWED},
    {ERR_BAD_KEY, EXIT_NOT_ALLOWED},
    {ERR_REVOKED, EXIT_NOT_ALLOWED},
    {ERR_FORBIDDEN, EXIT_NOT_ALLOWED},
    {ERR_SYS, EXIT_LOST},
    {ERR_AGAIN, EXIT_INTERRUPTED},
    {ERR_NOMEM, EXIT_OTHER},
};

int exit_of_answer(int err)
{
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        if (answers[i].err == err)
            return answers[i].code;
    return EXIT_REFUSED;
}

int exit_of_output(int err)
{
    switch (err) {
    case ERR_OK:
        return EXIT_DONE;
    case ERR_CLOSED:
        return EXIT_PIPE;
    case ERR_AGAIN:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_OTHER;
    }
}

const char *exit_help(void)
{
    return "Exit codes:\n"
           "    0  done\n"
           "    1  a local failure: memory, output\n"
           "    2  wrong usage or configuration\n"
           "    3  no such execution, user, key, secret or image\n"
           "    4  not authorised: key missing, wrong, revoked or not allowed\n"
           "    5  server not reachable, or connection lost for good\n"
           "    6  the server refused\n"
           "    7  health reconcile: there are warnings\n"
           "    8  health: not ready; health reconcile: there are errors\n"
           "  130  left with Ctrl-C\n"
           "  141  nobody reads the output\n"
           "run, and logs with --exit-code, return the command's own exit code, which may be any\n"
           "number; tailgate's own failures in run are 125.\n";
}
