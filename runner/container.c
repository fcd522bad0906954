/* The image's files and variables are foreign: lines are bounded, names and numbers checked. */
#include "runner/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWD "/etc/passwd"
#define GROUP "/etc/group"
#define IMAGE_USER "TAILGATE_IMAGE_USER" /* the engine's word; not for the command */
#define LINE_SIZE 4096
#define FIELDS_MAX 4
#define ID_MAX 4294967294u /* (uid_t)-1 means "leave as it is" */

/* 0, or -EINVAL when s is no id. */
static int parse_id(const char *s, unsigned *ret)
{
    char *end = NULL;
    if (s == NULL || *s < '0' || *s > '9')
        return -EINVAL;
    errno = 0;
    unsigned long v = strtoul(s, &end, 10);
    if (errno != 0 || *end != '\0' || v > ID_MAX)
        return -EINVAL;
    *ret = (unsigned)v;
    return 0;
}

/*
 * The line of passwd(5) or group(5) whose field `column` is `key`, cut into its first fields. 0;
 * -ENOENT: no such line or file.
 */
static int find_line(const char *path, size_t column, const char *key, char line[LINE_SIZE],
                     char *fields[FIELDS_MAX])
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return errno == ENOENT ? -ENOENT : -errno;
    int rc = -ENOENT;
    while (rc == -ENOENT && fgets(line, LINE_SIZE, f) != NULL) {
        char *rest = line;
        size_t n = 0;
        line[strcspn(line, "\n")] = '\0';
        while (n < FIELDS_MAX && rest != NULL)
            fields[n++] = strsep(&rest, ":");
        if (n == FIELDS_MAX && strcmp(fields[column], key) == 0)
            rc = 0;
    }
    (void)fclose(f);
    return rc;
}

/* passwd(5): name:password:uid:gid */
static int find_in_passwd(const char *path, const char *user, unsigned *ret_uid, unsigned *ret_gid)
{
    char line[LINE_SIZE];
    char *fields[FIELDS_MAX] = {NULL};
    bool is_number = parse_id(user, ret_uid) == 0;

    int rc = find_line(path, is_number ? 2 : 0, user, line, fields);
    if (rc == -ENOENT && is_number) {
        *ret_gid = 0;
        return 0;
    }
    if (rc == 0)
        rc = parse_id(fields[2], ret_uid);
    return rc == 0 ? parse_id(fields[3], ret_gid) : rc;
}

/* group(5): name:password:gid:members */
static int find_in_group(const char *path, const char *group, unsigned *ret_gid)
{
    char line[LINE_SIZE];
    char *fields[FIELDS_MAX] = {NULL};

    if (parse_id(group, ret_gid) == 0)
        return 0;
    int rc = find_line(path, 0, group, line, fields);
    return rc == 0 ? parse_id(fields[2], ret_gid) : rc;
}

int container_find_user(const char *user, const char *passwd_path, const char *group_path,
                        uid_t *ret_uid, gid_t *ret_gid)
{
    char name[256];
    unsigned uid = 0;
    unsigned gid = 0;
    const char *colon = strchr(user, ':');
    size_t n = colon != NULL ? (size_t)(colon - user) : strlen(user);

    if (n >= sizeof(name))
        return -EINVAL;
    memcpy(name, user, n);
    name[n] = '\0';
    int rc = find_in_passwd(passwd_path, n > 0 ? name : "0", &uid, &gid);
    if (rc == 0 && colon != NULL && colon[1] != '\0')
        rc = find_in_group(group_path, colon + 1, &gid);
    if (rc < 0)
        return rc;
    *ret_uid = uid;
    *ret_gid = gid;
    return 0;
}

/* ---- the environment ---- */

static size_t count(char *const *list)
{
    size_t n = 0;
    while (list != NULL && list[n] != NULL)
        n++;
    return n;
}

static bool is_set(char *const *list, const char *entry)
{
    size_t n = strcspn(entry, "=") + 1;
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (strncmp(list[i], entry, n) == 0)
            return true;
    }
    return false;
}

static void free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

char **container_merge_env(char *const *base, char *const *overrides)
{
    size_t n = 0;
    char **merged = calloc(count(base) + count(overrides) + 1, sizeof(*merged));
    if (merged == NULL)
        return NULL;
    for (size_t i = 0; base != NULL && base[i] != NULL; i++) {
        if (strchr(base[i], '=') == NULL || is_set(overrides, base[i]))
            continue;
        merged[n] = strdup(base[i]);
        if (merged[n++] == NULL)
            goto out;
    }
    for (size_t i = 0; overrides != NULL && overrides[i] != NULL; i++) {
        merged[n] = strdup(overrides[i]);
        if (merged[n++] == NULL)
            goto out;
    }
    return merged;
out:
    free_list(merged); /* up to the NULL that strdup left */
    return NULL;
}

static int replace_env(char ***list)
{
    char **merged = container_merge_env(environ, *list);
    if (merged == NULL)
        return -ENOMEM;
    free_list(*list);
    *list = merged;
    return 0;
}

/* ---- the workspace ---- */

/* It holds just what the server put there: nothing of it is followed. */
static int give_away(const char *path, uid_t uid, gid_t gid)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return -errno;
    int rc = fchown(dirfd(dir), uid, gid) < 0 ? -errno : 0;
    const struct dirent *e = NULL;
    while (rc == 0 && (e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            fchownat(dirfd(dir), e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
            rc = -errno;
    }
    (void)closedir(dir);
    return rc;
}

/* ---- all of it ---- */

static int fail(struct child_failure *ret, const char *what, int rc)
{
    *ret = (struct child_failure){.what = what, .error = -rc, .exit_code = 126};
    return -1;
}

int container_settle(struct run_spec *spec, struct child_failure *ret_failure)
{
    const char *user = spec->user != NULL ? spec->user : getenv(IMAGE_USER);

    int rc = container_find_user(user != NULL ? user : "", PASSWD, GROUP, &spec->uid, &spec->gid);
    if (rc < 0)
        return fail(ret_failure, "cannot find the image's user", rc);
    spec->set_ids = true;
    if (unsetenv(IMAGE_USER) < 0)
        return fail(ret_failure, "cannot make the environment", -errno);
    rc = replace_env(&spec->env);
    if (rc == 0 && spec->setup != NULL)
        rc = replace_env(&spec->setup_env);
    if (rc < 0)
        return fail(ret_failure, "cannot make the environment", rc);
    rc = give_away(spec->workspace, spec->uid, spec->gid);
    return rc < 0 ? fail(ret_failure, "cannot give the workspace to its user", rc) : 0;
}
