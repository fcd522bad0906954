/* COMMAND words to a shell line, --env and prefixed variables to names and values, durations to
 * seconds. */
#include "cli/run_request.h"

#include "base/str.h"
#include "cli/quote.h"

#include <string.h>
#include <unistd.h>

/* The server's own bound of a body is below this. */
#define COMMAND_MAX ((size_t)1 << 20)

void run_request_done(struct run_request *r)
{
    buf_done(&r->command);
    free(r->wire.env);
    free(r->names);
    *r = (struct run_request){0};
}

/* One --env: "K=V", or "K" with the value of our own environment. name has room for the word. */
static int make_variable(const char *word, char *name, struct wire_env *ret, struct problem *p)
{
    size_t len = strcspn(word, "=");
    if (len == 0)
        return problem_set(p, ERR_INVALID, "wrong usage", "--env \"%.100s\" has no name", word);
    memcpy(name, word, len);
    name[len] = '\0';
    const char *value = word[len] == '=' ? word + len + 1 : getenv(name);
    if (value == NULL)
        return problem_set(p, ERR_INVALID, "wrong usage",
                           "--env %.100s: it is not set in the environment here", name);
    *ret = (struct wire_env){.name = name, .value = value};
    return 0;
}

/* Later ones take the place of earlier ones of that name: an object's names are each there once. */
static void put_variable(struct run_request *r, const struct wire_env *v)
{
    for (size_t i = 0; i < r->wire.env_count; i++) {
        if (str_eq(r->wire.env[i].name, v->name)) {
            r->wire.env[i] = *v;
            return;
        }
    }
    r->wire.env[r->wire.env_count++] = *v;
}

/* What our own environment has under PREFIX_NAME becomes the run's NAME: Runvoy's prefix, ours. */
static const char *const prefixes[] = {"RUNVOY_USER_", "TAILGATE_USER_"};

/* The name behind the prefix; NULL: another variable. */
static const char *name_behind(const char *entry, const char *prefix)
{
    size_t len = strlen(prefix);
    const char *equals = strchr(entry, '=');
    return strncmp(entry, prefix, len) == 0 && equals != NULL && equals > entry + len ? entry + len
                                                                                      : NULL;
}

/* How many words there are in the end at most, and their bytes with NULs. */
static size_t count_words(const struct arg_list *list, size_t *ret_bytes)
{
    size_t count = list->count;
    *ret_bytes = 1;
    for (size_t i = 0; i < list->count; i++)
        *ret_bytes += strlen(list->items[i]) + 1;
    for (char **e = environ; *e != NULL; e++) {
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
            const char *name = name_behind(*e, prefixes[i]);
            count += name != NULL;
            *ret_bytes += name != NULL ? strlen(name) + 1 : 0;
        }
    }
    return count;
}

static int make_environment(const struct arg_list *list, struct run_request *r, struct problem *p)
{
    size_t bytes;
    size_t count = count_words(list, &bytes);
    struct wire_env v = {0};
    r->names = malloc(bytes);
    r->wire.env = calloc(count + 1, sizeof *r->wire.env);
    if (r->names == NULL || r->wire.env == NULL)
        return problem_set(p, ERR_NOMEM, "cannot start", "out of memory");
    char *name = r->names;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        for (char **e = environ; *e != NULL; e++) {
            const char *word = name_behind(*e, prefixes[i]);
            if (word == NULL)
                continue;
            int err = make_variable(word, name, &v, p); /* it has a name and a value */
            if (err != 0)
                return err;
            put_variable(r, &v);
            name += strlen(name) + 1;
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        int err = make_variable(list->items[i], name, &v, p);
        if (err != 0)
            return err;
        put_variable(r, &v);
        name += strlen(name) + 1;
    }
    return 0;
}

int run_request_make(const struct cli_args *args, struct run_request *ret, struct problem *p)
{
    *ret = (struct run_request){0};
    buf_init(&ret->command, COMMAND_MAX);
    int err = quote_command(&ret->command, args->operands, args->operand_count);
    if (err != 0)
        return problem_set(p, err, "cannot start", "the command is longer than %zu bytes",
                           COMMAND_MAX);
    struct wire_run_request *w = &ret->wire;
    w->command = ret->command.data != NULL ? ret->command.data : "";
    w->image = args->image;
    w->git_repo = args->git_repo;
    w->git_ref = args->git_ref;
    w->git_path = args->git_path;
    w->idempotency_key = args->idempotency_key;
    w->timeout_s = args->timeout.given ? args->timeout.value / 1000 : -1;
    w->grace_s = args->grace.given ? args->grace.value / 1000 : -1;
    w->tty = args->tty;
    w->secrets = args->secrets.items;
    w->secrets_count = args->secrets.count;
    return make_environment(&args->env, ret, p);
}
