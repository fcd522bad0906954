/* The copy of a line that waits: it may hold a secret, so it is wiped. */
#include "logs/redaction_line.h"

#include <string.h>

struct line *line_new(const struct redaction_line *l)
{
    struct line *w = malloc(sizeof *w + l->len);
    if (!w)
        return NULL;
    *w = (struct line){.l = *l};
    memcpy(w->bytes, l->p, l->len);
    w->l.p = w->bytes;
    return w;
}

void line_free(struct line *w)
{
    if (!w)
        return;
    explicit_bzero(w->bytes, w->l.len);
    free(w);
}
