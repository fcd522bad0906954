/* Frames: made once, counted, bounded. */
#include "base/err.h"
#include "logs/hub_internal.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int fail_at = -1; /* the nth allocation from now on fails */

static bool fails(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

struct encoder {
    int calls, rc;
    size_t pad;
};

static int encode(void *user, const struct execution_id *id, const struct chunk *c,
                  uint32_t first_line, struct buf *out)
{
    struct encoder *e = user;
    e->calls++;
    if (e->rc < 0)
        return e->rc;
    int rc = buf_printf(out, "%s %llu %u", id->hex, (unsigned long long)c->first_seq, first_line);
    static char pad[2u << 20];
    return rc < 0 ? rc : buf_append(out, pad, e->pad);
}

static struct topic *open_with_chunk(struct fake_rig *r, struct chunk **ret)
{
    struct execution row = rig_row(1);
    struct topic *t = NULL;
    assert_int_equal(hub_topic_open(r->hub, &row, &t), 0);
    topic_set_local(t, true);
    *ret = rig_chunk(row.key, 1, 10, 0);
    assert_int_equal(topic_publish(t, *ret), 0);
    return t;
}

static void test_hub_frame__first_line_0__made_once_and_counted(void **state)
{
    struct fake_rig *r = *state;
    struct encoder e = {.pad = 1000};
    int kind = -1;
    assert_int_equal(hub_register_encoder(r->hub, encode, &e, &kind), 0);
    struct chunk *c = NULL;
    struct topic *t = open_with_chunk(r, &c);
    struct hub_stats before, after;
    hub_stats(r->hub, &before);
    struct frame *a = NULL, *b = NULL, *d = NULL;
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, kind, 0, &a), 0);
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, kind, 0, &b), 0);
    assert_ptr_equal(a, b);
    assert_int_equal(e.calls, 1);
    hub_stats(r->hub, &after);
    assert_int_equal(after.ring_bytes - before.ring_bytes, sizeof(struct frame) + a->len);
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, kind, 3, &d), 0);
    assert_ptr_not_equal(d, a);
    assert_memory_equal((char *)d->bytes + d->len - 1001, "3", 1);
    assert_int_equal(e.calls, 2);
    frame_unref(a);
    frame_unref(b);
    frame_unref(d);
    topic_unref(t);
    hub_stats(r->hub, &after);
    assert_int_equal(after.ring_bytes, 0);
    chunk_unref(c);
}

static void test_hub_frame__total_bound__frames_push_chunks_out(void **state)
{
    struct fake_rig *r = *state;
    struct hub_opts ho = HUB_DEFAULTS;
    ho.ring_total_bytes = 1u << 20;
    fake_rig_hub(r, &ho);
    struct encoder e = {.pad = 2u << 20};
    int kind = -1;
    assert_int_equal(hub_register_encoder(r->hub, encode, &e, &kind), 0);
    struct chunk *c = NULL;
    struct topic *t = open_with_chunk(r, &c);
    struct frame *f = NULL;
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, kind, 0, &f), 0);
    struct hub_stats hs;
    hub_stats(r->hub, &hs);
    assert_int_equal(hs.ring_bytes, 0);
    frame_unref(f);
    /* Held by nobody: made again it is not counted. */
    struct chunk *loose = rig_chunk(rig_key(1), 1, 3, 0);
    assert_int_equal(hub_frame(r->hub, topic_id(t), loose, kind, 0, &f), 0);
    hub_stats(r->hub, &hs);
    assert_int_equal(hs.ring_bytes, 0);
    frame_unref(f);
    chunk_unref(loose);
    chunk_unref(c);
    topic_unref(t);
}

static void test_hub_frame__wrong_arguments_or_encoder_fails__error(void **state)
{
    struct fake_rig *r = *state;
    struct encoder e = {.rc = ERR_TOO_LARGE};
    struct chunk *c = NULL;
    struct frame *f = NULL;
    struct topic *t = open_with_chunk(r, &c);
    int kind = -1;
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, 0, 0, &f), ERR_INVALID);
    for (int i = 0; i < CHUNK_FRAME_KINDS; i++) {
        assert_int_equal(hub_register_encoder(r->hub, encode, &e, &kind), 0);
        assert_int_equal(kind, i);
    }
    assert_int_equal(hub_register_encoder(r->hub, encode, &e, &kind), ERR_LIMIT);
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, -1, 0, &f), ERR_INVALID);
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, 0, 10, &f), ERR_INVALID);
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, 0, 0, &f), ERR_TOO_LARGE);
    e.rc = 0;
    fail_at = 0;
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, 0, 0, &f), ERR_NOMEM);
    fail_at = -1;
    assert_int_equal(hub_frame(r->hub, topic_id(t), c, 0, 0, &f), 0);
    frame_unref(f);
    chunk_unref(c);
    topic_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_hub_frame__first_line_0__made_once_and_counted),
        T(test_hub_frame__total_bound__frames_push_chunks_out),
        T(test_hub_frame__wrong_arguments_or_encoder_fails__error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
