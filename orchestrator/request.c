/* Checks a run request field by field (request.h). */
#include "orchestrator/request.h"

#include "base/fields.h"
#include "base/str.h"
#include "orchestrator/git.h"
#include "orchestrator/run.h"
#include "orchestrator/secrets.h"

#include <string.h>

#define GRACE_MAX_S 3600
#define TIMEOUT_MAX_S (INT64_C(10) * 366 * 24 * 3600) /* ten years: milliseconds stay small */
#define ENV_COUNT_MAX 1000 /* far more than any program looks at; each is compared with each */

static int check_command(const struct orchestrator *o, const char *command, struct problem *p)
{
    if (str_is_empty(command))
        return problem_set(p, ERR_INVALID, RUN_ERROR, "command is required");
    size_t max =
        o->opts.command_bytes_max < EXEC_STRING_MAX ? o->opts.command_bytes_max : EXEC_STRING_MAX;
    size_t len = strlen(command);
    if (len > max)
        return problem_set(p, ERR_INVALID, RUN_ERROR, "command must be at most %zu bytes", max);
    if (str_utf8_valid_prefix(command, len) != len)
        return problem_set(p, ERR_INVALID, RUN_ERROR, "command must be valid UTF-8");
    return 0;
}

static int check_env(const struct orchestrator *o, const struct run_request *r, struct problem *p)
{
    size_t total = 0;
    if (r->env_count > ENV_COUNT_MAX)
        return problem_set(p, ERR_INVALID, RUN_ERROR, "env must be at most %d variables",
                           ENV_COUNT_MAX);
    for (size_t i = 0; i < r->env_count; i++) {
        const char *name = r->env[i].name, *value = r->env[i].value;
        if (str_is_empty(name) || strchr(name, '='))
            return problem_set(p, ERR_INVALID, RUN_ERROR,
                               "env: a variable's name must not be empty or contain '='");
        if (!value)
            return problem_set(p, ERR_INVALID, RUN_ERROR, "env: %.64s must be a string", name);
        size_t bytes = strlen(name) + strlen(value);
        if (bytes >= EXEC_STRING_MAX)
            return problem_set(p, ERR_INVALID, RUN_ERROR, "env: %.64s is longer than %u bytes",
                               name, EXEC_STRING_MAX);
        total += bytes;
        if (total > o->opts.env_bytes_max)
            return problem_set(p, ERR_INVALID, RUN_ERROR,
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
        return problem_set(p, ERR_INVALID, RUN_ERROR, "timeout must be between 0 and %lld seconds",
                           (long long)(max > 0 ? max : TIMEOUT_MAX_S));
    int64_t timeout = asked == -1 ? o->opts.default_timeout_s : asked;
    if (max > 0 && asked > max)
        return problem_set(p, ERR_INVALID, RUN_ERROR, "timeout must be at most %lld seconds",
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
        return problem_set(p, ERR_INVALID, RUN_ERROR, "grace must be between 0 and %d seconds",
                           GRACE_MAX_S);
    *ret = asked == -1 ? o->opts.default_grace_s : asked;
    return 0;
}

static int check_secrets(const struct run_request *r, struct problem *p)
{
    if (r->secrets_count > SECRETS_RUN_MAX)
        return problem_set(p, ERR_INVALID, RUN_ERROR, "secrets must be at most %d",
                           SECRETS_RUN_MAX);
    for (size_t i = 0; i < r->secrets_count; i++) {
        int e = field_check(FIELD_SECRET_NAME, RUN_ERROR, r->secrets[i], p);
        if (e < 0)
            return e;
    }
    return 0;
}

int request_check(const struct orchestrator *o, const struct run_request *r,
                  struct request_limits *ret, struct problem *p)
{
    struct request_limits limits = {0};
    int e = check_command(o, r->command, p);
    if (e == 0)
        e = check_env(o, r, p);
    if (e == 0)
        e = check_timeout(o, r->timeout_s, &limits.timeout_s, p);
    if (e == 0)
        e = check_grace(o, r->grace_s, &limits.grace_s, p);
    if (e == 0)
        e = check_secrets(r, p);
    if (e == 0)
        e = git_check(o, r, p);
    if (e == 0 && r->idempotency_key)
        e = field_check(FIELD_IDEMPOTENCY_KEY, RUN_ERROR, r->idempotency_key, p);
    if (e == 0)
        *ret = limits;
    return e;
}
