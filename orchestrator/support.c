/* Operations that outlive nobody, problems in people's words, and lists of strings. */
#include "orchestrator/internal.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

void op_begin(struct orchestrator *o, struct op *op,
              void (*cancel)(struct op *, const struct problem *))
{
    op->o = o;
    op->cancel = cancel;
    list_append(&o->ops, &op->node);
}

bool op_end(struct op *op)
{
    if (!op->o)
        return false;
    list_remove(&op->node);
    return true;
}

void ops_cancel_all(struct orchestrator *o)
{
    struct problem p;
    (void)problem_set(&p, ERR_CLOSED, "Server error", "the server is shutting down");
    for (struct list *node; (node = list_pop(&o->ops)) != NULL;) {
        struct op *op = LIST_ENTRY(node, struct op, node);
        op->o = NULL;
        if (op->cancel)
            op->cancel(op, &p);
    }
}

int problem_store(struct problem *p, int err, const char *error)
{
    switch (err) {
    case ERR_NOMEM:
        return problem_set(p, err, error, "the server is out of memory");
    case ERR_CLOSED:
        return problem_set(p, err, error, "the server is shutting down");
    case ERR_DB_AWAY:
        return problem_set(p, err, error, "the database is not reachable");
    case ERR_TIMEOUT:
        return problem_set(p, ERR_DB_AWAY, error, "the database did not answer in time");
    case ERR_LIMIT:
        return problem_set(p, ERR_DB_AWAY, error, "too many requests are waiting for the database");
    case ERR_DB:
    case ERR_CONFLICT:
        return problem_set(p, ERR_DB, error, "the database refused the statement");
    default:
        return problem_set(p, ERR_INTERNAL, error, "internal error %s", err_name(err));
    }
}

int problem_no_execution(struct problem *p, const char *error)
{
    return problem_set(p, ERR_NOT_FOUND, error, "execution not found");
}

int problem_unless_started(const struct orchestrator *o, struct problem *p, const char *error)
{
    if (o->is_leaving)
        return problem_set(p, ERR_CLOSED, error, "the server is shutting down");
    if (!o->is_started)
        return problem_set(p, ERR_CLOSED, error, "the server is starting");
    return 0;
}

char *path_join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + 1 + strlen(name) + 1;
    char *path = malloc(size);
    if (path)
        (void)snprintf(path, size, "%s/%s", dir, name);
    return path;
}

void strings_free(char **strings)
{
    for (char **s = strings; s && *s; s++)
        free(*s);
    free(strings);
}

char **paths_split(const char *list)
{
    size_t n = 1;
    for (const char *c = list ? list : ""; *c; c++)
        n += *c == ':';
    char **ret = calloc(n + 1, sizeof *ret);
    if (!ret)
        return NULL;
    size_t count = 0;
    for (const char *at = list ? list : ""; *at;) {
        size_t len = strcspn(at, ":");
        if (len > 0 && !(ret[count++] = strndup(at, len))) {
            strings_free(ret);
            return NULL;
        }
        at += len + (at[len] == ':');
    }
    return ret;
}
