/*
 * The line cutter. A line that lies whole in what was read goes to the spool from there; only what
 * is unfinished is copied. Each step can be repeated: when the outlet has no room, what was copied
 * stays copied and what was not given out is still there.
 */
#include "runner/lines.h"

#include <errno.h>
#include <string.h>

void lines_init(struct lines *l, uint8_t kind)
{
    l->kind = kind;
    l->in_part = false;
    l->len = 0;
}

static void keep(struct lines *l, const uint8_t *p, size_t n)
{
    memcpy(l->buf + l->len, p, n);
    l->len += (uint32_t)n;
}

static int give(struct lines *l, struct outlet *o, uint8_t flags)
{
    int rc = outlet_line(o, l->kind, flags, l->buf, l->len);
    if (rc < 0)
        return rc;
    l->in_part = flags == SPOOL_PART;
    l->len = 0;
    return 0;
}

/* A line's last n bytes and its newline. Returns the bytes taken. */
static size_t finish_line(struct lines *l, struct outlet *o, const uint8_t *p, size_t n)
{
    if (l->len == 0) {
        if (outlet_line(o, l->kind, 0, p, (uint32_t)n) < 0)
            return 0;
        l->in_part = false;
        return n + 1;
    }
    keep(l, p, n);
    return give(l, o, 0) < 0 ? n : n + 1;
}

size_t lines_feed(struct lines *l, struct outlet *o, const uint8_t *p, size_t n)
{
    size_t done = 0;

    while (done < n) {
        size_t left = n - done;
        size_t room = SPOOL_LINE_MAX - l->len;
        /* One byte further than fits: a line of just the maximum is whole. */
        const uint8_t *nl = memchr(p + done, '\n', left > room ? room + 1 : left);
        if (nl != NULL) {
            size_t k = (size_t)(nl - (p + done));
            size_t taken = finish_line(l, o, p + done, k);
            done += taken;
            if (taken != k + 1)
                break;
        } else if (left > room) {
            keep(l, p + done, room);
            done += room;
            if (give(l, o, SPOOL_PART) < 0)
                break;
        } else {
            keep(l, p + done, left);
            done = n;
        }
    }
    return done;
}

void lines_give_part(struct lines *l, struct outlet *o)
{
    if (l->len > 0)
        (void)give(l, o, SPOOL_PART); /* no room: it waits for the next bytes or the end */
}

int lines_end(struct lines *l, struct outlet *o)
{
    if (l->len == 0 && !l->in_part)
        return 0;
    return give(l, o, SPOOL_NO_EOL);
}
