#include "tests/unit/logs/kept.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

int64_t kept_wall_us;
int64_t __real_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void)
{
    return kept_wall_us ? kept_wall_us : __real_clock_wall_us();
}

int kept_setup(void **state)
{
    struct kept *k = calloc(1, sizeof *k);
    assert_non_null(k);
    assert_int_equal(loop_new(&k->loop), 0);
    k->pool = fake_new(k->loop);
    kept_wall_us = 0;
    *state = k;
    return 0;
}

int kept_teardown(void **state)
{
    struct kept *k = *state;
    keeper_free(k->keeper);
    fake_free(k->pool);
    loop_free(k->loop);
    free(k);
    return 0;
}

void kept_start(struct kept *k, int64_t retention_ms)
{
    const struct keeper_opts o = {.retention_ms = retention_ms,
                                  .interval_ms = 3600 * 1000,
                                  .vacuum_every_ms = KEPT_VACUUM_MS};
    assert_int_equal(keeper_new(k->loop, k->pool, &o, &k->keeper), 0);
    assert_int_equal(loop_turn(k->loop, 10), 0);
    spin(k->loop, 10);
}

bool kept_is_idle(void *user)
{
    return keeper_is_idle(((struct kept *)user)->keeper);
}

void kept_add_small(struct kept *k, uint64_t *next, uint32_t n, uint32_t lines)
{
    for (uint32_t i = 0; i < n; i++, *next += lines)
        fake_add_chunk(k->pool, rig_key(1), *next, lines, true);
}
