/*
 * The line that the benchmarks send: its number, the time it was written, and filler.
 *
 *   0000000042 0000001234567890 abcdefgh…\n
 *   number     CLOCK_MONOTONIC in µs
 *
 * It holds no '[' and nothing that JSON escapes, so that a reader can count lines by counting
 * brackets and a frame's size follows from its lines.
 */
#ifndef TAILGATE_BENCH_LINE_H
#define TAILGATE_BENCH_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define LINE_NUMBER_DIGITS 10u
#define LINE_STAMP_AT 11u
#define LINE_STAMP_DIGITS 16u
#define LINE_FILLER_AT 28u

static inline uint64_t bench_now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static inline void line_put_digits(char *p, size_t n, uint64_t value)
{
    while (n > 0) {
        p[--n] = (char)('0' + value % 10);
        value /= 10;
    }
}

static inline uint64_t line_get_digits(const char *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (uint64_t)(unsigned char)(p[i] - '0');
    return value;
}

/* Fills p[0..len) with everything but number and stamp. */
static inline void line_fill(char *p, size_t len)
{
    static const char words[] = "step compile module linking cache object target resolved ";
    for (size_t i = 0; i < len; i++)
        p[i] = words[i % (sizeof words - 1)];
    p[LINE_NUMBER_DIGITS] = ' ';
    p[LINE_FILLER_AT - 1] = ' ';
}

#endif
