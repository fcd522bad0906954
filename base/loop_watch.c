/*
 * One file's changes, by inotify through libuv. The kernel merges equal events that are still
 * queued (inotify(7)), so a busy writer costs one call a turn.
 */
#include "base/loop_internal.h"

#include "base/err.h"

struct loop_watch {
    uv_fs_event_t uv;
    loop_fn fn;
    void *user;
};

static void watch_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct loop_watch, uv));
}

static void watch_changed(uv_fs_event_t *uv, const char *name UNUSED, int events UNUSED,
                          int status UNUSED)
{
    struct loop_watch *w = CONTAINER_OF(uv, struct loop_watch, uv);

    w->fn(w->user);
}

int loop_watch_new(struct loop *l, const char *path, loop_fn fn, void *user,
                   struct loop_watch **ret)
{
    struct loop_watch *w = calloc(1, sizeof(*w));

    if (!w)
        return ERR_NOMEM;
    w->fn = fn;
    w->user = user;
    (void)uv_fs_event_init(&l->uv, &w->uv); /* always 0 */
    int r = uv_fs_event_start(&w->uv, watch_changed, path, 0);
    if (r < 0) {
        loop_watch_free(w);
        return loop_error(r, "uv_fs_event_start");
    }
    *ret = w;
    return 0;
}

void loop_watch_free(struct loop_watch *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->uv, watch_closed);
}
