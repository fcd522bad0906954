/*
 * A hash table from execution_key to what holds a struct keymap_node: intrusive, so that putting in
 * cannot fail. It grows when it can; without memory it only gets slower.
 */
#ifndef TAILGATE_LOGS_KEYMAP_H
#define TAILGATE_LOGS_KEYMAP_H

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct keymap_node {
    int64_t key;
    struct keymap_node *next;
};
struct keymap {
    struct keymap_node **buckets;
    unsigned bits; /* 2^bits buckets */
    size_t count;
};

MUST_CHECK int keymap_init(struct keymap *m); /* ERR_NOMEM */
void keymap_done(struct keymap *m);
struct keymap_node *keymap_get(const struct keymap *m, int64_t key); /* NULL when absent */
/* n->key is set and not in the table. */
void keymap_put(struct keymap *m, struct keymap_node *n);
void keymap_remove(struct keymap *m, struct keymap_node *n); /* absent is fine */

#endif
