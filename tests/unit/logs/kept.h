/* A keeper on the fake store: the *state of cmocka. Link with --wrap=clock_wall_us. */
#ifndef TAILGATE_TESTS_UNIT_LOGS_KEPT_H
#define TAILGATE_TESTS_UNIT_LOGS_KEPT_H

#include "tests/unit/logs/fake_rig.h"

struct kept {
    struct loop *loop;
    struct db_pool *pool;
    struct keeper *keeper; /* after kept_start */
};
extern int64_t kept_wall_us; /* 0: the real clock */
#define KEPT_VACUUM_MS 20

int kept_setup(void **state);
int kept_teardown(void **state);
void kept_start(struct kept *k, int64_t retention_ms);
bool kept_is_idle(void *kept);
/* n small chunks of `lines` lines behind what is there. */
void kept_add_small(struct kept *k, uint64_t *next, uint32_t n, uint32_t lines);

#endif
