/* The runner's two clocks: wall time for records, monotonic time for deadlines. */
#ifndef TAILGATE_RUNNER_NOW_H
#define TAILGATE_RUNNER_NOW_H

#include <stdint.h>
#include <time.h>

#define NEVER_MS INT64_MAX /* a deadline that does not come */

static inline int64_t now_us(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t); /* cannot fail with these clocks */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline int64_t now_ms(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
