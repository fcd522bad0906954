/* COMMAND words to a shell line, --env to names and values, durations to seconds. */
#include "cli/run_request.h"

#include "cli/quote.h"

#include <string.h>

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

static int make_environment(const struct arg_list *list, struct run_request *r, struct problem *p)
{
    size_t bytes = 1;
    for (size_t i = 0; i < list->count; i++)
        bytes += strlen(list->items[i]) + 1;
    r->names = malloc(bytes);
    r->wire.env = calloc(list->count + 1, sizeof *r->wire.env);
    if (r->names == NULL || r->wire.env == NULL)
        return problem_set(p, ERR_NOMEM, "cannot start", "out of memory");
    char *name = r->names;
    for (size_t i = 0; i < list->count; i++) {
        int err = make_variable(list->items[i], name, &r->wire.env[i], p);
        if (err != 0)
            return err;
        name += strlen(name) + 1;
        r->wire.env_count++;
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
    w->timeout_s = args->timeout.given ? args->timeout.value / 1000 : -1;
    w->grace_s = args->grace.given ? args->grace.value / 1000 : -1;
    w->tty = args->tty;
    w->secrets = args->secrets.items;
    w->secrets_count = args->secrets.count;
    return make_environment(&args->env, ret, p);
}
