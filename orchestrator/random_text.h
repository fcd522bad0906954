/*
 * Secrets that are random bytes as base64url text without padding: tickets, claim tokens. What is
 * stored of one is its hash (api_key_hash).
 */
#ifndef TAILGATE_ORCHESTRATOR_RANDOM_TEXT_H
#define TAILGATE_ORCHESTRATOR_RANDOM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define RANDOM_TEXT_BYTES_MAX 32
/* Characters of n bytes. */
#define RANDOM_TEXT_LEN(n) (((n)*8 + 5) / 6)

/* ret: RANDOM_TEXT_LEN(bytes) + 1. */
void random_text_make(size_t bytes, char *ret);
/* Whether it could be one of so many bytes. */
bool random_text_is_well_formed(const char *text, size_t bytes);

#endif
