/* Messages made of the watch's pages. */
#include "gateway/stream_list.h"

#include "base/str.h"
#include "gateway/health.h"
#include "gateway/stream_internal.h"
#include "orchestrator/watch.h"
#include "wire/messages.h"

#include <string.h>

/* A page, its last row and the cursor: less than STREAM_OUT_MAX, so that one always fits. */
#define LIST_MESSAGE_MAX (STREAM_OUT_MAX - STREAM_GATHER_MAX - 64u)

struct stream_list {
    struct watch_reader *reader;
    bool is_ready; /* there may be something to send */
};

static void tell_problem(struct stream *s, int err, const char *details)
{
    struct problem p;

    (void)problem_set(&p, err, "request failed", "%s", details);
    stream_send_error(s, NULL, &p, false);
}

static void on_wake(void *user)
{
    struct stream *s = user;

    s->list->is_ready = true;
    stream_want_write(s);
}

void stream_list_subscribe(struct stream *s, const char *since)
{
    struct watch *w = server_watch(s->st->server);
    struct stream_list *l;
    struct problem p;

    if (!w || s->list) {
        tell_problem(s, w ? ERR_CONFLICT : ERR_CLOSED,
                     w ? "the list is already subscribed to on this socket"
                       : "the live list is not available");
        return;
    }
    l = calloc(1, sizeof *l);
    if (!l) {
        tell_problem(s, ERR_NOMEM, "out of memory");
        return;
    }
    if (watch_open(w, &s->who, since, on_wake, s, &l->reader, &p) != 0) {
        free(l);
        stream_send_error(s, NULL, &p, false);
        return;
    }
    s->list = l;
}

void stream_list_close(struct stream *s)
{
    if (!s->list)
        return;
    watch_close(s->list->reader);
    free(TAKE_PTR(s->list));
}

void stream_list_unsubscribe(struct stream *s)
{
    if (s->list)
        stream_list_close(s);
    else
        tell_problem(s, ERR_NOT_FOUND, "there is no subscription to the list");
}

bool stream_list_is_ready(const struct stream *s)
{
    return s->list && s->list->is_ready;
}

void stream_list_fill(struct stream *s)
{
    struct stream_list *l = s->list;
    struct watch_page page;
    struct buf m = {.max = LIST_MESSAGE_MAX};
    int r = watch_next(l->reader, &page);

    if (r == ERR_AGAIN) {
        l->is_ready = false;
        return;
    }
    l->is_ready = r == 0 && watch_has_more(l->reader);
    if (r == 0) {
        const struct wire_ws_executions message = {.is_snapshot = page.is_snapshot,
                                                   .begins = page.begins,
                                                   .more = page.more,
                                                   .rows = page.rows,
                                                   .len = page.len,
                                                   .cursor = page.place};
        r = wire_ws_executions(&m, &message);
    }
    stream_send(s, r, &m); /* a failure closes the stream */
}

int stream_list_encode(void *user UNUSED, const struct execution *e, struct buf *out)
{
    char cut[STREAM_LIST_COMMAND_MAX + 1];
    struct execution row = *e;

    if (strlen(e->command) > STREAM_LIST_COMMAND_MAX) {
        size_t len = str_utf8_valid_prefix(e->command, STREAM_LIST_COMMAND_MAX);
        memcpy(cut, e->command, len);
        cut[len] = '\0';
        row.command = cut;
    }
    return wire_execution(out, &row, HEALTH_PROVIDER);
}
