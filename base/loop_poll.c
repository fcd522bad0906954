/* Descriptors and signals: one libuv handle each, released when it has closed. */
#include "base/loop_internal.h"

#include "base/err.h"

struct loop_poll {
    uv_poll_t uv;
    loop_poll_fn fn;
    void *user;
};

static void poll_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct loop_poll, uv));
}

static void poll_ready(uv_poll_t *uv, int status, int events)
{
    struct loop_poll *p = CONTAINER_OF(uv, struct loop_poll, uv);
    unsigned ready = 0;

    if (events & UV_READABLE)
        ready |= LOOP_READ;
    if (events & UV_WRITABLE)
        ready |= LOOP_WRITE;
    p->fn(p->user, ready, status < 0 ? -status : 0);
}

int loop_poll_new(struct loop *l, int fd, loop_poll_fn fn, void *user, struct loop_poll **ret)
{
    struct loop_poll *p = calloc(1, sizeof(*p));

    if (!p)
        return ERR_NOMEM;
    p->fn = fn;
    p->user = user;
    int r = uv_poll_init(&l->uv, &p->uv, fd);
    if (r < 0) { /* the handle is not registered then */
        free(p);
        return loop_error(r, "uv_poll_init");
    }
    *ret = p;
    return 0;
}

int loop_poll_start(struct loop_poll *p, unsigned events)
{
    int wanted = 0;

    if (events & LOOP_READ)
        wanted |= UV_READABLE;
    if (events & LOOP_WRITE)
        wanted |= UV_WRITABLE;
    int r = wanted ? uv_poll_start(&p->uv, wanted, poll_ready) : uv_poll_stop(&p->uv);
    return r < 0 ? loop_error(r, "uv_poll_start") : 0;
}

void loop_poll_free(struct loop_poll *p)
{
    if (p)
        uv_close((uv_handle_t *)&p->uv, poll_closed);
}

struct loop_signal {
    uv_signal_t uv;
    loop_signal_fn fn;
    void *user;
};

static void signal_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct loop_signal, uv));
}

static void signal_came(uv_signal_t *uv, int signum)
{
    struct loop_signal *s = CONTAINER_OF(uv, struct loop_signal, uv);

    s->fn(s->user, signum);
}

int loop_signal_new(struct loop *l, int signum, loop_signal_fn fn, void *user,
                    struct loop_signal **ret)
{
    struct loop_signal *s = calloc(1, sizeof(*s));

    if (!s)
        return ERR_NOMEM;
    s->fn = fn;
    s->user = user;
    int r = uv_signal_init(&l->uv, &s->uv);
    if (r < 0) { /* the handle is not registered then */
        free(s);
        return loop_error(r, "uv_signal_init");
    }
    r = uv_signal_start(&s->uv, signal_came, signum);
    if (r < 0) {
        loop_signal_free(s);
        return loop_error(r, "uv_signal_start");
    }
    *ret = s;
    return 0;
}

void loop_signal_free(struct loop_signal *s)
{
    if (s)
        uv_close((uv_handle_t *)&s->uv, signal_closed);
}
