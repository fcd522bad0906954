/* Writing the configuration file: libyaml's emitter into memory, then a new file renamed over. */
#include "cli/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

static int collect(void *user, unsigned char *bytes, size_t len)
{
    return buf_append(user, bytes, len) == 0 ? 1 : 0;
}

/* The emitter takes the event over, and frees it, even when it fails. */
static bool emit(yaml_emitter_t *em, yaml_event_t *ev, int made)
{
    return made != 0 && yaml_emitter_emit(em, ev) != 0;
}

static bool emit_text(yaml_emitter_t *em, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t ev;
    return emit(
        em, &ev,
        yaml_scalar_event_initialize(&ev, NULL, NULL, (const yaml_char_t *)text, -1, 1, 1, style));
}

static bool emit_pair(yaml_emitter_t *em, const char *name, const char *value)
{
    return value == NULL || (emit_text(em, name, YAML_PLAIN_SCALAR_STYLE) &&
                             emit_text(em, value, YAML_DOUBLE_QUOTED_SCALAR_STYLE));
}

static bool emit_all(yaml_emitter_t *em, const struct profile *v)
{
    yaml_event_t ev;
    return emit(em, &ev, yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING)) &&
           emit(em, &ev, yaml_document_start_event_initialize(&ev, NULL, NULL, NULL, 1)) &&
           emit(
               em, &ev,
               yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE)) &&
           emit_pair(em, "api_endpoint", v->api_endpoint) && emit_pair(em, "api_key", v->api_key) &&
           emit_pair(em, "ca_file", v->ca_file) &&
           emit(em, &ev, yaml_mapping_end_event_initialize(&ev)) &&
           emit(em, &ev, yaml_document_end_event_initialize(&ev, 1)) &&
           emit(em, &ev, yaml_stream_end_event_initialize(&ev));
}

static int to_yaml(const struct profile *v, struct buf *out)
{
    yaml_emitter_t em;
    if (!yaml_emitter_initialize(&em))
        return ERR_NOMEM;
    yaml_emitter_set_output(&em, collect, out);
    yaml_emitter_set_unicode(&em, 1);
    yaml_emitter_set_width(&em, -1);
    bool done = emit_all(&em, v);
    int r = done ? 0 : em.error == YAML_EMITTER_ERROR ? ERR_INVALID : ERR_NOMEM;
    yaml_emitter_delete(&em);
    return r;
}

/* mkdir -p of path's directory, 0700 for what is new. */
static int make_directories(char *path)
{
    for (char *c = path + 1; *c != '\0'; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        int r = mkdir(path, 0700);
        int error = errno;
        *c = '/';
        if (r != 0 && error != EEXIST) {
            errno = error;
            return ERR_SYS;
        }
    }
    return 0;
}

static int write_all(int fd, const struct buf *b)
{
    for (size_t done = 0; done < b->len;) {
        ssize_t n = write(fd, b->data + done, b->len - done);
        if (n < 0)
            return ERR_SYS;
        done += (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : ERR_SYS;
}

/* errno tells why on ERR_SYS. */
static int replace_file(const char *path, const char *temporary, const struct buf *text)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_SYS;
    int r = write_all(fd, text);
    int error = errno;
    if (close(fd) != 0 && r == 0) {
        r = ERR_SYS;
        error = errno;
    }
    if (r == 0 && rename(temporary, path) != 0) {
        r = ERR_SYS;
        error = errno;
    }
    if (r != 0)
        (void)unlink(temporary);
    errno = error;
    return r;
}

int profile_write(const char *path, const struct profile *v, struct problem *p)
{
    struct buf text CLEANUP_BUF;
    struct buf temporary CLEANUP_BUF;
    buf_init(&text, PROFILE_BYTES_MAX);
    buf_init(&temporary, 8192);
    int r = to_yaml(v, &text);
    if (r != 0)
        return problem_set(p, r, "cannot write the configuration", "%s",
                           r == ERR_INVALID ? "a value cannot be put in YAML" : "out of memory");
    r = buf_printf(&temporary, "%s.%ld.new", path, (long)getpid());
    if (r != 0)
        return problem_set(p, r, "cannot write the configuration", "out of memory");
    r = make_directories(temporary.data);
    if (r == 0)
        r = replace_file(path, temporary.data, &text);
    explicit_bzero(text.data, text.len);
    return r == 0 ? 0
                  : problem_set(p, r, "cannot write the configuration", "%.300s: %s", path,
                                strerror(errno));
}
