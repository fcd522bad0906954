/* The ring against a plain loop. */
#include "logs/hub_internal.h"
#include "tests/unit/logs/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_ring_find__any_state__chunk_that_holds_it(void **state)
{
    (void)state;
    struct chunk_ring r = {0};
    uint64_t next = 5, oldest = 5, hint = 0;
    assert_null(ring_find(&r, 1, &hint));
    assert_null(ring_shift(&r));
    assert_null(ring_last(&r));
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t n = i % 7 + 1;
        assert_int_equal(ring_push(&r, rig_chunk(1, next, n, 0)), 0);
        next += n;
        if (i % 3 == 2) {
            struct chunk *c = ring_shift(&r);
            assert_int_equal(c->first_seq, oldest);
            oldest = chunk_last_seq(c) + 1;
            chunk_unref(c);
        }
        for (uint64_t seq = 1; seq < next + 3; seq++) {
            hint = seq % 5 ? UINT64_MAX : r.base + seq % 11;
            const struct chunk *c = ring_find(&r, seq, &hint);
            if (seq < oldest || seq >= next) {
                assert_null(c);
            } else {
                assert_true(c->first_seq <= seq && seq <= chunk_last_seq(c));
                uint64_t again = hint;
                if (chunk_last_seq(c) + 1 < next) {
                    const struct chunk *d = ring_find(&r, chunk_last_seq(c) + 1, &again);
                    assert_int_equal(d->first_seq, chunk_last_seq(c) + 1);
                    assert_int_equal(again, hint + 1);
                }
            }
        }
        assert_int_equal(chunk_last_seq(ring_last(&r)), next - 1);
    }
    ring_done(&r);
    ring_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_find__any_state__chunk_that_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
