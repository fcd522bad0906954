/* The extension, called as libwebsockets calls it, and deflated lines on a stream. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

#include "gateway/deflate.h"
#include "gateway/stream_deflate.h"

#include <stdio.h>
#include <zlib.h>

/* libwebsockets' own (lib/roles/ws, 4.1). */
struct payload {
    struct lws_tokens in, out;
};
enum { AS_IT_IS = 0, MORE_TO_COME = 3, COMPLETE = 4 };

static struct lws wsi;
static void *inbound;

static int call(enum lws_extension_callback_reasons reason, void *user, void *in)
{
    return stream_extensions[0].callback(NULL, &stream_extensions[0], &wsi, reason, user, in, 0);
}

static int setup(void **state)
{
    int r = rig_setup(state);

    streams_free(rig.st);
    rig.n_encoders = 0;
    rig.options.stream_deflate = true;
    return r == 0 ? streams_new(NULL, &rig.st) : r;
}

static void open_session(void)
{
    const struct lws_ext_options *options = NULL;

    rig_session_socket(&wsi);
    wsi.extensions = "permessage-deflate; client_max_window_bits";
    assert_int_equal(stream_confirm_extension(&wsi), 0);
    assert_int_equal(call(LWS_EXT_CB_CONSTRUCT, &inbound, &options), 0);
    assert_null(options[0].name); /* libwebsockets repeats none */
    assert_true(wsi.slot.deflates);
    assert_true(rig_open(&wsi));
    stream_use_deflate(wsi.session);
    wsi.slot.session = wsi.session;
    rig_answer();
    rig_run(&wsi);
    (void)rig_take(&wsi);
}

static void close_session(void)
{
    rig_close(&wsi);
    assert_int_equal(call(LWS_EXT_CB_DESTROY, inbound, NULL), 0);
}

static size_t pack(const char *text, uint8_t *ret, size_t size)
{
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)strlen(text);
    z.next_out = ret;
    z.avail_out = (uInt)size;
    assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    (void)deflateEnd(&z);
    return size - z.avail_out - 4;
}

/* A piece of a frame as it comes in; what libwebsockets is told to do with it. */
static int piece(const void *p, size_t len, unsigned flags, struct payload *ret)
{
    enum { FIRST = 1, LAST = 2, FRAME_GOES_ON = 4, PLAIN = 8 };

    wsi.is_first = (flags & FIRST) != 0;
    wsi.is_part = (flags & LAST) == 0;
    wsi.payload_left = flags & FRAME_GOES_ON ? 1 : 0;
    wsi.reserved_bits = flags & FIRST && !(flags & PLAIN) ? 0x40 : 0;
    ret->in = ret->out = (struct lws_tokens){.token = (uint8_t *)(uintptr_t)p, .len = (int)len};
    return call(LWS_EXT_CB_PAYLOAD_RX, inbound, ret);
}

static void test_answer__completed_in_the_one_header(void **state)
{
    static const char begin[] = "HTTP/1.1 101\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
    char text[256];
    struct lws_process_html_args args = {0};

    (void)state;
    rig_session_socket(&wsi);
    wsi.extensions = "permessage-deflate; server_max_window_bits=13";
    memcpy(text, begin, sizeof begin);
    args.p = text + sizeof begin - 1;
    args.max_len = 100;
    assert_int_equal(stream_complete_answer(&wsi, &args), 0);
    *args.p = '\0';
    assert_string_equal(text, "HTTP/1.1 101\r\nSec-WebSocket-Extensions: permessage-deflate; "
                              "server_no_context_takeover; client_no_context_takeover; "
                              "server_max_window_bits=12\r\n");
    args.max_len = 10;
    assert_int_equal(stream_complete_answer(&wsi, &args), -1);
    args.max_len = 100;
    assert_int_equal(stream_complete_answer(&wsi, &args), -1); /* not where it should stand */
    wsi.extensions = NULL;
    assert_int_equal(stream_complete_answer(&wsi, &args), -1);
    rig_close(&wsi);
}

static void test_confirm__runvoy_or_unfit_offers__declined(void **state)
{
    struct topic *t = rig_topic(1);

    (void)state;
    rig_runvoy_socket(&wsi, t);
    wsi.extensions = "permessage-deflate";
    assert_int_equal(stream_confirm_extension(&wsi), 1);
    buf_done(&wsi.sent);
    rig_session_socket(&wsi);
    assert_int_equal(stream_confirm_extension(&wsi), 1);
    wsi.extensions = "permessage-deflate; server_max_window_bits=9";
    assert_int_equal(stream_confirm_extension(&wsi), 1);
    buf_done(&wsi.sent);
}

static void test_lines__deflated_once__shared_and_equal_to_the_plain(void **state)
{
    struct topic *t = rig_topic(1);
    struct buf all CLEANUP_BUF = {.max = 1 << 20};
    struct frame *plain, *shared;
    const uint8_t *payload;
    char text[160];
    size_t n;

    (void)state;
    rig_add(t, 1500);
    open_session();
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"subscribe\",\"execution_id\":\"%s\",\"after\":0}", t->id.hex);
    rig_say(&wsi, text);
    shared = t->chunks[0]->frames[rig.st->kinds.deflated];
    assert_non_null(shared);
    assert_ptr_equal(memmem(wsi.sent.data, wsi.sent.len, shared->bytes, shared->len) != NULL, true);
    assert_int_equal(hub_frame(NULL, &t->id, t->chunks[0], rig.st->kinds.tailgate, 0, &plain), 0);
    assert_true(shared->len < plain->len / 4);
    for (size_t at = 0; at < shared->len;) {
        struct deflate *d;
        char *out = NULL;
        at += rig_parse_frame(shared->bytes + at, shared->len - at, &payload, &n);
        assert_int_equal(deflate_new(STREAM_LINE_PAYLOAD_MAX, &d), 0);
        assert_int_equal(deflate_inflate(d, payload, n, &out, &n), 0);
        assert_int_equal(stream_frame_begin(&all, &(size_t){0}), 0);
        all.len -= 4;
        assert_int_equal(buf_append(&all, out, n), 0);
        deflate_free(d);
    }
    for (size_t at = 0, done = 0; at < plain->len; done += n) {
        at += rig_parse_frame(plain->bytes + at, plain->len - at, &payload, &n);
        assert_memory_equal(payload, all.data + done, n);
    }
    frame_unref(plain);
    wsi.parsed = wsi.sent.len;
    close_session();
}

static void test_encode__made_from_the_plain_frame_or_without__the_same(void **state)
{
    struct topic *t = rig_topic(1);
    struct buf with CLEANUP_BUF = {.max = 1 << 20}, without CLEANUP_BUF = {.max = 1 << 20};
    struct frame *plain;

    (void)state;
    rig_add(t, 1500);
    assert_int_equal(stream_encode_deflated(rig.st->deflater, &t->id, t->chunks[0], 0, &without),
                     0);
    assert_int_equal(hub_frame(NULL, &t->id, t->chunks[0], rig.st->kinds.tailgate, 0, &plain), 0);
    assert_int_equal(stream_encode_deflated(rig.st->deflater, &t->id, t->chunks[0], 0, &with), 0);
    assert_int_equal(with.len, without.len);
    assert_memory_equal(with.data, without.data, with.len);
    frame_unref(plain);
}

static void test_receive__whole_pieces_or_frames__one_message(void **state)
{
    static const char text[] = "{\"type\":\"auth\",\"key\":\"tg_good\"}";
    uint8_t packed[200];
    struct payload p;
    size_t n = pack(text, packed, sizeof packed);

    (void)state;
    open_session();
    assert_int_equal(piece(packed, n, 3, &p), COMPLETE);
    assert_int_equal(p.out.len, sizeof text - 1);
    assert_memory_equal(p.out.token, text, sizeof text - 1);
    assert_int_equal(p.in.len, 0);
    /* one frame in two pieces, which may end with what looks like a pong */
    assert_int_equal(piece(packed, 10, 1 | 4, &p), MORE_TO_COME);
    assert_int_equal(p.out.len, 0);
    assert_int_equal(piece(packed + 10, n - 10, 2, &p), COMPLETE);
    assert_int_equal(p.out.len, sizeof text - 1);
    /* two frames, a pong between them */
    assert_int_equal(piece(packed, 10, 1, &p), MORE_TO_COME);
    assert_int_equal(piece("!", 1, 2, &p), AS_IT_IS);
    assert_int_equal(piece(packed + 10, n - 10, 2, &p), COMPLETE);
    assert_memory_equal(p.out.token, text, sizeof text - 1);
    /* not compressed */
    assert_int_equal(piece(text, sizeof text - 1, 1 | 2 | 8, &p), AS_IT_IS);
    assert_int_equal(p.out.len, sizeof text - 1);
    close_session();
}

static void test_receive__does_not_inflate__1007(void **state)
{
    struct payload p;

    (void)state;
    open_session();
    assert_int_equal(piece("\xff\xff\xff", 3, 3, &p), MORE_TO_COME);
    assert_int_equal(p.out.len, 0);
    assert_int_equal(piece("more", 4, 3, &p), AS_IT_IS); /* closing: nobody reads it */
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1007);
    close_session();
}

static void test_receive__too_long_packed_or_inflated__1009(void **state)
{
    static char text[5000];
    uint8_t packed[2000];
    struct payload p;

    (void)state;
    memset(text, 'a', sizeof text - 1);
    open_session();
    assert_int_equal(piece(packed, pack(text, packed, sizeof packed), 3, &p), MORE_TO_COME);
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1009);
    close_session();
    open_session();
    assert_int_equal(piece(text, 1000, 1 | 4, &p), MORE_TO_COME);
    assert_int_equal(piece(text, 1000, 4, &p), MORE_TO_COME);
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1009);
    close_session();
}

static void test_memory_short__each_time__refused_or_closed(void **state)
{
    const struct lws_ext_options *options = NULL;
    uint8_t packed[200];
    struct payload p;
    size_t n = pack("{\"type\":\"x\"}", packed, sizeof packed);

    (void)state;
    rig_session_socket(&wsi);
    assert_true(fail_alloc_at(1));
    assert_int_equal(call(LWS_EXT_CB_CONSTRUCT, &inbound, &options), -1);
    assert_true(fail_alloc_off());
    assert_false(wsi.slot.deflates);
    buf_done(&wsi.sent);
    open_session();
    assert_true(fail_alloc_at(1));
    assert_int_equal(piece(packed, n, 3, &p), MORE_TO_COME);
    assert_true(fail_alloc_off());
    rig_run(&wsi);
    assert_int_equal(wsi.close_code, 1011);
    close_session();
    assert_int_equal(call(LWS_EXT_CB_DESTROY, NULL, NULL), 0);
    assert_int_equal(call(LWS_EXT_CB_PAYLOAD_TX, NULL, NULL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answer__completed_in_the_one_header),
        TEST(test_confirm__runvoy_or_unfit_offers__declined),
        TEST(test_lines__deflated_once__shared_and_equal_to_the_plain),
        TEST(test_encode__made_from_the_plain_frame_or_without__the_same),
        TEST(test_receive__whole_pieces_or_frames__one_message),
        TEST(test_receive__does_not_inflate__1007),
        TEST(test_receive__too_long_packed_or_inflated__1009),
        TEST(test_memory_short__each_time__refused_or_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
