/* tailgate configure: endpoint and key into the configuration file, asked for or from options. */
#include "cli/command.h"
#include "cli/profile.h"
#include "cli/prompt.h"
#include "cli/report.h"

#include "base/str.h"

#include <stdio.h>
#include <unistd.h>

static int prompt_failed(int err)
{
    if (err == ERR_AGAIN)
        return EXIT_INTERRUPTED;
    report("no answer: nothing was changed");
    return err == ERR_NOMEM ? EXIT_OTHER : EXIT_USAGE;
}

/* A new value for *at unless the answer is empty. */
static int ask(const char *text, bool is_hidden, char **at)
{
    char *answer = NULL;
    int r = prompt_line(text, is_hidden, &answer);
    if (r != 0)
        return prompt_failed(r);
    if (answer[0] == '\0') {
        free(answer);
        return EXIT_DONE;
    }
    free(*at);
    *at = answer;
    return EXIT_DONE;
}

static int ask_endpoint(struct profile *v)
{
    char text[700];
    (void)snprintf(text, sizeof text, "Endpoint [%.600s]: ",
                   v->api_endpoint != NULL ? v->api_endpoint : SETTINGS_DEFAULT_ENDPOINT);
    int code = ask(text, false, &v->api_endpoint);
    if (code == EXIT_DONE && v->api_endpoint == NULL &&
        str_set(&v->api_endpoint, SETTINGS_DEFAULT_ENDPOINT) != 0)
        return prompt_failed(ERR_NOMEM);
    return code;
}

static int gather(const struct cli_args *args, struct profile *v)
{
    bool can_ask = isatty(STDIN_FILENO) == 1;
    struct problem p = {0};
    if (str_set(&v->api_endpoint, args->endpoint != NULL ? args->endpoint : v->api_endpoint) != 0 ||
        (args->ca_file != NULL && str_set(&v->ca_file, args->ca_file) != 0))
        return prompt_failed(ERR_NOMEM);
    if (args->api_key_file != NULL &&
        settings_read_key_file(args->api_key_file, &v->api_key, &p) != 0) {
        report_problem(&p);
        return EXIT_USAGE;
    }
    if (!can_ask && (args->endpoint == NULL || args->api_key_file == NULL)) {
        report("wrong usage: without a terminal --endpoint and --api-key-file must be given");
        return EXIT_USAGE;
    }
    int code = args->endpoint == NULL ? ask_endpoint(v) : EXIT_DONE;
    if (code == EXIT_DONE && args->api_key_file == NULL)
        code =
            ask(v->api_key != NULL ? "API key (not shown) [unchanged]: " : "API key (not shown): ",
                true, &v->api_key);
    return code;
}

static int check(const struct profile *v)
{
    struct endpoint e;
    struct problem p = {0};
    if (endpoint_parse(v->api_endpoint, &e, &p) == 0 &&
        settings_check_key(v->api_key != NULL ? v->api_key : "", &p) == 0)
        return EXIT_DONE;
    report_problem(&p);
    return EXIT_USAGE;
}

static int run(const struct cli_args *args, UNUSED const struct settings *settings)
{
    struct profile v CLEANUP(profile_done) = {0};
    struct buf path CLEANUP_BUF;
    struct problem p = {0};
    buf_init(&path, 4096);
    /* A file that cannot be read is not silently replaced. */
    if (profile_path(&path, &p) != 0 || profile_read(path.data, &v, &p) != 0) {
        report_problem(&p);
        return EXIT_USAGE;
    }
    int code = gather(args, &v);
    if (code == EXIT_DONE)
        code = check(&v);
    if (code != EXIT_DONE)
        return code;
    if (profile_write(path.data, &v, &p) != 0) {
        report_problem(&p);
        return EXIT_OTHER;
    }
    report("written to %s", path.data);
    return EXIT_DONE;
}

const struct command command_configure = {
    .name = "configure",
    .usage = "[--endpoint URL] [--api-key-file FILE] [--ca-file FILE]",
    .summary = "Write endpoint and API key to the configuration file.",
    .notes = "Asks for what is not given; the key is not shown while it is typed. The file,\n"
             "$XDG_CONFIG_HOME/tailgate/config.yaml (else ~/.config/tailgate/config.yaml), can\n"
             "be read by its owner only.\n",
    .run = run,
};
