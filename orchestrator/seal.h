/*
 * Sealing: what PostgreSQL keeps of secrets is encrypted with XChaCha20-Poly1305 (libsodium) under
 * a key that PostgreSQL never sees. The key file (--secrets-key-file) holds one line a key, the
 * current one first:
 *
 *   tailgate-secrets-key ID KEY        ID: 16 hex digits, KEY: 32 bytes as 64 hex digits
 *
 *   sealed bytes:  | nonce, 24 | ciphertext | tag, 16 |     beside them: the key's id
 *
 * Empty lines and lines that begin with # are passed over. `context` names what the bytes belong to
 * ("secret/NAME", "execution/ID"): sealed bytes that were moved to another row do not open. The
 * file is read again when it has changed (before each seal) or when an id is unknown, so keys are
 * rotated under running gateways.
 */
#ifndef TAILGATE_ORCHESTRATOR_SEAL_H
#define TAILGATE_ORCHESTRATOR_SEAL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_KEY_ID_LEN 16
#define SEAL_KEY_ID_SIZE (SEAL_KEY_ID_LEN + 1)
#define SEAL_OVERHEAD 40u /* nonce and tag */
#define SEAL_KEYS_MAX 16

struct sealer;

/*
 * Reads the key file. make: when there is none, makes one with a fresh key (0600). ERR_INVALID with
 * one line in error: missing, not a regular file, another user's, readable by group or others, or
 * not of that form; ERR_NOMEM.
 */
MUST_CHECK int sealer_new(const char *path, bool make, struct buf *error, struct sealer **ret);
void sealer_free(struct sealer *s); /* wipes the keys; NULL is fine */
const char *sealer_path(const struct sealer *s);
/* The id of the key that seal uses now. */
const char *sealer_key_id(const struct sealer *s);
bool sealer_has_key(const struct sealer *s, const char *key_id);

/* Appends len + SEAL_OVERHEAD bytes to out and tells the key's id, which is stored beside them.
 * ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int seal(struct sealer *s, const char *context, const void *plain, size_t len,
                    struct buf *out, char ret_key_id[SEAL_KEY_ID_SIZE]);
/*
 * The plain bytes in guarded memory, with a NUL behind them: give them back to seal_wipe.
 * ERR_NOT_FOUND (no key of that id, also after reading the file again), ERR_CORRUPT (other key,
 * context or bytes), ERR_NOMEM.
 */
MUST_CHECK int seal_open(struct sealer *s, const char *key_id, const char *context,
                         const void *sealed, size_t len, void **ret, size_t *ret_len);
void seal_wipe(void *plain); /* NULL is fine */

/* ---- rotation ---- */
/* Puts a fresh key first in the file (written beside it, synced, renamed). ERR_SYS, ERR_LIMIT
 * (SEAL_KEYS_MAX), ERR_NOMEM. */
MUST_CHECK int sealer_add_key(struct sealer *s);
/* Takes a key that is not the current one out of the file. ERR_SYS, ERR_NOT_FOUND, ERR_INVALID. */
MUST_CHECK int sealer_drop_key(struct sealer *s, const char *key_id);
size_t sealer_count(const struct sealer *s);
const char *sealer_key_id_at(const struct sealer *s, size_t i); /* 0: the current one */

#endif
