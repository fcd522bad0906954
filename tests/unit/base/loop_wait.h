/* Turns the loop until something has happened, with a deadline. */
#ifndef TAILGATE_TESTS_LOOP_WAIT_H
#define TAILGATE_TESTS_LOOP_WAIT_H

#include "base/clock.h"
#include "base/loop.h"

#define LOOP_WAIT_MS 60000

/* False when *count has not reached `wanted` in time. */
static inline bool loop_wait(struct loop *l, const int *count, int wanted)
{
    int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

    while (*count < wanted && clock_mono_ms() < deadline) {
        if (loop_turn(l, 50) < 0)
            return false;
    }
    return *count >= wanted;
}

#endif
