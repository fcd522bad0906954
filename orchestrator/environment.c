/* Environments as execve(2) and shells want them (environment.h). */
#include "orchestrator/environment.h"

#include "base/buf.h"
#include "base/str.h"
#include "orchestrator/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IMAGES_OWN 5u
/* Quoting makes four bytes of one at most. */
#define FILE_BYTES_MAX (4u * PLAN_BYTES_MAX)

static char *variable(const char *name, const char *value)
{
    size_t size = strlen(name) + 1 + strlen(value) + 1;
    char *s = malloc(size);
    if (s)
        (void)snprintf(s, size, "%s=%s", name, value);
    return s;
}

int environment_make(const struct orchestrator *o, const struct execution_id *id,
                     const char *workspace, const char *directory, const struct plan *plan,
                     char ***ret)
{
    char *tmp CLEANUP_FREE = path_join(workspace, WORKSPACE_TMP);
    if (!tmp)
        return ERR_NOMEM;
    const struct env_var standard[] = {
        {"PATH", ENVIRONMENT_PATH}, /* the first IMAGES_OWN are the image's to say */
        {"USER", o->user_name},
        {"LOGNAME", o->user_name},
        {"SHELL", "/bin/sh"},
        {"LANG", "C.UTF-8"},
        {"HOME", workspace},
        {"TMPDIR", tmp},
        {"PWD", directory},
        {"TAILGATE_EXECUTION_ID", id->hex},
        {"RUNVOY_SHARED_VOLUME_PATH", workspace}, /* where Runvoy's scripts look */
    };
    char **list = calloc(ARRAY_SIZE(standard) + plan->var_count + 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    size_t n = 0;
    bool ok = true;
    size_t first = o->engine->ops->workspace ? IMAGES_OWN : 0;
    for (size_t i = first; ok && i < ARRAY_SIZE(standard); i++) {
        if (!plan_get(plan, standard[i].name))
            ok = (list[n++] = variable(standard[i].name, standard[i].value)) != NULL;
    }
    for (size_t i = 0; ok && i < plan->var_count; i++)
        ok = (list[n++] = strdup(plan->vars[i].text)) != NULL;
    if (!ok) {
        strings_free(list);
        return ERR_NOMEM;
    }
    *ret = list;
    return 0;
}

/* ---- .env ---- */

static bool is_shell_name(const char *s, size_t len)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return len > 0 && strchr(first, s[0]) && strspn(s, all) >= len;
}

/* In single quotes unless every character is plain; a quote is '\''. */
static int append_quoted(struct buf *out, const char *value)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_./:@%+,-";
    if (value[strspn(value, plain)] == '\0')
        return buf_append_str(out, value);
    int err = buf_append_char(out, '\'');
    for (const char *c = value; err == 0 && *c; c++)
        err = *c == '\'' ? buf_append_str(out, "'\\''") : buf_append_char(out, *c);
    return err < 0 ? err : buf_append_char(out, '\'');
}

static int append_variable(struct buf *out, const char *text)
{
    size_t len = strcspn(text, "=");
    if (!is_shell_name(text, len)) /* no shell could read it back */
        return 0;
    int err = buf_append(out, text, len + 1);
    if (err == 0)
        err = append_quoted(out, text + len + 1);
    return err < 0 ? err : buf_append_char(out, '\n');
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno != EINTR)
            return -errno;
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        }
    }
    return 0;
}

/* Nothing of the run's lives yet, but a start that was cut off may have left the file. */
static int write_file(const struct orchestrator *o, const char *workspace, const struct buf *text)
{
    int dir = open(workspace, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    int r = unlinkat(dir, ENVIRONMENT_FILE, 0) < 0 && errno != ENOENT ? -errno : 0;
    int fd = -1;
    if (r == 0) {
        fd = openat(dir, ENVIRONMENT_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
        r = fd < 0 ? -errno : write_all(fd, text->data, text->len);
    }
    if (r == 0 && o->set_ids && fchown(fd, o->uid, o->gid) < 0)
        r = -errno;
    if (fd >= 0)
        (void)close(fd);
    (void)close(dir);
    return r;
}

int environment_write_file(const struct orchestrator *o, const char *workspace,
                           const struct plan *plan)
{
    struct buf text CLEANUP_BUF = {.max = FILE_BYTES_MAX};
    int err = 0;
    for (size_t i = 0; err == 0 && i < plan->var_count; i++) {
        if (!plan->vars[i].is_secret)
            err = append_variable(&text, plan->vars[i].text);
    }
    if (err < 0)
        return -ENOMEM;
    return text.len > 0 ? write_file(o, workspace, &text) : 0;
}
