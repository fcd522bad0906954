/* permessage-deflate: offers, frames and messages, read back with a zlib state of the test's own.
 */
#include "../base/fail_alloc.h"

#include "base/err.h"
#include "gateway/deflate.h"
#include "gateway/stream_frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define MESSAGE_MAX 1000u
#define OUT_MAX (4u << 20)

static void test_offer_parse__table(void **state)
{
    static const struct {
        const char *header;
        int r;
        bool has_window;
    } rows[] = {
        {"permessage-deflate", 0, false},
        {"permessage-deflate; client_max_window_bits", 0, false}, /* Chromium */
        {"permessage-deflate; client_max_window_bits=15", 0, false},
        {"permessage-deflate;server_no_context_takeover ; client_no_context_takeover", 0, false},
        {"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", 0, true},
        {"permessage-deflate; server_max_window_bits=\"15\"", 0, true},
        {"x-webkit-deflate-frame, permessage-deflate", 0, false},
        {"foo; bar=1,\tpermessage-deflate; server_max_window_bits=13", 0, true},
        {"permessage-deflate, permessage-deflate; server_max_window_bits=9", 0, false},
        {"permessage-deflate; server_max_window_bits=11", ERR_NOT_FOUND, false},
        {"permessage-deflate; server_max_window_bits=16", ERR_NOT_FOUND, false},
        {"permessage-deflate; server_max_window_bits", ERR_NOT_FOUND, false},
        {"permessage-deflate; server_max_window_bits=1234", ERR_NOT_FOUND, false},
        {"permessage-deflate; client_max_window_bits=7", ERR_NOT_FOUND, false},
        {"permessage-deflate; client_max_window_bits=x", ERR_NOT_FOUND, false},
        {"permessage-deflate; server_no_context_takeover=1", ERR_NOT_FOUND, false},
        {"permessage-deflate; something_new_takeover_xx", ERR_NOT_FOUND, false},
        {"permessage-deflate; other", ERR_NOT_FOUND, false},
        {"permessage-deflate;", ERR_NOT_FOUND, false},
        {"permessage-deflate x", ERR_NOT_FOUND, false},
        {"permessage-deflated", ERR_NOT_FOUND, false},
        {"permessage-bzip2", ERR_NOT_FOUND, false},
        {"", ERR_NOT_FOUND, false},
        {",,", ERR_NOT_FOUND, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct deflate_offer offer = {0};
        int r = deflate_offer_parse(rows[i].header, &offer);
        if (r != rows[i].r || offer.has_window != rows[i].has_window)
            fail_msg("%s: %d, %d", rows[i].header, r, offer.has_window);
    }
}

static void test_answer__names_the_window_only_when_asked(void **state)
{
    struct deflate_offer with = {.has_window = true}, without = {0};

    (void)state;
    assert_string_equal(deflate_answer(&without),
                        "; server_no_context_takeover; client_no_context_takeover");
    assert_string_equal(deflate_answer(&with), "; server_no_context_takeover; "
                                               "client_no_context_takeover; "
                                               "server_max_window_bits=12");
}

static void add_frame(struct buf *out, size_t len, unsigned variety)
{
    size_t mark = 0;
    unsigned seed = (unsigned)len + 1;

    assert_int_equal(stream_frame_begin(out, &mark), 0);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        assert_int_equal(buf_append_char(out, (char)(' ' + (seed >> 16) % variety)), 0);
    }
    assert_int_equal(stream_frame_end(out, mark, STREAM_OP_TEXT), 0);
}

/* As a client with the smallest window that we ever promise does it, RFC 7692 7.2.2. */
static size_t inflate_payload(const uint8_t *p, size_t len, uint8_t *ret, size_t size)
{
    static const uint8_t tail[] = {0, 0, 0xff, 0xff};
    z_stream z = {0};

    assert_int_equal(inflateInit2(&z, -DEFLATE_WINDOW_BITS), Z_OK);
    z.next_out = ret;
    z.avail_out = (uInt)size;
    for (int i = 0; i < 2; i++) {
        z.next_in = i == 0 ? (Bytef *)(uintptr_t)p : (Bytef *)(uintptr_t)tail;
        z.avail_in = i == 0 ? (uInt)len : sizeof tail;
        assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
        assert_int_equal(z.avail_in, 0);
    }
    assert_int_equal(inflateEnd(&z), Z_OK);
    return size - z.avail_out;
}

static void test_frames__any_length__read_back_each_alone(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 129, 1000, 5000, 65535, 65536, 400000};
    static uint8_t text[STREAM_LINE_PAYLOAD_MAX];
    struct buf plain CLEANUP_BUF = {.max = OUT_MAX}, out CLEANUP_BUF = {.max = OUT_MAX};
    struct deflate *d;
    const uint8_t *p, *q;

    (void)state;
    assert_int_equal(deflate_new(MESSAGE_MAX, &d), 0);
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
        add_frame(&plain, lengths[i], 8);
    assert_int_equal(deflate_frames(d, (uint8_t *)plain.data, plain.len, &out), 0);
    p = (uint8_t *)plain.data;
    q = (uint8_t *)out.data;
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        size_t size = stream_frames_fit(q, OUT_MAX + 1, 1), header = stream_frame_header(q);
        if (lengths[i] < 128) {
            assert_int_equal(q[0], 0x81);
            assert_memory_equal(q, p, size);
        } else {
            assert_int_equal(q[0], 0xc1); /* FIN, RSV1, text */
            assert_int_equal(inflate_payload(q + header, size - header, text, sizeof text),
                             lengths[i]);
            assert_memory_equal(text, p + stream_frame_header(p), lengths[i]);
            assert_true(size - header < lengths[i]);
        }
        q += size;
        p += stream_frames_fit(p, OUT_MAX + 1, 1);
    }
    assert_ptr_equal(q, (uint8_t *)out.data + out.len);
    deflate_free(d);
}

static void test_frames__would_grow__go_as_they_are(void **state)
{
    struct buf plain CLEANUP_BUF = {.max = OUT_MAX}, out CLEANUP_BUF = {.max = OUT_MAX};
    struct deflate *d;

    (void)state;
    assert_int_equal(deflate_new(MESSAGE_MAX, &d), 0);
    add_frame(&plain, 200, 256);
    add_frame(&plain, 60000, 256);
    assert_int_equal(deflate_frames(d, (uint8_t *)plain.data, plain.len, &out), 0);
    assert_int_equal(out.len, plain.len);
    assert_memory_equal(out.data, plain.data, plain.len);
    deflate_free(d);
}

static void test_frames__no_memory_or_room__out_stays_as_it_was(void **state)
{
    struct buf plain CLEANUP_BUF = {.max = OUT_MAX};
    struct deflate *d;

    (void)state;
    add_frame(&plain, 1000, 8);
    add_frame(&plain, 100, 8);
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct buf out CLEANUP_BUF = {.max = OUT_MAX};
        int r = deflate_new(MESSAGE_MAX, &d);
        if (r == 0) {
            r = deflate_frames(d, (uint8_t *)plain.data, plain.len, &out);
            deflate_free(d);
        }
        assert_int_equal(r, fail_alloc_off() ? ERR_NOMEM : 0);
        assert_true(r == 0 || out.len == 0);
    }
    (void)fail_alloc_off();
    struct buf small CLEANUP_BUF = {.max = 400};
    assert_int_equal(deflate_new(MESSAGE_MAX, &d), 0);
    assert_int_equal(buf_append_str(&small, "before"), 0);
    assert_int_equal(deflate_frames(d, (uint8_t *)plain.data, plain.len, &small), ERR_TOO_LARGE);
    assert_string_equal(small.data, "before");
    deflate_free(d);
    deflate_free(NULL);
}

/* A client's message, without context, tail cut off. final: with BFINAL set (RFC 7692 7.2.3.4). */
static size_t deflate_text(const char *text, size_t len, int flush, uint8_t *ret, size_t size)
{
    z_stream z = {0};
    size_t n;

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)len;
    z.next_out = ret;
    z.avail_out = (uInt)size;
    assert_int_equal(deflate(&z, flush), flush == Z_FINISH ? Z_STREAM_END : Z_OK);
    n = size - z.avail_out;
    (void)deflateEnd(&z);
    if (flush == Z_FINISH) {
        ret[n++] = 0;
        return n;
    }
    return n - 4;
}

static void test_inflate__lengths_up_to_the_limit(void **state)
{
    static const struct {
        size_t len;
        int r;
    } rows[] = {{0, 0},
                {1, 0},
                {500, 0},
                {MESSAGE_MAX, 0},
                {1001, ERR_TOO_LARGE},
                {1000000, ERR_TOO_LARGE}};
    static char text[1000000];
    static uint8_t packed[1100000];
    struct deflate *d;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 7);
    assert_int_equal(deflate_new(MESSAGE_MAX, &d), 0);
    for (int flush = Z_SYNC_FLUSH; flush <= Z_FINISH; flush += Z_FINISH - Z_SYNC_FLUSH) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            size_t n = deflate_text(text, rows[i].len, flush, packed, sizeof packed), len = 0;
            char *out = NULL;
            assert_int_equal(deflate_inflate(d, packed, n, &out, &len), rows[i].r);
            if (rows[i].r != 0)
                continue;
            assert_int_equal(len, rows[i].len);
            assert_memory_equal(out, text, len);
            out[len] = 'x'; /* libwebsockets writes there */
        }
    }
    deflate_free(d);
}

static void test_inflate__garbage_or_cut__corrupt_and_recovers(void **state)
{
    static const uint8_t garbage[] = {0xff, 0xff, 0xff, 0xff};
    uint8_t packed[200];
    struct deflate *d;
    size_t n, len = 0;
    char *out = NULL;

    (void)state;
    assert_int_equal(deflate_new(MESSAGE_MAX, &d), 0);
    assert_int_equal(deflate_inflate(d, garbage, sizeof garbage, &out, &len), ERR_CORRUPT);
    n = deflate_text("{\"type\":\"auth\"}", 15, Z_SYNC_FLUSH, packed, sizeof packed);
    assert_int_equal(deflate_inflate(d, packed, n, &out, &len), 0);
    assert_int_equal(len, 15);
    assert_memory_equal(out, "{\"type\":\"auth\"}", 15);
    deflate_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offer_parse__table),
        cmocka_unit_test(test_answer__names_the_window_only_when_asked),
        cmocka_unit_test(test_frames__any_length__read_back_each_alone),
        cmocka_unit_test(test_frames__would_grow__go_as_they_are),
        cmocka_unit_test(test_frames__no_memory_or_room__out_stays_as_it_was),
        cmocka_unit_test(test_inflate__lengths_up_to_the_limit),
        cmocka_unit_test(test_inflate__garbage_or_cut__corrupt_and_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
