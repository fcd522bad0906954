/* Timers and deferred calls: one libuv handle each, closed by _free, released when it has closed.
 */
#include "base/loop_internal.h"

#include "base/err.h"

struct loop_timer {
    uv_timer_t uv;
    loop_fn fn;
    void *user;
};

static void timer_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct loop_timer, uv));
}

static void timer_fired(uv_timer_t *uv)
{
    struct loop_timer *t = CONTAINER_OF(uv, struct loop_timer, uv);

    t->fn(t->user);
}

int loop_timer_new(struct loop *l, loop_fn fn, void *user, struct loop_timer **ret)
{
    struct loop_timer *t = calloc(1, sizeof(*t));

    if (!t)
        return ERR_NOMEM;
    t->fn = fn;
    t->user = user;
    (void)uv_timer_init(&l->uv, &t->uv); /* always 0 */
    *ret = t;
    return 0;
}

void loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms)
{
    /* libuv counts from the time it read when this turn began. */
    uv_update_time(t->uv.loop);
    /* Fails only on a handle that is being closed. */
    (void)uv_timer_start(&t->uv, timer_fired, delay_ms > 0 ? (uint64_t)delay_ms : 0,
                         repeat_ms > 0 ? (uint64_t)repeat_ms : 0);
}

void loop_timer_stop(struct loop_timer *t)
{
    (void)uv_timer_stop(&t->uv); /* always 0 */
}

bool loop_timer_is_active(const struct loop_timer *t)
{
    return uv_is_active((const uv_handle_t *)&t->uv) != 0;
}

void loop_timer_free(struct loop_timer *t)
{
    if (t)
        uv_close((uv_handle_t *)&t->uv, timer_closed);
}

/*
 * An idle handle makes the next turn begin at once; it is stopped before the call, so the loop
 * sleeps again afterwards.
 */
struct loop_defer {
    uv_idle_t uv;
    loop_fn fn;
    void *user;
};

static void defer_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct loop_defer, uv));
}

static void defer_due(uv_idle_t *uv)
{
    struct loop_defer *d = CONTAINER_OF(uv, struct loop_defer, uv);

    (void)uv_idle_stop(uv); /* always 0 */
    d->fn(d->user);
}

int loop_defer_new(struct loop *l, loop_fn fn, void *user, struct loop_defer **ret)
{
    struct loop_defer *d = calloc(1, sizeof(*d));

    if (!d)
        return ERR_NOMEM;
    d->fn = fn;
    d->user = user;
    (void)uv_idle_init(&l->uv, &d->uv); /* always 0 */
    *ret = d;
    return 0;
}

void loop_defer_schedule(struct loop_defer *d)
{
    (void)uv_idle_start(&d->uv, defer_due); /* fails only without a callback */
}

void loop_defer_free(struct loop_defer *d)
{
    if (d)
        uv_close((uv_handle_t *)&d->uv, defer_closed);
}
