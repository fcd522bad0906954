/*
 * How fast lines are redacted: 20 secrets of the usual sorts, in all forms, over lines as builds
 * print them and over base64, in lines of 120 bytes; one in 1000 lines has a secret. Prints one
 * line:
 *
 *   {"lines_mb_s":…,"base64_mb_s":…,"nodes":…,"build_ms":…}
 */
#include "base/err.h"
#include "logs/redact_internal.h"
#include "logs/redaction.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECRETS 20
#define LINE 120
#define LINES (256u << 10)

static uint32_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 16;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char secrets[SECRETS][2048];

/* Passwords, keys in hex and base64, tokens with a prefix, a URL, a key in PEM. */
static void make_secrets(struct redact_value values[SECRETS])
{
    static const char digits[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/@#$%&*-_=\"\\ ";
    static const struct {
        const char *prefix;
        unsigned kinds, len;
    } SORTS[] = {{"", 75, 16},      {"", 16, 64}, {"ghp_", 62, 36}, {"AKIA", 62, 16},
                 {"xoxb-", 62, 50}, {"", 64, 44}, {"", 75, 8}};
    for (unsigned i = 0; i < SECRETS; i++) {
        size_t sort = i % (sizeof SORTS / sizeof SORTS[0]);
        size_t n = (size_t)snprintf(secrets[i], sizeof secrets[i], "%s", SORTS[sort].prefix);
        unsigned len = i == 0 ? 1600 : SORTS[sort].len;
        for (unsigned k = 0; k < len; k++)
            secrets[i][n++] = i == 0 && k % 65 == 64
                                  ? '\n'
                                  : digits[next_random() % (i == 0 ? 64 : SORTS[sort].kinds)];
        values[i] = (struct redact_value){secrets[i], n};
    }
}

static void make_text(char *text, int base64)
{
    static const char *const WORDS[] = {
        "Compiling ",
        "serde v1.0.197 ",
        "warning: unused variable `x` ",
        "[INFO] ",
        "2026-01-02T03:04:05Z ",
        "test result: ok. ",
        "GET /api/v1/executions HTTP/1.1 200 ",
        "at org.example.Main.run(Main.java:42) ",
        "downloading https://registry.example/pkg-1.2.3.tgz ",
        "100% [========>] ",
        "user=admin key=value ",
    };
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < LINES; i++) {
        char *line = text + i * LINE;
        size_t n = 0;
        while (n < LINE) {
            const char *word = WORDS[next_random() % (sizeof WORDS / sizeof WORDS[0])];
            for (; !base64 && *word && n < LINE; word++)
                line[n++] = *word;
            if (base64)
                line[n++] = digits[next_random() % 64];
        }
        const char *s = secrets[1 + i / 1000 % (SECRETS - 1)];
        if (i % 1000 == 0)
            memcpy(line + 20, s, strlen(s));
    }
}

static double run(struct redaction *x, const char *text)
{
    double begin = now();
    size_t masked = 0;
    for (size_t i = 0; i < LINES; i++) {
        struct redaction_line l = {
            .stream = 'o', .p = (const uint8_t *)text + i * LINE, .len = LINE};
        if (redaction_is_clean(x, &l)) {
            redaction_passed(x, &l);
            continue;
        }
        if (redaction_put(x, &l) < 0)
            abort();
        while (redaction_peek(x, &l) == 0) {
            masked += l.len < LINE;
            redaction_pop(x);
        }
    }
    double seconds = now() - begin;
    if (masked < LINES / 1000)
        abort(); /* a secret was passed over */
    return (double)LINES * LINE / seconds / 1e6;
}

int main(void)
{
    struct redact_value values[SECRETS];
    struct redactor *r = NULL;
    struct redaction *x = NULL;
    char *text = malloc((size_t)LINES * LINE);
    make_secrets(values);
    double begin = now();
    if (!text || redactor_new(values, SECRETS, REDACT_FORMS_MAX, &r) < 0)
        return 1;
    double built = now() - begin;
    size_t nodes = automaton_nodes(r->automaton);
    if (redaction_new(r, 65536, false, &x) < 0)
        return 1;
    make_text(text, 0);
    double lines = run(x, text);
    make_text(text, 1);
    double base64 = run(x, text);
    (void)printf("{\"lines_mb_s\":%.0f,\"base64_mb_s\":%.0f,\"nodes\":%zu,\"build_ms\":%.2f}\n",
                 lines, base64, nodes, built * 1000);
    redaction_free(x);
    free(text);
    return 0;
}
