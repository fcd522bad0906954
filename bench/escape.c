/* How fast log lines become JSON strings, on one core: MB/s of text in, by kind of text. */
#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES 120u
#define LINES 512u
#define SECONDS 0.3

struct kind {
    const char *name, *unit; /* a line is unit repeated */
};

static const struct kind kinds[] = {
    {"plain ASCII", "the quick brown fox jumps over the lazy dog 0123456789 "},
    {"a quote or tab in each 30 bytes", "level=info\tmsg=\"compiled\" n=12 "},
    {"colours", "\x1b[32mPASS\x1b[0m src/main.test.ts (5.12 s) "},
    {"Cyrillic", "\xd1\x81\xd1\x82\xd1\x80\xd0\xbe\xd0\xba\xd0\xb0 "},
    {"Chinese", "\xe8\xbf\x90\xe8\xa1\x8c\xe6\x97\xa5\xe5\xbf\x97"},
    {"random bytes", NULL},
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_text(char *text, size_t n, const char *unit)
{
    unsigned seed = 1;
    size_t len = unit ? strlen(unit) : 0;

    for (size_t i = 0; i < n; i++) {
        seed = seed * 1103515245u + 12345u;
        text[i] = unit ? unit[i % LINE_BYTES % len] : (char)(seed >> 16);
    }
}

/* Bytes of text a second. */
static double rate(const char *text)
{
    struct buf out = {.max = 64u << 20};
    double begin = now(), end = begin;
    size_t bytes = 0;

    while (end - begin < SECONDS) {
        buf_clear(&out);
        for (size_t i = 0; i < LINES; i++)
            if (json_append_string(&out, text + i * LINE_BYTES, LINE_BYTES) != 0)
                return 0;
        bytes += LINES * LINE_BYTES;
        end = now();
    }
    buf_done(&out);
    return (double)bytes / (end - begin);
}

int main(void)
{
    static char text[LINES * LINE_BYTES];

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        make_text(text, sizeof text, kinds[i].unit);
        printf("%-34s %6.0f MB/s\n", kinds[i].name, rate(text) / 1e6);
    }
    return 0;
}
