/* Work for libuv's thread pool. The record lives from the submission until done has been called. */
#include "base/loop_internal.h"

#include "base/err.h"

struct loop_work {
    uv_work_t uv;
    struct list node; /* in loop.works */
    loop_work_fn work;
    loop_done_fn done;
    void *user;
};

static void run_work(uv_work_t *uv)
{
    struct loop_work *w = CONTAINER_OF(uv, struct loop_work, uv);

    w->work(w->user);
}

static void work_done(uv_work_t *uv, int status)
{
    struct loop_work *w = CONTAINER_OF(uv, struct loop_work, uv);

    list_remove(&w->node);
    w->done(w->user, status == UV_ECANCELED ? ERR_CLOSED : 0);
    free(w);
}

int loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user)
{
    if (l->closing)
        return ERR_CLOSED;
    struct loop_work *w = calloc(1, sizeof(*w));
    if (!w)
        return ERR_NOMEM;
    w->work = work;
    w->done = done;
    w->user = user;
    int r = uv_queue_work(&l->uv, &w->uv, run_work, work_done);
    if (r < 0) {
        free(w);
        return loop_error(r, "uv_queue_work");
    }
    list_append(&l->works, &w->node);
    return 0;
}

void loop_work_cancel_all(struct loop *l)
{
    /* What is already running refuses; loop_free waits for it. */
    LIST_FOREACH (it, &l->works)
        (void)uv_cancel((uv_req_t *)&LIST_ENTRY(it, struct loop_work, node)->uv);
}
