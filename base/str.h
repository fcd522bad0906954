/* String helpers: checked copies, number parsing, hexadecimal, UTF-8, times as text. */
#ifndef TAILGATE_BASE_STR_H
#define TAILGATE_BASE_STR_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies src whole or not at all. ERR_TOO_LARGE. */
MUST_CHECK int str_copy(char *dst, size_t dst_size, const char *src);
/* strdup that maps NULL to NULL. ERR_NOMEM. Replaces and frees *dst. */
MUST_CHECK int str_set(char **dst, const char *src);
bool str_eq(const char *a, const char *b); /* NULL equals NULL */
bool str_is_empty(const char *s);          /* NULL or "" */
bool str_starts_with(const char *s, const char *prefix);
bool str_ends_with(const char *s, const char *suffix);

/* Whole string, decimal, within [min, max]. ERR_INVALID. */
MUST_CHECK int str_to_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
/* "64KiB", "10MiB", "1GiB", "4096": bytes. ERR_INVALID. */
MUST_CHECK int str_to_bytes(const char *s, uint64_t *ret);
/* "250ms", "10s", "5m", "24h", "7d", "10" (seconds): milliseconds. ERR_INVALID. */
MUST_CHECK int str_to_duration_ms(const char *s, int64_t *ret);

void str_hex(const void *bytes, size_t n, char *ret /* 2n+1 */);
/* ERR_INVALID unless exactly 2n lower- or upper-case hex digits. */
MUST_CHECK int str_unhex(const char *hex, size_t n, void *ret);

/* Length of the longest prefix of s that is valid UTF-8 (RFC 3629: no surrogates, no overlong). */
size_t str_utf8_valid_prefix(const char *s, size_t n);
/*
 * Bytes of the character that s begins with (n > 0), or, when it is not valid, of the maximal part
 * that one U+FFFD stands for (Unicode 3.9, best practice); *ret_valid says which.
 */
size_t str_utf8_step(const char *s, size_t n, bool *ret_valid);

/* µs since the epoch as RFC 3339 UTC with milliseconds, "2026-01-02T03:04:05.678Z". */
#define STR_TIME_SIZE 32
void str_time(int64_t us, char ret[STR_TIME_SIZE]);
/* RFC 3339 (also with numeric offset) to µs since the epoch. ERR_INVALID. */
MUST_CHECK int str_parse_time(const char *s, int64_t *ret_us);

#endif
