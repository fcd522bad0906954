/* Chained buckets, doubled at one entry a bucket. */
#include "logs/keymap.h"

#include "base/err.h"

#define KEYMAP_BITS_FIRST 6u
#define KEYMAP_BITS_MAX 24u

/* Fibonacci hashing: keys of one day differ in their low bits only. */
static size_t bucket_of(int64_t key, unsigned bits)
{
    return (size_t)(((uint64_t)key * 0x9E3779B97F4A7C15u) >> (64 - bits));
}

int keymap_init(struct keymap *m)
{
    m->bits = KEYMAP_BITS_FIRST;
    m->count = 0;
    m->buckets = calloc((size_t)1 << m->bits, sizeof(struct keymap_node *));
    return m->buckets ? 0 : ERR_NOMEM;
}

void keymap_done(struct keymap *m)
{
    free(m->buckets);
    m->buckets = NULL;
    m->count = 0;
}

struct keymap_node *keymap_get(const struct keymap *m, int64_t key)
{
    struct keymap_node *n = m->buckets[bucket_of(key, m->bits)];
    while (n && n->key != key)
        n = n->next;
    return n;
}

static void insert(struct keymap_node **buckets, unsigned bits, struct keymap_node *n)
{
    struct keymap_node **head = &buckets[bucket_of(n->key, bits)];
    n->next = *head;
    *head = n;
}

static void grow(struct keymap *m)
{
    unsigned bits = m->bits + 1;
    struct keymap_node **buckets = calloc((size_t)1 << bits, sizeof(struct keymap_node *));
    if (!buckets)
        return;
    for (size_t i = 0; i < (size_t)1 << m->bits; i++)
        for (struct keymap_node *n = m->buckets[i], *next; n; n = next) {
            next = n->next;
            insert(buckets, bits, n);
        }
    free(m->buckets);
    m->buckets = buckets;
    m->bits = bits;
}

void keymap_put(struct keymap *m, struct keymap_node *n)
{
    if (m->count >= (size_t)1 << m->bits && m->bits < KEYMAP_BITS_MAX)
        grow(m);
    insert(m->buckets, m->bits, n);
    m->count++;
}

void keymap_remove(struct keymap *m, struct keymap_node *n)
{
    for (struct keymap_node **p = &m->buckets[bucket_of(n->key, m->bits)]; *p; p = &(*p)->next)
        if (*p == n) {
            *p = n->next;
            m->count--;
            return;
        }
}
