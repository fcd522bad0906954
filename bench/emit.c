/*
 * The command that is run: writes COUNT lines to stdout, RATE a second in bursts of BURST (RATE 0:
 * as fast as the pipe takes them), after the file GATE is there; then waits until STOP is there, so
 * that it can be measured before it ends. "-" for a file that is not waited for.
 *
 *   bench_emit COUNT RATE BURST LINE_BYTES GATE STOP [ci]
 *
 * With "ci" the lines look like a build's log: several kinds, numbers and names that differ.
 */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096u
#define BLOCK_BYTES (32u << 10)
#define WAIT_MAX_S 600        /* a forgotten one ends by itself */
#define STAMP_EVERY 16u       /* lines, at full speed */
#define POOL_BYTES (1u << 20) /* of text, walked through: far more than is compressed at once */

struct out {
    char block[BLOCK_BYTES + LINE_MAX_BYTES];
    size_t len;
};

static int flush(struct out *o)
{
    for (size_t at = 0; at < o->len;) {
        ssize_t n = write(STDOUT_FILENO, o->block + at, o->len - at);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? (size_t)n : 0;
    }
    o->len = 0;
    return 0;
}

/* A FIFO opens when somebody opens its other end: a thousand that wait cost nothing. */
static void wait_for_gate(const char *path)
{
    if (strcmp(path, "-") == 0)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* About 86 bytes a line. */
static size_t put_ci(char *p, uint64_t n, uint64_t *state)
{
    static const char *const parts[] = {"gateway", "orchestrator", "spool",  "hub",  "wire",
                                        "session", "replay",       "router", "auth", "keeper"};
    uint64_t r = next_random(state);
    const char *a = parts[r % 10], *b = parts[(r >> 8) % 10];
    unsigned x = (unsigned)(r >> 16) & 0xfff, y = (unsigned)(r >> 28) & 0xffff,
             kind = (unsigned)(r >> 44) % 8;
    int len;

    if (kind < 4)
        len = snprintf(p, LINE_MAX_BYTES,
                       "(%llu/9000) Building C object %s/CMakeFiles/tg_%s.dir/%s_%u.c.o\n",
                       (unsigned long long)n % 9000, a, a, b, x);
    else if (kind == 4)
        len =
            snprintf(p, LINE_MAX_BYTES,
                     "2026-11-22T10:%02u:%02u.%03uZ INFO  %s: fetched "
                     "https://deb.example.org/pool/%s-%u.%u.tar.gz "
                     "(%u kB)\n",
                     (unsigned)(n / 60 % 60), (unsigned)(n % 60), x % 1000, a, b, x % 20, x % 7, y);
    else if (kind == 5)
        len = snprintf(p, LINE_MAX_BYTES,
                       "    ok %llu - test_%s_%s__condition_%u__result # %u.%03u ms\n",
                       (unsigned long long)n, a, b, x % 90, y % 9, x % 1000);
    else if (kind == 6)
        len = snprintf(p, LINE_MAX_BYTES, "  %016llx  %s/%s/%u.bin  %u bytes\n",
                       (unsigned long long)next_random(state), a, b, x, y);
    else
        len = snprintf(p, LINE_MAX_BYTES,
                       "%s/%s_%u.c:%u:%u: warning: unused parameter 'user' (-Wunused)\n", a, b, x,
                       y % 900, x % 80);
    return len > 0 ? (size_t)len : 0;
}

struct job {
    uint64_t count, rate, burst;
    size_t line_bytes;
    bool ci;
};

static void wait_for_turn(const struct job *j, uint64_t begin, uint64_t n)
{
    uint64_t due = begin + n * 1000000u / j->rate, now = bench_now_us();
    if (now < due)
        (void)usleep((useconds_t)(due - now));
}

/* What a build writes, in one line: the filler must not compress better than it would. */
static char *make_pool(void)
{
    char *pool = malloc(POOL_BYTES + 2 * LINE_MAX_BYTES);
    uint64_t random = 88172645463325252ull;

    if (pool)
        for (size_t len = 0, n = 1; len < POOL_BYTES + LINE_MAX_BYTES; n++) {
            len += put_ci(pool + len, n, &random);
            pool[len - 1] = ' ';
        }
    return pool;
}

static int emit(const struct job *j, const char *pool, struct out *o)
{
    char line[LINE_MAX_BYTES];
    const size_t filler = j->line_bytes - 1 - LINE_FILLER_AT;
    size_t at = 0;
    uint64_t begin = bench_now_us(), random = 88172645463325252ull;

    line_fill(line, j->line_bytes);
    line[j->line_bytes - 1] = '\n';
    for (uint64_t n = 1; n <= j->count; n++) {
        if (j->rate > 0 && (n - 1) % j->burst == 0) {
            if (flush(o) != 0)
                return -1;
            wait_for_turn(j, begin, n - 1);
        }
        if (j->ci) {
            o->len += put_ci(o->block + o->len, n, &random);
        } else {
            line_put_digits(line, LINE_NUMBER_DIGITS, n);
            if (j->rate > 0 || n % STAMP_EVERY == 1)
                line_put_digits(line + LINE_STAMP_AT, LINE_STAMP_DIGITS, bench_now_us());
            memcpy(line + LINE_FILLER_AT, pool + at, filler);
            at = at + filler < POOL_BYTES ? at + filler : 0;
            memcpy(o->block + o->len, line, j->line_bytes);
            o->len += j->line_bytes;
        }
        if (o->len >= BLOCK_BYTES && flush(o) != 0)
            return -1;
    }
    return flush(o);
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    static struct out out;

    if (argc < 7) {
        (void)fputs("bench_emit COUNT RATE BURST LINE_BYTES GATE STOP [ci]\n", stderr);
        return 2;
    }
    struct job j = {.count = number(argv[1]),
                    .rate = number(argv[2]),
                    .burst = number(argv[3]),
                    .line_bytes = (size_t)number(argv[4]),
                    .ci = argc > 7};
    if (j.burst == 0 || j.line_bytes <= LINE_FILLER_AT || j.line_bytes > LINE_MAX_BYTES)
        return 2;
    (void)alarm(WAIT_MAX_S);
    char *pool = make_pool();
    if (!pool)
        return 1;
    wait_for_gate(argv[5]);
    int err = emit(&j, pool, &out);
    free(pool);
    if (err == 0)
        wait_for_gate(argv[6]);
    return err ? 1 : 0;
}
