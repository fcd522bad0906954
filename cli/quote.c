/* Quoting for POSIX sh (XCU 2.2.2: nothing is special between single quotes but the quote). */
#include "cli/quote.h"

#include <stdbool.h>
#include <string.h>

static bool is_plain(const char *word, bool is_first)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_@%+:,./-=";
    /* The first word with a '=' would be an assignment (XCU 2.9.1). */
    if (is_first && strchr(word, '=') != NULL)
        return false;
    return word[0] != '\0' && word[strspn(word, safe)] == '\0';
}

static int quote_word(struct buf *out, const char *word)
{
    int r = buf_append_char(out, '\'');
    while (r == 0 && *word != '\0') {
        size_t n = strcspn(word, "'");
        r = buf_append(out, word, n);
        word += n;
        if (r == 0 && *word == '\'') {
            r = buf_append_str(out, "'\\''");
            word++;
        }
    }
    return r != 0 ? r : buf_append_char(out, '\'');
}

int quote_command(struct buf *out, const char *const *words, size_t count)
{
    if (count == 1)
        return buf_append_str(out, words[0]);
    for (size_t i = 0; i < count; i++) {
        int r = i > 0 ? buf_append_char(out, ' ') : 0;
        if (r == 0)
            r = is_plain(words[i], i == 0) ? buf_append_str(out, words[i])
                                           : quote_word(out, words[i]);
        if (r != 0)
            return r;
    }
    return 0;
}
