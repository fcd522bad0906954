/* The table, and what happens to every command line before its command runs. */
#include "cli/command.h"

#include "cli/help.h"
#include "cli/out.h"
#include "cli/report.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
    &command_run,
    &command_logs,
    &command_list,
    &command_status,
    &command_kill,
    &command_users_create,
    &command_users_list,
    &command_users_revoke,
    &command_claim,
    &command_keys_create,
    &command_keys_list,
    &command_keys_revoke,
    &command_secrets_create,
    &command_secrets_get,
    &command_secrets_list,
    &command_secrets_update,
    &command_secrets_delete,
    &command_images_register,
    &command_images_list,
    &command_images_show,
    &command_images_unregister,
    &command_audit,
    &command_trace,
    &command_health_reconcile,
    &command_health,
    &command_configure,
    &command_version,
    &command_help,
    NULL,
};

/* How many of the words are this name's; 0 = others. */
static size_t match(const char *name, const char *const *words, size_t count)
{
    size_t first = strcspn(name, " ");
    if (count == 0 || strlen(words[0]) != first || strncmp(name, words[0], first) != 0)
        return 0;
    if (name[first] == '\0')
        return 1;
    return count > 1 && strcmp(words[1], name + first + 1) == 0 ? 2 : 0;
}

const struct command *command_find(const char *const *words, size_t count, size_t *ret_used)
{
    for (const struct command *const *c = commands; *c != NULL; c++) {
        *ret_used = match((*c)->name, words, count);
        if (*ret_used > 0)
            return *c;
    }
    return NULL;
}

bool command_is_group(const char *word)
{
    size_t len = strlen(word);
    for (const struct command *const *c = commands; *c != NULL; c++)
        if (strncmp((*c)->name, word, len) == 0 && (*c)->name[len] == ' ')
            return true;
    return false;
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
static int run_moved(const struct command *c, int argc, char *const argv[], int leading, int name)
{
    if (leading == 0)
        return run_command(c, argc - name, argv + name);
    char **moved = calloc((size_t)argc, sizeof *moved);
    if (moved == NULL) {
        report("out of memory");
        return usage_failed(c, EXIT_OTHER);
    }
    memcpy(moved, argv, (size_t)leading * sizeof *moved);
    memcpy(moved + leading, argv + leading + name, (size_t)(argc - leading - name) * sizeof *moved);
    int code = run_command(c, argc - name, moved);
    free((void *)moved);
    return code;
}

static const char *resolve_name(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return "help";
    return strcmp(word, "--version") == 0 ? "version" : word;
}

/* "tailgate users": its commands, as help or as what is missing. */
static int run_group(const char *word, const char *next)
{
    if (next != NULL && (strcmp(next, "--help") == 0 || strcmp(next, "-h") == 0))
        return help_print_group(word);
    if (next == NULL)
        report("wrong usage: tailgate %s needs a command behind it; see tailgate %s --help", word,
               word);
    else
        report("wrong usage: \"%.64s\" is no command of %s; see tailgate %s --help", next, word,
               word);
    return EXIT_USAGE;
}

static int run_words(int argc, char *const argv[], int leading)
{
    const char *words[2] = {resolve_name(argv[leading]),
                            argc > leading + 1 ? argv[leading + 1] : NULL};
    size_t used = 0;
    const struct command *c = command_find(words, words[1] != NULL ? 2 : 1, &used);
    if (c != NULL)
        return run_moved(c, argc, argv, leading, (int)used);
    if (command_is_group(words[0]))
        return run_group(words[0], words[1]);
    report("wrong usage: \"%.64s\" is no command; see tailgate --help", argv[leading]);
    return EXIT_USAGE;
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
    return run_words(argc, argv, leading);
}
