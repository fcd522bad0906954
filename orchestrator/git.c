/* What the setup stage runs, in which environment, and which repositories may be asked for. */
#include "orchestrator/git.h"

#include "base/fields.h"
#include "base/str.h"
#include "orchestrator/environment.h"
#include "orchestrator/run.h"
#include "orchestrator/workspace.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_MAX 4096
#define ENV_MAX 24

/*
 * A branch or tag is cloned alone, without its history. A commit id is fetched alone where the
 * server gives such out, otherwise with everything; one that is cut short may also be a branch.
 */
static const char script[] =
    "rm -rf repo\n"
    "by_name() { git clone --template= --depth 1 --branch \"$TG_REF\" -- \"$TG_REPO\" repo; }\n"
    "by_id() {\n"
    "  rm -rf repo\n"
    "  git init -q --template= repo && git -C repo remote add origin \"$TG_REPO\" || return\n"
    "  echo \"Fetching $TG_REF of $TG_REPO\"\n"
    "  if [ ${#TG_REF} -ge 40 ] &&\n"
    "     git -C repo fetch -q --depth 1 origin \"$TG_REF\" 2>/dev/null; then\n"
    "    git -C repo checkout -q --detach FETCH_HEAD\n"
    "  else\n"
    "    git -C repo fetch -q --tags origin '+refs/heads/*:refs/remotes/origin/*' &&\n"
    "      git -C repo checkout -q --detach \"$TG_REF^{commit}\"\n"
    "  fi\n"
    "}\n"
    "case $TG_REF in *[!0-9a-f]*) hex=0 ;; *) hex=${#TG_REF} ;; esac\n"
    "if [ $hex -ge 40 ]; then by_id\n"
    "elif [ $hex -ge 7 ]; then by_name 2>/dev/null || by_id\n"
    "else by_name; fi || exit\n"
    "if [ ! -d \"repo/$TG_PATH\" ]; then\n"
    "  echo \"tailgate: git_path $TG_PATH is no directory of the repository\"\n"
    "  exit 1\n"
    "fi\n"
    "if [ -f .env ]; then rm -f repo/.env && cp -p .env repo/.env || exit; fi\n"
    "git -C repo --no-pager log -1 --format='tailgate: checked out %H'\n";

/* ---- the request ---- */

static bool list_has(const char *list, const char *word, size_t len)
{
    for (const char *at = list ? list : ""; *at;) {
        size_t n = strcspn(at, ",");
        if (n == len && memcmp(at, word, n) == 0)
            return true;
        at += n;
        at += *at == ',';
    }
    return false;
}

bool git_protocols_are_valid(const char *list)
{
    for (const char *at = list ? list : ""; *at;) {
        size_t n = strcspn(at, ",");
        if (!list_has(GIT_PROTOCOLS, at, n))
            return false;
        at += n;
        if (*at == ',' && *++at == '\0')
            return false;
    }
    return true;
}

static int check_url(const struct orchestrator *o, const char *repo, struct problem *p)
{
    const char *colon = strstr(repo, "://");
    const char *protocol = colon ? repo : "ssh"; /* USER@HOST:PATH */
    size_t len = colon ? (size_t)(colon - repo) : strlen("ssh");
    if (!list_has(o->opts.git_protocols, protocol, len))
        return problem_set(p, ERR_INVALID, RUN_ERROR,
                           "git_repo must be of a protocol that this server speaks: %.128s",
                           o->opts.git_protocols ? o->opts.git_protocols : "");
    if (!colon)
        return 0;
    const char *host = colon + 3;
    const char *at = memchr(host, '@', strcspn(host, "/"));
    bool has_password = at && memchr(host, ':', (size_t)(at - host));
    if (at && (has_password || !str_starts_with(repo, "ssh:")))
        return problem_set(p, ERR_INVALID, RUN_ERROR,
                           "git_repo must not hold a user's name or password; for github.com use a "
                           "secret with the key name GITHUB_TOKEN");
    return 0;
}

int git_check(const struct orchestrator *o, const struct run_request *r, struct problem *p)
{
    int err = 0;
    if (str_is_empty(r->git_repo)) /* without it the others say nothing, as with Runvoy */
        return 0;
    err = field_check(FIELD_GIT_REPO, RUN_ERROR, r->git_repo, p);
    if (err == 0)
        err = check_url(o, r->git_repo, p);
    if (err == 0 && !str_is_empty(r->git_ref))
        err = field_check(FIELD_GIT_REF, RUN_ERROR, r->git_ref, p);
    if (err == 0 && !str_is_empty(r->git_path))
        err = field_check(FIELD_GIT_PATH, RUN_ERROR, r->git_path, p);
    return err;
}

/* ---- the stage ---- */

int git_directory(const struct plan *plan, char **ret)
{
    if (!plan->git_repo)
        return 0;
    const char *at = plan->git_path ? plan->git_path : "";
    size_t size = strlen(GIT_DIRECTORY) + 1 + strlen(at) + 1;
    char *path = malloc(size);
    if (!path)
        return ERR_NOMEM;
    int len = snprintf(path, size, GIT_DIRECTORY);
    while (*at) {
        size_t n = strcspn(at, "/");
        if (n > 0 && !(n == 1 && *at == '.'))
            len += snprintf(path + len, size - (size_t)len, "/%.*s", (int)n, at);
        at += n;
        at += *at == '/';
    }
    *ret = path;
    return 0;
}

struct env_list {
    char **items; /* ENV_MAX + 1 */
    size_t count;
    bool failed;
};

static void PRINTF_LIKE(2, 3) add(struct env_list *l, const char *format, ...)
{
    va_list ap;
    char *s = NULL;
    va_start(ap, format);
    int n = l->count < ENV_MAX ? vasprintf(&s, format, ap) : -1;
    va_end(ap);
    if (n < 0)
        l->failed = true;
    else
        l->items[l->count++] = s;
}

static void add_config(struct env_list *l, unsigned *n, const char *key, const char *value)
{
    add(l, "GIT_CONFIG_KEY_%u=%s", *n, key);
    add(l, "GIT_CONFIG_VALUE_%u=%s", *n, value);
    (*n)++;
}

/* GitHub takes a token as the password of any user. */
static void add_token(struct env_list *l, unsigned *n, const struct plan *plan)
{
    const char *token = plan_get(plan, "GITHUB_TOKEN");
    char plain[TOKEN_MAX + 32], header[sizeof plain * 2];
    if (str_is_empty(token) || strlen(token) > TOKEN_MAX ||
        !str_starts_with(plan->git_repo, "https://github.com/"))
        return;
    int len = snprintf(plain, sizeof plain, "x-access-token:%s", token);
    int head = snprintf(header, sizeof header, "Authorization: Basic ");
    (void)sodium_bin2base64(header + head, sizeof header - (size_t)head,
                            (const unsigned char *)plain, (size_t)len,
                            sodium_base64_VARIANT_ORIGINAL);
    add_config(l, n, "http.https://github.com/.extraHeader", header);
    sodium_memzero(plain, sizeof plain);
    sodium_memzero(header, sizeof header);
}

static void add_all(struct env_list *l, const struct orchestrator *o, const char *workspace,
                    const struct plan *plan)
{
    unsigned n = 0;
    add(l, "PATH=" ENVIRONMENT_PATH);
    add(l, "LANG=C.UTF-8");
    add(l, "HOME=%s", workspace);
    add(l, "TMPDIR=%s/%s", workspace, WORKSPACE_TMP);
    add(l, "TG_REPO=%s", plan->git_repo);
    add(l, "TG_REF=%s", plan->git_ref ? plan->git_ref : GIT_DEFAULT_REF);
    add(l, "TG_PATH=%s", plan->git_path ? plan->git_path : "");
    add(l, "GIT_TERMINAL_PROMPT=0");
    add(l, "GIT_CONFIG_NOSYSTEM=1");
    add(l, "GIT_CONFIG_GLOBAL=/dev/null");
    add(l, "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new");
    add(l, "GIT_ALLOW_PROTOCOL=%s", o->opts.git_protocols ? o->opts.git_protocols : "");
    if (!l->failed) {
        for (char *c = l->items[l->count - 1]; *c; c++) {
            if (*c == ',')
                *c = ':';
        }
    }
    add_config(l, &n, "core.hooksPath", "/dev/null");
    add_config(l, &n, "advice.detachedHead", "false");
    add_token(l, &n, plan);
    add(l, "GIT_CONFIG_COUNT=%u", n);
}

int git_setup(const struct orchestrator *o, const char *workspace, const struct plan *plan,
              char **ret_script, char ***ret_env)
{
    if (!plan->git_repo)
        return 0;
    struct env_list l = {.items = calloc(ENV_MAX + 1, sizeof *l.items)};
    char *text = strdup(script);
    if (l.items && text)
        add_all(&l, o, workspace, plan);
    if (!l.items || !text || l.failed) {
        strings_free(l.items);
        free(text);
        return ERR_NOMEM;
    }
    *ret_script = text;
    *ret_env = l.items;
    return 0;
}
