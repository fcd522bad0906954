/*
 * How long the loop's turns take. A turn is all that runs between two waits; libuv reads events in
 * the middle of its own iteration, so it is measured from one `prepare` to the next, and what libuv
 * itself spent waiting in between is taken off. That costs two clock reads a turn, and one more
 * epoll_wait where there is nothing to do (libuv polls once without waiting to tell the two apart).
 */
#include "base/loop_internal.h"

#define NS_PER_US 1000u

static void on_prepare(uv_prepare_t *handle)
{
    struct loop_turns *t = CONTAINER_OF(handle, struct loop_turns, prepare);
    uint64_t now = uv_hrtime();
    uint64_t waited = uv_metrics_idle_time(handle->loop);

    if (t->began_ns > 0) {
        uint64_t took = now - t->began_ns, idle = waited - t->waited_ns;
        int64_t us = took > idle ? (int64_t)((took - idle) / NS_PER_US) : 0;
        metrics_observe_us(&t->seconds, us);
        if (us > t->longest_us)
            t->longest_us = us;
    }
    t->began_ns = now;
    t->waited_ns = waited;
}

void loop_turns_init(struct loop *l)
{
    struct loop_turns *t = &l->turns;

    (void)uv_loop_configure(&l->uv, UV_METRICS_IDLE_TIME); /* all three: always 0 */
    (void)uv_prepare_init(&l->uv, &t->prepare);
    (void)uv_prepare_start(&t->prepare, on_prepare);
}

void loop_turns_restart(struct loop *l)
{
    l->turns.began_ns = 0;
}

const struct metrics_histogram *loop_turn_seconds(const struct loop *l)
{
    return &l->turns.seconds;
}

int64_t loop_take_longest_turn_us(struct loop *l)
{
    int64_t us = l->turns.longest_us;

    l->turns.longest_us = 0;
    return us;
}
