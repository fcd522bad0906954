/* One item of a feed: born zeroed, freed with what it holds. */
#include "logs/writer_internal.h"

struct item *item_new(enum item_kind kind)
{
    struct item *i = calloc(1, sizeof *i);
    if (!i)
        return NULL;
    list_init(&i->node);
    list_init(&i->in_compress);
    i->kind = kind;
    return i;
}

void item_free(struct item *i)
{
    if (!i)
        return;
    if (i->feed)
        compress_forget(i->feed->w->compressor, i);
    chunk_unref(i->chunk);
    free(i->data);
    free(i->carry);
    free(i->cause);
    free(i->request_id);
    free(i);
}
