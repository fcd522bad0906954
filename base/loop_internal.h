/* What the loop's sources share; nobody else sees libuv. */
#ifndef TAILGATE_BASE_LOOP_INTERNAL_H
#define TAILGATE_BASE_LOOP_INTERNAL_H

#include "base/list.h"
#include "base/loop.h"
#include "base/metrics.h"

#include <uv.h>

/* Of the turns so far (loop_turns.c). */
struct loop_turns {
    uv_prepare_t prepare;
    uint64_t began_ns, waited_ns; /* at the latest prepare; began 0: none yet */
    int64_t longest_us;
    struct metrics_histogram seconds;
};

struct loop {
    uv_loop_t uv;
    uv_async_t keep_alive; /* keeps uv_run waiting when nothing else is registered */
    uv_timer_t turn_limit; /* of loop_turn */
    struct list orphans;   /* struct loop_process that were freed before their child ended */
    struct list works;     /* struct loop_work not yet done */
    struct loop_turns turns;
    bool closing;
};

/* A libuv error as ours: ERR_NOMEM, or ERR_SYS after logging what could not be done. */
int loop_error(int uv_error, const char *what);

void loop_turns_init(struct loop *l);
/* What is between here and the next turn is nobody's. */
void loop_turns_restart(struct loop *l);
void loop_process_close_orphans(struct loop *l);
void loop_work_cancel_all(struct loop *l);

#endif
