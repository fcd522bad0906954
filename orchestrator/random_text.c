/* Random bytes as text and back. */
#include "orchestrator/random_text.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

static_assert(sodium_base64_ENCODED_LEN(RANDOM_TEXT_BYTES_MAX, VARIANT) ==
                  RANDOM_TEXT_LEN(RANDOM_TEXT_BYTES_MAX) + 1,
              "text length");

void random_text_make(size_t bytes, char *ret)
{
    unsigned char random[RANDOM_TEXT_BYTES_MAX];
    assert(bytes <= sizeof random);
    randombytes_buf(random, bytes);
    (void)sodium_bin2base64(ret, RANDOM_TEXT_LEN(bytes) + 1, random, bytes, VARIANT);
    sodium_memzero(random, sizeof random);
}

bool random_text_is_well_formed(const char *text, size_t bytes)
{
    unsigned char random[RANDOM_TEXT_BYTES_MAX];
    size_t len = RANDOM_TEXT_LEN(bytes), n = 0;
    assert(bytes <= sizeof random);
    bool ok = strnlen(text, len + 1) == len &&
              sodium_base642bin(random, bytes, text, len, NULL, &n, NULL, VARIANT) == 0 &&
              n == bytes;
    sodium_memzero(random, sizeof random);
    return ok;
}
