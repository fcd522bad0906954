/*
 * Stream tokens: what Runvoy's websocket_url carries. Stateless, so that every gateway with the
 * same server key accepts them; the user is looked up again at each use, so a token dies with its
 * user.
 *
 *   0     1               17             25             33            65
 *   | v=1 | execution id  | user_key     | expires (s)  | MAC         |
 *   | u8  | 16 bytes      | u64          | u64          | 32 bytes    |   little endian, base64url
 *
 * MAC = crypto_auth (HMAC-SHA-512-256) over PURPOSE and the bytes before it.
 */
#include "orchestrator/internal.h"

#include "base/clock.h"
#include "base/str.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define TOKEN_VERSION 1
#define ID_AT 1
#define ID_BYTES (EXECUTION_ID_LEN / 2)
#define USER_AT (ID_AT + ID_BYTES)
#define EXPIRES_AT (USER_AT + 8)
#define MAC_AT (EXPIRES_AT + 8)
#define TOKEN_BYTES (MAC_AT + crypto_auth_BYTES)
/* The same key may serve other purposes later; what is signed for one is nothing for another. */
#define PURPOSE "tailgate stream token"
#define PURPOSE_LEN (sizeof PURPOSE - 1)

static_assert(TOKEN_KEY_LEN == crypto_auth_KEYBYTES, "key length");
static_assert(sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING) <=
                  STREAM_TOKEN_SIZE,
              "token length");

static void put_u64(uint8_t *p, uint64_t v)
{
    for (size_t i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_u64(const uint8_t *p)
{
    uint64_t v = 0;
    for (size_t i = 8; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

/* What the MAC covers. */
static void signed_bytes(const uint8_t token[MAC_AT], uint8_t ret[PURPOSE_LEN + MAC_AT])
{
    memcpy(ret, PURPOSE, PURPOSE_LEN);
    memcpy(ret + PURPOSE_LEN, token, MAC_AT);
}

int orchestrator_token_make(struct orchestrator *o, const struct principal *who,
                            const struct execution_id *id, char ret[STREAM_TOKEN_SIZE])
{
    if (!o->has_token_key)
        return ERR_CLOSED;
    uint8_t token[TOKEN_BYTES], text[PURPOSE_LEN + MAC_AT];
    token[0] = TOKEN_VERSION;
    if (str_unhex(id->hex, ID_BYTES, token + ID_AT) < 0)
        return ERR_INVALID;
    put_u64(token + USER_AT, (uint64_t)who->user_key);
    put_u64(token + EXPIRES_AT, (uint64_t)(clock_wall_us() / 1000000 + o->opts.token_ttl_s));
    signed_bytes(token, text);
    (void)crypto_auth(token + MAC_AT, text, sizeof text, o->token_key); /* always 0 */
    (void)sodium_bin2base64(ret, STREAM_TOKEN_SIZE, token, sizeof token,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return 0;
}

int orchestrator_token_check(struct orchestrator *o, const char *token,
                             const struct execution_id *id, int64_t *ret_user_key)
{
    if (!o->has_token_key)
        return ERR_CLOSED;
    uint8_t bin[TOKEN_BYTES], text[PURPOSE_LEN + MAC_AT];
    size_t n = 0;
    size_t len = token ? strnlen(token, STREAM_TOKEN_SIZE) : 0;
    if (sodium_base642bin(bin, sizeof bin, token ? token : "", len, NULL, &n, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        n != sizeof bin || bin[0] != TOKEN_VERSION)
        return ERR_BAD_KEY;
    signed_bytes(bin, text);
    if (crypto_auth_verify(bin + MAC_AT, text, sizeof text, o->token_key) != 0)
        return ERR_BAD_KEY;
    if ((uint64_t)(clock_wall_us() / 1000000) >= get_u64(bin + EXPIRES_AT))
        return ERR_BAD_KEY;
    uint8_t wanted[ID_BYTES];
    if (str_unhex(id->hex, ID_BYTES, wanted) < 0 || memcmp(wanted, bin + ID_AT, ID_BYTES) != 0)
        return ERR_FORBIDDEN;
    *ret_user_key = (int64_t)get_u64(bin + USER_AT);
    return 0;
}
