/*
 * API keys: random bytes as text with a checksum, so that a mistyped key is told from an unknown
 * one without asking the database. Only libsodium's hash of a key leaves this file.
 */
#include "orchestrator/keys.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define KEY_TAG "tg_"
#define KEY_TAG_LEN 3
#define KEY_RANDOM_LEN 32
#define KEY_DIGITS 43 /* 62^43 > 2^256 */
#define KEY_CHECK_DIGITS 6
#define KEY_CHECK_AT (KEY_TAG_LEN + KEY_DIGITS)

static_assert(KEY_CHECK_AT + KEY_CHECK_DIGITS == API_KEY_LEN, "key layout");
static_assert(API_KEY_HASH_LEN >= crypto_generichash_BYTES_MIN, "hash length");

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Big-endian bytes as base62, most significant digit first: long division, byte by byte. */
static void base62_of_bytes(uint8_t bytes[KEY_RANDOM_LEN], char ret[KEY_DIGITS])
{
    for (size_t d = KEY_DIGITS; d-- > 0;) {
        unsigned rest = 0;
        for (size_t i = 0; i < KEY_RANDOM_LEN; i++) {
            unsigned value = rest * 256u + bytes[i];
            bytes[i] = (uint8_t)(value / 62u);
            rest = value % 62u;
        }
        ret[d] = digits[rest];
    }
}

static void checksum(const char *text, char ret[KEY_CHECK_DIGITS])
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)text, KEY_CHECK_AT, NULL, 0);
    uint64_t n = 0;
    for (size_t i = 0; i < sizeof n; i++)
        n = n << 8 | hash[i];
    for (size_t d = KEY_CHECK_DIGITS; d-- > 0; n /= 62u)
        ret[d] = digits[n % 62u];
}

void api_key_make(char ret[API_KEY_LEN + 1])
{
    uint8_t bytes[KEY_RANDOM_LEN];
    randombytes_buf(bytes, sizeof bytes);
    memcpy(ret, KEY_TAG, KEY_TAG_LEN);
    base62_of_bytes(bytes, ret + KEY_TAG_LEN);
    checksum(ret, ret + KEY_CHECK_AT);
    ret[API_KEY_LEN] = '\0';
    sodium_memzero(bytes, sizeof bytes);
}

bool api_key_is_well_formed(const char *key)
{
    if (!key || strnlen(key, API_KEY_LEN + 1) != API_KEY_LEN ||
        memcmp(key, KEY_TAG, KEY_TAG_LEN) != 0)
        return false;
    if (strspn(key + KEY_TAG_LEN, digits) != API_KEY_LEN - KEY_TAG_LEN)
        return false;
    char check[KEY_CHECK_DIGITS];
    checksum(key, check);
    return memcmp(check, key + KEY_CHECK_AT, KEY_CHECK_DIGITS) == 0;
}

void api_key_prefix(const char *key, char ret[API_KEY_PREFIX_LEN + 1])
{
    memcpy(ret, key, API_KEY_PREFIX_LEN);
    ret[API_KEY_PREFIX_LEN] = '\0';
}

void api_key_hash(const char *key, uint8_t ret[API_KEY_HASH_LEN])
{
    (void)crypto_generichash(ret, API_KEY_HASH_LEN, (const unsigned char *)key, strlen(key), NULL,
                             0);
}
