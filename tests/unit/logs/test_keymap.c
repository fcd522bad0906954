/* The key table, growing. */
#include "logs/keymap.h"

#include "tests/unit/logs/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_keymap__many_keys__found_until_removed(void **state)
{
    (void)state;
    static struct keymap_node nodes[5000];
    struct keymap m;
    assert_int_equal(keymap_init(&m), 0);
    for (uint32_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        nodes[i].key = rig_key(i) + ((int64_t)(i % 3) << 32);
        assert_null(keymap_get(&m, nodes[i].key));
        keymap_put(&m, &nodes[i]);
    }
    for (uint32_t i = 0; i < ARRAY_SIZE(nodes); i += 2)
        keymap_remove(&m, &nodes[i]);
    keymap_remove(&m, &nodes[0]);
    assert_int_equal(m.count, ARRAY_SIZE(nodes) / 2);
    for (uint32_t i = 0; i < ARRAY_SIZE(nodes); i++)
        assert_ptr_equal(keymap_get(&m, nodes[i].key), i % 2 ? &nodes[i] : NULL);
    keymap_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keymap__many_keys__found_until_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
