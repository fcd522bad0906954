/*
 * A trie with failure links. The root's children stand in a table, all others in lists: below the
 * first few bytes a node has nearly always one child, and tables would take a kilobyte a node.
 */
#include "logs/automaton.h"

#include "base/err.h"

#include <string.h>

#define NODES_FIRST 1024u
#define TRIPLE_BITS 16
#define TRIPLE_WORDS ((1u << TRIPLE_BITS) / 64u)
/* How far the root's search steps, and what it looks at: 4 + 3 - 1 = AUTOMATON_STRING_MIN. */
#define STEP 4u
#define TRIPLE 3u

#define NODE_WRAPS 1u
#define NODE_ENDS 2u

struct node { /* 24 bytes */
    uint32_t child, sibling, fail, parent;
    uint16_t depth;
    uint16_t match; /* length of the longest string that ends here; 0 = none */
    uint8_t byte, flags;
};

struct automaton {
    struct node *nodes;
    size_t count, capacity, max;
    uint32_t root[256];
    uint8_t fold[256];
    uint64_t triples[TRIPLE_WORDS];
};

int automaton_new(size_t nodes_max, struct automaton **ret)
{
    struct automaton *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->nodes = calloc(NODES_FIRST, sizeof *a->nodes);
    if (!a->nodes) {
        free(a);
        return ERR_NOMEM;
    }
    a->capacity = NODES_FIRST;
    a->count = 1;
    a->max = nodes_max < UINT32_MAX / 2 ? nodes_max : UINT32_MAX / 2;
    for (size_t i = 0; i < sizeof a->fold; i++)
        a->fold[i] = (uint8_t)i;
    a->fold['-'] = '+';
    a->fold['_'] = '/';
    *ret = a;
    return 0;
}

void automaton_free(struct automaton *a)
{
    if (!a)
        return;
    explicit_bzero(a->nodes, a->capacity * sizeof *a->nodes);
    free(a->nodes);
    explicit_bzero(a, sizeof *a);
    free(a);
}

size_t automaton_nodes(const struct automaton *a)
{
    return a->count - 1;
}

/* ---- building ---- */

static uint32_t child_of(const struct automaton *a, uint32_t state, uint8_t byte)
{
    if (state == AUTOMATON_ROOT)
        return a->root[byte];
    uint32_t c = a->nodes[state].child;
    while (c != 0 && a->nodes[c].byte != byte)
        c = a->nodes[c].sibling;
    return c;
}

/* By hand: what realloc leaves behind is not wiped. */
static int grow(struct automaton *a)
{
    if (a->count < a->capacity)
        return 0;
    struct node *wider = calloc(a->capacity * 2, sizeof *wider);
    if (!wider)
        return ERR_NOMEM;
    memcpy(wider, a->nodes, a->count * sizeof *wider);
    explicit_bzero(a->nodes, a->capacity * sizeof *a->nodes);
    free(a->nodes);
    a->nodes = wider;
    a->capacity *= 2;
    return 0;
}

static int add_child(struct automaton *a, uint32_t parent, uint8_t byte, uint32_t *ret)
{
    if (a->count > a->max)
        return ERR_LIMIT;
    int rc = grow(a);
    if (rc < 0)
        return rc;
    uint32_t fresh = (uint32_t)a->count++;
    struct node *p = &a->nodes[parent], *n = &a->nodes[fresh];
    *n = (struct node){.parent = parent, .depth = (uint16_t)(p->depth + 1), .byte = byte};
    if (parent == AUTOMATON_ROOT) {
        a->root[byte] = fresh;
    } else {
        n->sibling = p->child;
        p->child = fresh;
    }
    *ret = fresh;
    return 0;
}

int automaton_add(struct automaton *a, const uint8_t *p, size_t len, bool wraps)
{
    if (len < AUTOMATON_STRING_MIN || len > AUTOMATON_STRING_MAX)
        return ERR_INVALID;
    uint32_t at = AUTOMATON_ROOT;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = a->fold[p[i]];
        uint32_t next = child_of(a, at, byte);
        int rc = next ? 0 : add_child(a, at, byte, &next);
        if (rc < 0)
            return rc;
        at = next;
        if (wraps)
            a->nodes[at].flags |= NODE_WRAPS;
    }
    a->nodes[at].flags |= NODE_ENDS;
    return 0;
}

static uint32_t hash_triple(uint32_t triple)
{
    return triple * 0x9E3779B1u >> (32 - TRIPLE_BITS); /* Fibonacci hashing */
}

static void add_triple(struct automaton *a, const uint8_t bytes[TRIPLE])
{
    uint32_t h =
        hash_triple((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16);
    a->triples[h / 64] |= UINT64_C(1) << h % 64;
}

/* The triple that ends at node n, in all its spellings. */
static void add_triples(struct automaton *a, const struct node *n)
{
    const struct node *p = &a->nodes[n->parent];
    const uint8_t folded[TRIPLE] = {a->nodes[p->parent].byte, p->byte, n->byte};
    for (unsigned variant = 0; variant < 1u << TRIPLE; variant++) {
        uint8_t bytes[TRIPLE];
        for (unsigned i = 0; i < TRIPLE; i++) {
            bool other = variant >> i & 1u;
            uint8_t b = folded[i];
            bytes[i] = b == '+' && other ? '-' : b == '/' && other ? '_' : b;
        }
        add_triple(a, bytes);
    }
}

static void link_node(struct automaton *a, uint32_t state)
{
    struct node *n = &a->nodes[state];
    if (n->parent != AUTOMATON_ROOT) {
        uint32_t f = a->nodes[n->parent].fail, next = child_of(a, f, n->byte);
        while (f != AUTOMATON_ROOT && next == 0) {
            f = a->nodes[f].fail;
            next = child_of(a, f, n->byte);
        }
        n->fail = next;
    }
    n->match = n->flags & NODE_ENDS ? n->depth : a->nodes[n->fail].match;
    if (n->depth >= TRIPLE && n->depth <= AUTOMATON_STRING_MIN)
        add_triples(a, n);
}

int automaton_finish(struct automaton *a)
{
    uint32_t *queue = malloc(a->count * sizeof *queue);
    size_t head = 0, tail = 0;
    if (!queue)
        return ERR_NOMEM;
    for (size_t b = 0; b < 256; b++) {
        if (a->root[b] != 0)
            queue[tail++] = a->root[b];
    }
    /* By depth: a failure link points to a shorter beginning, which is linked already. */
    while (head < tail) {
        uint32_t state = queue[head++];
        link_node(a, state);
        for (uint32_t c = a->nodes[state].child; c != 0; c = a->nodes[c].sibling)
            queue[tail++] = c;
    }
    free(queue);
    return 0;
}

/* ---- searching ---- */

static uint32_t step(const struct automaton *a, uint32_t state, uint8_t raw)
{
    uint8_t byte = a->fold[raw];
    uint32_t next = child_of(a, state, byte);
    while (next == 0 && state != AUTOMATON_ROOT) {
        state = a->nodes[state].fail;
        next = child_of(a, state, byte);
    }
    return next;
}

/* A string that no other goes on from is over: what its end begins counts. */
static uint32_t what_goes_on(const struct automaton *a, uint32_t state)
{
    while (state != AUTOMATON_ROOT && a->nodes[state].child == 0)
        state = a->nodes[state].fail;
    return state;
}

/*
 * From the root at p[i]: the first place at which a string may begin, to within STEP bytes; or a
 * place so near the end that it must be looked at byte by byte.
 */
static size_t skip(const struct automaton *a, const uint8_t *p, size_t i, size_t n)
{
    while (n - i >= STEP - 1 + sizeof(uint32_t)) {
        uint32_t four;
        memcpy(&four, p + i + STEP - 1, sizeof four);
        uint32_t h = hash_triple(four & 0xffffffu); /* little endian, as all we run on */
        if (a->triples[h / 64] >> h % 64 & 1u)
            return i;
        i += STEP;
    }
    return i;
}

size_t automaton_scan(const struct automaton *a, uint32_t *state, const uint8_t *p, size_t n,
                      size_t *ret_length)
{
    uint32_t s = *state;
    size_t i = 0;
    *ret_length = 0;
    while (i < n) {
        if (s == AUTOMATON_ROOT)
            i = skip(a, p, i, n);
        /* What made the skipping stop is passed before it goes on. */
        size_t past = i + STEP;
        do {
            s = step(a, s, p[i++]);
            if (a->nodes[s].match != 0) {
                *ret_length = a->nodes[s].match;
                *state = what_goes_on(a, s);
                return i;
            }
        } while (i < n && (s != AUTOMATON_ROOT || i < past));
    }
    *state = s;
    return n;
}

size_t automaton_depth(const struct automaton *a, uint32_t state)
{
    return a->nodes[state].depth;
}

uint32_t automaton_wrap(const struct automaton *a, uint32_t state)
{
    while (state != AUTOMATON_ROOT && !(a->nodes[state].flags & NODE_WRAPS))
        state = a->nodes[state].fail;
    return state;
}

void automaton_text(const struct automaton *a, uint32_t state, uint8_t *ret)
{
    for (; state != AUTOMATON_ROOT; state = a->nodes[state].parent)
        ret[a->nodes[state].depth - 1] = a->nodes[state].byte;
}
