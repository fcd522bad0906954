/*
 * The stored form: golden bytes (tests/golden/chunk/CASE: stored, and lines as text, one a line:
 * time stream flags hex), round trips, and a table of hostile input.
 */
#include "base/err.h"
#include "base/str.h"
#include "tests/unit/logs/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN "tests/golden/chunk/"

static size_t read_file(const char *name, const char *file, char *ret, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, GOLDEN "%s/%s", name, file);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is missing", path);
    size_t n = fread(ret, 1, size, f);
    assert_true(n < size);
    fclose(f);
    return n;
}

static void describe(const struct chunk *c, struct buf *out)
{
    static char hex[2 * CHUNK_BYTES_MAX + 1];
    for (uint32_t i = 0; i < c->n_lines; i++) {
        const struct chunk_line *l = &c->lines[i];
        str_hex(c->text + l->offset, l->len, hex);
        assert_int_equal(
            buf_printf(out, "%lld %c %u %s\n", (long long)l->time_us, l->stream, l->flags, hex), 0);
    }
}

static const char *const GOLDEN_CASES[] = {"plain", "zstd", "extremes"};

/* The chunk of each golden case. */
static struct chunk *golden_chunk(const char *name)
{
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL;
    assert_int_equal(chunk_builder_new(&b), 0);
    if (strcmp(name, "plain") == 0) {
        assert_int_equal(chunk_builder_add(b, 1700000000000000, 'o', 0, "hello", 5), 0);
        assert_int_equal(chunk_builder_add(b, 1700000000000250, 'e', LINE_PART, "\xff\0a", 3), 0);
        assert_int_equal(chunk_builder_add(b, 1700000000000250, 's', LINE_NO_EOL, "", 0), 0);
    } else if (strcmp(name, "zstd") == 0) {
        for (int i = 0; i < 200; i++)
            assert_int_equal(chunk_builder_add(b, 1700000000000000 + i * 1000, 'o', 0,
                                               "the same line again and again", 29),
                             0);
    } else {
        assert_int_equal(chunk_builder_add(b, INT64_MIN, 'o', 3, "", 0), 0);
        assert_int_equal(chunk_builder_add(b, INT64_MAX, 'e', 0, "", 0), 0);
        assert_int_equal(chunk_builder_add(b, 0, 's', 0, "", 0), 0);
    }
    assert_int_equal(chunk_builder_finish(b, 1, 1, &c), 0);
    chunk_builder_free(b);
    return c;
}

/* With UPDATE_GOLDEN=1 in the environment the files are written anew. */
static void update(const char *name, const struct buf *stored, const struct buf *lines)
{
    const char *const files[] = {"stored", "lines"};
    const struct buf *const bufs[] = {stored, lines};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, GOLDEN "%s/%s", name, files[i]);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bufs[i]->data, 1, bufs[i]->len, f), bufs[i]->len);
        fclose(f);
    }
}

static void test_chunk_codec__golden__read_and_written_alike(void **state)
{
    (void)state;
    static char file[70000], lines[70000];
    for (size_t i = 0; i < ARRAY_SIZE(GOLDEN_CASES); i++) {
        const char *name = GOLDEN_CASES[i];
        struct buf stored CLEANUP_BUF = {0}, text CLEANUP_BUF = {0}, back CLEANUP_BUF = {0};
        buf_init(&stored, 1 << 20);
        buf_init(&text, 1 << 20);
        buf_init(&back, 1 << 20);
        struct chunk *c = golden_chunk(name), *d = NULL;
        describe(c, &text);
        assert_int_equal(chunk_encode(c, &stored), 0);
        if (getenv("UPDATE_GOLDEN"))
            update(name, &stored, &text);
        size_t n = read_file(name, "stored", file, sizeof file);
        assert_int_equal(read_file(name, "lines", lines, sizeof lines), text.len);
        assert_memory_equal(lines, text.data, text.len);
        assert_int_equal(chunk_decode(file, n, 1, 1, &d), 0);
        describe(d, &back);
        assert_string_equal(back.data, text.data);
        /* zstd's output may change with its version, the plain form never. */
        if (file[1] == 0) {
            assert_int_equal(stored.len, n);
            assert_memory_equal(stored.data, file, n);
        }
        chunk_unref(c);
        chunk_unref(d);
    }
}

static void test_chunk_codec__random_chunks__same_after_a_round_trip(void **state)
{
    (void)state;
    struct chunk_codec *k = NULL;
    struct chunk_builder *b = NULL;
    assert_int_equal(chunk_codec_new(&k), 0);
    assert_int_equal(chunk_builder_new(&b), 0);
    uint64_t x = 88172645463325252u;
    static char text[CHUNK_BYTES_MAX];
    static const uint8_t streams[3] = {STREAM_STDOUT, STREAM_STDERR, STREAM_SYSTEM};
    for (int round = 0; round < 60; round++) {
        struct buf out CLEANUP_BUF = {0}, before CLEANUP_BUF = {0}, after CLEANUP_BUF = {0};
        buf_init(&out, 4 << 20);
        buf_init(&before, 16 << 20);
        buf_init(&after, 16 << 20);
        for (;;) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            size_t len = round % 3 == 0 ? 0 : (size_t)(x % 1500);
            for (size_t i = 0; i < len; i++)
                text[i] = (char)(round % 2 ? x >> (i % 57) : 97 + i % 3);
            if (chunk_builder_lines(b) > 300 ||
                chunk_builder_add(b, (int64_t)(x >> (x % 40)), streams[x % 3], (uint8_t)(x % 4),
                                  text, len) < 0)
                break;
        }
        struct chunk *c = NULL, *d = NULL;
        assert_int_equal(chunk_builder_finish(b, 5, 77, &c), 0);
        assert_int_equal(chunk_codec_encode(k, c, &out), 0);
        assert_int_equal(chunk_codec_decode(k, out.data, out.len, 5, 77, &d), 0);
        describe(c, &before);
        describe(d, &after);
        assert_int_equal(before.len, after.len);
        assert_memory_equal(before.data, after.data, before.len);
        assert_int_equal(d->first_seq, 77);
        chunk_unref(c);
        chunk_unref(d);
    }
    chunk_builder_free(b);
    chunk_codec_free(k);
    chunk_codec_free(NULL);
}

static void test_chunk_encode__out_is_full__too_large_and_unchanged(void **state)
{
    (void)state;
    struct chunk *c = golden_chunk("zstd");
    struct buf out CLEANUP_BUF = {0};
    buf_init(&out, 40);
    assert_int_equal(buf_append_str(&out, "before"), 0);
    assert_int_equal(chunk_encode(c, &out), ERR_TOO_LARGE);
    assert_int_equal(out.len, 6);
    chunk_unref(c);
}

/* One line, "ab", plain: 14 bytes of header, meta 02 00 02, text. */
#define GOOD                                                               \
    "\x01\x00\x01\x00\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00\x02\x00\x02" \
    "ab"

struct hostile {
    const char *name;
    size_t at; /* what is put over GOOD there */
    const char *bytes;
    size_t n;
    size_t len; /* 0 = GOOD's */
};

static void test_chunk_decode__hostile__corrupt(void **state)
{
    (void)state;
    static const struct hostile ROWS[] = {
        {"empty", 0, "", 0, 1},
        {"header cut", 0, "", 0, 13},
        {"body cut", 0, "", 0, 18},
        {"version", 0, "\x02", 1, 0},
        {"codec", 1, "\x02", 1, 0},
        {"not zstd", 1, "\x01", 1, 0},
        {"no lines", 2, "\x00", 1, 0},
        {"too many lines", 2, "\x01\x00\x01\x00", 4, 0},
        {"huge lines", 2, "\xff\xff\xff\xff", 4, 0},
        {"meta too short for its lines", 2, "\x02", 1, 0},
        {"meta huge", 6, "\xff\xff\xff\xff", 4, 0},
        {"meta longer than the body", 6, "\x04", 1, 0},
        {"meta shorter than its columns", 6, "\x02", 1, 0},
        {"text over the limit", 10, "\x01\x00\x01\x00", 4, 0},
        {"text longer than the body", 10, "\x03", 1, 0},
        {"text shorter", 10, "\x01", 1, 0},
        {"time without end", 14, "\x80\x80\x80", 3, 0},
        {"stream 3", 15, "\x03", 1, 0},
        {"unknown flag", 15, "\x10", 1, 0},
        {"length over the text", 16, "\x03", 1, 0},
        {"length under the text", 16, "\x01", 1, 0},
        {"length without end", 16, "\x82", 1, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        const struct hostile *h = &ROWS[i];
        size_t len = h->len ? h->len : sizeof GOOD - 1;
        /* An allocation of exactly that size: the sanitizer sees what is read beyond. */
        char *bytes = malloc(sizeof GOOD - 1);
        assert_non_null(bytes);
        memcpy(bytes, GOOD, sizeof GOOD - 1);
        memcpy(bytes + h->at, h->bytes, h->n);
        char *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        struct chunk *c = NULL;
        if (chunk_decode(exact, len, 1, 1, &c) != ERR_CORRUPT)
            fail_msg("%s was taken", h->name);
        assert_null(c);
        free(bytes);
        free(exact);
    }
    struct chunk *c = NULL;
    assert_int_equal(chunk_decode(GOOD, sizeof GOOD - 1, 1, 1, &c), 0);
    assert_memory_equal(c->text, "ab", 2);
    chunk_unref(c);
    assert_int_equal(chunk_decode(GOOD, sizeof GOOD - 1, 1, UINT64_MAX, &c), ERR_CORRUPT);
}

static void test_chunk_decode__zstd_damaged__corrupt(void **state)
{
    (void)state;
    struct chunk *c = golden_chunk("zstd"), *d = NULL;
    struct buf out CLEANUP_BUF = {0};
    buf_init(&out, 1 << 20);
    assert_int_equal(chunk_encode(c, &out), 0);
    assert_int_equal(out.data[1], 1);
    for (size_t i = 14; i < out.len; i++) {
        out.data[i] ^= 0x40;
        int rc = chunk_decode(out.data, out.len, 1, 1, &d);
        if (rc == 0) { /* a bit that zstd does not use: nothing may have changed */
            assert_memory_equal(d->text, c->text, c->text_len);
            chunk_unref(d);
        } else {
            assert_int_equal(rc, ERR_CORRUPT);
        }
        out.data[i] ^= 0x40;
        assert_int_equal(chunk_decode(out.data, i, 1, 1, &d), ERR_CORRUPT);
    }
    assert_int_equal(buf_append_char(&out, 'x'), 0);
    assert_int_equal(chunk_decode(out.data, out.len, 1, 1, &d), ERR_CORRUPT);
    chunk_unref(c);
}

/* Varints of exactly 64 bits, and of one more. */
static void test_chunk_decode__longest_varint__limits(void **state)
{
    (void)state;
    static const char HEAD[] = "\x01\x00\x01\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00";
    char bytes[26];
    struct chunk *c = NULL;
    memcpy(bytes, HEAD, 14);
    memset(bytes + 14, 0xff, 9);
    bytes[23] = 1; /* bit 63 */
    bytes[24] = 0;
    bytes[25] = 0;
    assert_int_equal(chunk_decode(bytes, sizeof bytes, 1, 1, &c), 0);
    assert_int_equal(c->lines[0].time_us, INT64_MIN);
    chunk_unref(c);
    bytes[23] = 2;
    assert_int_equal(chunk_decode(bytes, sizeof bytes, 1, 1, &c), ERR_CORRUPT);
    bytes[23] = (char)0x81;
    assert_int_equal(chunk_decode(bytes, sizeof bytes, 1, 1, &c), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunk_codec__golden__read_and_written_alike),
        cmocka_unit_test(test_chunk_codec__random_chunks__same_after_a_round_trip),
        cmocka_unit_test(test_chunk_encode__out_is_full__too_large_and_unchanged),
        cmocka_unit_test(test_chunk_decode__hostile__corrupt),
        cmocka_unit_test(test_chunk_decode__zstd_damaged__corrupt),
        cmocka_unit_test(test_chunk_decode__longest_varint__limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
