/*
 * tailgate claim TOKEN: a new user's first key, into the configuration file. The token works once:
 * whatever could fail here is asked before it is used.
 */
#include "base/str.h"
#include "cli/call.h"
#include "cli/profile.h"
#include "cli/prompt.h"
#include "cli/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define API_PATH "/api/v1"

static const struct arg_option options[] = {
    {'y', ARG_FLAG, "yes", offsetof(struct cli_args, yes), NULL,
     "replace the key in the configuration file without asking"},
    CALL_OUTPUT_OPTION,
};

static int may_replace(const struct cli_args *args, const struct profile *v)
{
    char *answer CLEANUP_FREE = NULL;
    if (v->api_key == NULL || args->yes || args->output == OUTPUT_JSON)
        return EXIT_DONE;
    if (isatty(STDIN_FILENO) != 1) {
        report("wrong usage: the configuration file holds a key already; --yes replaces it");
        return EXIT_USAGE;
    }
    int r = prompt_line("The configuration file holds a key already. Replace it? [y/N] ", false,
                        &answer);
    if (r == ERR_AGAIN)
        return EXIT_INTERRUPTED;
    if (r == 0 && (str_eq(answer, "y") || str_eq(answer, "yes")))
        return EXIT_DONE;
    report("nothing was changed; the token is still good");
    return EXIT_USAGE;
}

static int endpoint_text(const struct settings *s, char **ret)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "%s://%s%s", s->endpoint.tls ? "https" : "http",
                   s->endpoint.authority, s->endpoint.base);
    if (str_ends_with(text, API_PATH)) /* configuration files go without it */
        text[strlen(text) - strlen(API_PATH)] = '\0';
    return str_set(ret, text);
}

/* What the server gave must not be lost: a key that cannot be kept is shown. */
static int keep(const char *path, struct profile *v, const struct settings *s, const char *key)
{
    struct problem p = {0};
    if (str_set(&v->api_key, key) == 0 && endpoint_text(s, &v->api_endpoint) == 0 &&
        (s->ca_file == NULL || str_set(&v->ca_file, s->ca_file) == 0) &&
        profile_write(path, v, &p) == 0) {
        report("the key is written to %s", path);
        return EXIT_DONE;
    }
    struct buf text CLEANUP_BUF = {.max = 1024};
    report_problem(&p);
    report("the key could not be written; it follows, once");
    if (buf_printf(&text, "%s\n", key) == 0)
        (void)command_print(NULL, &text);
    return EXIT_OTHER;
}

static int claim(const struct cli_args *args, const struct settings *s, const char *path,
                 struct profile *v)
{
    json_t *doc CLEANUP_JSON = NULL;
    struct buf call CLEANUP_BUF = {0};
    int code = call_path(&call, "/claim", args->operands[0]);
    if (code == EXIT_DONE)
        code = call_json(s, "GET", call.data, NULL, &doc, NULL);
    if (code != EXIT_DONE || args->output == OUTPUT_JSON)
        return code != EXIT_DONE ? code : call_print_object(args, NULL, 0, doc);
    const char *key = json_string_value(json_object_get(doc, "api_key"));
    const char *email = json_string_value(json_object_get(doc, "user_email"));
    if (key == NULL) {
        report("unusable answer from the server: the key is missing");
        return EXIT_REFUSED;
    }
    report("you are %s", email != NULL ? email : "claimed");
    return keep(path, v, s, key);
}

static int run(const struct cli_args *args, UNUSED const struct settings *settings)
{
    struct profile v CLEANUP(profile_done) = {0};
    struct settings s CLEANUP(settings_done) = {0};
    struct buf path CLEANUP_BUF = {.max = 4096};
    struct problem p = {0};
    if (profile_path(&path, &p) != 0 || profile_read(path.data, &v, &p) != 0 ||
        settings_load_keyless(args, &s, &p) != 0) {
        report_problem(&p);
        return EXIT_USAGE;
    }
    /* The claim needs no key, and the server may be another one than an old key's. */
    if (s.api_key != NULL)
        explicit_bzero(s.api_key, strlen(s.api_key));
    free(s.api_key);
    s.api_key = NULL;
    int code = may_replace(args, &v);
    return code != EXIT_DONE ? code : claim(args, &s, path.data, &v);
}

const struct command command_claim = {
    .name = "claim",
    .usage = "[--yes] [-o text|json] TOKEN",
    .summary = "Take your first API key with a claim token and keep it.",
    .notes = "The key and the server go to the configuration file, as `tailgate configure` writes\n"
             "it. With -o json the key is printed instead and nothing is written.\n",
    .table = {options, ARRAY_SIZE(options), false},
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
