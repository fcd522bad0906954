/*
 * Settings from one table: defaults < config file < environment < flags. The same table prints
 * --help. Names are spelled `--some-name`, `TAILGATE_SOME_NAME` and, in the file, `some-name =
 * value` (one a line, # starts a comment).
 */
#ifndef TAILGATE_BASE_CONFIG_H
#define TAILGATE_BASE_CONFIG_H

#include "base/buf.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
    CONFIG_STRING,   /* char *, owned by the settings struct; NULL = not set */
    CONFIG_BOOL,     /* bool; flag without value, or =true/=false */
    CONFIG_INT,      /* int64_t */
    CONFIG_BYTES,    /* uint64_t, str_to_bytes */
    CONFIG_DURATION, /* int64_t milliseconds, str_to_duration_ms */
    CONFIG_CHOICE,   /* int64_t index into choices, "a|b|c" */
};

struct config_option {
    const char *name; /* "ring-bytes" */
    size_t offset;    /* into the settings struct */
    const char *def;  /* textual default; NULL = zero / not set */
    int64_t min, max; /* for INT, BYTES, DURATION (in their unit); both 0 = any >= 0 */
    const char *arg;  /* "BYTES", shown in --help; for CHOICE the choices */
    const char *help; /* one line */
    enum config_type type;
    bool secret; /* never printed or logged (its default too) */
};

struct config_table {
    const char *program; /* "tailgated" */
    const char *usage;   /* "tailgated [--dev] …" */
    const struct config_option *options;
    size_t count;
};

/* Every default into the zeroed settings struct. ERR_NOMEM. */
MUST_CHECK int config_defaults(const struct config_table *t, void *settings);
/*
 * All four sources in order. argv[0] is the program. `--config FILE` (or TAILGATE_CONFIG) names the
 * file. ERR_INVALID: error holds one line naming the flag, variable or file:line and the rule.
 * ERR_END: --help (-h) or --version (-V) was given (*ret_special = "help" / "version").
 *
 * A flag's value follows as `--name VALUE` or `--name=VALUE`; `--name`, `--no-name` are enough for
 * a BOOL; the last one wins. In the file a name stands at most once. An empty variable is as if it
 * were not set; an empty STRING elsewhere resets it to not set. Values of secret options are never
 * in the error. Settings must be released with config_done even after a failure. error's maximum
 * must hold the file's path and 2 KiB.
 */
MUST_CHECK int config_load(const struct config_table *t, void *settings, int argc,
                           char *const argv[], char *const envp[], struct buf *error,
                           const char **ret_special);
/* Help text: usage, then each option with argument, default and environment variable. */
MUST_CHECK int config_help(const struct config_table *t, struct buf *out);
/* Frees the strings. */
void config_done(const struct config_table *t, void *settings);

#endif
