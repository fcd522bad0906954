/* The table-driven parser: long options, one-letter options in clusters, values in both spellings.
 */
#include "cli/args.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static const struct arg_option common_options[] = {
    {0, ARG_STRING, "endpoint", offsetof(struct cli_args, endpoint), "URL",
     "the server, http://HOST:PORT (TAILGATE_ENDPOINT)"},
    {0, ARG_STRING, "api-key-file", offsetof(struct cli_args, api_key_file), "FILE",
     "read the API key from FILE, - for standard input (TAILGATE_API_KEY)"},
    {0, ARG_STRING, "ca-file", offsetof(struct cli_args, ca_file), "FILE",
     "trust these certificates in PEM (TAILGATE_CA_FILE)"},
    {'h', ARG_FLAG, "help", offsetof(struct cli_args, help), NULL, "print this help"},
};
const struct arg_table args_common = {common_options, ARRAY_SIZE(common_options), false};

struct parse {
    const struct arg_table *table;
    int argc, next;
    char *const *argv;
    struct cli_args *args;
    struct problem *p;
};

static int usage_error(struct problem *p, const char *option, const char *rule)
{
    (void)problem_set(p, ERR_INVALID, "wrong usage", "%s %s", option, rule);
    return ERR_INVALID;
}

static const struct arg_option *find(const struct arg_table *t, const char *name, size_t len,
                                     int letter)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct arg_option *o = &t->options[i];
        if (name != NULL ? strlen(o->name) == len && strncmp(o->name, name, len) == 0
                         : o->letter != 0 && o->letter == letter)
            return o;
    }
    return NULL;
}

static const struct arg_option *find_any(const struct parse *s, const char *name, size_t len,
                                         int letter)
{
    const struct arg_option *o = find(s->table, name, len, letter);
    return o != NULL ? o : find(&args_common, name, len, letter);
}

static int list_add(struct arg_list *l, const char *value)
{
    const char **items = realloc(l->items, (l->count + 1) * sizeof *items);
    if (items == NULL)
        return ERR_NOMEM;
    items[l->count] = value;
    l->items = items;
    l->count++;
    return 0;
}

/* Index of value in "a|b|c", or -1. */
static int choice_index(const char *choices, const char *value)
{
    size_t len = strlen(value);
    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == len && strncmp(choices, value, n) == 0)
            return i;
        if (choices[n] == '\0')
            return -1;
        choices += n + 1;
    }
}

static int set_number(const struct arg_option *o, const char *value, struct arg_number *ret)
{
    int64_t n = 0;
    int r =
        o->type == ARG_NUMBER ? str_to_i64(value, 0, INT64_MAX, &n) : str_to_duration_ms(value, &n);
    if (r == 0 && o->type == ARG_SECONDS && (n < 1000 || n % 1000 != 0))
        r = ERR_INVALID;
    if (r != 0)
        return r;
    ret->given = true;
    ret->value = n;
    return 0;
}

static const char *rule_of(enum arg_type type)
{
    switch (type) {
    case ARG_NUMBER:
        return "must be a whole number";
    case ARG_DURATION:
        return "must be a duration such as 500ms, 10s, 5m, 2h";
    case ARG_SECONDS:
        return "must be a duration of whole seconds such as 10s, 5m, 2h";
    default:
        return "is not one of the choices in --help";
    }
}

static int set_value(struct parse *s, const struct arg_option *o, const char *spelled,
                     const char *value)
{
    void *at = (char *)s->args + o->offset;
    int r = 0;
    switch (o->type) {
    case ARG_FLAG:
        *(bool *)at = true;
        return 0;
    case ARG_STRING:
        *(const char **)at = value;
        return 0;
    case ARG_LIST:
        return list_add(at, value);
    case ARG_CHOICE:
        r = choice_index(o->arg, value);
        if (r >= 0) {
            *(int *)at = r;
            r = 0;
        }
        break;
    case ARG_NUMBER:
    case ARG_DURATION:
    case ARG_SECONDS:
        r = set_number(o, value, at);
        break;
    }
    return r == 0 ? 0 : usage_error(s->p, spelled, rule_of(o->type));
}

/* The value behind the option: what is attached, else the next word. */
static int take_value(struct parse *s, const char *spelled, const char *attached,
                      const char **ret_value)
{
    if (attached != NULL) {
        *ret_value = attached;
        return 0;
    }
    if (s->next >= s->argc)
        return usage_error(s->p, spelled, "needs a value");
    *ret_value = s->argv[s->next++];
    return 0;
}

static int parse_long(struct parse *s, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const char *attached = name[len] == '=' ? name + len + 1 : NULL;
    const struct arg_option *o = find_any(s, name, len, 0);
    if (o == NULL)
        return usage_error(s->p, word, "is no option here; see --help");
    const char *value = NULL;
    if (o->type == ARG_FLAG) {
        if (attached != NULL)
            return usage_error(s->p, word, "takes no value");
        return set_value(s, o, word, NULL);
    }
    char spelled[64] = "--";
    if (str_copy(spelled + 2, sizeof spelled - 2, o->name) != 0)
        return ERR_INTERNAL;
    int r = take_value(s, spelled, attached, &value);
    return r != 0 ? r : set_value(s, o, spelled, value);
}

static int parse_letters(struct parse *s, const char *word)
{
    for (const char *c = word + 1; *c != '\0'; c++) {
        const char spelled[] = {'-', *c, '\0'};
        const struct arg_option *o = find_any(s, NULL, 0, *c);
        if (o == NULL)
            return usage_error(s->p, word, "is no option here; see --help");
        const char *value = NULL;
        if (o->type != ARG_FLAG) {
            int r = take_value(s, spelled, c[1] != '\0' ? c + 1 : NULL, &value);
            return r != 0 ? r : set_value(s, o, spelled, value);
        }
        int r = set_value(s, o, spelled, NULL);
        if (r != 0)
            return r;
    }
    return 0;
}

static int operand(struct parse *s, const char *word)
{
    s->args->operands[s->args->operand_count++] = word;
    return 0;
}

int args_parse(const struct arg_table *table, int argc, char *const argv[], struct cli_args *ret,
               struct problem *p)
{
    struct parse s = {.table = table, .argc = argc, .argv = argv, .args = ret, .p = p};
    bool options = true;
    ret->operands = calloc((size_t)argc + 1, sizeof *ret->operands);
    if (ret->operands == NULL)
        return problem_set(p, ERR_NOMEM, "out of memory", " ");
    while (s.next < argc) {
        const char *word = argv[s.next++];
        int r;
        if (options && strcmp(word, "--") == 0) {
            options = false;
            r = 0;
        } else if (options && str_starts_with(word, "--")) {
            r = parse_long(&s, word);
        } else if (options && word[0] == '-' && word[1] != '\0') {
            r = parse_letters(&s, word);
        } else {
            options = options && !table->stop_at_operand;
            r = operand(&s, word);
        }
        if (r == ERR_NOMEM)
            return problem_set(p, ERR_NOMEM, "out of memory", "%zu options", (size_t)argc);
        if (r != 0)
            return r;
    }
    return 0;
}

int args_skip_common(int argc, char *const argv[], int *ret_count, struct problem *p)
{
    struct cli_args scratch = {0};
    struct parse s = {.table = &args_common, .argc = argc, .argv = argv, .args = &scratch, .p = p};
    while (s.next < argc && str_starts_with(argv[s.next], "--") && argv[s.next][2] != '\0') {
        const char *word = argv[s.next] + 2;
        if (find(&args_common, word, strcspn(word, "="), 0) == NULL)
            break;
        s.next++;
        int r = parse_long(&s, argv[s.next - 1]);
        if (r != 0)
            return r;
    }
    *ret_count = s.next;
    return 0;
}

void args_done(struct cli_args *a)
{
    free(a->env.items);
    free(a->secrets.items);
    free(a->operands);
    *a = (struct cli_args){0};
}
