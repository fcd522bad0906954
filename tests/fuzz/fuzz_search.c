/* An expression and lines from anywhere: no crash, matches inside the line, and in bounded time. */
#include "base/clock.h"
#include "logs/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
    if (!condition)
        abort();
}

/* The first byte says how; the expression ends at the first NUL, the line is the rest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    size_t start = 0, end = 0, from = 0;
    struct pattern *p = NULL;
    struct problem problem;
    if (size < 2)
        return 0;
    size_t len = strnlen((const char *)data + 1, size - 1);
    if (len >= sizeof text || len + 1 >= size)
        return 0;
    memcpy(text, data + 1, len);
    text[len] = '\0';
    if (pattern_new(text, data[0] & 1, data[0] & 2, &p, &problem) < 0)
        return 0;
    const char *line = (const char *)data + len + 2;
    size_t line_len = size - len - 2;
    int64_t began_ms = clock_mono_ms();
    for (int i = 0; i < 100 && pattern_next(p, line, line_len, from, &start, &end) == 0; i++) {
        check(start >= from && end >= start && end <= line_len);
        check(pattern_may_occur(p, line, line_len));
        from = end > from ? end : from + 1;
    }
    check(pattern_matches_empty(p, line, line_len) <= 0);
    check(clock_mono_ms() - began_ms < 60000);
    pattern_free(p);
    return 0;
}
