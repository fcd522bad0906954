/*
 * API keys: "tg_" + 32 random bytes in base62 (43 digits) + 6 base62 digits of checksum (of the
 * text before). Only a BLAKE2b hash, the first 8 characters and the last use are stored.
 */
#ifndef TAILGATE_ORCHESTRATOR_KEYS_H
#define TAILGATE_ORCHESTRATOR_KEYS_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define API_KEY_LEN 52 /* 3 + 43 + 6 */
#define API_KEY_PREFIX_LEN 8
#define API_KEY_HASH_LEN 32

void api_key_make(char ret[API_KEY_LEN + 1]);
bool api_key_is_well_formed(const char *key);
/* Its first characters, as they are shown. */
void api_key_prefix(const char *key, char ret[API_KEY_PREFIX_LEN + 1]);
void api_key_hash(const char *key, uint8_t ret[API_KEY_HASH_LEN]);

#endif
