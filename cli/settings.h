/* Server and key, from configuration file < environment < flags. */
#ifndef TAILGATE_CLI_SETTINGS_H
#define TAILGATE_CLI_SETTINGS_H

#include "cli/args.h"
#include "cli/endpoint.h"

#define SETTINGS_KEY_MAX 512
#define SETTINGS_DEFAULT_ENDPOINT "http://127.0.0.1:8080"

struct settings {
    struct endpoint endpoint;
    char *api_key;
    char *ca_file; /* NULL = the system's certificates */
};

/* ERR_INVALID fills *p: file, variable or flag and the rule. A missing key is ERR_UNAUTHORIZED. */
MUST_CHECK int settings_load(const struct cli_args *args, struct settings *ret, struct problem *p);
/* The same where no key is needed; api_key may be NULL. */
MUST_CHECK int settings_load_keyless(const struct cli_args *args, struct settings *ret,
                                     struct problem *p);
void settings_done(struct settings *s);

/* The key in a file ("-" = standard input), white space around it removed, into the owned *ret. */
MUST_CHECK int settings_read_key_file(const char *path, char **ret, struct problem *p);
/* A key must be printable ASCII, since it becomes a header. ERR_INVALID. */
MUST_CHECK int settings_check_key(const char *key, struct problem *p);

#endif
