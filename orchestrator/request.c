/* Checks a run request field by field and builds the command's environment (request.h). */
#include "orchestrator/request.h"

#include "base/buf.h"
#include "base/str.h"
#include "orchestrator/workspace.h"

#include <stdio.h>
#include <string.h>

#define ERROR_RUN "failed to run command"
#define GRACE_MAX_S 3600
#define TIMEOUT_MAX_S (INT64_C(10) * 366 * 24 * 3600) /* ten years: milliseconds stay small */
/* Debian's login.defs, ENV_PATH, with the sbin directories that ENV_SUPATH adds. */
#define STANDARD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int check_command(const struct orchestrator *o, const char *command, struct problem *p)
{
    if (str_is_empty(command))
        return problem_set(p, ERR_INVALID, ERROR_RUN, "command is required");
    size_t max =
        o->opts.command_bytes_max < EXEC_STRING_MAX ? o->opts.command_bytes_max : EXEC_STRING_MAX;
    size_t len = strlen(command);
    if (len > max)
        return problem_set(p, ERR_INVALID, ERROR_RUN, "command must be at most %zu bytes", max);
    if (str_utf8_valid_prefix(command, len) != len)
        return problem_set(p, ERR_INVALID, ERROR_RUN, "command must be valid UTF-8");
    return 0;
}

static int check_env(const struct orchestrator *o, const struct run_request *r, struct problem *p)
{
    size_t total = 0;
    for (size_t i = 0; i < r->env_count; i++) {
        const char *name = r->env[i].name, *value = r->env[i].value;
        if (str_is_empty(name) || strchr(name, '='))
            return problem_set(p, ERR_INVALID, ERROR_RUN,
                               "env: a variable's name must not be empty or contain '='");
        if (!value)
            return problem_set(p, ERR_INVALID, ERROR_RUN, "env: %.64s must be a string", name);
        size_t bytes = strlen(name) + strlen(value);
        if (bytes >= EXEC_STRING_MAX)
            return problem_set(p, ERR_INVALID, ERROR_RUN, "env: %.64s is longer than %u bytes",
                               name, EXEC_STRING_MAX);
        total += bytes;
        if (total > o->opts.env_bytes_max)
            return problem_set(p, ERR_INVALID, ERROR_RUN,
                               "env must be at most %zu bytes, all names and values together",
                               o->opts.env_bytes_max);
    }
    return 0;
}

static int check_timeout(const struct orchestrator *o, int64_t asked, int64_t *ret,
                         struct problem *p)
{
    int64_t max = o->opts.max_timeout_s;
    if (asked < -1 || asked > TIMEOUT_MAX_S)
        return problem_set(p, ERR_INVALID, ERROR_RUN, "timeout must be between 0 and %lld seconds",
                           (long long)(max > 0 ? max : TIMEOUT_MAX_S));
    int64_t timeout = asked == -1 ? o->opts.default_timeout_s : asked;
    if (max > 0 && asked > max)
        return problem_set(p, ERR_INVALID, ERROR_RUN, "timeout must be at most %lld seconds",
                           (long long)max);
    /* "None" means as long as this server allows. */
    if (max > 0 && (timeout == 0 || timeout > max))
        timeout = max;
    *ret = timeout;
    return 0;
}

static int check_grace(const struct orchestrator *o, int64_t asked, int64_t *ret, struct problem *p)
{
    if (asked < -1 || asked > GRACE_MAX_S)
        return problem_set(p, ERR_INVALID, ERROR_RUN, "grace must be between 0 and %d seconds",
                           GRACE_MAX_S);
    *ret = asked == -1 ? o->opts.default_grace_s : asked;
    return 0;
}

int request_check(const struct orchestrator *o, const struct run_request *r,
                  struct request_limits *ret, struct problem *p)
{
    struct request_limits limits = {0};
    int e = check_command(o, r->command, p);
    if (e == 0 && !str_is_empty(r->image) && !str_eq(r->image, o->engine->ops->image))
        e = problem_set(p, ERR_NOT_FOUND, "failed to resolve image",
                        "image \"%.256s\" is not registered", r->image);
    if (e == 0)
        e = check_env(o, r, p);
    if (e == 0)
        e = check_timeout(o, r->timeout_s, &limits.timeout_s, p);
    if (e == 0)
        e = check_grace(o, r->grace_s, &limits.grace_s, p);
    if (e == 0)
        *ret = limits;
    return e;
}

/* ---- environment ---- */

static char *variable(const char *name, const char *value)
{
    size_t size = strlen(name) + 1 + strlen(value) + 1;
    char *s = malloc(size);
    if (s)
        (void)snprintf(s, size, "%s=%s", name, value);
    return s;
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return n == strcspn(b, "=") && memcmp(a, b, n) == 0;
}

/* Takes s (NULL: out of memory) into the list, in the place of one with the same name. */
static int put(char **list, size_t *count, char *s)
{
    if (!s)
        return ERR_NOMEM;
    size_t i = 0;
    while (i < *count && !same_name(list[i], s))
        i++;
    free(list[i]);
    list[i] = s;
    if (i == *count)
        (*count)++;
    return 0;
}

int request_env(const struct run_request *r, char ***ret)
{
    char **list = calloc(r->env_count + 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    size_t count = 0;
    for (size_t i = 0; i < r->env_count; i++) {
        if (put(list, &count, variable(r->env[i].name, r->env[i].value)) < 0) {
            strings_free(list);
            return ERR_NOMEM;
        }
    }
    *ret = list;
    return 0;
}

int request_environment(const struct orchestrator *o, const struct execution_id *id,
                        const char *workspace, char *const *overrides, char ***ret)
{
    char *tmp CLEANUP_FREE = path_join(workspace, WORKSPACE_TMP);
    if (!tmp)
        return ERR_NOMEM;
    const struct env_var standard[] = {
        {"PATH", STANDARD_PATH},   {"HOME", workspace},  {"USER", o->user_name},
        {"LOGNAME", o->user_name}, {"SHELL", "/bin/sh"}, {"LANG", "C.UTF-8"},
        {"TMPDIR", tmp},           {"PWD", workspace},   {"TAILGATE_EXECUTION_ID", id->hex},
    };
    size_t extra = 0;
    while (overrides && overrides[extra])
        extra++;
    char **list = calloc(ARRAY_SIZE(standard) + extra + 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    size_t count = 0;
    int e = 0;
    for (size_t i = 0; e == 0 && i < ARRAY_SIZE(standard); i++)
        e = put(list, &count, variable(standard[i].name, standard[i].value));
    for (size_t i = 0; e == 0 && i < extra; i++)
        e = put(list, &count, strdup(overrides[i]));
    if (e < 0) {
        strings_free(list);
        return e;
    }
    *ret = list;
    return 0;
}
