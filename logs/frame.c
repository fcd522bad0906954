/* Frames: a chunk's wire bytes, made once a kind and shared by all who send them. */
#include "base/err.h"
#include "logs/hub_internal.h"

#include <string.h>

/* Scratch memory beyond this is given back after use. */
#define SCRATCH_KEEP (1u << 20)

static int frame_make(struct hub *h, const struct execution_id *id, const struct chunk *c, int kind,
                      uint32_t first_line, struct frame **ret)
{
    buf_clear(&h->scratch);
    int rc = h->encoders[kind].fn(h->encoders[kind].user, id, c, first_line, &h->scratch);
    struct frame *f = NULL;
    if (rc == 0) {
        f = malloc(sizeof *f + h->scratch.len);
        rc = f ? 0 : ERR_NOMEM;
    }
    if (f) {
        f->refs = 1;
        f->lines = c->n_lines - first_line;
        f->published_us = c->published_us;
        f->len = h->scratch.len;
        if (f->len > 0)
            memcpy(f->bytes, h->scratch.data, f->len);
        *ret = f;
    }
    if (h->scratch.cap > SCRATCH_KEEP)
        buf_done(&h->scratch);
    return rc;
}

/* The chunk grew by the frame: so did whatever holds it. */
static void account(struct hub *h, struct chunk *c, size_t bytes)
{
    c->memory += bytes;
    if (!c->in_ring && !c->in_page)
        return;
    struct keymap_node *n = keymap_get(&h->topics, c->execution_key);
    if (!n)
        return;
    struct topic *t = CONTAINER_OF(n, struct topic, by_key);
    if (c->in_page)
        hub_hold(t, &t->page_bytes, bytes);
    if (c->in_ring) {
        hub_hold(t, &t->ring_bytes, bytes);
        topic_trim(t);
    }
    hub_shrink(h);
}

int hub_frame(struct hub *h, const struct execution_id *id, struct chunk *c, int kind,
              uint32_t first_line, struct frame **ret)
{
    if (kind < 0 || kind >= h->n_encoders || first_line >= c->n_lines)
        return ERR_INVALID;
    if (first_line > 0)
        return frame_make(h, id, c, kind, first_line, ret);
    if (!c->frames[kind]) {
        int rc = frame_make(h, id, c, kind, 0, &c->frames[kind]);
        if (rc < 0)
            return rc;
        account(h, c, sizeof(struct frame) + c->frames[kind]->len);
    }
    *ret = frame_ref(c->frames[kind]);
    return 0;
}
