/* Environment, words, capture; command_main in the middle. */
#include "run_cli.h"

#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char home[64], config[128];
static int terminal = -1;

int __real_isatty(int fd);
int __wrap_isatty(int fd);

int __wrap_isatty(int fd)
{
    return terminal >= 0 ? terminal : __real_isatty(fd);
}

void run_cli_terminal(int is_terminal)
{
    terminal = is_terminal;
}

static void set_environment(void)
{
    if (home[0] == '\0') {
        (void)snprintf(home, sizeof home, "/tmp/tg-cli-test-XXXXXX");
        if (mkdtemp(home) == NULL)
            abort();
        (void)snprintf(config, sizeof config, "%s/tailgate/config.yaml", home);
    }
    if (setenv("XDG_CONFIG_HOME", home, 1) != 0 || setenv("TAILGATE_API_KEY", "tg_key", 1) != 0 ||
        setenv("TAILGATE_ENDPOINT", "http://server:8080", 1) != 0 ||
        unsetenv("TAILGATE_CA_FILE") != 0)
        abort();
}

const char *run_cli_config_path(void)
{
    set_environment();
    return config;
}

int run_cli_clean(void **state)
{
    char directory[128];
    (void)state;
    run_cli_terminal(-1);
    (void)snprintf(directory, sizeof directory, "%s/tailgate", home);
    (void)unlink(config);
    (void)rmdir(directory);
    int r = home[0] != '\0' ? rmdir(home) : 0;
    home[0] = '\0';
    return r;
}

void run_cli(const char *words, const struct cli_run *run, struct cli_result *ret)
{
    static const struct cli_run nothing = {0};
    char line[1024];
    char *argv[32] = {line};
    int argc = 1;
    const struct cli_run *r = run != NULL ? run : &nothing;
    (void)snprintf(line, sizeof line, "tailgate %s", words);
    for (char *c = line; *c != '\0'; c++) {
        if (*c == ' ') {
            *c = '\0';
            if (c[1] != '\0')
                argv[argc++] = c + 1;
        } else if (*c == '|') {
            *c = ' ';
        }
    }
    set_environment();
    fake_curl_reset(r->answers, r->answers_count);
    fake_lws_reset(r->steps, r->steps_count);
    fake_curl.no_handle = r->no_curl;
    capture_begin(&ret->text, r->input);
    ret->code = command_main(argc, argv);
    capture_end(&ret->text);
}
