/*
 * UTF-8 by the table of RFC 3629 section 4: which second bytes a lead byte allows decides overlong
 * forms, surrogates and what lies beyond U+10FFFF; all later bytes are 80..BF.
 */
#include "base/str.h"

#include <string.h>

struct lead {
    unsigned char first, last; /* lead bytes */
    unsigned char length;      /* of the whole character */
    unsigned char second_min, second_max;
};

static const struct lead leads[] = {
    {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF}, {0xE1, 0xEC, 3, 0x80, 0xBF},
    {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF}, {0xF0, 0xF0, 4, 0x90, 0xBF},
    {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

static const struct lead *find_lead(unsigned char c)
{
    for (size_t i = 0; i < ARRAY_SIZE(leads); i++) {
        if (c >= leads[i].first && c <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

size_t str_utf8_step(const char *s, size_t n, bool *ret_valid)
{
    const unsigned char *p = (const unsigned char *)s;

    *ret_valid = p[0] < 0x80;
    if (p[0] < 0x80)
        return 1;
    const struct lead *lead = find_lead(p[0]);
    if (!lead || n < 2 || p[1] < lead->second_min || p[1] > lead->second_max)
        return 1;
    size_t i = 2;
    while (i < lead->length && i < n && (p[i] & 0xC0) == 0x80)
        i++;
    *ret_valid = i == lead->length;
    return i;
}

size_t str_utf8_valid_prefix(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n) {
        uint64_t word;

        if (n - i >= sizeof(word)) {
            memcpy(&word, s + i, sizeof(word));
            if ((word & 0x8080808080808080u) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        bool valid;
        size_t step = str_utf8_step(s + i, n - i, &valid);
        if (!valid)
            break;
        i += step;
    }
    return i;
}
