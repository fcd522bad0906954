/* tailgate: the command line client. Everything is in command.c, where tests can call it. */
#include "cli/command.h"

int main(int argc, char *argv[])
{
    return command_main(argc, argv);
}
