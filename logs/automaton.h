/*
 * Many strings looked for at once, in a text that arrives in pieces (Aho-Corasick).
 *
 *   automaton_new ─▶ automaton_add … ─▶ automaton_finish ─▶ automaton_scan …
 *
 * A state is a number: the longest end of the text so far that begins one of the strings; 0: none.
 * '-' and '_' are taken for '+' and '/', so one string stands for both base64 alphabets.
 *
 * From state 0 four bytes are passed at a step: a string that begins in the next four bytes has its
 * fourth to sixth byte, or three earlier ones, at one place, and a bitmap knows the triples that
 * may stand there (as Wu and Manber's algorithm skips).
 */
#ifndef TAILGATE_LOGS_AUTOMATON_H
#define TAILGATE_LOGS_AUTOMATON_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTOMATON_STRING_MIN 6u
#define AUTOMATON_STRING_MAX 65535u
#define AUTOMATON_ROOT 0u

struct automaton;
/* nodes_max: bytes of all strings, shared beginnings counted once. ERR_NOMEM. */
MUST_CHECK int automaton_new(size_t nodes_max, struct automaton **ret);
void automaton_free(struct automaton *a); /* wipes; NULL is fine */
/* wraps: it may go on behind the end of a line (automaton_wrap). ERR_LIMIT, ERR_NOMEM, ERR_INVALID
 * (length). */
MUST_CHECK int automaton_add(struct automaton *a, const uint8_t *p, size_t len, bool wraps);
MUST_CHECK int automaton_finish(struct automaton *a); /* ERR_NOMEM */
size_t automaton_nodes(const struct automaton *a);

/*
 * Goes on from *state until a string ends or p[0..n) is used up. Returns the bytes used;
 * *ret_length is the length of the longest string that ends there, 0: none, all n bytes are used.
 */
size_t automaton_scan(const struct automaton *a, uint32_t *state, const uint8_t *p, size_t n,
                      size_t *ret_length);
/* How many bytes of the text's end the state stands for. */
size_t automaton_depth(const struct automaton *a, uint32_t state);
/* The state behind the end of a line at which a string that wraps may go on. */
uint32_t automaton_wrap(const struct automaton *a, uint32_t state);
/* Those bytes, automaton_depth of them. */
void automaton_text(const struct automaton *a, uint32_t state, uint8_t *ret);

#endif
