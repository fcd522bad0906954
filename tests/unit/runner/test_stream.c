/* Reading a stream: pieces, silence, the end, the last bytes, an outlet without room. */
#include "runner/stream.h"

#include "runner/now.h"
#include "spooled.h"

#include <sys/socket.h>

struct pair {
    struct spooled s;
    struct stream stream;
    int w;
};

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));
    int fds[2];
    if (p == NULL || pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        return -1;
    spooled_init(&p->s, 1u << 24);
    stream_init(&p->stream, fds[0], 'o');
    p->w = fds[1];
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    stream_done(&p->stream);
    if (p->w >= 0)
        close(p->w);
    spooled_done(&p->s);
    free(p);
    return 0;
}

static void put(struct pair *p, const char *text)
{
    assert_int_equal(write(p->w, text, strlen(text)), (ssize_t)strlen(text));
}

static void assert_text(struct pair *p, const char *text, size_t records)
{
    size_t n = 0;
    size_t got = 0;
    outlet_flush(&p->s.out, INT64_MAX);
    char *t = spooled_joined(&p->s, 'o', &n, &got);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(t, text, n);
    assert_int_equal(got, records);
    free(t);
}

static void test_stream__until_the_end__all_bytes(void **state)
{
    struct pair *p = *state;
    stream_read(&p->stream, &p->s.out, 0); /* nothing there yet */
    assert_false(p->stream.ended);
    put(p, "one\ntwo");
    stream_read(&p->stream, &p->s.out, 0);
    assert_text(p, "one\n", 1);
    close(p->w);
    p->w = -1;
    stream_read(&p->stream, &p->s.out, 0);
    assert_true(p->stream.ended);
    assert_int_equal(p->stream.fd, -1);
    assert_text(p, "one\ntwo", 2);
}

static void test_stream__silence__part_after_250_ms(void **state)
{
    struct pair *p = *state;
    put(p, "whole\n");
    stream_read(&p->stream, &p->s.out, 1000);
    assert_int_equal(p->stream.silent_at_ms, NEVER_MS);
    put(p, "half");
    stream_read(&p->stream, &p->s.out, 2000);
    assert_int_equal(p->stream.silent_at_ms, 2250);
    stream_mind_silence(&p->stream, &p->s.out, 2249);
    assert_text(p, "whole\n", 1);
    stream_mind_silence(&p->stream, &p->s.out, 2250);
    assert_text(p, "whole\nhalf", 2);
    assert_int_equal(p->stream.silent_at_ms, NEVER_MS);
    stream_mind_silence(&p->stream, &p->s.out, 9999);
    assert_text(p, "whole\nhalf", 2);
}

/* Without room the bytes wait in the stream; the end waits for them. */
static void test_stream__blocked__pumped_later(void **state)
{
    struct pair *p = *state;
    static char line[60001];
    memset(line, 'z', 60000);
    line[59999] = '\n';
    p->s.out.error = -ENOSPC;
    p->s.out.retry_at_ms = INT64_MAX;
    while (!stream_is_pending(&p->stream)) {
        put(p, line);
        stream_read(&p->stream, &p->s.out, 0);
    }
    stream_mind_silence(&p->stream, &p->s.out, INT64_MAX - 1); /* no part of a waiting line */
    outlet_flush(&p->s.out, INT64_MAX);
    stream_pump(&p->stream, &p->s.out);
    assert_false(stream_is_pending(&p->stream));
    close(p->w);
    p->w = -1;
    stream_read(&p->stream, &p->s.out, 0);
    assert_true(p->stream.ended);
}

static void test_stream__last__reads_what_is_there_then_closes(void **state)
{
    struct pair *p = *state;
    put(p, "last words\n");
    stream_set_last(&p->stream);
    stream_read(&p->stream, &p->s.out, 0);
    assert_false(p->stream.ended);
    stream_read(&p->stream, &p->s.out, 0); /* a writer lives, but nothing is there */
    assert_true(p->stream.ended);
    assert_text(p, "last words\n", 1);
}

/* A foreign process that goes on writing is not listened to for ever. */
static void test_stream__last_with_endless_writer__bounded(void **state)
{
    struct pair *p = *state;
    static char line[4097];
    memset(line, 'z', 4096);
    line[4095] = '\n';
    stream_set_last(&p->stream);
    unsigned rounds = 0;
    while (!p->stream.ended) {
        put(p, line);
        stream_read(&p->stream, &p->s.out, 0);
        assert_true(++rounds < 5000);
    }
    assert_true(rounds > 100);
}

static void test_stream__none__has_ended(void **state)
{
    static struct stream s;
    struct pair *p = *state;
    stream_init(&s, -1, 'e');
    assert_true(s.ended);
    assert_false(stream_is_pending(&s));
    stream_pump(&s, &p->s.out);
    stream_done(&s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_stream__until_the_end__all_bytes),
        T(test_stream__silence__part_after_250_ms),
        T(test_stream__blocked__pumped_later),
        T(test_stream__last__reads_what_is_there_then_closes),
        T(test_stream__last_with_endless_writer__bounded),
        T(test_stream__none__has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
