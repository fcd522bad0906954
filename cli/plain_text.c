/* Control characters become blanks; a character is a column. */
#include "cli/plain_text.h"

#include <stdbool.h>

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* C0 and DEL; C1 controls are two bytes in UTF-8, 0xc2 0x80 … 0xc2 0x9f. */
static bool is_control(const char *c)
{
    unsigned char first = (unsigned char)c[0], second = first == 0xc2 ? (unsigned char)c[1] : 0;
    return first < 0x20 || first == 0x7f || (second >= 0x80 && second < 0xa0);
}

int plain_text_append(struct buf *out, const char *s, size_t columns)
{
    size_t shown = 0;
    for (const char *c = s; *c != '\0'; c++) {
        if (starts_character(*c) && columns != 0 && ++shown > columns)
            return 0;
        bool blank = is_control(c);
        int r = blank ? buf_append_char(out, ' ') : buf_append_char(out, *c);
        if (r != 0)
            return r;
        c += blank && (unsigned char)*c == 0xc2;
    }
    return 0;
}

size_t plain_text_width(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += starts_character(*s);
    return n;
}
