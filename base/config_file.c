/* The configuration file: read whole (it is small and read before the loop runs), line by line. */
#include "base/config_file.h"

#include "base/config_value.h"
#include "base/err.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_SHOWN_MAX 64

struct config_file {
    const struct config_table *table;
    void *settings;
    const char *path;
    int line;
    int *seen; /* for each option the line it stands on; 0 = none */
    struct buf *error;
};

static int read_all(const char *path, struct buf *out, struct buf *error)
{
    char chunk[4096];
    size_t n;
    int r = 0;
    FILE *f = fopen(path, "re");

    if (!f) {
        r = buf_printf(error, "%s: cannot be read: %s", path, strerror(errno));
        return r < 0 ? r : ERR_INVALID;
    }
    while (r == 0 && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        r = buf_append(out, chunk, n);
    if (r == ERR_TOO_LARGE) {
        r = buf_printf(error, "%s: must be at most %d bytes", path, CONFIG_FILE_MAX);
        r = r < 0 ? r : ERR_INVALID;
    } else if (r == 0 && ferror(f)) {
        r = buf_printf(error, "%s: cannot be read: %s", path, strerror(errno));
        r = r < 0 ? r : ERR_INVALID;
    }
    (void)fclose(f); /* only read from */
    return r;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *s)
{
    while (is_blank(*s))
        s++;
    size_t n = strlen(s);
    while (n > 0 && is_blank(s[n - 1]))
        n--;
    s[n] = '\0';
    return s;
}

/* A # begins a comment at the line's start and behind a blank; a URL may hold one. */
static void cut_comment(char *s)
{
    for (char *p = s; (p = strchr(p, '#')) != NULL; p++) {
        if (p == s || is_blank(p[-1])) {
            *p = '\0';
            return;
        }
    }
}

static int refuse_line(struct config_file *f, const char *name, const char *why)
{
    int r = buf_printf(f->error, "%s:%d: ", f->path, f->line);

    if (r == 0 && name)
        r = json_append_string(f->error, name, strnlen(name, NAME_SHOWN_MAX));
    if (r == 0)
        r = buf_printf(f->error, "%s%s", name ? " " : "", why);
    return r < 0 ? r : ERR_INVALID;
}

static int load_line(struct config_file *f, char *line)
{
    char why[48];
    struct buf rule CLEANUP_BUF = {.max = CONFIG_RULE_MAX};

    cut_comment(line);
    char *name = trim(line);
    if (*name == '\0')
        return 0;
    char *equals = strchr(name, '=');
    if (!equals)
        return refuse_line(f, NULL, "must be NAME = VALUE");
    *equals = '\0';
    name = trim(name);
    const char *value = trim(equals + 1);
    const struct config_option *o = config_find(f->table, name, strlen(name));
    if (!o)
        return refuse_line(f, name, "is no known setting");
    int *seen = &f->seen[o - f->table->options];
    if (*seen) {
        (void)snprintf(why, sizeof(why), "was already set on line %d", *seen);
        return refuse_line(f, name, why);
    }
    *seen = f->line;
    int r = config_set(o, f->settings, value, &rule);
    if (r != ERR_INVALID)
        return r;
    r = buf_printf(f->error, "%s:%d: %s: %s", f->path, f->line, name, rule.data);
    return r < 0 ? r : ERR_INVALID;
}

static int load_text(struct config_file *f, struct buf *text)
{
    const char *end = text->data + text->len;
    int r = 0;

    for (char *line = text->data; r == 0 && line && line < end;) {
        char *newline = line + strcspn(line, "\n");

        f->line++;
        if (*newline == '\0' && newline < end)
            return refuse_line(f, NULL, "must not hold NUL");
        *newline = '\0';
        r = load_line(f, line);
        line = newline + 1;
    }
    return r;
}

int config_load_file(const struct config_table *t, void *settings, const char *path,
                     struct buf *error)
{
    struct buf text CLEANUP_BUF = {.max = CONFIG_FILE_MAX};
    struct config_file f = {.table = t, .settings = settings, .path = path, .error = error};

    int r = read_all(path, &text, error);
    if (r < 0)
        return r;
    f.seen = calloc(t->count + 1, sizeof(*f.seen));
    if (!f.seen)
        return ERR_NOMEM;
    r = load_text(&f, &text);
    free(f.seen);
    return r;
}
