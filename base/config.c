/*
 * Settings from defaults, file, environment and flags, in this order, each over the one before. The
 * flags are read twice: first for --help, --version and --config and to refuse bad ones before any
 * file is opened, then for their values.
 */
#include "base/config.h"

#include "base/config_file.h"
#include "base/config_value.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 64

/* The file's own name is a setting of every program, whether its table has it or not. */
#define CONFIG_FLAG "config"

int config_defaults(const struct config_table *t, void *settings)
{
    struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};

    for (size_t i = 0; i < t->count; i++) {
        if (!t->options[i].def)
            continue;
        int r = config_set(&t->options[i], settings, t->options[i].def, &rule);
        if (r < 0)
            return r == ERR_NOMEM ? r : ERR_INTERNAL;
    }
    return 0;
}

void config_done(const struct config_table *t, void *settings)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->options[i].type != CONFIG_STRING)
            continue;
        char **place = (char **)(void *)((char *)settings + t->options[i].offset);
        free(*place);
        *place = NULL;
    }
}

/* One line "WHAT: RULE". */
static int refuse(struct buf *error, const char *what, const char *rule)
{
    int r = buf_printf(error, "%s: %s", what, rule);

    return r < 0 ? r : ERR_INVALID;
}

/* The argument as it was given, without what may be a secret value, escaped to stay on one line. */
static int refuse_arg(struct buf *error, const char *arg, const char *rule)
{
    size_t n = strcspn(arg, "=");
    int r = json_append_string(error, arg, n < SHOWN_MAX ? n : SHOWN_MAX);

    if (r == 0)
        r = buf_printf(error, ": %s", rule);
    return r < 0 ? r : ERR_INVALID;
}

/* ---- flags ---- */

struct flag {
    const char *arg;                    /* as given */
    const struct config_option *option; /* NULL for --config outside the table */
    const char *value;
    const char *special; /* "help", "version" */
};

static int take_value(struct flag *flag, const char *given, int argc, char *const argv[], int *i,
                      struct buf *error)
{
    if (given) {
        flag->value = given;
        return 0;
    }
    if (flag->option && flag->option->type == CONFIG_BOOL) {
        flag->value = "true";
        return 0;
    }
    if (*i >= argc)
        return refuse_arg(error, flag->arg, "needs a value");
    flag->value = argv[(*i)++];
    return 0;
}

/* The flag at argv[*i]; moves *i behind it and its value. */
static int next_flag(const struct config_table *t, int argc, char *const argv[], int *i,
                     struct flag *ret, struct buf *error)
{
    const char *arg = argv[(*i)++];

    *ret = (struct flag){.arg = arg};
    if (str_eq(arg, "--help") || str_eq(arg, "-h")) {
        ret->special = "help";
        return 0;
    }
    if (str_eq(arg, "--version") || str_eq(arg, "-V")) {
        ret->special = "version";
        return 0;
    }
    if (!str_starts_with(arg, "--"))
        return refuse_arg(error, arg, "unexpected argument");
    const char *name = arg + 2;
    size_t len = strcspn(name, "=");
    const char *given = name[len] ? name + len + 1 : NULL;
    ret->option = config_find(t, name, len);
    if (ret->option || (len == strlen(CONFIG_FLAG) && memcmp(name, CONFIG_FLAG, len) == 0))
        return take_value(ret, given, argc, argv, i, error);
    if (!given && str_starts_with(name, "no-")) {
        ret->option = config_find(t, name + 3, len - 3);
        if (ret->option && ret->option->type == CONFIG_BOOL) {
            ret->value = "false";
            return 0;
        }
    }
    return refuse_arg(error, arg, "unknown flag, see --help");
}

static int scan_flags(const struct config_table *t, int argc, char *const argv[],
                      const char **ret_file, const char **ret_special, struct buf *error)
{
    struct flag flag;

    for (int i = 1; i < argc;) {
        int r = next_flag(t, argc, argv, &i, &flag, error);

        if (r < 0)
            return r;
        if (flag.special) {
            *ret_special = flag.special;
            return ERR_END;
        }
        if (!flag.option || str_eq(flag.option->name, CONFIG_FLAG))
            *ret_file = flag.value;
    }
    return 0;
}

static int apply_flags(const struct config_table *t, void *settings, int argc, char *const argv[],
                       struct buf *error)
{
    struct flag flag;

    for (int i = 1; i < argc;) {
        struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};
        int r = next_flag(t, argc, argv, &i, &flag, error);

        if (r == 0 && flag.option)
            r = config_set(flag.option, settings, flag.value, &rule);
        if (r == ERR_INVALID && rule.data) {
            char name[SHOWN_MAX + 2];
            (void)snprintf(name, sizeof(name), "--%s", flag.option->name);
            return refuse(error, name, rule.data);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- environment ---- */

/* NULL when it is not set or empty. */
static const char *find_variable(char *const envp[], const char *name)
{
    size_t n = strlen(name);

    for (; envp && *envp; envp++) {
        if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
            return (*envp)[n + 1] ? *envp + n + 1 : NULL;
    }
    return NULL;
}

static int apply_environment(const struct config_table *t, void *settings, char *const envp[],
                             struct buf *error)
{
    for (size_t i = 0; i < t->count; i++) {
        struct buf name CLEANUP_BUF = {.max = CONFIG_RULE_MAX};
        struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};
        int r = config_variable(t->options[i].name, &name);

        if (r < 0)
            return r;
        const char *value = find_variable(envp, name.data);
        if (!value)
            continue;
        r = config_set(&t->options[i], settings, value, &rule);
        if (r == ERR_INVALID)
            return refuse(error, name.data, rule.data);
        if (r < 0)
            return r;
    }
    return 0;
}

int config_load(const struct config_table *t, void *settings, int argc, char *const argv[],
                char *const envp[], struct buf *error, const char **ret_special)
{
    const char *file = NULL;

    int r = scan_flags(t, argc, argv, &file, ret_special, error);
    if (r < 0)
        return r;
    r = config_defaults(t, settings);
    if (r < 0)
        return r;
    if (!file)
        file = find_variable(envp, "TAILGATE_CONFIG");
    if (file)
        r = config_load_file(t, settings, file, error);
    if (r == 0)
        r = apply_environment(t, settings, envp, error);
    if (r == 0)
        r = apply_flags(t, settings, argc, argv, error);
    return r;
}
