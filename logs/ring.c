/* A topic's latest chunks as an array that goes round; the oldest at base. */
#include "base/err.h"
#include "logs/hub_internal.h"

#define RING_CAP_FIRST 16u

static struct chunk **slot(const struct chunk_ring *r, uint64_t index)
{
    return &r->slots[index & (r->cap - 1)];
}

void ring_done(struct chunk_ring *r)
{
    for (struct chunk *c = ring_shift(r); c; c = ring_shift(r))
        chunk_unref(c);
    free(r->slots);
    *r = (struct chunk_ring){0};
}

static int ring_grow(struct chunk_ring *r)
{
    struct chunk_ring bigger = {.cap = r->cap ? r->cap * 2 : RING_CAP_FIRST};
    bigger.slots = calloc(bigger.cap, sizeof(struct chunk *));
    if (!bigger.slots)
        return ERR_NOMEM;
    for (uint64_t i = r->base; i < r->base + r->count; i++)
        *slot(&bigger, i) = *slot(r, i);
    free(r->slots);
    r->slots = bigger.slots;
    r->cap = bigger.cap;
    return 0;
}

int ring_push(struct chunk_ring *r, struct chunk *c)
{
    if (r->count == r->cap && ring_grow(r) < 0)
        return ERR_NOMEM;
    *slot(r, r->base + r->count) = c;
    r->count++;
    return 0;
}

struct chunk *ring_shift(struct chunk_ring *r)
{
    if (r->count == 0)
        return NULL;
    struct chunk *c = *slot(r, r->base);
    r->base++;
    r->count--;
    return c;
}

struct chunk *ring_last(const struct chunk_ring *r)
{
    return r->count ? *slot(r, r->base + r->count - 1) : NULL;
}

static bool holds(const struct chunk *c, uint64_t seq)
{
    return c->first_seq <= seq && seq <= chunk_last_seq(c);
}

struct chunk *ring_find(const struct chunk_ring *r, uint64_t seq, uint64_t *hint)
{
    uint64_t end = r->base + r->count;
    if (*hint >= r->base && *hint < end && holds(*slot(r, *hint), seq))
        return *slot(r, (*hint)++);
    if (r->count == 0 || seq < (*slot(r, r->base))->first_seq || seq > chunk_last_seq(ring_last(r)))
        return NULL;
    /* The first chunk that does not end before seq. */
    uint64_t low = r->base, high = end - 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (chunk_last_seq(*slot(r, middle)) < seq)
            low = middle + 1;
        else
            high = middle;
    }
    *hint = low + 1;
    return *slot(r, low);
}
