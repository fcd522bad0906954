/* Frames made once, encoders, memory that frames add, statistics, allocation failures. */
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

static void test_hub__each_allocation_fails__error_and_nothing_leaks(void **state)
{
    struct fake_rig *r = *state;
    const struct hub_opts ho = HUB_DEFAULTS;
    const struct writer_opts wo = fake_rig_writer_opts();
    const struct keeper_opts ko = {.interval_ms = 1000};
    int rc = ERR_NOMEM, n = 0;
    for (; rc != 0; n++) {
        struct hub *h = NULL;
        struct writer *w = NULL;
        struct keeper *k = NULL;
        struct topic *t = NULL;
        struct cursor *c = NULL;
        struct execution row = rig_row(7);
        fail_at = n;
        rc = hub_new(r->loop, r->pool, &ho, &h);
        if (rc == 0)
            rc = writer_new(r->loop, r->pool, h, &wo, &w);
        if (rc == 0)
            rc = keeper_new(r->loop, r->pool, &ko, &k);
        if (rc == 0)
            rc = hub_topic_open(h, &row, &t);
        if (rc == 0)
            rc = cursor_open(t, 0, fake_rig_nothing, NULL, &c);
        fail_at = -1;
        assert_true(rc == 0 || rc == ERR_NOMEM);
        cursor_close(c);
        topic_unref(t);
        keeper_free(k);
        writer_free(w);
        hub_free(h);
    }
    assert_true(n > 10);
    spin(r->loop, 3);
}

static void test_topic_publish__no_memory_for_the_ring__read_from_the_store(void **state)
{
    struct fake_rig *r = *state;
    struct execution row = rig_row(1);
    (void)fake_add_row(r->pool, &row);
    fake_add_chunk(r->pool, row.key, 1, 10, false);
    struct topic *t = NULL;
    assert_int_equal(hub_topic_open(r->hub, &row, &t), 0);
    topic_set_local(t, true);
    struct reader reader = {.check_text = true};
    reader_open(&reader, t, 0);
    struct chunk *c = rig_chunk(row.key, 1, 10, 0);
    fail_at = 0;
    assert_int_equal(topic_publish(t, c), 0);
    fail_at = -1;
    assert_int_equal(t->ring.count, 0);
    reader_await(r->loop, &reader, 10);
    chunk_unref(c);
    reader_close(&reader);
    topic_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_hub_frame__first_line_0__made_once_and_counted),
        T(test_hub_frame__total_bound__frames_push_chunks_out),
        T(test_hub_frame__wrong_arguments_or_encoder_fails__error),
        T(test_hub__each_allocation_fails__error_and_nothing_leaks),
        T(test_topic_publish__no_memory_for_the_ring__read_from_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
