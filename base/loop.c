/*
 * The loop itself: made once, run until it is stopped, freed after everything on it. Each object is
 * one allocation around its libuv handles and is released in the close callback, on a later turn
 * than the call that freed it.
 */
#include "base/loop_internal.h"

#include "base/err.h"
#include "base/log.h"

static void on_keep_alive(uv_async_t *handle UNUSED)
{
}

static void on_turn_limit(uv_timer_t *handle UNUSED)
{
}

int loop_error(int uv_error, const char *what)
{
    if (uv_error == UV_ENOMEM)
        return ERR_NOMEM;
    log_error("event loop", "operation", what, "error", uv_strerror(uv_error));
    return ERR_SYS;
}

int loop_new(struct loop **ret)
{
    struct loop *l = calloc(1, sizeof(*l));

    if (!l)
        return ERR_NOMEM;
    list_init(&l->orphans);
    list_init(&l->works);
    int r = uv_loop_init(&l->uv);
    if (r < 0) {
        free(l);
        return loop_error(r, "uv_loop_init");
    }
    r = uv_async_init(&l->uv, &l->keep_alive, on_keep_alive);
    if (r < 0) {
        (void)uv_loop_close(&l->uv);
        free(l);
        return loop_error(r, "uv_async_init");
    }
    (void)uv_timer_init(&l->uv, &l->turn_limit); /* always 0 */
    loop_turns_init(l);
    *ret = l;
    return 0;
}

/* Whatever its owner forgot: closed so that the loop can end, its memory lost, and said. */
static void close_leftover(uv_handle_t *handle, void *user UNUSED)
{
    if (uv_is_closing(handle))
        return;
    log_error("event loop: an object was not freed", "type",
              uv_handle_type_name(uv_handle_get_type(handle)));
    uv_close(handle, NULL);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    l->closing = true;
    loop_work_cancel_all(l);
    uv_close((uv_handle_t *)&l->keep_alive, NULL);
    uv_close((uv_handle_t *)&l->turn_limit, NULL);
    uv_close((uv_handle_t *)&l->turns.prepare, NULL);
    while (!list_is_empty(&l->works))
        (void)uv_run(&l->uv, UV_RUN_ONCE);
    /* More than once when a stop was pending: uv_run then returns at once. */
    do {
        loop_process_close_orphans(l);
        uv_walk(&l->uv, close_leftover, NULL);
        (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    } while (uv_loop_close(&l->uv) == UV_EBUSY);
    free(l);
}

int loop_run(struct loop *l)
{
    loop_turns_restart(l);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    return 0;
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

int loop_turn(struct loop *l, int timeout_ms)
{
    if (timeout_ms <= 0) {
        (void)uv_run(&l->uv, UV_RUN_NOWAIT);
        return 0;
    }
    uv_update_time(&l->uv);
    int r = uv_timer_start(&l->turn_limit, on_turn_limit, (uint64_t)timeout_ms, 0);
    if (r < 0)
        return loop_error(r, "uv_timer_start");
    (void)uv_run(&l->uv, UV_RUN_ONCE);
    (void)uv_timer_stop(&l->turn_limit);
    return 0;
}

void *loop_uv(struct loop *l)
{
    return &l->uv;
}
