/* Usage, options in one aligned column, notes. */
#include "cli/help.h"

#include "cli/report.h"

#include <stdio.h>
#include <string.h>

#define OPTION_WIDTH 28

static int append_option(struct buf *out, const struct arg_option *o)
{
    char left[64];
    char letter[5] = "    ";
    if (o->letter != 0)
        (void)snprintf(letter, sizeof letter, "-%c, ", o->letter);
    int n = snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->arg != NULL ? " " : "",
                     o->arg != NULL ? o->arg : "");
    if (n > OPTION_WIDTH)
        return buf_printf(out, "  %s\n  %-*s  %s\n", left, OPTION_WIDTH, "", o->help);
    return buf_printf(out, "  %-*s  %s\n", OPTION_WIDTH, left, o->help);
}

static int append_options(struct buf *out, const char *title, const struct arg_table *t)
{
    int r = t->count > 0 ? buf_printf(out, "\n%s:\n", title) : 0;
    for (size_t i = 0; i < t->count && r == 0; i++)
        r = append_option(out, &t->options[i]);
    return r;
}

static int command_text(const struct command *c, struct buf *out)
{
    int r = buf_printf(out, "Usage: tailgate %s%s%s\n\n%s\n", c->name,
                       c->usage[0] != '\0' ? " " : "", c->usage, c->summary);
    if (r == 0)
        r = append_options(out, "Options", &c->table);
    if (r == 0)
        r = append_options(out, "Options of every command", &args_common);
    if (r == 0 && c->notes[0] != '\0')
        r = buf_printf(out, "\n%s", c->notes);
    return r;
}

#define NAME_WIDTH 17

static int append_command(struct buf *out, const struct command *c)
{
    return buf_printf(out, "  %-*s %s\n", NAME_WIDTH, c->name, c->summary);
}

static int program_text(struct buf *out)
{
    int r = buf_append_str(out, "Usage: tailgate COMMAND [OPTION…] …\n\n"
                                "Runs commands on a Tailgate server and streams their lines.\n\n"
                                "Commands:\n");
    for (const struct command *const *c = commands; *c != NULL && r == 0; c++)
        r = append_command(out, *c);
    if (r == 0)
        r = append_options(out, "Options of every command", &args_common);
    if (r == 0)
        r = buf_printf(
            out,
            "\nServer and key come from $XDG_CONFIG_HOME/tailgate/config.yaml (else\n"
            "~/.config/tailgate/config.yaml; api_endpoint, api_key, ca_file), then\n"
            "TAILGATE_ENDPOINT, TAILGATE_API_KEY and TAILGATE_CA_FILE, then the options;\n"
            "the later one wins. Without any the server is " SETTINGS_DEFAULT_ENDPOINT
            ".\nNO_COLOR switches colours off.\n\n%s"
            "\n`tailgate COMMAND --help` tells more about a command.\n",
            exit_help());
    return r;
}

int help_text(const struct command *c, struct buf *out)
{
    return c != NULL ? command_text(c, out) : program_text(out);
}

static int group_text(const char *word, struct buf *out)
{
    size_t len = strlen(word);
    int r = buf_printf(out, "Usage: tailgate %s COMMAND [OPTION…] …\n\nCommands:\n", word);
    for (const struct command *const *c = commands; *c != NULL && r == 0; c++)
        if (strncmp((*c)->name, word, len) == 0 && (*c)->name[len] == ' ')
            r = append_command(out, *c);
    return r != 0
               ? r
               : buf_append_str(out, "\n`tailgate COMMAND --help` tells more about a command.\n");
}

int help_print_group(const char *word)
{
    struct buf text CLEANUP_BUF = {.max = 65536};
    if (group_text(word, &text) != 0) {
        report("out of memory");
        return EXIT_OTHER;
    }
    return command_print(NULL, &text);
}

int help_print(const struct command *c)
{
    struct buf text CLEANUP_BUF;
    buf_init(&text, 65536);
    if (help_text(c, &text) != 0) {
        report("out of memory");
        return EXIT_OTHER;
    }
    return command_print(NULL, &text);
}
