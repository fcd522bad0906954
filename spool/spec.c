/*
 * Specs: the rules they keep, their encoder, and the file they are kept in. The layout is in
 * spec_format.h, the decoder in spec_decode.c.
 */
#include "spool/spec.h"

#include "spool/bytes.h"
#include "spool/files.h"
#include "spool/format.h"
#include "spool/rundir.h"
#include "spool/spec_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MS_MAX (INT64_MAX / 1000000) /* so that nanoseconds still fit */

static void free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

void run_spec_done(struct run_spec *s)
{
    free(s->command);
    free(s->workspace);
    free_list(s->env);
    free_list(s->read_paths);
    free_list(s->write_paths);
    free(s->setup);
    free_list(s->setup_env);
    free(s->directory);
    free(s->user);
    free(s->hidden);
    memset(s, 0, sizeof(*s));
}

/* ---- rules that hold on both ways ---- */

static bool is_env_entry(const char *s)
{
    const char *eq = strchr(s, '=');
    return eq != NULL && eq != s;
}

static bool list_is_valid(char *const *list, bool (*ok)(const char *))
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (!ok(list[i]))
            return false;
    }
    return true;
}

static bool is_absolute(const char *s)
{
    return s[0] == '/';
}

/* A path that leads down: no empty, "." or ".." component. */
static bool leads_down(const char *s)
{
    for (;; s++) {
        size_t n = strcspn(s, "/");
        if (n == 0 || (n <= 2 && strspn(s, ".") >= n))
            return false;
        s += n;
        if (*s == '\0')
            return true;
    }
}

static bool id_is_valid(const char *id)
{
    return strlen(id) == SPOOL_ID_LEN && strspn(id, "0123456789abcdef") == SPOOL_ID_LEN;
}

static bool ms_is_valid(int64_t ms)
{
    return ms >= 0 && ms <= MS_MAX;
}

bool spec_is_valid(const struct run_spec *s)
{
    return id_is_valid(s->id) && s->command != NULL && s->workspace != NULL &&
           is_absolute(s->workspace) && list_is_valid(s->env, is_env_entry) &&
           list_is_valid(s->read_paths, is_absolute) &&
           list_is_valid(s->write_paths, is_absolute) &&
           list_is_valid(s->setup_env, is_env_entry) &&
           (s->directory == NULL || leads_down(s->directory)) && ms_is_valid(s->timeout_ms) &&
           ms_is_valid(s->grace_ms) && ms_is_valid(s->drain_ms) && s->spool_max > 0 &&
           (s->hidden == NULL || is_absolute(s->hidden)) && s->sandbox <= SPEC_SANDBOX_CONTAINER &&
           (s->user == NULL || s->sandbox == SPEC_SANDBOX_CONTAINER) &&
           s->spool_full <= SPEC_SPOOL_FULL_FAIL;
}

/* ---- encoding: the same walk counts (p NULL) and writes ---- */

struct out {
    uint8_t *p;
    size_t n;
};

static void emit(struct out *o, enum spec_tag tag, const void *p, size_t n)
{
    if (o->p != NULL) {
        put_u16(o->p + o->n, (uint16_t)tag);
        put_u32(o->p + o->n + 2, (uint32_t)n);
        memcpy(o->p + o->n + SPEC_FIELD_LEN, p, n);
    }
    o->n += SPEC_FIELD_LEN + n;
}

static void emit_str(struct out *o, enum spec_tag tag, const char *s)
{
    emit(o, tag, s, strlen(s));
}

static void emit_list(struct out *o, enum spec_tag tag, char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        emit_str(o, tag, list[i]);
}

static void emit_int(struct out *o, enum spec_tag tag, uint64_t v, size_t width)
{
    uint8_t b[8];
    put_u64(b, v);
    emit(o, tag, b, width);
}

static void emit_spec(struct out *o, const struct run_spec *s)
{
    emit_str(o, SPEC_TAG_ID, s->id);
    emit_str(o, SPEC_TAG_COMMAND, s->command);
    emit_str(o, SPEC_TAG_WORKSPACE, s->workspace);
    emit_list(o, SPEC_TAG_ENV, s->env);
    emit_int(o, SPEC_TAG_TTY, s->tty, 1);
    if (s->set_ids) {
        emit_int(o, SPEC_TAG_UID, s->uid, 4);
        emit_int(o, SPEC_TAG_GID, s->gid, 4);
    }
    emit_int(o, SPEC_TAG_TIMEOUT, (uint64_t)s->timeout_ms, 8);
    emit_int(o, SPEC_TAG_GRACE, (uint64_t)s->grace_ms, 8);
    emit_int(o, SPEC_TAG_DRAIN, (uint64_t)s->drain_ms, 8);
    emit_int(o, SPEC_TAG_SPOOL_MAX, s->spool_max, 8);
    emit_int(o, SPEC_TAG_SANDBOX, (uint64_t)s->sandbox, 1);
    emit_list(o, SPEC_TAG_READ_PATH, s->read_paths);
    emit_list(o, SPEC_TAG_WRITE_PATH, s->write_paths);
    if (s->setup != NULL)
        emit_str(o, SPEC_TAG_SETUP, s->setup);
    emit_list(o, SPEC_TAG_SETUP_ENV, s->setup_env);
    if (s->directory != NULL)
        emit_str(o, SPEC_TAG_DIRECTORY, s->directory);
    if (s->user != NULL)
        emit_str(o, SPEC_TAG_USER, s->user);
    if (s->hidden != NULL)
        emit_str(o, SPEC_TAG_HIDDEN, s->hidden);
    if (s->spool_full != SPEC_SPOOL_FULL_BLOCK)
        emit_int(o, SPEC_TAG_SPOOL_FULL, (uint64_t)s->spool_full, 1);
}

int run_spec_encode(const struct run_spec *s, uint8_t **ret_p, size_t *ret_n)
{
    struct out o = {.p = NULL, .n = SPEC_MAGIC_LEN};

    if (!spec_is_valid(s))
        return -EINVAL;
    emit_spec(&o, s);
    if (o.n + SPEC_TRAILER_LEN > SPEC_BYTES_MAX)
        return -EMSGSIZE;
    o.p = malloc(o.n + SPEC_TRAILER_LEN);
    if (o.p == NULL)
        return -ENOMEM;
    memcpy(o.p, SPEC_MAGIC, SPEC_MAGIC_LEN);
    o.n = SPEC_MAGIC_LEN;
    emit_spec(&o, s);
    emit_int(&o, SPEC_TAG_END, spool_crc32c(0, o.p, o.n), 4);
    *ret_p = o.p;
    *ret_n = o.n;
    return 0;
}

/* ---- the file ---- */

int run_spec_write(int dirfd, const struct run_spec *s)
{
    uint8_t *p = NULL;
    size_t n = 0;

    int rc = run_spec_encode(s, &p, &n);
    if (rc < 0)
        return rc;
    rc = files_replace(dirfd, RUNDIR_SPEC, p, n);
    explicit_bzero(p, n); /* it has secrets */
    free(p);
    return rc;
}

static int read_whole(int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t k = read(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -errno;
        if (k == 0)
            return -EBADMSG;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

static int read_fd(int fd, struct run_spec *ret)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size <= 0 || st.st_size > SPEC_BYTES_MAX)
        return -EBADMSG;
    size_t n = (size_t)st.st_size;
    uint8_t *p = malloc(n);
    if (p == NULL)
        return -ENOMEM;
    int rc = read_whole(fd, p, n);
    if (rc == 0)
        rc = run_spec_decode(p, n, ret);
    explicit_bzero(p, n); /* it has secrets */
    free(p);
    return rc;
}

int run_spec_read(int dirfd, struct run_spec *ret)
{
    int fd = rundir_open_file(dirfd, RUNDIR_SPEC, false);
    if (fd < 0)
        return fd;
    int rc = read_fd(fd, ret);
    close(fd);
    return rc;
}

int run_spec_drop(int dirfd)
{
    if (unlinkat(dirfd, RUNDIR_SPEC, 0) == 0 || errno == ENOENT)
        return 0;
    int fd = rundir_open_file(dirfd, RUNDIR_SPEC, true);
    if (fd < 0)
        return fd;
    int rc = ftruncate(fd, 0) < 0 ? -errno : 0;
    close(fd);
    return rc;
}
