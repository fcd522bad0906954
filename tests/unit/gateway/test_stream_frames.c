/* The frames' bytes: lengths, cuts, and that they say what wire's messages say. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

#include "base/json.h"
#include "wire/messages.h"

#include <stdio.h>

#define OUT_MAX (32u << 20)
#define ID "00004e2000000001abcdef0123456789"

static struct execution_id id(void)
{
    struct execution_id i;

    assert_int_equal(execution_id_parse(ID, &i), 0);
    return i;
}

/* Lines of every kind that JSON and UTF-8 make something of. */
static struct chunk *mixed_chunk(uint64_t first_seq)
{
    static const char *const texts[] = {
        "plain",     "",         "tab\there", "quote \" and \\", "\x1b[31mred\x1b[0m",
        "h\xc3\xa9", "\xff\xfe", "\xe2\x82",  "cut in two,",     "an error",
        " here\r",   "last",
    };
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL;

    assert_int_equal(chunk_builder_new(&b), 0);
    for (uint32_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(chunk_builder_add(b, 1700000000000999 + i / 3 * 1001,
                                           i == 9    ? STREAM_STDERR
                                           : i == 11 ? STREAM_SYSTEM
                                                     : STREAM_STDOUT,
                                           i == 8    ? LINE_PART
                                           : i == 11 ? LINE_NO_EOL
                                                     : 0,
                                           texts[i], strlen(texts[i])),
                         0);
    assert_int_equal(chunk_builder_finish(b, 1, first_seq, &c), 0);
    chunk_builder_free(b);
    return c;
}

static struct lws parsed;
static const char *texts_of(const struct buf *frames)
{
    buf_done(&parsed.sent);
    memset(&parsed, 0, sizeof parsed);
    buf_init(&parsed.sent, OUT_MAX);
    assert_int_equal(buf_append(&parsed.sent, frames->data, frames->len), 0);
    return rig_take(&parsed);
}

static void test_stream_frame__each_length_form__is_the_shortest(void **state)
{
    static const struct {
        size_t payload, header;
        uint8_t begin[10];
    } rows[] = {
        {0, 2, {0x81, 0}},
        {1, 2, {0x81, 1}},
        {125, 2, {0x81, 125}},
        {126, 4, {0x81, 126, 0, 126}},
        {65535, 4, {0x81, 126, 0xff, 0xff}},
        {65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
        {400000, 10, {0x81, 127, 0, 0, 0, 0, 0, 6, 0x1a, 0x80}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out CLEANUP_BUF = {.max = OUT_MAX};
        size_t mark = 0;
        assert_int_equal(buf_append_str(&out, "before"), 0);
        assert_int_equal(stream_frame_begin(&out, &mark), 0);
        for (size_t n = 0; n < rows[i].payload; n++)
            assert_int_equal(buf_append_char(&out, (char)('a' + n % 26)), 0);
        assert_int_equal(stream_frame_end(&out, mark, STREAM_OP_TEXT), 0);
        assert_int_equal(out.len, 6 + rows[i].header + rows[i].payload);
        assert_memory_equal(out.data + 6, rows[i].begin, rows[i].header);
        for (size_t n = 0; n < rows[i].payload; n++)
            assert_int_equal(out.data[6 + rows[i].header + n], 'a' + (int)(n % 26));
        assert_int_equal(out.data[out.len], '\0');
    }
}

static void test_stream_frames_fit__limits__cuts_between_frames(void **state)
{
    /* frames of 2+10, 4+200, 10+70000, 2+0 bytes */
    static const size_t payloads[] = {10, 200, 70000, 0};
    static const struct {
        size_t max, expected;
    } rows[] = {{1, 12},      {12, 12},       {215, 12},      {216, 216},     {300, 216},
                {70225, 216}, {70226, 70226}, {70227, 70226}, {70228, 70228}, {1 << 20, 70228}};
    struct buf out CLEANUP_BUF = {.max = OUT_MAX};
    size_t mark = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
        assert_int_equal(stream_frame_begin(&out, &mark), 0);
        for (size_t n = 0; n < payloads[i]; n++)
            assert_int_equal(buf_append_char(&out, 'x'), 0);
        assert_int_equal(stream_frame_end(&out, mark, STREAM_OP_TEXT), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(stream_frames_fit((uint8_t *)out.data, out.len, rows[i].max),
                         rows[i].expected);
    /* the first is larger than the limit: it goes alone */
    assert_int_equal(stream_frames_fit((uint8_t *)out.data + 216, out.len - 216, 4096), 70010);
}

static void test_encode_tailgate__mixed_lines__equals_wire(void **state)
{
    struct chunk *c = mixed_chunk(99);
    struct execution_id i = id();

    (void)state;
    for (uint32_t first = 0; first < c->n_lines; first++) {
        struct buf out CLEANUP_BUF = {.max = OUT_MAX}, expected CLEANUP_BUF = {.max = OUT_MAX};
        assert_int_equal(stream_encode_tailgate(NULL, &i, c, first, &out), 0);
        assert_int_equal(wire_ws_logs_begin(&expected, &i, 99 + first), 0);
        for (uint32_t n = first; n < c->n_lines; n++)
            assert_int_equal(wire_ws_logs_line(&expected, n == first, c->lines[n].time_us,
                                               c->lines[n].stream, c->lines[n].flags,
                                               c->text + c->lines[n].offset, c->lines[n].len),
                             0);
        assert_int_equal(wire_ws_logs_end(&expected), 0);
        assert_int_equal(buf_append_char(&expected, '\n'), 0);
        assert_string_equal(texts_of(&out), expected.data);
    }
    chunk_unref(c);
}

static void test_encode_runvoy__mixed_lines__equals_wire(void **state)
{
    static const uint64_t firsts[] = {1, 9, 95, 9999999999};
    struct execution_id i = id();

    (void)state;
    for (size_t k = 0; k < ARRAY_SIZE(firsts); k++) {
        struct chunk *c = mixed_chunk(firsts[k]);
        for (uint32_t first = 0; first < c->n_lines; first++) {
            struct buf out CLEANUP_BUF = {.max = OUT_MAX}, expected CLEANUP_BUF = {.max = OUT_MAX};
            assert_int_equal(stream_encode_runvoy(NULL, &i, c, first, &out), 0);
            for (uint32_t n = first; n < c->n_lines; n++) {
                assert_int_equal(wire_event(&expected, &i, firsts[k] + n, c->lines[n].time_us,
                                            c->text + c->lines[n].offset, c->lines[n].len, true),
                                 0);
                assert_int_equal(buf_append_char(&expected, '\n'), 0);
            }
            assert_string_equal(texts_of(&out), expected.data);
        }
        chunk_unref(c);
    }
}

static void
test_encode_tailgate__empty_lines_by_the_thousand__frames_stay_below_64_kib(void **state)
{
    const uint32_t n = 20000;
    const char **lines = calloc(n, sizeof *lines);
    struct buf out CLEANUP_BUF = {.max = OUT_MAX};
    struct execution_id i = id();
    struct chunk *c;
    size_t frames = 0, total = 0;

    (void)state;
    for (uint32_t k = 0; k < n; k++)
        lines[k] = "";
    c = rig_chunk_of(1, lines, NULL, n);
    assert_int_equal(stream_encode_tailgate(NULL, &i, c, 0, &out), 0);
    for (size_t at = 0; at < out.len; frames++) {
        size_t size = stream_frames_fit((uint8_t *)out.data + at, out.len - at, 1);
        assert_true(size <= STREAM_PAYLOAD_MAX + 4);
        json_t *j CLEANUP_JSON = json_loadb(out.data + at + 4, size - 4, 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(j, "first")), total + 1);
        total += json_array_size(json_object_get(j, "lines"));
        at += size;
    }
    assert_int_equal(total, n);
    assert_true(frames > 5 && frames < 9);
    chunk_unref(c);
    free(lines);
}

static void test_encode_tailgate__line_that_escapes_to_six_times__goes_alone(void **state)
{
    static char bad[60000];
    static const char *const lines[] = {"before", bad, "after"};
    static const size_t lens[] = {6, sizeof bad, 5};
    struct buf out CLEANUP_BUF = {.max = OUT_MAX};
    struct execution_id i = id();
    struct chunk *c;
    size_t first, second, third;

    (void)state;
    memset(bad, 1, sizeof bad);
    c = rig_chunk_of(1, lines, lens, 3);
    assert_int_equal(stream_encode_tailgate(NULL, &i, c, 0, &out), 0);
    first = stream_frames_fit((uint8_t *)out.data, out.len, 1);
    second = stream_frames_fit((uint8_t *)out.data + first, out.len - first, 1);
    third = out.len - first - second;
    assert_true(first < 200 && third < 200);
    assert_true(second > 6 * sizeof bad && second < STREAM_LINE_PAYLOAD_MAX);
    assert_true(STREAM_LINE_PAYLOAD_MAX + 10 < STREAM_TX_PACKET_SIZE);
    assert_non_null(
        strstr(texts_of(&out), "\"first\":3,\"lines\":[[1700000000003,\"o\",\"after\"]]}"));
    chunk_unref(c);
}

/* Of a frame's payload all but the texts of its first line, and of each further one. */
static size_t overhead_of(uint32_t n_lines)
{
    static const char *const empty[] = {"", ""};
    struct buf out CLEANUP_BUF = {.max = OUT_MAX};
    struct execution_id i = id();
    struct chunk *c = rig_chunk_of(1, empty, NULL, n_lines);
    const uint8_t *payload;
    size_t n = 0;

    assert_int_equal(stream_encode_tailgate(NULL, &i, c, 0, &out), 0);
    (void)rig_parse_frame((uint8_t *)out.data, out.len, &payload, &n);
    chunk_unref(c);
    return n;
}

static void test_encode_tailgate__at_the_edges__whole_lines_within_the_limits(void **state)
{
    static char plain[CHUNK_BYTES_MAX], control[CHUNK_BYTES_MAX];
    const size_t room1 = STREAM_PAYLOAD_MAX - overhead_of(1);
    const size_t room2 = STREAM_PAYLOAD_MAX - overhead_of(2);
    const struct {
        const char *first;
        size_t first_len, second_len; /* second: plain, 0 = none */
        size_t frames, payload;       /* of the first frame */
    } rows[] = {
        {plain, room1, 0, 1, STREAM_PAYLOAD_MAX},
        {plain, room1 + 1, 0, 1, STREAM_PAYLOAD_MAX + 1}, /* alone, with the long header */
        {plain, room2 - 100, 100, 1, STREAM_PAYLOAD_MAX},
        {plain, room2 - 100, 101, 2, STREAM_PAYLOAD_MAX - 100 - (overhead_of(2) - overhead_of(1))},
        {plain, CHUNK_BYTES_MAX, 0, 1, CHUNK_BYTES_MAX + overhead_of(1)},
        {control, CHUNK_BYTES_MAX, 0, 1, 6 * CHUNK_BYTES_MAX + overhead_of(1)},
        {control, CHUNK_BYTES_MAX - 1, 1, 2, 6 * (CHUNK_BYTES_MAX - 1) + overhead_of(1)},
    };
    struct execution_id id1 = id();

    (void)state;
    memset(plain, 'p', sizeof plain);
    memset(control, 1, sizeof control);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out CLEANUP_BUF = {.max = OUT_MAX};
        const char *lines[] = {rows[i].first, plain};
        const size_t lens[] = {rows[i].first_len, rows[i].second_len};
        struct chunk *c = rig_chunk_of(1, lines, lens, rows[i].second_len > 0 ? 2 : 1);
        const uint8_t *payload;
        size_t frames = 0, n = 0, first = 0;

        assert_int_equal(stream_encode_tailgate(NULL, &id1, c, 0, &out), 0);
        for (size_t at = 0; at < out.len; frames++) {
            at += rig_parse_frame((uint8_t *)out.data + at, out.len - at, &payload, &n);
            first = frames == 0 ? n : first;
            json_t *j CLEANUP_JSON = json_loadb((const char *)payload, n, 0, NULL);
            assert_non_null(j);
        }
        assert_int_equal(frames, rows[i].frames);
        assert_int_equal(first, rows[i].payload);
        assert_true(first <= STREAM_LINE_PAYLOAD_MAX);
        chunk_unref(c);
    }
}

static void test_encode__no_memory_or_room__out_stays_as_it_was(void **state)
{
    hub_encode_fn encoders[] = {stream_encode_tailgate, stream_encode_runvoy};
    struct chunk *c = mixed_chunk(1);
    struct execution_id i = id();

    (void)state;
    for (size_t k = 0; k < ARRAY_SIZE(encoders); k++) {
        struct buf whole CLEANUP_BUF = {.max = OUT_MAX};
        assert_int_equal(encoders[k](NULL, &i, c, 0, &whole), 0);
        for (unsigned n = 1; fail_alloc_at(n); n++) {
            struct buf out CLEANUP_BUF = {.max = OUT_MAX};
            int r = encoders[k](NULL, &i, c, 0, &out);
            if (fail_alloc_off()) {
                assert_int_equal(r, ERR_NOMEM);
                assert_int_equal(out.len, 0);
            } else {
                assert_int_equal(r, 0);
            }
        }
        (void)fail_alloc_off();
        for (size_t max = 4; max < whole.len; max += 7) {
            struct buf out CLEANUP_BUF = {.max = max};
            assert_int_equal(buf_append_str(&out, "old"), 0);
            assert_int_equal(encoders[k](NULL, &i, c, 0, &out), ERR_TOO_LARGE);
            assert_string_equal(out.data, "old");
        }
    }
    chunk_unref(c);
}

static void test_encode_tailgate__time_before_the_epoch__keeps_its_sign(void **state)
{
    struct chunk_line line = {.time_us = -1500, .stream = STREAM_STDOUT};
    char text[] = "";
    struct chunk c = {.refs = 1, .first_seq = 1, .n_lines = 1, .lines = &line, .text = text};
    struct buf out CLEANUP_BUF = {.max = OUT_MAX};
    struct execution_id i = id();

    (void)state;
    assert_int_equal(stream_encode_tailgate(NULL, &i, &c, 0, &out), 0);
    assert_non_null(strstr(texts_of(&out), "[[-2,\"o\",\"\"]]"));
}

/* Compared with the stored bytes; TAILGATE_UPDATE_GOLDEN=1 writes them anew. */
static void check_golden(const char *path, const struct buf *out)
{
    char stored[8192];
    FILE *f;
    size_t n;

    if (getenv("TAILGATE_UPDATE_GOLDEN")) {
        f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(out->data, 1, out->len, f), out->len);
        assert_int_equal(fclose(f), 0);
    }
    f = fopen(path, "rb");
    assert_non_null(f);
    n = fread(stored, 1, sizeof stored, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(n, out->len);
    assert_memory_equal(stored, out->data, n);
}

static void test_encode__mixed_lines__golden_bytes(void **state)
{
    struct buf tailgate CLEANUP_BUF = {.max = OUT_MAX}, runvoy CLEANUP_BUF = {.max = OUT_MAX};
    struct chunk *c = mixed_chunk(99);
    struct execution_id i = id();

    (void)state;
    assert_int_equal(stream_encode_tailgate(NULL, &i, c, 0, &tailgate), 0);
    assert_int_equal(stream_encode_runvoy(NULL, &i, c, 0, &runvoy), 0);
    check_golden("tests/golden/frames/mixed/tailgate.bin", &tailgate);
    check_golden("tests/golden/frames/mixed/runvoy.bin", &runvoy);
    chunk_unref(c);
}

static int teardown(void **state)
{
    buf_done(&parsed.sent);
    return rig_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_frame__each_length_form__is_the_shortest),
        cmocka_unit_test(test_stream_frames_fit__limits__cuts_between_frames),
        cmocka_unit_test(test_encode_tailgate__mixed_lines__equals_wire),
        cmocka_unit_test(test_encode_runvoy__mixed_lines__equals_wire),
        cmocka_unit_test(
            test_encode_tailgate__empty_lines_by_the_thousand__frames_stay_below_64_kib),
        cmocka_unit_test(test_encode_tailgate__line_that_escapes_to_six_times__goes_alone),
        cmocka_unit_test(test_encode_tailgate__at_the_edges__whole_lines_within_the_limits),
        cmocka_unit_test(test_encode__no_memory_or_room__out_stays_as_it_was),
        cmocka_unit_test(test_encode_tailgate__time_before_the_epoch__keeps_its_sign),
        cmocka_unit_test(test_encode__mixed_lines__golden_bytes),
    };
    return cmocka_run_group_tests(tests, rig_setup, teardown);
}
