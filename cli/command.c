/* The table, and what happens to every command line before its command runs. */
#include "cli/command.h"

#include "cli/help.h"
#include "cli/out.h"
#include "cli/report.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
    &command_run,     &command_logs, &command_list,
    &command_status,  &command_kill, &command_configure,
    &command_version, &command_help, NULL,
};

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c != NULL; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

int command_answer_failed(const struct problem *p)
{
    report_problem(p);
    return exit_of_answer(p->err);
}

int command_print(struct interrupt *intr, const struct buf *text)
{
    int r = text->len > 0 ? out_write(intr, STDOUT_FILENO, text->data, text->len) : 0;
    if (r != 0 && r != ERR_CLOSED && r != ERR_AGAIN)
        report("cannot write to standard output");
    return exit_of_output(r);
}

int command_id(const char *text, struct execution_id *ret)
{
    int r = execution_id_parse(text, ret);
    if (r != 0)
        report("wrong usage: \"%.64s\" is no execution id (32 hexadecimal digits)", text);
    return r;
}

static int usage_failed(const struct command *c, int code)
{
    return c != NULL && c->own_failure != 0 ? c->own_failure : code;
}

static int check_operands(const struct command *c, const struct cli_args *args, struct problem *p)
{
    if (args->operand_count < c->min_operands)
        return problem_set(p, ERR_INVALID, "wrong usage", "tailgate %s%s%s; see --help", c->name,
                           c->usage[0] != '\0' ? " " : "", c->usage);
    if (args->operand_count > c->max_operands)
        return problem_set(p, ERR_INVALID, "wrong usage", "\"%.200s\" is one word too many",
                           args->operands[c->max_operands]);
    return 0;
}

static int run_with_settings(const struct command *c, const struct cli_args *args)
{
    struct settings settings CLEANUP(settings_done) = {0};
    struct problem p = {0};
    if (c->needs_settings && settings_load(args, &settings, &p) != 0) {
        report_problem(&p);
        return usage_failed(c, p.err == ERR_NOMEM ? EXIT_OTHER : EXIT_USAGE);
    }
    return c->run(args, &settings);
}

static int run_command(const struct command *c, int argc, char *const argv[])
{
    struct cli_args args CLEANUP(args_done) = {0};
    struct problem p = {0};
    int r = args_parse(&c->table, argc, argv, &args, &p);
    if (r == 0 && args.help)
        return help_print(c);
    if (r == 0)
        r = check_operands(c, &args, &p);
    if (r != 0) {
        report_problem(&p);
        return usage_failed(c, r == ERR_NOMEM ? EXIT_OTHER : EXIT_USAGE);
    }
    return run_with_settings(c, &args);
}

/* The words before the command's name are moved behind it: they are options of every command. */
static int run_moved(const struct command *c, int argc, char *const argv[], int leading)
{
    if (leading == 0)
        return run_command(c, argc - 1, argv + 1);
    char **moved = calloc((size_t)argc, sizeof *moved);
    if (moved == NULL) {
        report("out of memory");
        return usage_failed(c, EXIT_OTHER);
    }
    memcpy(moved, argv, (size_t)leading * sizeof *moved);
    memcpy(moved + leading, argv + leading + 1, (size_t)(argc - leading - 1) * sizeof *moved);
    int code = run_command(c, argc - 1, moved);
    free((void *)moved);
    return code;
}

static const char *resolve_name(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return "help";
    return strcmp(word, "--version") == 0 ? "version" : word;
}

int command_main(int argc, char *const argv[])
{
    struct problem p = {0};
    int leading = 0;
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write() */
    argc--;
    argv++;
    if (argc > 0 && strcmp(argv[0], "--help") != 0 &&
        args_skip_common(argc, argv, &leading, &p) != 0) {
        report_problem(&p);
        return EXIT_USAGE;
    }
    if (argc <= leading) {
        report("wrong usage: no command; see tailgate --help");
        return EXIT_USAGE;
    }
    const struct command *c = command_find(resolve_name(argv[leading]));
    if (c == NULL) {
        report("wrong usage: \"%.64s\" is no command; see tailgate --help", argv[leading]);
        return EXIT_USAGE;
    }
    return run_moved(c, argc, argv, leading);
}
