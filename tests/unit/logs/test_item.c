/* An item owns what it holds. */
#include "logs/writer_internal.h"
#include "tests/unit/logs/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_item_free__whatever_it_holds__released(void **state)
{
    (void)state;
    static const enum item_kind KINDS[] = {ITEM_CHUNK, ITEM_STATE, ITEM_OFFSET};
    for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++) {
        struct item *it = item_new(KINDS[i]);
        assert_non_null(it);
        assert_int_equal(it->kind, KINDS[i]);
        assert_true(list_is_empty(&it->node));
        struct chunk *c = rig_chunk(1, 1, 3, 0);
        it->chunk = chunk_ref(c);
        it->data = malloc(10);
        it->cause = malloc(10);
        it->request_id = malloc(10);
        item_free(it);
        assert_int_equal(c->refs, 1);
        chunk_unref(c);
    }
    item_free(item_new(ITEM_STATE));
    item_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_item_free__whatever_it_holds__released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
