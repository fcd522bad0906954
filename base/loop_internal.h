/* What the loop's sources share; nobody else sees libuv. */
#ifndef TAILGATE_BASE_LOOP_INTERNAL_H
#define TAILGATE_BASE_LOOP_INTERNAL_H

#include "base/list.h"
#include "base/loop.h"

#include <uv.h>

struct loop {
    uv_loop_t uv;
    uv_async_t keep_alive; /* keeps uv_run waiting when nothing else is registered */
    uv_timer_t turn_limit; /* of loop_turn */
    struct list orphans;   /* struct loop_process that were freed before their child ended */
    struct list works;     /* struct loop_work not yet done */
    bool closing;
};

/* A libuv error as ours: ERR_NOMEM, or ERR_SYS after logging what could not be done. */
int loop_error(int uv_error, const char *what);

void loop_process_close_orphans(struct loop *l);
void loop_work_cancel_all(struct loop *l);

#endif
