/*
 * Reading goes by libyaml's events, which expand nothing: anchors, aliases and nesting cost no more
 * than the file's own bytes, and those are bounded. Settings that we do not know are skipped whole.
 */
#include "cli/profile.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

void profile_done(struct profile *v)
{
    free(v->api_endpoint);
    if (v->api_key != NULL)
        explicit_bzero(v->api_key, strlen(v->api_key));
    free(v->api_key);
    free(v->ca_file);
    *v = (struct profile){0};
}

int profile_path(struct buf *ret, struct problem *p)
{
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int r = 0;
    /* The XDG specification has relative paths ignored. */
    if (xdg != NULL && xdg[0] == '/')
        r = buf_printf(ret, "%s/tailgate/config.yaml", xdg);
    else if (home != NULL && home[0] == '/')
        r = buf_printf(ret, "%s/.config/tailgate/config.yaml", home);
    else
        return problem_set(p, ERR_INVALID, "no place for the configuration",
                           "neither HOME nor XDG_CONFIG_HOME names a directory");
    return r == 0 ? 0 : problem_set(p, r, "no place for the configuration", "path is too long");
}

int profile_slurp(const char *path, struct buf *out, struct problem *p, bool *ret_exposed)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return problem_set(p, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYS, "cannot read file",
                           "%.300s: %s", path, strerror(errno));
    struct stat st = {0};
    int r = 0;
    if (fstat(fd, &st) != 0)
        r = problem_set(p, ERR_SYS, "cannot read file", "%.300s: %s", path, strerror(errno));
    *ret_exposed = S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    while (r == 0) {
        char block[4096];
        ssize_t n = read(fd, block, sizeof block);
        if (n == 0)
            break;
        if (n < 0)
            r = problem_set(p, ERR_SYS, "cannot read file", "%.300s: %s", path, strerror(errno));
        else if ((r = buf_append(out, block, (size_t)n)) != 0)
            r = problem_set(p, r, "cannot read file", "%.300s: more than %zu bytes", path,
                            out->max);
        explicit_bzero(block, sizeof block);
    }
    (void)close(fd);
    return r;
}

struct reader {
    yaml_parser_t parser;
    const char *path;
    struct problem *p;
    struct profile *values;
};

static int broken(struct reader *rd, const yaml_mark_t *mark, const char *rule)
{
    return problem_set(rd->p, ERR_INVALID, "unusable configuration", "%.300s:%zu: %s", rd->path,
                       mark->line + 1, rule);
}

static int next(struct reader *rd, yaml_event_t *ev)
{
    if (yaml_parser_parse(&rd->parser, ev))
        return 0;
    if (rd->parser.error == YAML_MEMORY_ERROR)
        return problem_set(rd->p, ERR_NOMEM, "unusable configuration", "out of memory");
    return broken(rd, &rd->parser.problem_mark,
                  rd->parser.problem != NULL ? rd->parser.problem : "no YAML");
}

/* Passes over the rest of a value whose first event is *ev; frees *ev. */
static int skip_value(struct reader *rd, yaml_event_t *ev)
{
    int depth = 0;
    for (;;) {
        if (ev->type == YAML_MAPPING_START_EVENT || ev->type == YAML_SEQUENCE_START_EVENT)
            depth++;
        if (ev->type == YAML_MAPPING_END_EVENT || ev->type == YAML_SEQUENCE_END_EVENT)
            depth--;
        yaml_event_delete(ev);
        if (depth == 0)
            return 0;
        int r = next(rd, ev);
        if (r != 0)
            return r;
    }
}

static char **slot(struct profile *v, const yaml_event_t *key)
{
    const char *name = (const char *)key->data.scalar.value;
    if (strlen(name) != key->data.scalar.length)
        return NULL;
    if (strcmp(name, "api_endpoint") == 0)
        return &v->api_endpoint;
    if (strcmp(name, "api_key") == 0)
        return &v->api_key;
    return strcmp(name, "ca_file") == 0 ? &v->ca_file : NULL;
}

static int take_scalar(struct reader *rd, const yaml_event_t *ev, char **at)
{
    if (ev->type != YAML_SCALAR_EVENT)
        return broken(rd, &ev->start_mark, "the value must be a plain text");
    const char *text = (const char *)ev->data.scalar.value;
    if (*at != NULL)
        return broken(rd, &ev->start_mark, "the setting is given twice");
    for (size_t i = 0; i < ev->data.scalar.length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return broken(rd, &ev->start_mark, "the value holds a control character");
    int r = text[0] == '\0' ? 0 : str_set(at, text);
    return r == 0 ? 0 : problem_set(rd->p, r, "unusable configuration", "out of memory");
}

/* One pair of the outermost mapping, its key in *ev; frees *ev. */
static int read_pair(struct reader *rd, yaml_event_t *ev)
{
    if (ev->type != YAML_SCALAR_EVENT) {
        int r = broken(rd, &ev->start_mark, "a setting's name must be a plain text");
        yaml_event_delete(ev);
        return r;
    }
    char **at = slot(rd->values, ev);
    yaml_event_delete(ev);
    int r = next(rd, ev);
    if (r != 0)
        return r;
    if (at == NULL)
        return skip_value(rd, ev);
    r = take_scalar(rd, ev, at);
    yaml_event_delete(ev);
    return r;
}

static int read_document(struct reader *rd)
{
    bool in_mapping = false;
    for (;;) {
        yaml_event_t ev;
        int r = next(rd, &ev);
        if (r != 0)
            return r;
        if (ev.type == YAML_STREAM_END_EVENT) {
            yaml_event_delete(&ev);
            return 0;
        }
        bool is_frame = ev.type == YAML_STREAM_START_EVENT || ev.type == YAML_DOCUMENT_END_EVENT ||
                        ev.type == YAML_DOCUMENT_START_EVENT;
        if (in_mapping && ev.type != YAML_MAPPING_END_EVENT) {
            if ((r = read_pair(rd, &ev)) != 0)
                return r;
            continue;
        }
        bool is_empty = ev.type == YAML_SCALAR_EVENT && ev.data.scalar.length == 0;
        if (!is_frame && !is_empty && ev.type != YAML_MAPPING_START_EVENT &&
            ev.type != YAML_MAPPING_END_EVENT)
            r = broken(rd, &ev.start_mark, "settings must be \"name: value\"");
        in_mapping = ev.type == YAML_MAPPING_START_EVENT;
        yaml_event_delete(&ev);
        if (r != 0)
            return r;
    }
}

int profile_read(const char *path, struct profile *ret, struct problem *p)
{
    struct buf text CLEANUP_BUF;
    buf_init(&text, PROFILE_BYTES_MAX);
    struct profile values = {0};
    int r = profile_slurp(path, &text, p, &values.is_exposed);
    if (r == ERR_NOT_FOUND) {
        *ret = values;
        return 0;
    }
    if (r != 0)
        return r;
    struct reader rd = {.path = path, .p = p, .values = &values};
    if (!yaml_parser_initialize(&rd.parser))
        return problem_set(p, ERR_NOMEM, "unusable configuration", "out of memory");
    yaml_parser_set_input_string(
        &rd.parser, (const unsigned char *)(text.data != NULL ? text.data : ""), text.len);
    r = read_document(&rd);
    yaml_parser_delete(&rd.parser);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    if (r == 0)
        *ret = values;
    else
        profile_done(&values);
    return r;
}
