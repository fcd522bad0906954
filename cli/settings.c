/* Three sources, the later one wins; the key itself never stands in an error. */
#include "cli/settings.h"

#include "base/str.h"
#include "cli/profile.h"
#include "cli/report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int settings_check_key(const char *key, struct problem *p)
{
    size_t len = strlen(key);
    bool ok = len > 0 && len <= SETTINGS_KEY_MAX;
    for (size_t i = 0; ok && i < len; i++)
        ok = key[i] > ' ' && key[i] < 0x7f;
    return ok ? 0
              : problem_set(p, ERR_INVALID, "unusable API key",
                            "it must be 1 to %d printable characters without spaces",
                            SETTINGS_KEY_MAX);
}

int settings_read_key_file(const char *path, char **ret, struct problem *p)
{
    struct buf text CLEANUP_BUF;
    buf_init(&text, 4096);
    bool exposed;
    int r = profile_slurp(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text, p, &exposed);
    if (r != 0)
        return p->err = ERR_INVALID;
    const char *key = text.data != NULL ? text.data : "";
    key += strspn(key, " \t\r\n");
    size_t len = strcspn(key, " \t\r\n");
    if (key[len + strspn(key + len, " \t\r\n")] != '\0')
        return problem_set(p, ERR_INVALID, "unusable API key", "%.300s holds more than one word",
                           path);
    char *copy = strndup(key, len);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    if (copy == NULL)
        return problem_set(p, ERR_NOMEM, "unusable API key", "out of memory");
    free(*ret);
    *ret = copy;
    return 0;
}

static int from_file(struct profile *v, struct problem *p)
{
    struct buf path CLEANUP_BUF;
    buf_init(&path, 4096);
    /* Without a home there is no file; environment and flags may be enough. */
    if (profile_path(&path, p) != 0)
        return 0;
    int r = profile_read(path.data, v, p);
    if (r == 0 && v->is_exposed && v->api_key != NULL)
        report("warning: others may read the API key in %s (chmod 600)", path.data);
    return r;
}

static int override(char **at, const char *value, struct problem *p)
{
    if (str_is_empty(value) || str_set(at, value) == 0)
        return 0;
    return problem_set(p, ERR_NOMEM, "no settings", "out of memory");
}

static int gather(const struct cli_args *args, struct profile *v, struct problem *p)
{
    int r = from_file(v, p);
    if (r == 0)
        r = override(&v->api_endpoint, getenv("TAILGATE_ENDPOINT"), p);
    if (r == 0)
        r = override(&v->api_key, getenv("TAILGATE_API_KEY"), p);
    if (r == 0)
        r = override(&v->ca_file, getenv("TAILGATE_CA_FILE"), p);
    if (r == 0)
        r = override(&v->api_endpoint, args->endpoint, p);
    if (r == 0)
        r = override(&v->ca_file, args->ca_file, p);
    if (r == 0 && args->api_key_file != NULL)
        r = settings_read_key_file(args->api_key_file, &v->api_key, p);
    return r;
}

/* From *v, whose strings it takes over. */
static int make_settings(struct profile *v, bool needs_key, struct settings *ret, struct problem *p)
{
    int r = endpoint_parse(v->api_endpoint != NULL ? v->api_endpoint : SETTINGS_DEFAULT_ENDPOINT,
                           &ret->endpoint, p);
    if (r != 0)
        return r;
    if (v->api_key == NULL && needs_key)
        return problem_set(p, ERR_UNAUTHORIZED, "no API key",
                           "set TAILGATE_API_KEY, give --api-key-file or run `tailgate configure`");
    r = v->api_key != NULL ? settings_check_key(v->api_key, p) : 0;
    if (r != 0)
        return r;
    if (v->ca_file != NULL && access(v->ca_file, R_OK) != 0)
        return problem_set(p, ERR_INVALID, "unusable certificates", "%.300s: %s", v->ca_file,
                           strerror(errno));
    ret->api_key = TAKE_PTR(v->api_key);
    ret->ca_file = TAKE_PTR(v->ca_file);
    return 0;
}

static int load(const struct cli_args *args, bool needs_key, struct settings *ret,
                struct problem *p)
{
    struct profile v = {0};
    struct settings s = {0};
    int r = gather(args, &v, p);
    if (r == 0)
        r = make_settings(&v, needs_key, &s, p);
    profile_done(&v);
    if (r == 0)
        *ret = s;
    return r;
}

int settings_load(const struct cli_args *args, struct settings *ret, struct problem *p)
{
    return load(args, true, ret, p);
}

int settings_load_keyless(const struct cli_args *args, struct settings *ret, struct problem *p)
{
    return load(args, false, ret, p);
}

void settings_done(struct settings *s)
{
    if (s->api_key != NULL)
        explicit_bzero(s->api_key, strlen(s->api_key));
    free(s->api_key);
    free(s->ca_file);
    *s = (struct settings){0};
}
