/* The hub when memory is short. */
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
        T(test_hub__each_allocation_fails__error_and_nothing_leaks),
        T(test_topic_publish__no_memory_for_the_ring__read_from_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
