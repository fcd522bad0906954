/* Each row names a check that says in a few words what is wrong with a value, or NULL. */
#include "base/fields.h"

#include "base/image_ref.h"
#include "base/model.h"
#include "base/str.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM LETTERS DIGITS
#define EMAIL_MAX 254      /* RFC 5321 with erratum 1690 */
#define EMAIL_LOCAL_MAX 64 /* RFC 5321 section 4.5.3.1.1 */

typedef const char *(*field_fn)(const char *value);

static bool consists_of(const char *s, const char *set)
{
    return s[strspn(s, set)] == '\0';
}

static bool has_space(const char *s)
{
    return strchr(s, ' ') != NULL;
}

/* Labels of letters, digits and inner hyphens; bytes above ASCII pass (internationalised names). */
static bool is_domain(const char *s)
{
    if (str_eq(s, "localhost"))
        return true;
    if (!strchr(s, '.'))
        return false;
    for (const char *at = s;; at++) {
        size_t n = strcspn(at, ".");
        if (n == 0 || at[0] == '-' || at[n - 1] == '-')
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)at[i] < 0x80 && !strchr(ALNUM "-", at[i]))
                return false;
        at += n;
        if (*at == '\0')
            return true;
    }
}

static const char *check_email(const char *s)
{
    const char *at = strchr(s, '@');
    if (!at)
        return "it has no '@'";
    if (strchr(at + 1, '@'))
        return "it has more than one '@'";
    if (at == s)
        return "nothing stands before its '@'";
    if (at - s > EMAIL_LOCAL_MAX)
        return "the part before its '@' is too long";
    if (has_space(s) || s[strcspn(s, "<>()[]\",;:\\")] != '\0')
        return "it has a character that addresses do not have";
    return is_domain(at + 1) ? NULL : "what follows its '@' is no domain";
}

static const char *check_role(const char *s)
{
    enum role role;
    return role_parse(s, &role) == 0 ? NULL : "there is no such role";
}

static const char *check_any(const char *s UNUSED)
{
    return NULL;
}

static const char *check_name(const char *s)
{
    if (!strchr(ALNUM, s[0]))
        return "it begins with another character";
    return consists_of(s, ALNUM "._-") ? NULL : "it has another character";
}

static const char *check_variable(const char *s)
{
    if (!strchr(LETTERS "_", s[0]))
        return "it begins with another character";
    return consists_of(s, ALNUM "_") ? NULL : "it has another character";
}

static const char *check_image(const char *s)
{
    struct image_ref ref;
    return image_ref_parse(s, &ref);
}

static const char *check_platform(const char *s)
{
    const char *slash = strchr(s, '/');
    if (!slash || slash == s || slash[1] == '\0')
        return "it is not OS/ARCHITECTURE";
    return consists_of(s, ALNUM "_/") && !strchr(slash + 1, '/') ? NULL
                                                                 : "it has another character";
}

static const char *check_role_name(const char *s)
{
    return consists_of(s, ALNUM "+=,.@_-") ? NULL : "it has another character";
}

static const char *check_git_repo(const char *s)
{
    static const char *const schemes[] = {"https://", "http://", "ssh://", "git://", "file://"};
    if (s[0] == '-')
        return "it begins with '-'";
    if (has_space(s))
        return "it has a space";
    if (strstr(s, "//-") || strstr(s, "@-"))
        return "its host begins with '-'"; /* ssh would take it for an option */
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (str_starts_with(s, schemes[i]))
            return s[strlen(schemes[i])] == '\0' ? "nothing follows its scheme" : NULL;
    /* scp's form, git@HOST:PATH; "ext::…" would let git run a command. */
    const char *at = strchr(s, '@'), *colon = strchr(s, ':');
    if (!at || !colon || colon < at || at == s || colon == at + 1 || colon[1] == '\0')
        return "it is neither a URL nor USER@HOST:PATH";
    if (colon[1] == ':' || !consists_of(s + strcspn(s, "@") + 1, ALNUM "._-:/~+"))
        return "it has a character that does not belong there";
    return NULL;
}

/* git-check-ref-format(1), as far as it is about single characters and their order. */
static const char *check_git_ref(const char *s)
{
    if (s[0] == '-' || s[0] == '/')
        return "it begins with '-' or '/'";
    if (s[strcspn(s, " ~^:?*[\\")] != '\0' || strstr(s, "..") || strstr(s, "@{") || strstr(s, "//"))
        return "it has something that refs do not have";
    if (str_ends_with(s, "/") || str_ends_with(s, ".") || str_ends_with(s, ".lock"))
        return "it ends as refs do not";
    return NULL;
}

static const char *check_git_path(const char *s)
{
    if (s[0] == '/')
        return "it is absolute";
    for (const char *at = s; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.')
            return "it leaves the repository";
    }
    return NULL;
}

static const char *check_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return "it has a character beyond ASCII";
    return NULL;
}

struct row {
    struct field_rule rule;
    field_fn check;
};

static const struct row table[FIELD_COUNT] = {
    [FIELD_EMAIL] =
        {{"email", "users",
          "an e-mail address: one '@', no spaces, and a domain with a dot (or localhost)",
          EMAIL_MAX, true, false},
         check_email},
    [FIELD_ROLE] = {{"role", "users", "one of admin, operator, developer and viewer", 16, true,
                     false},
                    check_role},
    [FIELD_KEY_DESCRIPTION] = {{"description", "API keys", "text", 256, false, true}, check_any},
    [FIELD_SECRET_NAME] = {{"name", "secrets",
                            "letters, digits, '.', '_' and '-', with a letter or digit first", 128,
                            true, false},
                           check_name},
    [FIELD_KEY_NAME] =
        {{"key_name", "secrets",
          "the name of an environment variable: letters, digits and '_', no digit first", 128, true,
          false},
         check_variable},
    [FIELD_SECRET_VALUE] = {{"value", "secrets", "text without NUL characters", 65536, true, false},
                            check_any},
    [FIELD_DESCRIPTION] = {{"description", "secrets", "text", 256, false, true}, check_any},
    [FIELD_IMAGE] =
        {{"image", "images, runs",
          "an image reference: [REGISTRY[:PORT]/]NAME[:TAG][@DIGEST], the name in lower case",
          IMAGE_REF_MAX, true, false},
         check_image},
    [FIELD_RUNTIME_PLATFORM] = {{"runtime_platform", "images",
                                 "OS/ARCHITECTURE, such as Linux/X86_64", 64, true, true},
                                check_platform},
    [FIELD_ROLE_NAME] = {{"task_role_name", "images", "letters, digits and any of +=,.@_-", 64,
                          true, true},
                         check_role_name},
    [FIELD_EXECUTION_ROLE_NAME] = {{"task_execution_role_name", "images",
                                    "letters, digits and any of +=,.@_-", 64, true, true},
                                   check_role_name},
    [FIELD_ENV_NAME] =
        {{"env", "runs",
          "the name of an environment variable: letters, digits and '_', no digit first", 1024,
          true, false},
         check_variable},
    [FIELD_IDEMPOTENCY_KEY] = {{"idempotency_key", "runs", "printable ASCII", 255, true, false},
                               check_ascii},
    [FIELD_GIT_REPO] = {{"git_repo", "runs",
                         "a repository's https, http, ssh, git or file URL, or USER@HOST:PATH",
                         2048, true, false},
                        check_git_repo},
    [FIELD_GIT_REF] = {{"git_ref", "runs",
                        "a branch, tag or commit by the rules of git-check-ref-format", 255, true,
                        false},
                       check_git_ref},
    [FIELD_GIT_PATH] = {{"git_path", "runs", "a relative path inside the repository, without '..'",
                         1024, true, false},
                        check_git_path},
};

const struct field_rule *field_rule(enum field f)
{
    return (size_t)f < FIELD_COUNT ? &table[f].rule : NULL;
}

static size_t count_characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return true;
    return false;
}

static const char *find_fault(enum field f, const char *value)
{
    size_t len = strlen(value);
    if (str_utf8_valid_prefix(value, len) != len)
        return "it is not valid UTF-8";
    if (f != FIELD_SECRET_VALUE && has_control(value))
        return "it has a control character";
    return table[f].check(value);
}

int field_check(enum field f, const char *title, const char *value, struct problem *p)
{
    const struct field_rule *rule = field_rule(f);
    if (!rule)
        return problem_set(p, ERR_INTERNAL, title, "no such field");
    if (str_is_empty(value)) {
        if (rule->is_optional)
            return 0;
        return problem_set(p, ERR_INVALID, title, "%s is required", rule->json);
    }
    size_t len = rule->counts_bytes ? strlen(value) : count_characters(value);
    const char *unit = rule->counts_bytes ? "bytes" : "characters";
    if (len > rule->max)
        return problem_set(p, ERR_INVALID, title, "%s must be at most %zu %s: it has %zu",
                           rule->json, rule->max, unit, len);
    const char *fault = find_fault(f, value);
    if (fault)
        return problem_set(p, ERR_INVALID, title, "%s must be %s: %s", rule->json, rule->rule,
                           fault);
    return 0;
}
